//! BuildKit's cache, played through: what a first build leaves in it, and what a second one finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::content::{self, Files, Likeness, Read, Root, Unsure};
use super::imported::not_exported;
use super::options::CacheOptions;
use crate::build::{Build, Input, Origin, Step, StepId};
use crate::context::{Context, Digest, Directory};
use crate::options::Builder;

/// The trees of the contexts of a build.
pub(super) struct Trees {
    pub(super) main: Arc<Directory>,
    pub(super) named: BTreeMap<String, Arc<Directory>>,
}

/// How a step of the second build fares.
#[derive(Clone, Debug)]
pub(super) enum Status {
    /// Its result is that of this step of the first build.
    Cached(Record),
    Rerun(Record),
    /// It is known to an imported cache that has no layer of it.
    Keyed {
        record: Record,
        needed_by: Option<Need>,
        /// The place of an input that may not be what it was, where that is not known.
        open: Option<(usize, Option<Unsure>)>,
    },
    /// Its result is that of a step of the first build, if the input at this place is what it was.
    Unknown {
        record: Record,
        input: usize,
        unsure: Option<Unsure>,
    },
}

/// Who needs what a step leaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// A step that runs, or what is built.
    Sure,
    /// This step, if it runs.
    Of(StepId),
}

/// An entry of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record(usize);

/// What playing brings to light.
pub(super) struct Outcomes {
    /// For each step of the first build its entry and what it read.
    pub(super) before: Vec<(Record, Vec<Read>)>,
    /// For each step of the second build how it fares and what it reads.
    pub(super) after: Vec<(Status, Vec<Read>)>,
}

impl Status {
    pub(super) fn record(&self) -> Record {
        match self {
            Self::Cached(record)
            | Self::Rerun(record)
            | Self::Keyed { record, .. }
            | Self::Unknown { record, .. } => *record,
        }
    }
}

/// By what the entries of the cache are found: the definition of a step and the place of an input.
#[derive(Default)]
pub(super) struct Store {
    pub(super) links: BTreeMap<(Digest, usize), Links>,
    /// Steps without inputs.
    sources: BTreeMap<Digest, Record>,
    /// The files that each entry stands for; of one that the second build makes, only that it is new.
    files: Vec<Option<Files>>,
    /// Entries that an imported cache has no layer of.
    pub(super) keys_only: BTreeSet<Record>,
}

#[derive(Default)]
pub(super) struct Links {
    pub(super) by_history: BTreeMap<(Record, Digest), BTreeSet<Record>>,
    by_content: Vec<(Read, Record)>,
}

/// Entries that a step may be taken from.
struct Candidates {
    sure: BTreeSet<Record>,
    /// With why it is not sure.
    possible: BTreeMap<Record, (usize, Option<Unsure>)>,
}

/// By which keys of an input an entry is found.
#[derive(Clone, Copy)]
enum Keys {
    /// Any of them: this builder notes at once that they stand for the same (`cachemanager.go`, `Query`).
    Any,
    /// All of them, but for the first input: so a key that was made here is looked up in an imported cache, where nothing can be noted
    /// (`cachemanager.go`, `getIDFromDeps`; `cache/remotecache/v1/cachestorage.go`, `AddLink`).
    All,
}

/// Plays both builds.
pub(super) fn play(before: &Build, after: &Build, options: &CacheOptions) -> Outcomes {
    let trees = Trees {
        main: Arc::clone(before.context.tree()),
        named: before
            .named
            .iter()
            .map(|(name, context)| (name.clone(), Arc::clone(context.tree())))
            .collect(),
    };
    let mut store = Store::default();
    let mut outcomes = Outcomes {
        before: Vec::new(),
        after: Vec::new(),
    };
    let mut results: Vec<Files> = Vec::new();
    for step in &before.steps {
        let reads = reads(step, &trees, &results);
        let histories: Vec<_> = histories(step, |id: StepId| (outcomes.before[id.0].0, None));
        let found = store
            .find(step, &reads, &histories, Keys::Any)
            .sure
            .first()
            .copied();
        let record = found.unwrap_or_else(|| store.entry());
        store.link(step, &reads, &histories, record);
        let files = match &store.files[record.0] {
            Some(files) if found.is_some() => files.clone(),
            _ => {
                let token = Root::Known(Digest::of(format!("result {}", record.0)));
                let files = content::leave(step, &trees, &results, token);
                store.files[record.0] = Some(files.clone());
                files
            }
        };
        results.push(files);
        outcomes.before.push((record, reads));
    }

    if let Some(export) = options.imported {
        store.keys_only = not_exported(before, export, &outcomes.before);
    }
    // A folder that BuildKit has had before keeps the permissions that it had then, because a change of them alone is not noted (fsutil's
    // `rootdiskwriter.go`, `HandleChange`; <https://github.com/moby/buildkit/issues/7176>). A fresh builder has nothing of the build before.
    let kept = options.imported.is_none() && after.builder == Builder::BuildKit;
    // Nor has one whose commands could write to it: it was put aside for them, and is sent anew (`cache/refs.go`, `finalize`).
    let is_written = |origin: &Origin| {
        let mut inputs = before.steps.iter().flat_map(|step| &step.inputs);
        inputs.any(|input| input.writable && input.origin == *origin)
    };
    let carried = |origin: Origin, before: Option<&Context>, after: &Context| match before {
        Some(before) if kept && !is_written(&origin) => before.tree().carry_modes(after.tree()),
        _ => Arc::clone(after.tree()),
    };
    let named = after.named.iter().map(|(name, context)| {
        let origin = Origin::NamedContext(name.clone());
        let before = before.named.get(name);
        (name.clone(), carried(origin, before, context))
    });
    let trees = Trees {
        main: carried(Origin::Context, Some(&before.context), &after.context),
        named: named.collect(),
    };
    let mut results: Vec<Files> = Vec::new();
    let covered = options.no_cache.covered(after);
    for step in &after.steps {
        let reads = reads(step, &trees, &results);
        let histories: Vec<_> = histories(step, |id: StepId| {
            let status = &outcomes.after[id.0].0;
            (
                status.record(),
                matches!(status, Status::Unknown { .. }).then_some(()),
            )
        });
        // What must run gives its key to nobody (`edge.go`, `processExecReq`); what stands on it runs for that alone, and is then known by
        // the key that it had.
        let shown = |(input, history): (&Input, &History)| match input.origin {
            Origin::Step(id) if covered[id.0] => None,
            _ => *history,
        };
        let shown: Vec<History> = step.inputs.iter().zip(&histories).map(shown).collect();
        let candidates = if covered[step.id.0] {
            Candidates::none()
        } else {
            store.find(step, &reads, &shown, Keys::Any)
        };
        let runs_alone = candidates.sure.is_empty()
            && candidates.possible.is_empty()
            && after.builder == Builder::BuildKit;
        let keys = if kept { Keys::Any } else { Keys::All };
        let known = runs_alone
            .then(|| store.find(step, &reads, &histories, keys).sure)
            .and_then(|sure| sure.into_iter().find(|one| store.files[one.0].is_some()));
        let status = match known {
            Some(record) => Status::Rerun(record),
            None => store.status(step, &reads, &histories, candidates, after.builder),
        };
        let files = match (&status, &store.files[status.record().0]) {
            (Status::Cached(_), Some(files)) => files.clone(),
            _ => content::leave(step, &trees, &results, Root::Open(step.id)),
        };
        results.push(files);
        outcomes.after.push((status, reads));
    }
    if !store.keys_only.is_empty() {
        store.settle(after, &mut outcomes.after);
    }
    outcomes
}

fn reads(step: &Step, trees: &Trees, results: &[Files]) -> Vec<Read> {
    step.inputs
        .iter()
        .map(|input| content::read(input, trees, results))
        .collect()
}

/// For each input that is the result of a step: that step's entry, and whether it is sure.
type History = Option<(Record, Option<()>)>;

fn histories(step: &Step, entry: impl Fn(StepId) -> (Record, Option<()>)) -> Vec<History> {
    let history = |origin: &Origin| match origin {
        Origin::Step(id) => Some(entry(*id)),
        _ => None,
    };
    step.inputs
        .iter()
        .map(|input| history(&input.origin))
        .collect()
}

impl Store {
    fn entry(&mut self) -> Record {
        self.files.push(None);
        Record(self.files.len() - 1)
    }

    /// How a step of the second build fares, by the entries that it may be taken from.
    fn status(
        &mut self,
        step: &Step,
        reads: &[Read],
        histories: &[History],
        candidates: Candidates,
        builder: Builder,
    ) -> Status {
        let of_before = |record: &&Record| self.files[record.0].is_some();
        let has_layer = |record: &&Record| !self.keys_only.contains(record);
        let known = candidates.sure.iter().filter(of_before);
        if let Some(record) = known.clone().find(has_layer) {
            Status::Cached(*record)
        } else if let Some(record) = known.clone().next() {
            Status::Keyed {
                record: *record,
                needed_by: None,
                open: None,
            }
        } else if let Some(record) = candidates.sure.first() {
            // An equal step of this very build: one and the same to BuildKit, the next one to the builder before it.
            match builder {
                Builder::Legacy => Status::Cached(*record),
                Builder::BuildKit => Status::Rerun(*record),
            }
        } else if let Some((record, (input, unsure))) = candidates
            .possible
            .into_iter()
            .find(|(record, _)| of_before(&record))
        {
            Status::Unknown {
                record,
                input,
                unsure,
            }
        } else {
            let record = self.entry();
            self.link(step, reads, histories, record);
            Status::Rerun(record)
        }
    }

    /// Makes an entry findable by everything that is known of the step's inputs.
    fn link(&mut self, step: &Step, reads: &[Read], histories: &[History], record: Record) {
        if step.inputs.is_empty() {
            self.sources.entry(step.definition).or_insert(record);
        }
        for (index, input) in step.inputs.iter().enumerate() {
            let links = self.links.entry((step.definition, index)).or_default();
            if let Some((history, None)) = histories[index] {
                links
                    .by_history
                    .entry((history, input.selector))
                    .or_default()
                    .insert(record);
            }
            if input.by_content {
                links.by_content.push((reads[index].clone(), record));
            }
        }
    }

    /// The entries for which every input fits.
    fn find(&self, step: &Step, reads: &[Read], histories: &[History], keys: Keys) -> Candidates {
        if step.inputs.is_empty() {
            let found = self.sources.get(&step.definition).copied();
            return Candidates {
                sure: found.into_iter().collect(),
                possible: BTreeMap::new(),
            };
        }
        let fitting = step.inputs.iter().enumerate().map(|(index, input)| {
            let Some(links) = self.links.get(&(step.definition, index)) else {
                return Candidates::none();
            };
            let history = links.of_history(index, input, histories[index]);
            if !input.by_content {
                return history;
            }
            let content = links.of_content(index, &reads[index]);
            match (&input.origin, keys) {
                (Origin::Step(_), Keys::All) if index > 0 => history.and(content),
                // A context has another key in every build (`source/local/source.go`, `CacheKey`).
                (Origin::Context | Origin::NamedContext(_), Keys::All) if index > 0 => {
                    Candidates::none()
                }
                _ => history.or(content),
            }
        });
        fitting
            .reduce(Candidates::and)
            .unwrap_or_else(|| unreachable!("there is an input"))
    }
}

impl Links {
    fn of_history(&self, index: usize, input: &Input, history: History) -> Candidates {
        let mut fitting = Candidates::none();
        let Some((history, unsure)) = history else {
            return fitting;
        };
        let found = self.by_history.get(&(history, input.selector));
        for record in found.into_iter().flatten() {
            match unsure {
                None => {
                    fitting.sure.insert(*record);
                }
                Some(()) => {
                    fitting.possible.insert(*record, (index, None));
                }
            }
        }
        fitting
    }

    fn of_content(&self, index: usize, now: &Read) -> Candidates {
        let mut fitting = Candidates::none();
        for (read, record) in &self.by_content {
            match read.compare(now) {
                Likeness::Same => {
                    fitting.sure.insert(*record);
                }
                Likeness::Unsure(unsure) => {
                    let why = (index, Some(unsure));
                    fitting.possible.entry(*record).or_insert(why);
                }
                Likeness::Different(_) => {}
            }
        }
        fitting
    }
}

impl Candidates {
    fn none() -> Self {
        Self {
            sure: BTreeSet::new(),
            possible: BTreeMap::new(),
        }
    }

    fn or(mut self, other: Self) -> Self {
        self.sure.extend(other.sure);
        for (record, why) in other.possible {
            self.possible.entry(record).or_insert(why);
        }
        self
    }

    fn and(self, other: Self) -> Self {
        let sure: BTreeSet<Record> = self.sure.intersection(&other.sure).copied().collect();
        let mut possible = BTreeMap::new();
        for (record, why) in self.possible {
            if other.sure.contains(&record) || other.possible.contains_key(&record) {
                possible.insert(record, why);
            }
        }
        for (record, why) in other.possible {
            if self.sure.contains(&record) {
                possible.entry(record).or_insert(why);
            }
        }
        Self { sure, possible }
    }
}
