//! What differs in the definitions of two steps that correspond to each other.

use super::cause::Cause;
use super::explain::Explainer;
use crate::build::{ANY_PROXY, ComponentKind, Step, StepKind, is_proxy};

impl Explainer<'_> {
    /// The same step with another definition.
    pub(super) fn definition(&self, before: &Step, after: &Step) -> Cause {
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
        if let Some(cause) = platform(before, after) {
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
            // A build argument that is no variable: a date, or what the frontend takes for itself.
            if self.before.args.get(&component.name) != self.after.args.get(&component.name) {
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
            if component.name == ANY_PROXY
                && let Some((name, before, after)) = self
                    .changed_args()
                    .into_iter()
                    .find(|(name, ..)| is_proxy(name))
            {
                return Cause::BuildArg {
                    name,
                    before,
                    after,
                };
            }
            let name = match component.kind {
                ComponentKind::Command => "shell".to_owned(),
                ComponentKind::WorkingDirectory => "working directory".to_owned(),
                ComponentKind::Destination => "destination".to_owned(),
                ComponentKind::User => "user".to_owned(),
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
        if was == is
            && let Some(cause) = platform(before, after)
        {
            return cause;
        }
        Cause::Base {
            before: was,
            after: is,
        }
    }

    /// Build arguments that have another value.
    pub(super) fn changed_args(&self) -> Vec<(String, Option<String>, Option<String>)> {
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
    pub(super) fn referenced(&self, before: &Step, after: &Step) -> Option<Cause> {
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

    pub(super) fn variable(&self, name: &str, before: Option<&str>, after: Option<&str>) -> Cause {
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
}

/// The platform, where it is another one.
fn platform(before: &Step, after: &Step) -> Option<Cause> {
    let value = |step: &Step| {
        let mut components = step.components.iter();
        let found = components.find(|component| component.kind == ComponentKind::Platform);
        found.map(|component| component.value.clone())
    };
    let (before, after) = (value(before)?, value(after)?);
    (before != after).then(|| Cause::Setting {
        name: "platform".to_owned(),
        before,
        after,
    })
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
pub(super) fn first_difference(before: &str, after: &str) -> Cause {
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
