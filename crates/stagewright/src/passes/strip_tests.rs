//! Removes the test suites that packages bring along, in the layer that installs them.

use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, View};
use crate::ledger::Role;
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "strip_tests",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    for step in view.runs() {
        let tests = |role| {
            move |node: &crate::ledger::Node| {
                node.parts
                    .iter()
                    .any(|part| part.role == role && part.size.expected > 0)
            }
        };
        let shipped = step
            .layer
            .nodes
            .iter()
            .any(|(_, node)| tests(Role::Tests)(node));
        let Some(install) = step
            .facts()
            .installs
            .iter()
            .find(|install| install.tool == "pip")
            .filter(|_| shipped)
        else {
            continue;
        };
        let command = format!(
            "find {} -depth -type d \\( -name test -o -name tests \\) -exec rm -rf {{}} +",
            install.prefix
        );
        view.append(&step, &command, &mut edits)?;
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Proposal {
        title: "remove the test suites of packages".into(),
        applicability: Applicability::Unsafe,
        assumptions: vec!["nothing imports from folders named `test` or `tests`".into()],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}
