//! `unzip`, `7z`, `zip` and the programs that pack and unpack one file: `gzip`, `xz`, `bzip2`, `zstd`.

use super::{Invocation, Machine, Model, tar};
use crate::kind;
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &[
        "unzip", "7z", "7za", "zip", "gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz", "zstd",
        "unzstd", "zcat", "xzcat", "bzcat", "cpio", "jar",
    ],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    match invocation.program.as_str() {
        "unzip" | "7z" | "7za" => unzip(invocation, machine),
        "zip" => {
            let size = machine.guess(|guess| &guess.unpacked);
            match invocation.operands().next() {
                Some(Some(path)) => machine.put_file(&path, Kind::Archive, size),
                _ => machine.scatter(".", "zip", "an archive", Kind::Archive, size),
            }
        }
        "cpio" | "jar" => {
            let size = machine.guess(|guess| &guess.unpacked);
            machine.scatter(
                ".",
                &invocation.program,
                format!("`{}`", invocation.program),
                Kind::Other,
                size,
            );
        }
        program => {
            let packs = matches!(program, "gzip" | "bzip2" | "xz" | "zstd")
                && !invocation.has(&["-d", "--decompress", "--uncompress", "-t", "-l"]);
            one_file(invocation, machine, packs);
        }
    }
}

fn unzip(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.has(&["-l", "-t", "-Z"]) {
        return;
    }
    let folder = invocation
        .options(&["-d"])
        .into_iter()
        .next()
        .or_else(|| {
            let output = |arg: &String| {
                arg.strip_prefix("-o")
                    .filter(|path| path.contains('/'))
                    .map(str::to_owned)
            };
            invocation.args.iter().flatten().find_map(output)
        })
        .unwrap_or_else(|| ".".into());
    let mut operands = invocation
        .operands()
        .filter(|operand| !matches!(operand.as_deref(), Some("x" | "e")));
    let name = operands.next().flatten();
    let packed = name.as_deref().and_then(|name| {
        machine.touches(name);
        machine.matching(name).next().map(|(size, _)| size)
    });
    if invocation.has(&["-p"]) {
        machine.output = Some(tar::unpacked(machine, packed));
        return;
    }
    let name = name.unwrap_or_else(|| format!("archive-{}", invocation.index));
    let sized = tar::unpacked(machine, packed);
    let label = format!("unpacked {}", name.rsplit('/').next().unwrap_or(&name));
    machine.scatter(&folder, &name, label, Kind::Other, sized);
}

/// A file takes the place of another, or goes to the standard output.
fn one_file(invocation: &Invocation, machine: &mut Machine<'_>, packs: bool) {
    let out =
        invocation.has(&["-c", "--stdout", "--to-stdout"]) || invocation.program.ends_with("cat");
    let names: Vec<String> = invocation.operands().flatten().collect();
    if names.is_empty() {
        if let Some(input) = machine.input.take() {
            machine.output = Some(if packs {
                input
            } else {
                tar::unpacked(machine, Some(input.0))
            });
        }
        return;
    }
    for name in names {
        machine.touches(&name);
        let known = machine.matching(&name).next();
        let size = if packs {
            match known {
                Some((mut size, basis)) => {
                    size.low /= 10;
                    (size, basis)
                }
                None => machine.guess(|guess| &guess.unpacked),
            }
        } else {
            tar::unpacked(machine, known.map(|(size, _)| size))
        };
        if out {
            machine.output = Some(size);
            continue;
        }
        let extension = match invocation.program.as_str() {
            "bzip2" | "bunzip2" => ".bz2",
            "xz" | "unxz" => ".xz",
            "zstd" | "unzstd" => ".zst",
            _ => ".gz",
        };
        let target = match name.strip_suffix(extension) {
            Some(stem) if !packs => stem.to_owned(),
            _ => format!("{name}{extension}"),
        };
        if name.contains('*') {
            continue;
        }
        machine.put_file(&target, kind::of_path(&target), size);
        if !invocation.has(&["-k", "--keep"]) {
            machine.remove(&name);
        }
    }
}
