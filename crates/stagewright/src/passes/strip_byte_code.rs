//! Installs packages without byte code. Python compiles a module again whenever it is first imported.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;

use super::{Pass, View};
use crate::proposal::{Applicability, Proposal};
use crate::size::Kind;

pub(super) const PASS: Pass = Pass {
    name: "strip_byte_code",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    for step in view.runs() {
        let compiled = step.layer.nodes.iter().any(|(path, node)| {
            !path.ends_with("__pycache__")
                && node.parts.iter().any(|part| part.kind == Kind::ByteCode)
        });
        let Some(script) = view.script(&step).filter(|_| compiled) else {
            continue;
        };
        let parsed = Script::parse(&script.text);
        for install in step
            .facts()
            .installs
            .iter()
            .filter(|install| install.tool == "pip")
        {
            let word = parsed.commands.get(install.command).and_then(|command| {
                command
                    .words
                    .iter()
                    .find(|word| word.literal().as_deref() == Some("install"))
            });
            if let Some(word) = word {
                edits.insert(script.source_span(word.span).end, " --no-compile")?;
            }
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Proposal {
        title: "install packages without byte code".into(),
        applicability: Applicability::Unsafe,
        assumptions: vec![
            "a slower first import of each module, at every start of a container, is acceptable"
                .into(),
        ],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}
