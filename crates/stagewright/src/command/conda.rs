//! `conda`, `mamba`, `micromamba`: environments of packages that no table lists, and the package cache.

use super::{CacheUse, Install, Invocation, Machine, Model};
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["conda", "mamba", "micromamba"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-n",
    "--name",
    "-p",
    "--prefix",
    "-c",
    "--channel",
    "-f",
    "--file",
    "-r",
    "--root-prefix",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let root = machine
        .variable("CONDA_DIR")
        .or_else(|| machine.variable("MAMBA_ROOT_PREFIX"))
        .unwrap_or("/opt/conda")
        .to_owned();
    let sub = invocation.command(WITH_VALUE);
    match sub.as_deref() {
        Some("install" | "create" | "update" | "env") => {
            let names: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .filter(|word| !matches!(word.as_str(), "create" | "update"))
                .collect();
            let mut manifests = Vec::new();
            let mut count = names.len();
            for file in invocation.options(&["-f", "--file"]) {
                machine.reads(&file);
                let path = machine.absolute(&file);
                count += machine.text(&path).map_or(0, |text| {
                    text.lines()
                        .filter(|line| line.trim_start().starts_with("- "))
                        .count()
                });
                manifests.push(path);
            }
            let (one, basis) = machine.guess(|guess| &guess.conda_package);
            let size = Size::sum((0..count.clamp(1, 10_000)).map(|_| one));
            let prefix = invocation
                .option(&["-p", "--prefix"])
                .unwrap_or_else(|| match invocation.option(&["-n", "--name"]).as_deref() {
                    None | Some("base") => root.clone(),
                    Some(name) => format!("{root}/envs/{name}"),
                });
            machine.scatter(
                &prefix,
                &format!("packages-{}-{}", machine.layer, invocation.index),
                format!("conda packages {}", names.join(", ")).trim_end(),
                Kind::Other,
                (size, basis.clone()),
            );
            let cache = format!("{root}/pkgs");
            if !machine.mounted(&cache) {
                // Unpacked packages are linked into the environment; their archives are what the cache adds.
                let size = Size {
                    low: size.low / 5,
                    expected: size.expected / 3,
                    high: size.high,
                };
                machine.put_guess(
                    &cache,
                    "conda's package cache",
                    Kind::Archive,
                    (size, basis),
                );
                machine.facts.caches.push(CacheUse {
                    tool: "conda",
                    path: cache,
                    size,
                    command: invocation.index,
                });
            }
            machine.facts.installs.push(Install {
                tool: "conda",
                command: invocation.index,
                prefix,
                packages: names
                    .into_iter()
                    .map(|name| (name, String::new()))
                    .collect(),
                manifests,
                writes_manifests: false,
            });
        }
        Some("clean") => machine.remove(&format!("{root}/pkgs")),
        Some("run") => machine.runs_code(invocation),
        _ => {}
    }
}
