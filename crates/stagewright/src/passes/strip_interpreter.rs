//! The end of the ladder: a plain Alpine that gets the interpreter without what no server loads.
//!
//! The builder removes headers, the static library, pip, the editor and the symbols of the binaries; the last stage starts from the
//! image that the official one is made of, installs the libraries that the interpreter is linked with, and takes `/usr/local` from the
//! builder. What is removed and what it weighs stands in `catalog/python_interpreter.toml`.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::write;

use super::plain_base::last_base::LastBase;
use super::{Pass, View};
use crate::facts::interpreter::SYMBOLS;
use crate::proposal::{Applicability, Proposal};
use crate::stage::{Base, CopyOp, From, Op, Stage};

pub(super) const PASS: Pass = Pass {
    name: "strip_interpreter",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let Some((edits, plain)) = edits(view) else {
        return Ok(Vec::new());
    };
    Ok(vec![Proposal {
        title: format!("a stripped interpreter on `{plain}`"),
        applicability: Applicability::Unsafe,
        assumptions: vec![
            "nothing runs pip, tkinter, IDLE, 2to3 or the interactive help in the image".into(),
            "security updates of the official Python image are taken over by building again".into(),
        ],
        warnings: Vec::new(),
        edits: edits?,
        dockerignore: None,
    }])
}

fn edits(view: &View<'_>) -> Option<(Result<EditSet, EditError>, String)> {
    let graph = view.analysis.graph();
    let base = LastBase::of(view, |_| false)?;
    let shared = base.shared?;
    let facts = view.analysis.image(base.image)?;
    let python = facts.python_version()?;
    let libraries = view.analysis.catalog().interpreters().libraries(facts)?;
    let builder = graph.stage(builder(base.last)?);
    if builder.base != Base::Stage(shared.id) || builder.name.is_none() {
        return None;
    }
    let edits = write_edits(view, &base, builder, python, libraries);
    Some((edits, libraries.base.clone()))
}

/// The stage from which the last one takes its packages.
fn builder(last: &Stage) -> Option<crate::stage::StageId> {
    last.instructions
        .iter()
        .find_map(|instruction| match &instruction.op {
            Op::Copy(CopyOp {
                from: From::Stage(stage),
                destination,
                ..
            }) if destination.trim_end_matches('/') == "/usr/local" => Some(*stage),
            _ => None,
        })
}

fn write_edits(
    view: &View<'_>,
    base: &LastBase<'_>,
    builder: &Stage,
    python: (u32, u32),
    libraries: &crate::facts::interpreter::Libraries,
) -> Result<EditSet, EditError> {
    let mut edits = EditSet::new();
    let newline = view.line_break();
    let escape = view.file.escape();
    let name = builder.name.as_deref().unwrap_or_default();
    // In the builder, after its last instruction.
    let end = builder
        .instructions
        .last()
        .map_or(builder.from, |instruction| instruction.index);
    let end = view.whole_lines(view.file.instruction(end).span()).end;
    let unneeded: Vec<&str> = view
        .analysis
        .catalog()
        .interpreters()
        .unneeded(python)
        .filter(|group| group.name != SYMBOLS && group.name != "static_library")
        .flat_map(|group| group.paths.iter().map(String::as_str))
        .collect();
    let mut lines = vec![
        "apk add --no-cache binutils".to_owned(),
        "cd /usr/local".to_owned(),
        format!("rm -rf {}", unneeded.join(" ")),
    ];
    lines.push("find lib -name __pycache__ -prune -exec rm -rf {} +".into());
    lines.push(format!("find bin lib -type f \\( -name 'python{}.{}*' -o -name '*.so' -o -name '*.so.*' \\) -exec strip --strip-all {{}} +", python.0, python.1));
    let script = lines.join(&format!(" {escape}{newline}    && "));
    edits.insert(end, format!("RUN {script}{newline}"))?;
    // The last stage: a plain base, its libraries, what the stages shared, the interpreter.
    let first = [
        write::Run::shell(format!(
            "apk add --no-cache {}",
            libraries.packages.join(" ")
        ))
        .to_string(),
        "ENV LANG=C.UTF-8".to_owned(),
    ];
    let after = [format!("COPY --from={name} /usr/local /usr/local")];
    base.write(view, &libraries.base, &first, &after, &mut edits)?;
    Ok(edits)
}
