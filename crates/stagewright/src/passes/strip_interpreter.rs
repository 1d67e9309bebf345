//! The end of the ladder: a plain Alpine that gets the interpreter without what no server loads.
//!
//! The builder removes headers, the static library, pip, the editor and the symbols of the binaries; the last stage starts from the
//! image that the official one is made of, installs the libraries that the interpreter is linked with, and takes `/usr/local` from the
//! builder. What is removed and what it weighs stands in `catalog/python_interpreter.toml`.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::{View as Typed, write};

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
    let last = graph.target_stage();
    let Base::Stage(shared) = last.base else {
        return None;
    };
    let shared = graph.stage(shared);
    let Base::Image(image) = &shared.base else {
        return None;
    };
    let facts = view.analysis.image(image)?;
    let python = facts.python_version()?;
    let libraries = view.analysis.catalog().interpreters().libraries(facts)?;
    let builder = builder(last)?;
    let builder = graph.stage(builder);
    // What the stages share is said again in the last one, so it must be configuration alone.
    let config_only = shared.instructions.iter().all(|instruction| {
        matches!(instruction.op, Op::Config | Op::Workdir(_)) && !instruction.trigger
    });
    if !config_only || builder.base != Base::Stage(shared.id) || builder.name.is_none() {
        return None;
    }
    let edits = write_edits(view, last, shared, builder, python, libraries);
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
    last: &Stage,
    shared: &Stage,
    builder: &Stage,
    python: (u32, u32),
    libraries: &crate::facts::interpreter::Libraries,
) -> Result<EditSet, EditError> {
    let mut edits = EditSet::new();
    let newline = view.line_break();
    let escape = view.file.escape();
    let text = view.file.text();
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
    let from = view.file.instruction(last.from);
    if let Typed::From(from) = from.view() {
        edits.replace(from.image.span, libraries.base.clone())?;
    }
    let after_from = view.whole_lines(from.span()).end;
    let mut own = format!(
        "{newline}{}{newline}",
        write::Run::shell(format!(
            "apk add --no-cache {}",
            libraries.packages.join(" ")
        ))
    );
    own.push_str(&format!("ENV LANG=C.UTF-8{newline}"));
    for instruction in &shared.instructions {
        let lines = view.whole_lines(instruction.span);
        own.push_str(&text[lines.start as usize..lines.end as usize]);
    }
    own.push_str(&format!(
        "COPY --from={name} /usr/local /usr/local{newline}"
    ));
    // The blank line behind FROM stands before what is new.
    let blank = text[after_from as usize..].starts_with(newline);
    edits.insert(
        after_from,
        if blank {
            own.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            own
        },
    )?;
    Ok(edits)
}
