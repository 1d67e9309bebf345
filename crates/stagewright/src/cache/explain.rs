//! Why a step runs again: the step of the earlier build that it corresponds to, and the first thing that differs.

use std::sync::Arc;

use super::cause::{Cause, Doubt};
use super::content::{Likeness, Unsure};
use super::counterpart::counterparts;
use super::store::{Outcomes, Status};
use super::{NoCache, Verdict};
use crate::build::{Build, ComponentKind, CopiedSource, Origin, Step, StepId, StepKind};
use crate::context::Node;

/// A verdict for each step of the later build.
pub(super) fn explain(
    before: &Build,
    after: &Build,
    outcomes: &Outcomes,
    no_cache: &NoCache,
) -> Vec<Verdict> {
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
            Status::Rerun(_) if no_cache.covers(step) => Verdict::Rerun {
                cause: Arc::new(Cause::NoCache),
            },
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
            let cause = self.definition(counterpart, step);
            // Where the folder that it works in is another one, the step that makes the folder says why.
            if let Cause::Setting { name, .. } = &cause
                && matches!(name.as_str(), "destination" | "working directory")
                && let Some(cause) = self.stands_on(step, verdicts)
            {
                return cause;
            }
            return Arc::new(cause);
        }
        if let Some(cause) = self.files(counterpart, step, verdicts) {
            return cause;
        }
        if let Some(cause) = self.stands_on(step, verdicts) {
            return cause;
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

    /// The step whose files it changes runs again.
    fn stands_on(&self, step: &Step, verdicts: &[Verdict]) -> Option<Arc<Cause>> {
        step.inputs
            .iter()
            .filter(|input| input.is_root)
            .find_map(|input| match input.origin {
                Origin::Step(id) => match &verdicts[id.0] {
                    Verdict::Rerun { cause } => Some(self.after_step(id, cause)),
                    _ => None,
                },
                _ => None,
            })
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
        if let Some(cause) = scripts(before, after) {
            return cause;
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
            let input = |value: &Option<String>| {
                value
                    .as_deref()
                    .and_then(|value| Some(value.rsplit_once(" input ")?.0.to_owned()))
            };
            if component.kind == ComponentKind::Source
                && input(&was).is_some()
                && input(&was) == input(&is)
            {
                return self.moved(before);
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
        let (mut was, mut is) = (reference(before), reference(after));
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
            (was, is) = (image(before), image(after));
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

    /// The first input of which other files are read than before. Where a step of this build leaves them, that step has a reason.
    fn files(&self, before: &Step, after: &Step, verdicts: &[Verdict]) -> Option<Arc<Cause>> {
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
                Origin::Step(id) => {
                    if let Verdict::Rerun { cause } = &verdicts[id.0] {
                        return Some(self.after_step(*id, cause));
                    }
                    Some(self.after.step(*id).stage_name.clone())
                }
                Origin::NamedContext(name) => Some(name.clone()),
                Origin::Remote(remote) => {
                    let before = match &before.inputs[index].origin {
                        Origin::Remote(remote) => remote.identity().to_owned(),
                        _ => String::new(),
                    };
                    return Some(Arc::new(Cause::Download {
                        before,
                        after: remote.identity().to_owned(),
                    }));
                }
                Origin::Context => None,
                Origin::Inline(_) => {
                    let cause = self.written(before, after);
                    return Some(Arc::new(cause));
                }
            };
            return Some(Arc::new(Cause::Files {
                instruction: after.text.clone(),
                from,
                differences,
            }));
        }
        None
    }

    /// A file that is written in the Dockerfile: other words, or a variable in them.
    fn written(&self, before: &Step, after: &Step) -> Cause {
        let names = after.before.env.iter().map(|(name, _)| name);
        let changed = names.map(|name| {
            (
                name,
                before.before.env.get(name),
                after.before.env.get(name),
            )
        });
        let mut changed: Vec<Cause> = changed
            .filter(|(_, was, is)| was != is)
            .map(|(name, was, is)| self.variable(name, was, is))
            .collect();
        changed.sort_by_key(|cause| !matches!(cause, Cause::BuildArg { .. }));
        if let Some(cause) = changed.into_iter().next() {
            return cause;
        }
        let text = |step: &Step| -> String {
            let copied = step.copied.iter().flat_map(|copied| &copied.sources);
            let texts = copied.filter_map(|source| match source {
                CopiedSource::Inline {
                    node: Node::File(file),
                    ..
                } => file.text.as_deref(),
                _ => None,
            });
            texts.collect()
        };
        first_difference(&text(before), &text(after))
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

/// The reference of a base image as it stands after FROM.
fn reference(step: &Step) -> String {
    step.text.trim_start_matches("FROM ").to_owned()
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

/// A command that is written below its instruction.
fn scripts(before: &Step, after: &Step) -> Option<Cause> {
    let arguments = |step: &Step| -> Option<Vec<String>> {
        let command = step
            .components
            .iter()
            .find(|component| component.kind == ComponentKind::Command)?;
        serde_json::from_str(&command.value).ok()
    };
    let (before, after) = (arguments(before)?, arguments(after)?);
    let ((was, shell_before), (is, shell_after)) = (before.split_last()?, after.split_last()?);
    (shell_before == shell_after && was != is).then(|| first_difference(was, is))
}

/// The first line that reads differently.
fn first_difference(before: &str, after: &str) -> Cause {
    let (mut was, mut is) = (before.split('\n'), after.split('\n'));
    loop {
        match (was.next(), is.next()) {
            (Some(before), Some(after)) if before == after => {}
            (before, after) => {
                return Cause::Text {
                    before: before.unwrap_or_default().to_owned(),
                    after: after.unwrap_or_default().to_owned(),
                };
            }
        }
    }
}
