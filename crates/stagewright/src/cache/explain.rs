//! Why a step runs again: the step of the earlier build that it corresponds to, and the first thing that differs.

use std::sync::Arc;

use super::cause::{Cause, Doubt};
use super::content::{Likeness, Unsure};
use super::counterpart::counterparts;
use super::definition::first_difference;
use super::store::{Need, Outcomes, Status};
use super::{CacheOptions, Verdict};
use crate::build::{Build, CopiedSource, Origin, Step, StepId, StepKind};
use crate::context::Node;
use crate::options::Builder;

/// A verdict for each step of the later build.
pub(super) fn explain(
    before: &Build,
    after: &Build,
    outcomes: &Outcomes,
    options: &CacheOptions,
) -> Vec<Verdict> {
    let explainer = Explainer {
        before,
        after,
        outcomes,
        counterparts: counterparts(before, after),
    };
    let covered = options.no_cache.covered(after);
    let mut verdicts: Vec<Verdict> = Vec::with_capacity(after.steps.len());
    let mut doubts: Vec<Option<Arc<Doubt>>> = Vec::with_capacity(after.steps.len());
    for step in &after.steps {
        let status = &outcomes.after[step.id.0].0;
        doubts.push(match status {
            Status::Unknown { input, unsure, .. }
            | Status::Keyed {
                open: Some((input, unsure)),
                ..
            } => Some(explainer.doubt(step, *input, unsure.as_ref(), &doubts)),
            _ => None,
        });
        let verdict = match status {
            Status::Cached(_) => Verdict::Cached,
            Status::Rerun(_) if covered[step.id.0] => Verdict::Rerun {
                cause: Arc::new(Cause::NoCache),
            },
            Status::Rerun(_) => Verdict::Rerun {
                cause: explainer.cause(step, &verdicts),
            },
            Status::Keyed { needed_by, .. } => explainer.not_exported(*needed_by, options),
            Status::Unknown { .. } => Verdict::Unknown {
                doubt: doubts[step.id.0].clone().expect("it was just told"),
            },
        };
        verdicts.push(verdict);
    }
    verdicts
}

pub(super) struct Explainer<'b> {
    pub(super) before: &'b Build,
    pub(super) after: &'b Build,
    outcomes: &'b Outcomes,
    counterparts: Vec<Option<StepId>>,
}

impl Explainer<'_> {
    fn cause(&self, step: &Step, verdicts: &[Verdict]) -> Arc<Cause> {
        let Some(counterpart) = self.counterparts[step.id.0] else {
            return Arc::new(self.added(step));
        };
        if step.kind == StepKind::Base
            && let Some(Origin::NamedContext(name)) = step.inputs.first().map(|input| &input.origin)
        {
            return Arc::new(Cause::LocalBase {
                context: name.clone(),
            });
        }
        let counterpart = self.before.step(counterpart);
        // Another parent is enough for the builder before BuildKit.
        if self.after.builder == Builder::Legacy
            && let Some(cause) = self.stands_on(step, verdicts)
        {
            return cause;
        }
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
                && let Some(cause) = self.changed(id, verdicts)
            {
                return self.after_step(id, cause);
            }
        }
        Arc::new(self.moved(counterpart))
    }

    /// A step that no step was before: it is new, or its stage was not needed until a build argument named it.
    fn added(&self, step: &Step) -> Cause {
        let mut built = self.before.steps.iter().map(|step| &step.stage_name);
        if !self.before.stages.contains(&step.stage_name)
            || built.any(|stage| *stage == step.stage_name)
        {
            return Cause::Added;
        }
        let names_a_stage = |value: &String| {
            let mut stages = self.after.stages.iter();
            !value.is_empty() && stages.any(|stage| stage.contains(value))
        };
        let mut args = self.changed_args().into_iter();
        let found = args.find(|(_, _, after)| after.as_ref().is_some_and(names_a_stage));
        found.map_or(Cause::Added, |(name, before, after)| Cause::BuildArg {
            name,
            before,
            after,
        })
    }

    /// The step whose files it changes runs again.
    fn stands_on(&self, step: &Step, verdicts: &[Verdict]) -> Option<Arc<Cause>> {
        step.inputs
            .iter()
            .filter(|input| input.is_root)
            .find_map(|input| match input.origin {
                Origin::Step(id) => {
                    let cause = self.changed(id, verdicts)?;
                    Some(self.after_step(id, cause))
                }
                _ => None,
            })
    }

    /// Why a step is another one than before: not where it only runs because its layer is not at hand.
    fn changed<'v>(&self, id: StepId, verdicts: &'v [Verdict]) -> Option<&'v Arc<Cause>> {
        match (&verdicts[id.0], &self.outcomes.after[id.0].0) {
            (_, Status::Keyed { .. }) => None,
            (Verdict::Rerun { cause }, _) => Some(cause),
            _ => None,
        }
    }

    /// A step that the imported cache knows without its layer.
    fn not_exported(&self, needed_by: Option<Need>, options: &CacheOptions) -> Verdict {
        match (needed_by, options.imported) {
            (Some(Need::Sure), Some(export)) => Verdict::Rerun {
                cause: Arc::new(Cause::NotExported { export }),
            },
            (Some(Need::Of(id)), _) => {
                let needs = self.after.step(id);
                Verdict::Unknown {
                    doubt: Arc::new(Doubt::Needed {
                        step: id,
                        line: needs.line,
                        instruction: needs.text.clone(),
                    }),
                }
            }
            _ => Verdict::Cached,
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
            // Another source of the same name, by what it is called or by a variable.
            if before.inputs[index].selectors != input.selectors {
                if before.text != after.text {
                    return Some(Arc::new(Cause::Text {
                        before: before.text.clone(),
                        after: after.text.clone(),
                    }));
                }
                if let Some(cause) = self.referenced(before, after) {
                    return Some(Arc::new(cause));
                }
            }
            let from = match &input.origin {
                Origin::Step(id) => {
                    if let Some(cause) = self.changed(*id, verdicts) {
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

    /// A file or a script that is written in the Dockerfile: other words, or a variable in them.
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
            texts.chain(step.script.as_deref()).collect()
        };
        first_difference(&text(before), &text(after))
    }

    /// Everything about the step is as before, and yet it stands on something else.
    pub(super) fn moved(&self, counterpart: &Step) -> Cause {
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
        doubts: &[Option<Arc<Doubt>>],
    ) -> Arc<Doubt> {
        let origin = &step.inputs[input].origin;
        let Some(unsure) = unsure else {
            let Origin::Step(id) = origin else {
                unreachable!("only a step leaves a doubt without a reason")
            };
            let doubt = doubts[id.0]
                .as_ref()
                .expect("only a step that is not known leaves a doubt");
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
