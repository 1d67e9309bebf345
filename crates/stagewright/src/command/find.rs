//! `find … -delete` and `find … -exec rm`: the clean-up idioms of Python and Node images.

use super::{Invocation, Machine, Model};
use crate::facts::interpreter::SYMBOLS;
use crate::ledger::Role;
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &["find"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let args: Vec<&str> = invocation
        .args
        .iter()
        .map(|arg| arg.as_deref().unwrap_or(""))
        .collect();
    let deletes = args.contains(&"-delete")
        || args
            .windows(2)
            .any(|pair| matches!(pair[0], "-exec" | "-execdir") && pair[1] == "rm");
    let strips = args
        .windows(2)
        .any(|pair| matches!(pair[0], "-exec" | "-execdir") && pair[1] == "strip");
    if !deletes && !strips {
        return;
    }
    let start = args
        .iter()
        .take_while(|arg| !arg.starts_with('-') && **arg != "(" && **arg != "!")
        .copied();
    let folders: Vec<String> = start.map(|path| machine.absolute(path)).collect();
    if strips {
        for folder in &folders {
            machine.touches(folder);
            machine.remove_labelled(folder, SYMBOLS);
            machine.strip(folder, |part| part.role == Role::Symbols);
        }
        return;
    }
    let names: Vec<&str> = args
        .windows(2)
        .filter(|pair| matches!(pair[0], "-name" | "-iname" | "-path" | "-wholename"))
        .map(|pair| pair[1])
        .collect();
    if names.is_empty() {
        return machine.note(format!(
            "`{}` removes files that no model can name",
            invocation.text
        ));
    }
    for folder in &folders {
        machine.touches(folder);
        for name in &names {
            let word = name.trim_matches(['*', '/', '.']);
            match word {
                "pyc" | "pyo" | "py[co]" | "py[cod]" | "__pycache__" => {
                    machine.strip(folder, |part| part.kind == Kind::ByteCode);
                }
                "test" | "tests" => machine.strip(folder, |part| part.role == Role::Tests),
                "doc" | "docs" | "examples" => {
                    machine.strip(folder, |part| part.role == Role::Docs);
                }
                _ => machine.remove_named(folder, name),
            }
        }
    }
}
