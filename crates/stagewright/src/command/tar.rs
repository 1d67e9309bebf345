//! `tar`: what an archive holds lies in a folder under names that nobody knows, at a multiple of the archive's size.

use super::{Invocation, Machine, Model};
use crate::size::{Basis, Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["tar", "bsdtar", "gtar"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    // `tar xzf`: the first word may be options without a dash.
    let flags: String = invocation
        .args
        .iter()
        .flatten()
        .enumerate()
        .filter(|(at, arg)| {
            *at == 0 && !arg.starts_with('-') || arg.starts_with('-') && !arg.starts_with("--")
        })
        .map(|(_, arg)| arg.trim_start_matches('-'))
        .take_while(|arg| !arg.starts_with('C'))
        .collect();
    let long = |name: &str| invocation.has(&[name]);
    let folder = invocation
        .option(&["-C", "--directory", "--cd"])
        .unwrap_or_else(|| ".".into());
    let archive = archive(invocation);
    if flags.contains('c') || long("--create") {
        create(invocation, machine, archive);
    } else if flags.contains('x') || long("--extract") || long("--get") {
        extract(machine, archive, &folder, invocation.index);
    }
}

/// The file behind `f`: `None` where there is none, `Some(None)` where only the build knows its name.
#[expect(
    clippy::option_option,
    reason = "no file, a file whose name is not known, a file"
)]
fn archive(invocation: &Invocation) -> Option<Option<String>> {
    let mut args = invocation.args.iter().enumerate();
    while let Some((at, arg)) = args.next() {
        let Some(arg) = arg.as_deref() else { continue };
        if let Some(value) = arg.strip_prefix("--file=") {
            return Some(Some(value.to_owned()));
        }
        let cluster = if arg == "--file" {
            "f"
        } else if arg.starts_with("--") {
            continue;
        } else if let Some(flags) = arg.strip_prefix('-') {
            flags
        } else if at == 0 {
            arg
        } else {
            continue;
        };
        match cluster.split_once('f') {
            Some((flags, "")) if !flags.contains('C') => {
                return args
                    .next()
                    .map(|(_, value)| value.clone())
                    .filter(|value| value.as_deref() != Some("-"));
            }
            // `-fname`, and `fz name` in the old style.
            Some((flags, rest)) if !flags.contains('C') => {
                return if at == 0 && !arg.starts_with('-') {
                    args.next()
                        .map(|(_, value)| value.clone())
                        .filter(|value| value.as_deref() != Some("-"))
                } else {
                    Some(Some(rest.to_owned())).filter(|value| value.as_deref() != Some("-"))
                };
            }
            _ => {}
        }
    }
    None
}

#[expect(clippy::option_option, reason = "as `archive` gives it")]
fn extract(machine: &mut Machine<'_>, archive: Option<Option<String>>, folder: &str, index: usize) {
    let (name, packed) = match archive {
        Some(Some(path)) => {
            machine.touches(&path);
            let node = machine.matching(&path).next();
            (path, node)
        }
        Some(None) => (format!("archive-{index}"), None),
        None => (format!("archive-{index}"), machine.input.take()),
    };
    let sized = unpacked(machine, packed.map(|(size, _)| size));
    let label = format!("unpacked {}", name.rsplit('/').next().unwrap_or(&name));
    // Several archives of one unknown name stay apart.
    machine.scatter(folder, &name, label, Kind::Other, sized);
}

/// What an archive of a size becomes; downloads have an order of magnitude of their own.
pub(super) fn unpacked(machine: &Machine<'_>, packed: Option<Size>) -> (Size, Basis) {
    match packed {
        Some(size) if size.high < 10 * size.low.max(1) => machine.catalog.tools().unpacked(size),
        Some(_) => machine.guess(|guess| &guess.unpacked_download),
        None => machine.guess(|guess| &guess.unpacked),
    }
}

#[expect(clippy::option_option, reason = "as `archive` gives it")]
fn create(invocation: &Invocation, machine: &mut Machine<'_>, archive: Option<Option<String>>) {
    let sources = invocation.operands().flatten().filter(|operand| {
        archive
            .as_ref()
            .is_none_or(|path| path.as_ref() != Some(operand))
    });
    let mut sum = Size::ZERO;
    for source in sources {
        machine.touches(&source);
        let path = machine.absolute(&source);
        sum = sum.plus(Size::sum(
            machine.tree.under(&path).map(|(_, node)| node.size()),
        ));
    }
    let size = if sum.expected == 0 {
        machine.guess(|guess| &guess.unpacked)
    } else {
        machine.catalog.tools().packed(sum)
    };
    match archive {
        Some(Some(path)) => machine.put_file(&path, Kind::Archive, size),
        Some(None) => machine.scatter(".", "archive", "an archive", Kind::Archive, size),
        None => machine.output = Some(size),
    }
}
