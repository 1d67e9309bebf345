//! Installs of distribution packages without what they only recommend.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::{Script, Word};

use super::{Pass, View};
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "no_recommends",
    mends: false,
    propose,
};

const FLAG: &str = "--no-install-recommends";

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    for step in view.runs() {
        let installs = &step.facts().installs;
        if !installs.iter().any(|install| install.tool == "apt-get") {
            continue;
        }
        let Some(script) = view.script(&step) else {
            continue;
        };
        for command in &Script::parse(&script.text).commands {
            let words: Vec<_> = command.words.iter().map(Word::literal).collect();
            let is = |at: usize, names: &[&str]| {
                words
                    .get(at)
                    .and_then(Option::as_deref)
                    .is_some_and(|word| names.contains(&word))
            };
            // Behind `sudo` and variables stands what the model does not read either.
            if !is(0, &["apt-get", "apt"]) {
                continue;
            }
            let Some(at) = (1..words.len()).find(|at| is(*at, &["install"])) else {
                continue;
            };
            let told = words.iter().flatten().any(|word| {
                word.contains("install-recommends") || word.contains("Install-Recommends")
            });
            let known = words[1..at].iter().all(Option::is_some);
            if told || !known {
                continue;
            }
            let end = script.source_span(command.words[at].span).end;
            edits.insert(end, format!(" {FLAG}"))?;
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Proposal::new(
            "install no package that is only recommended",
            Applicability::Unsafe,
            edits,
        )
        .assuming(["the application needs none of the recommended packages (certificates, codecs, fonts, headers)"]),
    ])
}
