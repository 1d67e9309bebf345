//! Whether what a prediction names is what was changed, by the change alone: no list of expected answers is asked.

use std::collections::BTreeMap;

use stagewright::build::{Build, StepKind};
use stagewright::cache::{Cause, Doubt, Prediction, Verdict};

use crate::called::Named;
use crate::scenario::{Edit, Entry, Project};

/// The reruns whose first cause is nothing that the change touched.
pub fn invented_causes(project: &Project, edit: &Edit, prediction: &Prediction) -> Vec<String> {
    let after = project.after(edit);
    let changed = Changed {
        edit,
        before: project,
        after: &after,
    };
    let reruns = prediction.steps.iter().filter_map(|step| {
        let Verdict::Rerun { cause } = &step.verdict else {
            return None;
        };
        (!changed.holds(cause.root())).then(|| format!("{step}: nobody changed that"))
    });
    reruns.collect()
}

/// The steps left open for another reason than that nobody knows what a command writes: one of the build, or one by which an image was made
/// of which only the name is known.
pub fn baseless_doubts(build: &Build, prediction: &Prediction) -> Vec<String> {
    let open = prediction.steps.iter().filter_map(|step| {
        let Verdict::Unknown { doubt } = &step.verdict else {
            return None;
        };
        (!hangs_on_a_command(build, prediction, doubt)).then(|| step.to_string())
    });
    open.collect()
}

fn hangs_on_a_command(build: &Build, prediction: &Prediction, doubt: &Doubt) -> bool {
    match doubt {
        Doubt::Output { step, .. } => build.step(*step).kind == StepKind::Run,
        Doubt::Image { .. } => true,
        Doubt::Step { because, .. } => hangs_on_a_command(build, prediction, because),
        // It runs if that step does, which is open itself.
        Doubt::Needed { step, .. } => match &prediction.steps[step.0].verdict {
            Verdict::Unknown { doubt } => hangs_on_a_command(build, prediction, doubt),
            _ => false,
        },
        _ => false,
    }
}

struct Changed<'c> {
    edit: &'c Edit,
    before: &'c Project,
    after: &'c Project,
}

impl Changed<'_> {
    fn holds(&self, cause: &Cause) -> bool {
        let text = self.before.dockerfile != self.after.dockerfile;
        let args = self.before.args != self.after.args;
        let build = self.before.build != self.after.build;
        match cause {
            Cause::NoCache => self.edit.no_cache.is_some(),
            Cause::NotExported { export } => self.edit.imported.as_deref() == Some(export.as_str()),
            Cause::LocalBase { context } => self.after.build.contexts.contains_key(context),
            Cause::BuildArg {
                name,
                before,
                after,
            } => {
                before != after && (text || self.before.args.get(name) != self.after.args.get(name))
            }
            Cause::Variable { before, after, .. } => before != after && (text || args || build),
            Cause::Setting { before, after, .. } => before != after && (text || args || build),
            Cause::Text { before, after } => before != after && (text || build),
            Cause::VariableOrder { .. } => text,
            Cause::Base { before, after } | Cause::Download { before, after } => {
                before != after && (text || build)
            }
            Cause::Files { differences, .. } => differences.iter().all(|one| self.file(&one.path)),
            Cause::Added | Cause::Removed { .. } | Cause::Moved => {
                text || build || self.before.target != self.after.target
            }
            _ => false,
        }
    }

    /// Whether the change touches what stands at a path, in the context or a named one, or what an ignore file lets through.
    fn file(&self, path: &str) -> bool {
        let named = |project: &Project, name: &str| match project.build.contexts.get(name) {
            Some(Named::Folder(files)) => files.clone(),
            _ => BTreeMap::new(),
        };
        path == "Dockerfile" && self.before.dockerfile != self.after.dockerfile
            || touches(&self.before.files, &self.after.files, path)
            || self
                .after
                .build
                .contexts
                .keys()
                .any(|name| touches(&named(self.before, name), &named(self.after, name), path))
    }
}

fn touches(before: &BTreeMap<String, Entry>, after: &BTreeMap<String, Entry>, path: &str) -> bool {
    let mut names = before.keys().chain(after.keys());
    names.any(|name| {
        let near = name == path
            || name.starts_with(&format!("{path}/"))
            || path.starts_with(&format!("{name}/"))
            || name.ends_with(".dockerignore");
        near && before.get(name) != after.get(name)
    })
}
