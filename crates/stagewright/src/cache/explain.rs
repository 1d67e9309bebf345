//! Why a step runs again: the step of the earlier build that it corresponds to, and the first thing that differs.

use std::sync::Arc;

use super::Verdict;
use super::cause::{Cause, Doubt};
use super::content::{Likeness, Unsure};
use super::store::{Outcomes, Status};
use crate::build::{Build, ComponentKind, Origin, Step, StepId, StepKind};

/// A verdict for each step of the later build.
pub(super) fn explain(before: &Build, after: &Build, outcomes: &Outcomes) -> Vec<Verdict> {
    let explainer = Explainer {
        before,
        after,
        outcomes,
        counterparts: counterparts(before, after),
    };
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(after.steps.len());
    for step in &after.steps {
        let verdict = match &outcomes.after[step.id.0].0 {
            Status::Cached(_) => Verdict::Cached,
            Status::Rerun(_) => Verdict::Rerun {
                cause: explainer.cause(step, &verdicts),
            },
            Status::Unknown { input, unsure, .. } => Verdict::Unknown {
                doubt: explainer.doubt(step, *input, unsure.as_ref(), &verdicts),
            },
        };
        verdicts.push(verdict);
    }
    verdicts
}

struct Explainer<'b> {
    before: &'b Build,
    after: &'b Build,
    outcomes: &'b Outcomes,
    counterparts: Vec<Option<StepId>>,
}

impl Explainer<'_> {
    fn cause(&self, step: &Step, verdicts: &[Verdict]) -> Arc<Cause> {
        let Some(counterpart) = self.counterparts[step.id.0] else {
            return Arc::new(Cause::Added);
        };
        let counterpart = self.before.step(counterpart);
        if step.definition != counterpart.definition {
            return Arc::new(self.definition(counterpart, step));
        }
        if let Some(cause) = self.files(counterpart, step) {
            return Arc::new(cause);
        }
        for input in &step.inputs {
            let Origin::Step(id) = input.origin else {
                continue;
            };
            if let Verdict::Rerun { cause } = &verdicts[id.0]
                && !input.by_content
            {
                return self.after_step(id, cause);
            }
        }
        // What it reads comes from a step that runs again, though the files of that step cannot be told apart.
        for input in &step.inputs {
            if let Origin::Step(id) = input.origin
                && let Verdict::Rerun { cause } = &verdicts[id.0]
            {
                return self.after_step(id, cause);
            }
        }
        Arc::new(self.moved(counterpart))
    }

    /// The same step with another definition.
    fn definition(&self, before: &Step, after: &Step) -> Cause {
        if let (StepKind::Base, StepKind::Base) = (before.kind, after.kind) {
            return self.base(before, after);
        }
        if before.text != after.text {
            return Cause::Text {
                before: before.text.clone(),
                after: after.text.clone(),
            };
        }
        // The same words mean something else: a variable in them has another value.
        if let Some(cause) = self.referenced(before, after) {
            return cause;
        }
        if let Some(cause) = self.variables(before, after) {
            return cause;
        }
        let value = |step: &Step, kind: ComponentKind, name: &str| {
            let found = step
                .components
                .iter()
                .find(|component| component.kind == kind && component.name == name);
            found.map(|component| component.value.clone())
        };
        let all = after.components.iter().chain(&before.components);
        for component in all {
            let was = value(before, component.kind, &component.name);
            let is = value(after, component.kind, &component.name);
            if was == is {
                continue;
            }
            if component.kind == ComponentKind::Epoch {
                return Cause::BuildArg {
                    name: component.name.clone(),
                    before: was,
                    after: is,
                };
            }
            let name = match component.kind {
                ComponentKind::Command => "shell".to_owned(),
                ComponentKind::WorkingDirectory => "working directory".to_owned(),
                ComponentKind::Destination => "destination".to_owned(),
                ComponentKind::User => "user".to_owned(),
                ComponentKind::Platform => "platform".to_owned(),
                ComponentKind::Mount => format!("mount at `{}`", component.name),
                ComponentKind::Flag => format!("flag `{}`", component.name),
                _ => "source".to_owned(),
            };
            return Cause::Setting {
                name,
                before: was.unwrap_or_default(),
                after: is.unwrap_or_default(),
            };
        }
        Cause::Moved
    }

    fn base(&self, before: &Step, after: &Step) -> Cause {
        let (was, is) = (image(before), image(after));
        // An argument whose value stands in the reference.
        for (name, was_arg, is_arg) in self.changed_args() {
            if let (Some(was_arg), Some(is_arg)) = (&was_arg, &is_arg)
                && before.text.contains(was_arg.as_str())
                && after.text.contains(is_arg.as_str())
            {
                return Cause::BuildArg {
                    name,
                    before: Some(was_arg.clone()),
                    after: Some(is_arg.clone()),
                };
            }
        }
        if was == is {
            let platform = |step: &Step| {
                let component = step
                    .components
                    .iter()
                    .find(|component| component.kind == ComponentKind::Platform);
                component
                    .map(|component| component.value.clone())
                    .unwrap_or_default()
            };
            return Cause::Setting {
                name: "platform".to_owned(),
                before: platform(before),
                after: platform(after),
            };
        }
        Cause::Base {
            before: was,
            after: is,
        }
    }

    /// Build arguments that have another value.
    fn changed_args(&self) -> Vec<(String, Option<String>, Option<String>)> {
        let (before, after) = (&self.before.args, &self.after.args);
        let names = before
            .keys()
            .chain(after.keys().filter(|name| !before.contains_key(*name)));
        names
            .map(|name| {
                (
                    name.clone(),
                    before.get(name).cloned(),
                    after.get(name).cloned(),
                )
            })
            .filter(|(_, before, after)| before != after)
            .collect()
    }

    /// A variable that stands in the instruction and has another value.
    fn referenced(&self, before: &Step, after: &Step) -> Option<Cause> {
        for piece in after.text.split('$').skip(1) {
            let piece = piece.trim_start_matches('{');
            let end = piece
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(piece.len());
            let name = &piece[..end];
            let (was, is) = (before.before.env.get(name), after.before.env.get(name));
            if was != is {
                return Some(self.variable(name, was, is));
            }
        }
        None
    }

    /// The environment of a RUN.
    fn variables(&self, before: &Step, after: &Step) -> Option<Cause> {
        let list = |step: &Step| -> Vec<(String, String)> {
            let variables = step
                .components
                .iter()
                .filter(|component| component.kind == ComponentKind::Variable);
            variables
                .map(|component| (component.name.clone(), component.value.clone()))
                .collect()
        };
        let (was, is) = (list(before), list(after));
        let get = |list: &[(String, String)], name: &str| {
            list.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        let mut first = None;
        let names = is.iter().chain(&was).map(|(name, _)| name);
        for name in names {
            let (before, after) = (get(&was, name), get(&is, name));
            if before != after {
                let cause = self.variable(name, before.as_deref(), after.as_deref());
                // Of several, the argument: the others may follow from it.
                if matches!(cause, Cause::BuildArg { .. }) {
                    return Some(cause);
                }
                first = first.or(Some(cause));
            }
        }
        let reordered = || {
            let moved = was.iter().zip(&is).find(|(before, after)| before != after);
            moved.map(|(_, (name, _))| Cause::VariableOrder { name: name.clone() })
        };
        first.or_else(reordered)
    }

    fn variable(&self, name: &str, before: Option<&str>, after: Option<&str>) -> Cause {
        let (name, before, after) = (
            name.to_owned(),
            before.map(str::to_owned),
            after.map(str::to_owned),
        );
        if self.before.args.get(&name) == self.after.args.get(&name) {
            Cause::Variable {
                name,
                before,
                after,
            }
        } else {
            Cause::BuildArg {
                name,
                before,
                after,
            }
        }
    }

    /// The first input of which other files are read than before.
    fn files(&self, before: &Step, after: &Step) -> Option<Cause> {
        let was = &self.outcomes.before[before.id.0].1;
        let is = &self.outcomes.after[after.id.0].1;
        for (index, input) in after.inputs.iter().enumerate() {
            let Some(was) = was.get(index).filter(|_| input.by_content) else {
                continue;
            };
            let Likeness::Different(differences) = was.compare(&is[index]) else {
                continue;
            };
            let from = match &input.origin {
                Origin::Step(id) => Some(self.after.step(*id).stage_name.clone()),
                Origin::NamedContext(name) => Some(name.clone()),
                Origin::Remote(remote) => {
                    let before = match &before.inputs[index].origin {
                        Origin::Remote(remote) => remote.identity().to_owned(),
                        _ => String::new(),
                    };
                    return Some(Cause::Download {
                        before,
                        after: remote.identity().to_owned(),
                    });
                }
                Origin::Context => None,
                Origin::Inline(_) => {
                    return Some(Cause::Text {
                        before: before.text.clone(),
                        after: after.text.clone(),
                    });
                }
            };
            return Some(Cause::Files {
                instruction: after.text.clone(),
                from,
                differences,
            });
        }
        None
    }

    /// Everything about the step is as before, and yet it stands on something else.
    fn moved(&self, counterpart: &Step) -> Cause {
        for input in &counterpart.inputs {
            let Origin::Step(id) = input.origin else {
                continue;
            };
            if !self.counterparts.contains(&Some(id)) {
                let gone = self.before.step(id);
                return Cause::Removed {
                    instruction: gone.text.clone(),
                    line: gone.line,
                };
            }
        }
        Cause::Moved
    }

    /// A step that runs because another one does; of a chain of them the first is named.
    fn after_step(&self, id: StepId, cause: &Arc<Cause>) -> Arc<Cause> {
        if let Cause::Step { .. } = &**cause {
            return Arc::clone(cause);
        }
        let step = self.after.step(id);
        Arc::new(Cause::Step {
            step: id,
            line: step.line,
            instruction: step.text.clone(),
            because: Arc::clone(cause),
        })
    }

    fn doubt(
        &self,
        step: &Step,
        input: usize,
        unsure: Option<&Unsure>,
        verdicts: &[Verdict],
    ) -> Arc<Doubt> {
        let origin = &step.inputs[input].origin;
        let Some(unsure) = unsure else {
            let Origin::Step(id) = origin else {
                unreachable!("only a step leaves a doubt without a reason")
            };
            let Verdict::Unknown { doubt } = &verdicts[id.0] else {
                unreachable!("only a step that is not known leaves a doubt")
            };
            if let Doubt::Step { .. } = &**doubt {
                return Arc::clone(doubt);
            }
            let on = self.after.step(*id);
            return Arc::new(Doubt::Step {
                step: *id,
                line: on.line,
                instruction: on.text.clone(),
                because: Arc::clone(doubt),
            });
        };
        Arc::new(match unsure {
            Unsure::Output(id) => {
                let writes = self.after.step(*id);
                Doubt::Output {
                    step: *id,
                    line: writes.line,
                    instruction: writes.text.clone(),
                }
            }
            Unsure::Image => Doubt::Image {
                image: match origin {
                    Origin::Step(id) => self.after.step(*id).stage_name.clone(),
                    _ => String::new(),
                },
            },
            Unsure::Download(address) => Doubt::Download {
                address: address.clone(),
            },
            Unsure::Unread(paths) => Doubt::Unread {
                paths: paths.clone(),
            },
            Unsure::Missing(message) => Doubt::Missing {
                message: message.clone(),
            },
        })
    }
}

fn image(step: &Step) -> String {
    let component = step
        .components
        .iter()
        .find(|component| component.kind == ComponentKind::Image);
    component
        .map(|component| component.value.clone())
        .unwrap_or_default()
}

/// For each step of the later build the one of the earlier build that it corresponds to: stage by stage, equal instructions first, then
/// what stands between the same neighbours.
fn counterparts(before: &Build, after: &Build) -> Vec<Option<StepId>> {
    let stages = |build: &Build| {
        let mut stages: Vec<(String, bool, Vec<StepId>)> = Vec::new();
        for step in &build.steps {
            match stages
                .iter_mut()
                .find(|(name, ..)| *name == step.stage_name)
            {
                Some((.., steps)) => steps.push(step.id),
                None => stages.push((
                    step.stage_name.clone(),
                    step.stage == build.target,
                    vec![step.id],
                )),
            }
        }
        stages
    };
    let (was, is) = (stages(before), stages(after));
    let mut found = vec![None; after.steps.len()];
    for (name, target, steps) in &is {
        let same_name = was
            .iter()
            .find(|(other, ..)| other.eq_ignore_ascii_case(name));
        let Some((.., others)) =
            same_name.or_else(|| was.iter().find(|(_, other, _)| *target && *other))
        else {
            continue;
        };
        align(before, after, others, steps, &mut found);
    }
    found
}

fn align(
    before: &Build,
    after: &Build,
    was: &[StepId],
    is: &[StepId],
    found: &mut [Option<StepId>],
) {
    let same = |one: StepId, two: StepId| {
        let (one, two) = (before.step(one), after.step(two));
        one.kind == two.kind && one.text == two.text
    };
    // The longest common subsequence, from the end.
    let width = is.len() + 1;
    let mut longest = vec![0_u32; (was.len() + 1) * width];
    for i in (0..was.len()).rev() {
        for j in (0..is.len()).rev() {
            longest[i * width + j] = if same(was[i], is[j]) {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let (mut left, mut right): (Vec<StepId>, Vec<StepId>) = (Vec::new(), Vec::new());
    let pair_rest =
        |left: &mut Vec<StepId>, right: &mut Vec<StepId>, found: &mut [Option<StepId>]| {
            for id in right.drain(..) {
                let kind = after.step(id).kind;
                if let Some(at) = left
                    .iter()
                    .position(|other| before.step(*other).kind == kind)
                {
                    found[id.0] = Some(left[at]);
                    left.drain(..=at);
                }
            }
            left.clear();
        };
    while i < was.len() && j < is.len() {
        if same(was[i], is[j]) {
            pair_rest(&mut left, &mut right, found);
            found[is[j].0] = Some(was[i]);
            i += 1;
            j += 1;
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            left.push(was[i]);
            i += 1;
        } else {
            right.push(is[j]);
            j += 1;
        }
    }
    left.extend(&was[i..]);
    right.extend(&is[j..]);
    pair_rest(&mut left, &mut right, found);
}
