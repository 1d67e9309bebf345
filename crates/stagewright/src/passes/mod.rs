//! Rewrites, one pass a file. A pass reads the analysis and proposes; the planner decides.

#![allow(
    clippy::unnecessary_wraps,
    reason = "every pass has the same signature"
)]

mod apk_no_cache;
mod apt_lists;
mod arguments_last;
mod copies_last;
mod copy_modes;
mod dependencies_first;
mod direct_start;
mod dnf_clean;
mod exec_form;
mod ignore_file;
mod link_copies;
mod manifests_first;
mod merge_removal;
mod narrow_copies;
mod no_recommends;
mod non_root;
mod package_cache;
mod pin_digests;
mod plain_base;
mod production_packages;
mod purge_build_tools;
mod slimmer_base;
mod split_build;
mod split_runs;
mod split_scripts;
mod split_stages;
mod strip_byte_code;
mod strip_interpreter;
mod strip_symbols;
mod strip_tests;

use stagewright_syntax::edit::{EditError, EditSet, line_ending};
use stagewright_syntax::instruction::RunScript;
use stagewright_syntax::shell::Script;
use stagewright_syntax::{Command, Dockerfile, Instruction, Span, Text, View as Typed};

use crate::analysis::Analysis;
use crate::command::RunFacts;
use crate::interpret::LayerRecord;
use crate::proposal::Proposal;
use crate::stage::{Op, Stage, StageInstruction};

/// What a pass may look at.
pub(crate) struct View<'a> {
    /// The analysis of the file as it stands.
    pub(crate) analysis: &'a Analysis,
    /// The file as it stands.
    pub(crate) file: &'a Dockerfile<'a>,
}

/// A pass.
pub(crate) struct Pass {
    /// Its name, which is its file's.
    pub(crate) name: &'static str,
    /// Whether it is worth doing where it wins no bytes and no rebuilds: it mends how the image behaves.
    pub(crate) mends: bool,
    /// Alternatives, the best first.
    pub(crate) propose: fn(&View<'_>) -> Result<Vec<Proposal>, EditError>,
}

/// Every pass, in the order of the ladder: the largest win first, what depends on another after it.
pub(crate) const PASSES: &[Pass] = &[
    slimmer_base::PASS,
    manifests_first::PASS,
    split_scripts::PASS,
    dependencies_first::PASS,
    copies_last::PASS,
    arguments_last::PASS,
    split_runs::PASS,
    merge_removal::PASS,
    copy_modes::PASS,
    package_cache::PASS,
    apt_lists::PASS,
    apk_no_cache::PASS,
    dnf_clean::PASS,
    direct_start::PASS,
    split_stages::PASS,
    split_build::PASS,
    production_packages::PASS,
    no_recommends::PASS,
    purge_build_tools::PASS,
    ignore_file::PASS,
    exec_form::PASS,
    plain_base::PASS,
    narrow_copies::PASS,
    link_copies::PASS,
    pin_digests::PASS,
    non_root::PASS,
    strip_byte_code::PASS,
    strip_tests::PASS,
    strip_symbols::PASS,
    strip_interpreter::PASS,
];

/// The names of all passes, in the order in which they are tried.
pub fn names() -> impl Iterator<Item = &'static str> {
    PASSES.iter().map(|pass| pass.name)
}

/// A RUN of the stages that are built, with what its commands do.
pub(crate) struct RunStep<'a> {
    pub(crate) stage: &'a Stage,
    /// Its place in its stage.
    pub(crate) at: usize,
    pub(crate) instruction: &'a StageInstruction,
    pub(crate) layer: &'a LayerRecord,
}

impl RunStep<'_> {
    pub(crate) fn facts(&self) -> &RunFacts {
        &self.layer.facts
    }

    /// Whether a cache of a tool stays in the layer.
    pub(crate) fn stores(&self, tool: &str) -> bool {
        let mut caches = self.facts().caches.iter();
        caches.any(|cache| cache.tool == tool && self.holds(&cache.path))
    }

    /// Whether the layer still holds something at a path when the step ends.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let mut nodes = self.layer.nodes.iter();
        nodes.any(|(other, node)| **other == *path && node.size().high > 0)
    }
}

/// Adds what an attempt edits where it comes to its end, and else nothing of it.
fn attempt<T>(edits: &mut EditSet, make: impl FnOnce(&mut EditSet) -> Option<T>) -> Option<T> {
    let mut own = edits.clone();
    let made = make(&mut own)?;
    *edits = own;
    Some(made)
}

impl<'a> View<'a> {
    /// The file's instruction behind a resolved one; `None` for ONBUILD triggers, which no pass may edit.
    pub(crate) fn source(&self, instruction: &StageInstruction) -> Option<Instruction<'a>> {
        (!instruction.trigger).then(|| self.file.instruction(instruction.index))
    }

    /// The script of a RUN that stands on the line of the instruction; `None` in exec form and for here-documents.
    pub(crate) fn script(&self, step: &RunStep<'_>) -> Option<RunScript<'a>> {
        let Typed::Run(run) = self.source(step.instruction)?.view() else {
            return None;
        };
        run.script().filter(|_| run.heredocs.is_empty())
    }

    /// The text of a RUN in shell form; `None` in exec form and for here-documents, which have no end on the line to add to.
    pub(crate) fn shell_text(&self, step: &RunStep<'_>) -> Option<Text<'a>> {
        match self.source(step.instruction)?.view() {
            Typed::Run(run) if run.heredocs.is_empty() => match run.command {
                Command::Shell(text) => Some(text),
                Command::Exec(_) => None,
            },
            _ => None,
        }
    }

    /// Adds a command to the end of a RUN in shell form; whether it could.
    pub(crate) fn append(
        &self,
        step: &RunStep<'_>,
        command: &str,
        edits: &mut EditSet,
    ) -> Result<bool, EditError> {
        let text = self.shell_text(step);
        let Some((end, addition)) = text.and_then(|text| self.appended(&text, command)) else {
            return Ok(false);
        };
        edits.insert(end, addition)?;
        Ok(true)
    }

    /// Every RUN that is built, in the order of the file.
    pub(crate) fn runs(&self) -> Vec<RunStep<'a>> {
        let mut runs = Vec::new();
        for (stage, record) in self
            .analysis
            .graph()
            .stages
            .iter()
            .zip(&self.analysis.record().stages)
        {
            for layer in &record.layers {
                let instruction = &stage.instructions[layer.instruction];
                if matches!(instruction.op, Op::Run(_)) && !instruction.trigger {
                    runs.push(RunStep {
                        stage,
                        at: layer.instruction,
                        instruction,
                        layer,
                    });
                }
            }
        }
        runs
    }

    /// The text between the start of an instruction's first line and the end of its last, with the line break: what a move takes along.
    pub(crate) fn whole_lines(&self, span: Span) -> Span {
        let text = self.file.text();
        let start = text[..span.start as usize]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let end = text[span.end as usize..]
            .find('\n')
            .map_or(text.len(), |at| span.end as usize + at + 1);
        Span::from(start..end)
    }

    /// The same for an instruction of the file, with the comments right above it, which are about it.
    pub(crate) fn commented_lines(&self, index: usize) -> Span {
        let text = self.file.text();
        let lines = |index: usize| self.whole_lines(self.file.instruction(index).span());
        let floor = index.checked_sub(1).map_or(0, |before| lines(before).end) as usize;
        let own = lines(index);
        let mut start = own.start as usize;
        while start > floor {
            let above = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
            if above < floor || !text[above..start].trim_start().starts_with('#') {
                break;
            }
            start = above;
        }
        Span::from(start..own.end as usize)
    }

    /// The line break the file uses.
    pub(crate) fn line_break(&self) -> &'static str {
        line_ending(self.file.text())
    }

    /// Where the first flag of an instruction stands or would stand: after its name.
    pub(crate) fn arguments_start(&self, instruction: &Instruction<'_>) -> u32 {
        let keyword = instruction.keyword_text().span.end;
        let rest = &self.file.text()[keyword as usize..];
        keyword
            + u32::try_from(rest.len() - rest.trim_start_matches([' ', '\t']).len()).unwrap_or(0)
    }

    /// Where and how a command is added to the end of a script, in the author's layout; `None` where the end of the script would swallow
    /// it, as a comment does.
    fn appended(&self, script: &Text<'_>, command: &str) -> Option<(u32, String)> {
        let joined =
            Script::parse(script).complete && !script.trim_end().ends_with([';', '&', '|']);
        let whole = format!("{} && {command}", script.trim_end());
        let last = Script::parse(&whole)
            .commands
            .last()
            .map(|last| last.text(&whole) == command);
        if !joined || last != Some(true) {
            return None;
        }
        let written = &self.file.text()[script.span.start as usize..script.span.end as usize];
        let end = script.span.start as usize + written.trim_end().len();
        let (escape, newline) = (self.file.escape(), self.line_break());
        let last_line = written.trim_end().rsplit('\n').next().unwrap_or_default();
        let indent: String = last_line
            .chars()
            .take_while(|c| matches!(c, ' ' | '\t'))
            .collect();
        let several = written.trim_end().contains('\n');
        let addition = if several
            && !last_line.trim_start().starts_with("&&")
            && !indent.is_empty()
            && written.trim_end().contains("&& \\")
        {
            format!(" && {escape}{newline}{indent}{command}")
        } else {
            let indent = if indent.is_empty() { "    " } else { &indent };
            format!(" {escape}{newline}{indent}&& {command}")
        };
        Some((u32::try_from(end).ok()?, addition))
    }
}
