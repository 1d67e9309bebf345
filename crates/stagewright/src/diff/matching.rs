//! Which stage and which step of one build is which of the other.

use std::collections::BTreeMap;

use super::parts::{self, Entry};
use super::{Fate, StageDiff, StageSide, StepDiff, StepSide};
use crate::align::common;
use crate::analysis::Analysis;
use crate::stage::{Op, Stage, StageId, StageInstruction};

/// The most pairs of stages, or of steps that have no counterpart yet, whose words are compared.
const PAIRS: usize = 40_000;

/// The least that two instructions have in common, out of 100, to be one that changed where others come into question.
const ALIKE: u32 = 40;

/// A step of one build: its stage, its place there, and what it is made of.
struct Item<'a> {
    stage: StageId,
    at: usize,
    instruction: &'a StageInstruction,
    entries: Vec<Entry>,
    /// Its words, sorted.
    words: Vec<&'a str>,
}

impl Item<'_> {
    fn same(&self, other: &Self) -> bool {
        self.entries == other.entries
    }

    /// What two instructions of one kind have in common, from 0 to 100.
    fn likeness(&self, other: &Self) -> u32 {
        let copies = |item: &Self| matches!(item.instruction.op, Op::Copy(_));
        if self.instruction.keyword != other.instruction.keyword && !(copies(self) && copies(other))
        {
            return 0;
        }
        shared(&self.words, &other.words)
    }
}

/// Twice the common words of two sorted lists, out of 100 of all words.
fn shared(one: &[&str], two: &[&str]) -> u32 {
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while i < one.len() && j < two.len() {
        match one[i].cmp(two[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                common += 1;
                i += 1;
                j += 1;
            }
        }
    }
    u32::try_from(200 * common / (one.len() + two.len()).max(1)).unwrap_or(100)
}

fn items<'a>(analysis: &'a Analysis, stage: &'a Stage) -> Vec<Item<'a>> {
    let instructions = stage.instructions.iter().enumerate();
    instructions
        .map(|(at, instruction)| {
            let mut words: Vec<&str> = instruction.text.split_ascii_whitespace().collect();
            words.sort_unstable();
            Item {
                stage: stage.id,
                at,
                instruction,
                entries: parts::of_instruction(instruction, analysis.graph()),
                words,
            }
        })
        .collect()
}

/// A step before and the step after that it became, by their places in the lists of all steps.
#[derive(Clone, Copy)]
struct Pair {
    before: usize,
    after: usize,
    moved: bool,
}

/// All stages with their steps.
pub(super) fn stages(before: &Analysis, after: &Analysis) -> Vec<StageDiff> {
    let (was_all, is_all) = (&before.graph().stages, &after.graph().stages);
    let counterparts = counterparts(before, after);
    let was: Vec<Item<'_>> = was_all
        .iter()
        .flat_map(|stage| items(before, stage))
        .collect();
    let is: Vec<Item<'_>> = is_all
        .iter()
        .flat_map(|stage| items(after, stage))
        .collect();
    let pairs = steps(&was, &is, &counterparts);
    let (mut of_was, mut of_is) = (vec![None; was.len()], vec![None; is.len()]);
    for pair in &pairs {
        of_was[pair.before] = Some(*pair);
        of_is[pair.after] = Some(*pair);
    }
    let step = |pair: Option<Pair>, side: Side<'_, '_>| {
        let (old, new) = match (pair, side) {
            (Some(pair), _) => (Some(&was[pair.before]), Some(&is[pair.after])),
            (None, Side::Before(item)) => (Some(item), None),
            (None, Side::After(item)) => (None, Some(item)),
        };
        step_diff(before, after, old, new, pair.is_some_and(|pair| pair.moved))
    };
    let removed = |stage: StageId| -> Vec<StepDiff> {
        let gone = was.iter().enumerate();
        gone.filter(|(at, item)| item.stage == stage && of_was[*at].is_none())
            .map(|(_, item)| step(None, Side::Before(item)))
            .collect()
    };
    let mut diffs = Vec::new();
    for stage in is_all {
        let old = counterparts
            .iter()
            .find(|(_, is)| *is == stage.id)
            .map(|(was, _)| *was);
        let own = is
            .iter()
            .enumerate()
            .filter(|(_, item)| item.stage == stage.id);
        let mut steps: Vec<StepDiff> = own
            .map(|(at, item)| step(of_is[at], Side::After(item)))
            .collect();
        steps.extend(old.into_iter().flat_map(&removed));
        let sides = (
            old.map(|old| StageSide::new(before, old)),
            StageSide::new(after, stage.id),
        );
        let state = old
            .map(|old| {
                let ends = (&was_all[old.0].end, &stage.end);
                parts::difference(&parts::of_state(ends.0), &parts::of_state(ends.1))
            })
            .unwrap_or_default();
        let same = sides.0.as_ref().is_some_and(|old| {
            (&old.name, &old.base, old.target) == (&sides.1.name, &sides.1.base, sides.1.target)
        }) && state.is_empty()
            && steps
                .iter()
                .all(|step| step.fate == Fate::Same && step.state.is_empty());
        diffs.push(StageDiff {
            fate: match (&sides.0, same) {
                (None, _) => Fate::Added,
                (Some(_), true) => Fate::Same,
                (Some(_), false) => Fate::Changed,
            },
            before: sides.0,
            after: Some(sides.1),
            state,
            steps,
        });
    }
    for stage in was_all {
        if counterparts.iter().all(|(was, _)| *was != stage.id) {
            diffs.push(StageDiff {
                fate: Fate::Removed,
                before: Some(StageSide::new(before, stage.id)),
                after: None,
                state: Vec::new(),
                steps: removed(stage.id),
            });
        }
    }
    diffs
}

enum Side<'s, 'a> {
    Before(&'s Item<'a>),
    After(&'s Item<'a>),
}

fn step_diff(
    before: &Analysis,
    after: &Analysis,
    old: Option<&Item<'_>>,
    new: Option<&Item<'_>>,
    moved: bool,
) -> StepDiff {
    let (parts, state) = match (old, new) {
        (Some(old), Some(new)) => {
            let runs = matches!(new.instruction.op, Op::Run(_));
            let states = [old, new].map(|item| parts::of_state(&item.instruction.before));
            (
                parts::difference(&old.entries, &new.entries),
                if runs {
                    parts::difference(&states[0], &states[1])
                } else {
                    Vec::new()
                },
            )
        }
        _ => (Vec::new(), Vec::new()),
    };
    StepDiff {
        fate: match (old, new) {
            (None, _) => Fate::Added,
            (_, None) => Fate::Removed,
            _ if moved => Fate::Moved,
            _ if parts.is_empty() => Fate::Same,
            _ => Fate::Changed,
        },
        before: old.map(|item| StepSide::new(before, item.stage, item.at)),
        after: new.map(|item| StepSide::new(after, item.stage, item.at)),
        parts,
        state,
    }
}

/// Pairs of stages: of one name, then the two that are built, then those with the most instructions in common.
fn counterparts(before: &Analysis, after: &Analysis) -> Vec<(StageId, StageId)> {
    let (was, is) = (before.graph(), after.graph());
    let mut pairs: Vec<(StageId, StageId)> = Vec::new();
    let mut names: BTreeMap<String, StageId> = BTreeMap::new();
    for stage in &was.stages {
        if let Some(name) = &stage.name {
            names.entry(name.to_ascii_lowercase()).or_insert(stage.id);
        }
    }
    for stage in &is.stages {
        let name = stage.name.as_ref().map(|name| name.to_ascii_lowercase());
        if let Some(old) = name.and_then(|name| names.remove(&name)) {
            pairs.push((old, stage.id));
        }
    }
    let free = |pairs: &[(StageId, StageId)], old: StageId, new: StageId| {
        pairs.iter().all(|(was, is)| *was != old && *is != new)
    };
    if free(&pairs, was.target, is.target) {
        pairs.push((was.target, is.target));
    }
    let left = |stages: &[Stage], taken: &dyn Fn(StageId) -> bool| -> Vec<StageId> {
        let ids = stages.iter().map(|stage| stage.id);
        ids.filter(|id| !taken(*id)).collect()
    };
    let olds = left(&was.stages, &|id| pairs.iter().any(|(was, _)| *was == id));
    let news = left(&is.stages, &|id| pairs.iter().any(|(_, is)| *is == id));
    if olds.len().saturating_mul(news.len()) > PAIRS {
        return pairs;
    }
    let texts = |stage: &Stage| -> Vec<String> {
        let mut texts: Vec<String> = stage
            .instructions
            .iter()
            .map(|instruction| instruction.text.clone())
            .collect();
        texts.sort_unstable();
        texts
    };
    let olds: Vec<_> = olds.iter().map(|id| (*id, texts(was.stage(*id)))).collect();
    let news: Vec<_> = news.iter().map(|id| (*id, texts(is.stage(*id)))).collect();
    let mut scores = Vec::new();
    for (old, one) in &olds {
        for (new, two) in &news {
            let views =
                [one, two].map(|texts| texts.iter().map(String::as_str).collect::<Vec<_>>());
            let same_base = StageSide::new(before, *old).base == StageSide::new(after, *new).base;
            let score = shared(&views[0], &views[1]) + u32::from(same_base);
            if score > 0 {
                scores.push((std::cmp::Reverse(score), *old, *new));
            }
        }
    }
    scores.sort_unstable();
    for (_, old, new) in scores {
        if free(&pairs, old, new) {
            pairs.push((old, new));
        }
    }
    pairs
}

/// Pairs of steps: what is equal in the same order in a pair of stages, then what is equal elsewhere, then what stands between the same
/// neighbours and is alike, then what is alike elsewhere.
fn steps(was: &[Item<'_>], is: &[Item<'_>], stages: &[(StageId, StageId)]) -> Vec<Pair> {
    let of = |items: &[Item<'_>], stage: StageId| -> Vec<usize> {
        let places = items.iter().enumerate();
        places
            .filter(|(_, item)| item.stage == stage)
            .map(|(at, _)| at)
            .collect()
    };
    let mut pairs: Vec<Pair> = Vec::new();
    let mut gaps: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    for (old, new) in stages {
        let (left, right) = (of(was, *old), of(is, *new));
        let equal = common(&left, &right, |one, two| was[*one].same(&is[*two]));
        let (mut i, mut j) = (0, 0);
        for (at, to) in equal {
            gaps.push((left[i..at].to_vec(), right[j..to].to_vec()));
            pairs.push(Pair {
                before: left[at],
                after: right[to],
                moved: false,
            });
            (i, j) = (at + 1, to + 1);
        }
        gaps.push((left[i..].to_vec(), right[j..].to_vec()));
    }
    let mut taken = Taken::new(was.len(), is.len(), &pairs);
    // Equal steps elsewhere, nearest first: in the counterpart of the stage, then anywhere.
    let same_stage = |one: usize, two: usize| stages.contains(&(was[one].stage, is[two].stage));
    for within in [true, false] {
        let mut found = Vec::new();
        taken.each_pair(|one, two| {
            let fits = was[one].same(&is[two]) && (!within || same_stage(one, two));
            if fits {
                found.push((one, two));
            }
        });
        taken.take(found, true, &mut pairs);
    }
    for (left, right) in gaps {
        let left: Vec<usize> = left.into_iter().filter(|at| !taken.was[*at]).collect();
        let right: Vec<usize> = right.into_iter().filter(|at| !taken.is[*at]).collect();
        if left.len().saturating_mul(right.len()) > PAIRS {
            continue;
        }
        let alone = |items: &[Item<'_>], places: &[usize], item: &Item<'_>| {
            let same = places
                .iter()
                .filter(|at| items[**at].instruction.keyword == item.instruction.keyword);
            same.count() == 1
        };
        let mut found = Vec::new();
        for one in &left {
            for two in &right {
                let likeness = was[*one].likeness(&is[*two]);
                // The only two of a kind between the same neighbours are one, however much changed.
                let only = alone(was, &left, &was[*one])
                    && alone(is, &right, &is[*two])
                    && was[*one].instruction.keyword == is[*two].instruction.keyword;
                if likeness >= ALIKE || only {
                    found.push((std::cmp::Reverse(likeness), *one, *two));
                }
            }
        }
        found.sort_unstable();
        let found = found.into_iter().map(|(_, one, two)| (one, two)).collect();
        taken.take(found, false, &mut pairs);
    }
    let mut found = Vec::new();
    taken.each_pair(|one, two| {
        let likeness = was[one].likeness(&is[two]);
        if likeness >= ALIKE {
            found.push((std::cmp::Reverse(likeness), one, two));
        }
    });
    found.sort_unstable();
    let found = found.into_iter().map(|(_, one, two)| (one, two)).collect();
    taken.take(found, true, &mut pairs);
    pairs
}

/// Which steps have a counterpart.
struct Taken {
    was: Vec<bool>,
    is: Vec<bool>,
}

impl Taken {
    fn new(was: usize, is: usize, pairs: &[Pair]) -> Self {
        let mut taken = Self {
            was: vec![false; was],
            is: vec![false; is],
        };
        for pair in pairs {
            taken.was[pair.before] = true;
            taken.is[pair.after] = true;
        }
        taken
    }

    /// Calls with every pair of steps that have no counterpart yet; not at all where there are too many.
    fn each_pair(&self, mut call: impl FnMut(usize, usize)) {
        let free =
            |taken: &[bool]| -> Vec<usize> { (0..taken.len()).filter(|at| !taken[*at]).collect() };
        let (was, is) = (free(&self.was), free(&self.is));
        if was.len().saturating_mul(is.len()) > PAIRS {
            return;
        }
        for two in is {
            for one in &was {
                call(*one, two);
            }
        }
    }

    fn take(&mut self, found: Vec<(usize, usize)>, moved: bool, pairs: &mut Vec<Pair>) {
        for (before, after) in found {
            if !self.was[before] && !self.is[after] {
                self.was[before] = true;
                self.is[after] = true;
                pairs.push(Pair {
                    before,
                    after,
                    moved,
                });
            }
        }
    }
}
