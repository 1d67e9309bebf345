//! Puts the last stage on another image. What it shared with other stages until then is said again in it.

use stagewright_syntax::View as Typed;
use stagewright_syntax::edit::{EditError, EditSet};

use crate::passes::{RunStep, View};
use crate::stage::{Base, Op, Stage};

/// The last stage, and the one that it shares with others, if any: what that one says is said twice
/// then, but for commands, all of which the last stage must be able to do without.
pub(in crate::passes) struct LastBase<'a> {
    pub(in crate::passes) last: &'a Stage,
    pub(in crate::passes) shared: Option<&'a Stage>,
    /// The image below both.
    pub(in crate::passes) image: &'a str,
}

impl<'a> LastBase<'a> {
    /// `spare`: whether the last stage can do without a RUN of the shared one.
    pub(in crate::passes) fn of(
        view: &View<'a>,
        spare: impl Fn(&RunStep<'_>) -> bool,
    ) -> Option<Self> {
        let graph = view.analysis.graph();
        let last = graph.target_stage();
        let (shared, base) = match &last.base {
            Base::Stage(shared) => {
                let shared = graph.stage(*shared);
                (Some(shared), &shared.base)
            }
            base => (None, base),
        };
        let Base::Image(image) = base else {
            return None;
        };
        let shared_id = shared.map(|shared| shared.id);
        let mut instructions = shared.iter().flat_map(|shared| &shared.instructions);
        let plain = instructions.all(|instruction| !instruction.trigger);
        let runs = view.runs();
        let mut runs = runs.iter().filter(|step| Some(step.stage.id) == shared_id);
        let plain = plain && runs.all(spare);
        // Another image would be taken for the platform that is built, and not for the one that is written.
        let written = [Some(last), shared].into_iter().flatten().all(|stage| {
            match view.file.instruction(stage.from).view() {
                Typed::From(from) => !from.image.contains('$') && from.platform.is_none(),
                _ => false,
            }
        });
        (plain && written).then_some(Self {
            last,
            shared,
            image,
        })
    }

    /// Writes the other image, what comes first on it, and then what the stages shared; `after` comes behind that.
    pub(in crate::passes) fn write(
        &self,
        view: &View<'_>,
        image: &str,
        first: &[String],
        after: &[String],
        edits: &mut EditSet,
    ) -> Result<(), EditError> {
        let (text, newline) = (view.file.text(), view.line_break());
        let from = view.file.instruction(self.last.from);
        if let Typed::From(from) = from.view() {
            edits.replace(from.image.span, image.to_owned())?;
        }
        let end = view.whole_lines(from.span()).end;
        let shared = self.shared.iter().flat_map(|shared| &shared.instructions);
        let said = shared
            .filter(|one| !matches!(one.op, Op::Run(_)))
            .map(|one| {
                let lines = view.whole_lines(one.span);
                text[lines.start as usize..lines.end as usize].trim_end_matches(['\r', '\n'])
            });
        let first = first.iter().map(String::as_str);
        let after = after.iter().map(String::as_str);
        let own: Vec<&str> = first.chain(said).chain(after).collect();
        let own = own.join(newline);
        // The blank line behind FROM stands before what is new.
        let blank = text[end as usize..].starts_with(newline);
        let last = if blank { "" } else { newline };
        edits.insert(end, format!("{newline}{own}{last}"))
    }
}
