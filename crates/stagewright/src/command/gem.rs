//! `gem` and `bundle`: gems by their number, where the lock file tells it.

use super::{Install, Invocation, Machine, Model};
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["gem", "bundle", "bundler"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-v",
    "--version",
    "-j",
    "--jobs",
    "--retry",
    "--without",
    "--with",
    "--path",
    "-i",
    "--install-dir",
    "--gemfile",
    "-n",
    "--bindir",
    "--source",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    match (
        invocation.program.as_str(),
        invocation.command(WITH_VALUE).as_deref(),
    ) {
        ("gem", Some("install" | "i")) => {
            let names: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .collect();
            install(invocation, machine, &names, names.len() as u64, Vec::new());
        }
        ("bundle" | "bundler", None | Some("install" | "update")) => {
            let mut manifests = Vec::new();
            for name in ["Gemfile", "Gemfile.lock"] {
                let path = machine.absolute(name);
                if machine.tree.get(&path).is_some() {
                    machine.reads(&path);
                    manifests.push(path);
                }
            }
            let lock = machine.absolute("Gemfile.lock");
            let count = machine.text(&lock).map(locked);
            if count.is_none() {
                machine.note(format!("`{}` finds no Gemfile.lock among the files that COPY and ADD bring: what it installs is not known", invocation.text));
            }
            install(invocation, machine, &[], count.unwrap_or(30), manifests);
        }
        ("bundle" | "bundler", Some("exec")) => machine.runs_code(invocation),
        _ => {}
    }
}

/// Gems that a Gemfile.lock lists: lines of its `specs:` with four blanks before the name.
fn locked(text: &str) -> u64 {
    let gems = text.lines().filter(|line| {
        line.strip_prefix("    ").is_some_and(|rest| {
            rest.starts_with(|first: char| first.is_ascii_alphanumeric()) && rest.ends_with(')')
        })
    });
    gems.count() as u64
}

fn install(
    invocation: &Invocation,
    machine: &mut Machine<'_>,
    names: &[String],
    count: u64,
    manifests: Vec<String>,
) {
    let (one, basis) = machine.guess(|guess| &guess.gem);
    let size = Size::sum((0..count.min(10_000)).map(|_| one));
    let folder = invocation
        .option(&["-i", "--install-dir", "--path"])
        .or_else(|| machine.variable("BUNDLE_PATH").map(str::to_owned))
        .or_else(|| machine.variable("GEM_HOME").map(str::to_owned))
        .unwrap_or_else(|| "/usr/local/bundle".into());
    let label = if names.is_empty() {
        format!("{count} gems")
    } else {
        format!("gems {}", names.join(", "))
    };
    machine.scatter(
        &folder,
        &format!("gems-{}-{}", machine.layer, invocation.index),
        label,
        Kind::Other,
        (size, basis),
    );
    machine.facts.installs.push(Install {
        tool: "gem",
        command: invocation.index,
        prefix: folder,
        packages: names
            .iter()
            .map(|name| (name.clone(), String::new()))
            .collect(),
        manifests,
        writes_manifests: false,
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn gems_are_counted() {
        let lock = "GEM\n  remote: x\n  specs:\n    rack (3.0.0)\n    rails (7.0.0)\n      rack (>= 2)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rails\n";
        assert_eq!(super::locked(lock), 2);
    }
}
