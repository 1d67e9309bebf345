//! `npm`: `node_modules` from the lock file, and npm's cache.

use std::collections::HashSet;
use std::sync::Arc;

use super::{CacheUse, Install, Invocation, Machine, Model, script};
use crate::facts::{Arch, Libc, LockError, NpmFacts, PackageLock};
use crate::ledger::Part;
use crate::project::node::{LIFECYCLE, native};
use crate::size::{Basis, Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["npm"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "--prefix",
    "-C",
    "--registry",
    "--cache",
    "--loglevel",
    "--omit",
    "--include",
    "-w",
    "--workspace",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let folder = invocation
        .option(&["--prefix", "-C"])
        .map_or_else(|| machine.cwd.clone(), |path| machine.absolute(&path));
    match invocation.command(WITH_VALUE).as_deref() {
        Some("ci" | "clean-install" | "install" | "i" | "add" | "isntall") => {
            install(invocation, machine, &folder);
        }
        Some("prune") if production(invocation, machine) => {
            prune(machine, &folder);
            let modules = format!("{folder}/node_modules");
            let left = machine.tree.under(&modules).count();
            let lock = format!("{folder}/package-lock.json");
            if left > 0 && !machine.conditional && machine.tree.get(&lock).is_some() {
                lock_files(machine, &modules, &[lock], true, left);
            }
        }
        Some("cache") => {
            let path = cache_path(invocation, machine);
            machine.remove(&path);
        }
        // The scripts of packages that are there, whose bytes are counted with them.
        Some("rebuild" | "rb") if !invocation.operands_after(WITH_VALUE).is_empty() => {
            let modules = format!("{folder}/node_modules");
            let compiled = compiled(machine, &format!("{folder}/package-lock.json"));
            let named: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .filter(|name| compiled.contains(name))
                .filter(|name| machine.tree.get(&format!("{modules}/{name}")).is_some())
                .collect();
            for name in named {
                built(machine, &modules, &name);
            }
        }
        Some("run" | "run-script" | "test" | "start" | "exec" | "rebuild") => {
            script::run(invocation, machine, ".");
        }
        _ => {}
    }
}

fn production(invocation: &Invocation, machine: &Machine<'_>) -> bool {
    invocation.has(&["--production", "--only=production", "--only=prod"])
        || invocation
            .options(&["--omit"])
            .iter()
            .any(|kind| kind == "dev")
        || (machine.variable("NODE_ENV") == Some("production")
            && !invocation
                .options(&["--include"])
                .iter()
                .any(|kind| kind == "dev"))
}

fn cache_path(invocation: &Invocation, machine: &Machine<'_>) -> String {
    let path = invocation.option(&["--cache"]).or_else(|| {
        machine
            .variable("npm_config_cache")
            .or_else(|| machine.variable("NPM_CONFIG_CACHE"))
            .map(str::to_owned)
    });
    path.map_or_else(
        || format!("{}/.npm", machine.home()),
        |path| machine.absolute(&path),
    )
}

fn install(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str) {
    let global = invocation.has(&["-g", "--global"]);
    let named: Vec<String> = invocation
        .operands_after(WITH_VALUE)
        .into_iter()
        .flatten()
        .collect();
    let production = production(invocation, machine);
    let mut manifests = Vec::new();
    let (modules, packages) = if global || !named.is_empty() {
        machine.note(format!(
            "what `{}` depends on is not listed in a lock file",
            invocation.text
        ));
        let modules = if global {
            "/usr/local/lib/node_modules".to_owned()
        } else {
            format!("{folder}/node_modules")
        };
        let packages = with_needs(machine, &modules, invocation.index, &named);
        (modules, packages)
    } else {
        (
            format!("{folder}/node_modules"),
            locked(invocation, machine, folder, production, &mut manifests),
        )
    };
    let (_, downloads) = place(machine, &modules, &packages);
    let lock = manifests
        .iter()
        .find(|path| path.ends_with(".json") && !path.ends_with("package.json"));
    if let (Some(lock), false) = (lock, invocation.has(&["--ignore-scripts"])) {
        let compiled = compiled(machine, lock);
        for package in packages.iter().filter(|one| compiled.contains(&one.name)) {
            built(machine, &modules, &package.place);
        }
    }
    let writes_manifests = !matches!(
        invocation.command(WITH_VALUE).as_deref(),
        Some("ci" | "clean-install")
    );
    lock_files(
        machine,
        &modules,
        &manifests,
        writes_manifests,
        packages.len(),
    );
    cache(invocation, machine, &downloads);
    machine.facts.installs.push(Install {
        tool: "npm",
        command: invocation.index,
        prefix: folder.to_owned(),
        packages: packages
            .into_iter()
            .map(|package| (package.name, package.version))
            .collect(),
        manifests,
        writes_manifests,
    });
}

/// The lock files that npm writes: a hidden one beside the packages, and, unless it is `npm ci`, the project's own again.
fn lock_files(
    machine: &mut Machine<'_>,
    modules: &str,
    manifests: &[String],
    writes_manifests: bool,
    packages: usize,
) {
    let part = |size| vec![Part::main(Kind::Text, size)];
    let list = format!("{modules}/.package-lock.json");
    let list_label = "npm's list of what is installed";
    let Some(lock) = manifests
        .iter()
        .find(|path| path.ends_with("shrinkwrap.json") || path.ends_with("-lock.json"))
    else {
        let manifest = manifests
            .iter()
            .find_map(|path| path.strip_suffix("package.json"));
        if let Some(folder) = manifest.filter(|_| writes_manifests) {
            let (size, basis) = machine.catalog.npm_lock(packages);
            machine.put(&list, list_label, part(size), &basis);
            let written = format!("{folder}package-lock.json");
            machine.put(&written, "lock file", part(size), &basis);
        }
        return;
    };
    let Some(text) = machine.text(lock) else {
        return;
    };
    let (bytes, listed) = (text.len() as u64, listed(text, packages));
    let basis = Basis::new("the size of the lock file that is installed from");
    let size = Size::within(listed, 0.1, if listed < bytes { 0.1 } else { 0.0 });
    machine.put(&list, list_label, part(size), &basis);
    if writes_manifests {
        machine.put(
            lock,
            "lock file, written again",
            part(Size::exact(bytes)),
            &basis,
        );
    }
}

/// The bytes that so many packages take of a lock file. Version 2 lists them a second time as versions before did, which npm does not do in
/// its own list.
fn listed(lock: &str, packages: usize) -> u64 {
    let own = lock.split("\n  \"dependencies\": {").next().unwrap_or(lock);
    let all = own.matches("\"node_modules/").count().max(1);
    (own.len() * packages.min(all) / all) as u64
}

/// The packages of a lock file that are compiled when they are installed.
fn compiled(machine: &Machine<'_>, lock: &str) -> Vec<String> {
    let text = machine.text(lock);
    text.map_or_else(Vec::new, |text| native::compiled_in(lock, text))
}

/// What node-gyp leaves of a package that it compiles: the module, and the objects that it is made of.
fn built(machine: &mut Machine<'_>, modules: &str, place: &str) {
    let sized = machine.guess(|guess| &guess.node_gyp);
    let path = format!("{modules}/{place}/build/Release");
    machine.put_guess(&path, "what node-gyp compiles", Kind::Binary, sized);
}

/// Marks the node of a package that `npm prune --omit=dev` removes.
const DEVELOPMENT: &str = "#dev";

pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// Its place below `node_modules`.
    place: String,
    dev: bool,
}

impl Package {
    /// The version, where one is known.
    fn version(&self) -> Option<&str> {
        Some(self.version.as_str()).filter(|version| !version.is_empty())
    }
}

/// Puts packages into a folder; the bytes there and those that were downloaded.
pub(super) fn place(
    machine: &mut Machine<'_>,
    modules: &str,
    packages: &[Package],
) -> (Vec<Size>, Vec<Size>) {
    let facts = facts(machine, packages);
    for (package, facts) in packages.iter().zip(&facts) {
        let suffix = if package.dev { DEVELOPMENT } else { "" };
        let label = [&*package.name, " ", &*package.version].concat();
        machine.put(
            &[modules, "/", &*package.place, suffix].concat(),
            label.trim_end(),
            vec![Part::main(Kind::JavaScript, facts.installed)],
            &facts.basis,
        );
    }
    facts
        .iter()
        .map(|one| (one.installed, one.download))
        .unzip()
}

/// As [`place`], and nothing is put anywhere.
pub(super) fn sizes(machine: &Machine<'_>, packages: &[Package]) -> (Vec<Size>, Vec<Size>) {
    let facts = facts(machine, packages);
    facts
        .iter()
        .map(|one| (one.installed, one.download))
        .unzip()
}

fn facts(machine: &Machine<'_>, packages: &[Package]) -> Vec<Arc<NpmFacts>> {
    let named = packages
        .iter()
        .map(|package| (package.name.as_str(), package.version()));
    machine.catalog.npm_packages(named)
}

/// Packages more than these are no longer followed.
const MOST: usize = 2_000;

/// Packages of the command line and what they need, as far as the table of measured packages tells it.
/// What nobody knows of it lies in the folder of the packages under a name of its own.
pub(super) fn with_needs(
    machine: &mut Machine<'_>,
    modules: &str,
    index: usize,
    named: &[String],
) -> Vec<Package> {
    let (cpu, libc) = platform(machine);
    let mut unknown = 0;
    let mut packages: Vec<Package> = named.iter().map(|word| versioned(word)).collect();
    let known = |one: &Package| machine.catalog.npm_package(&one.name, one.version());
    let resolved = |one: &Package, facts: &NpmFacts| {
        let version = facts.version.as_deref().unwrap_or_default();
        let major = version.split('.').next().unwrap_or_default();
        (one.name.clone(), major.to_owned())
    };
    let mut all: Vec<Arc<NpmFacts>> = packages.iter().map(known).collect();
    let mut names: HashSet<String> = packages.iter().map(|one| one.name.clone()).collect();
    let mut seen: HashSet<(String, String)> = packages
        .iter()
        .zip(&all)
        .map(|(one, facts)| resolved(one, facts))
        .collect();
    let mut next = 0;
    while next < packages.len().min(MOST) {
        let place = packages[next].place.clone();
        let facts = Arc::clone(&all[next]);
        unknown += usize::from(facts.dependencies.is_none());
        let optional = &facts.optional_dependencies;
        let fitting = optional
            .iter()
            .filter(|name| fits(name, optional, cpu, libc));
        for word in facts.dependencies.iter().flatten().chain(fitting) {
            let mut need = versioned(word);
            let facts = known(&need);
            if seen.insert(resolved(&need, &facts)) {
                // Another major version lies in the folder of the package that needs it.
                if !names.insert(need.name.clone()) {
                    need.place = format!("{place}/node_modules/{}", need.name);
                }
                packages.push(need);
                all.push(facts);
            }
        }
        next += 1;
    }
    if unknown > 0 {
        let sized = machine.catalog.unknown_npm_needs(unknown);
        let name = format!("needs-{index}");
        let label = "what packages need of whose needs no table knows";
        machine.scatter(modules, &name, label, Kind::JavaScript, sized);
    }
    packages
}

/// Whether one of the optional packages comes along: the programs of a package for one platform each are called after it.
fn fits(name: &str, all: &[String], cpu: &str, libc: &str) -> bool {
    if !name.contains("linux") {
        return true;
    }
    let musl = |name: &str| name.contains("musl");
    let for_cpu = |name: &str| name.contains(cpu);
    if libc != "musl" {
        return for_cpu(name) && !musl(name);
    }
    // Where none is made for musl, one serves for both.
    let linked_statically = || !name.contains("gnu") && !all.iter().any(|other| musl(other));
    for_cpu(name) && (musl(name) || linked_statically())
}

/// Processor and C library of the image, as npm names them.
fn platform(machine: &Machine<'_>) -> (&'static str, &'static str) {
    let cpu = if machine.arch == Arch::Aarch64 {
        "arm64"
    } else {
        "x64"
    };
    let libc = if machine.wheel_platform().libc == Libc::Musl {
        "musl"
    } else {
        "glibc"
    };
    (cpu, libc)
}

/// `name@version`, where a scope starts with `@` too.
fn versioned(word: &str) -> Package {
    let at = word
        .get(1..)
        .and_then(|rest| rest.find('@'))
        .map(|at| at + 1);
    let (name, version) = at.map_or((word, ""), |at| (&word[..at], &word[at + 1..]));
    Package {
        name: name.to_owned(),
        version: version.to_owned(),
        place: name.to_owned(),
        dev: false,
    }
}

/// What the lock file in a folder lists for this platform; the files that npm reads are added to the manifests.
fn locked(
    invocation: &Invocation,
    machine: &mut Machine<'_>,
    folder: &str,
    production: bool,
    manifests: &mut Vec<String>,
) -> Vec<Package> {
    *manifests = read_manifests(
        invocation,
        machine,
        folder,
        &[
            "package.json",
            "npm-shrinkwrap.json",
            "package-lock.json",
            ".npmrc",
        ],
    );
    let lock = manifests
        .iter()
        .find(|path| path.ends_with("shrinkwrap.json") || path.ends_with("-lock.json"))
        .cloned();
    let mut workspaces = invocation.options(&["-w", "--workspace"]);
    if !workspaces.is_empty() && invocation.has(&["--include-workspace-root"]) {
        workspaces.push(String::new());
    }
    read_lock(invocation, machine, folder, lock, production, |text| {
        if workspaces.is_empty() {
            return PackageLock::read(text);
        }
        PackageLock::read_workspaces(text, &workspaces, !production)
    })
}

/// The manifests that lie in a folder: the tool reads them, and may run a script that one names.
pub(super) fn read_manifests(
    invocation: &Invocation,
    machine: &mut Machine<'_>,
    folder: &str,
    names: &[&str],
) -> Vec<String> {
    let mut manifests = Vec::new();
    for name in names {
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        if machine.tree.get(&path).is_some() {
            machine.reads(&path);
            manifests.push(path);
        }
    }
    let manifest = machine.text(&format!("{}/package.json", folder.trim_end_matches('/')));
    let fetched = [
        "\"git+",
        "\"git:",
        "\"git@",
        "\"github:",
        "\"gitlab:",
        "\"bitbucket:",
    ];
    let git = manifest.is_some_and(|text| {
        // The address of the project itself is none of a package.
        text.lines().any(|line| {
            !line.contains("\"url\"") && fetched.iter().any(|start| line.contains(start))
        })
    });
    let script = manifest
        .and_then(install_script)
        .filter(|_| !invocation.has(&["--ignore-scripts"]));
    if git {
        machine.calls("git");
    }
    if let Some(script) = script {
        machine.reads_anything(format!("`package.json` runs `{script}` after an install"));
        script::lifecycle(invocation, machine, folder);
    }
    manifests
}

/// What a lock file lists for this platform; what is wrong with it is a finding. Without one, what the manifest in the folder asks for.
pub(super) fn read_lock(
    invocation: &Invocation,
    machine: &mut Machine<'_>,
    folder: &str,
    path: Option<String>,
    production: bool,
    read: impl Fn(&str) -> Result<PackageLock, LockError>,
) -> Vec<Package> {
    let Some((path, text)) = path.and_then(|path| {
        let text = machine.text(&path)?;
        Some((path, text))
    }) else {
        machine.note(format!("`{}` finds no lock file among the files that COPY and ADD bring: what it installs is not known", invocation.text));
        let manifest = format!("{}/package.json", folder.trim_end_matches('/'));
        let asked = machine
            .text(&manifest)
            .and_then(|text| asked(text, production));
        if let Some(asked) = asked {
            let modules = format!("{folder}/node_modules");
            return with_needs(machine, &modules, invocation.index, &asked);
        }
        machine.unlisted(&format!("{folder}/node_modules"), invocation.index);
        return Vec::new();
    };
    let lock = match read(text) {
        Ok(lock) => lock,
        Err(error) => {
            machine.lock_problem(&path, &error);
            machine.unlisted(&format!("{folder}/node_modules"), invocation.index);
            return Vec::new();
        }
    };
    let (cpu, libc) = platform(machine);
    lock.on_linux(cpu, libc, !production)
        .map(|package| Package {
            name: package.name.clone(),
            version: package.version.clone(),
            place: package
                .path
                .strip_prefix("node_modules/")
                .unwrap_or(&package.path)
                .to_owned(),
            dev: package.dev,
        })
        .collect()
}

/// The packages that a manifest asks for, each with the version it names, or with as much of it as its range lets stand.
fn asked(manifest: &str, production: bool) -> Option<Vec<String>> {
    let manifest: serde_json::Value = serde_json::from_str(manifest).ok()?;
    let lists = ["dependencies", "optionalDependencies", "devDependencies"];
    let lists = &lists[..if production { 2 } else { 3 }];
    let all = lists.iter().filter_map(|list| manifest[list].as_object());
    let word = |(name, range): (&String, &serde_json::Value)| {
        let version = newest_of(range.as_str().unwrap_or_default());
        if version.is_empty() {
            name.clone()
        } else {
            format!("{name}@{version}")
        }
    };
    Some(all.flatten().map(word).collect())
}

/// The numbers that all versions of a range start with, in npm's notation: `4` of `^4.18.2`, `4.18` of `~4.18.2`, `0.3` of `^0.3.20`.
/// Nothing where any version will do.
fn newest_of(range: &str) -> String {
    let range = range.trim();
    let version = range.trim_start_matches(['^', '~', '=', 'v', ' ']);
    if !version.starts_with(|first: char| first.is_ascii_digit()) {
        return String::new();
    }
    let version = version.split([' ', '|', ',']).next().unwrap_or_default();
    let numbers: Vec<&str> = version
        .split('.')
        .take_while(|part| !matches!(*part, "x" | "X" | "*"))
        .collect();
    let fixed = match range.chars().next() {
        Some('^') if numbers[0] == "0" => 2,
        Some('^') => 1,
        Some('~') => 2,
        _ => numbers.len(),
    };
    numbers[..fixed.min(numbers.len())].join(".")
}

/// The first script of a manifest that an install runs.
fn install_script(manifest: &str) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_str(manifest).ok()?;
    let scripts = manifest.get("scripts")?;
    LIFECYCLE
        .iter()
        .find_map(|name| scripts.get(name)?.as_str().map(str::to_owned))
}

fn cache(invocation: &Invocation, machine: &mut Machine<'_>, downloads: &[Size]) {
    let path = cache_path(invocation, machine);
    if downloads.is_empty() || machine.mounted(&path) {
        return;
    }
    let (size, basis) = machine
        .catalog
        .tools()
        .npm_cache(Size::sum(downloads.iter().copied()));
    machine.put(
        &path,
        "npm's cache",
        vec![Part::main(Kind::Archive, size)],
        &basis,
    );
    machine.facts.caches.push(CacheUse {
        tool: "npm",
        path,
        size,
        command: invocation.index,
    });
}

/// `npm prune --omit=dev`: development packages go.
pub(super) fn prune(machine: &mut Machine<'_>, folder: &str) {
    let modules = format!("{folder}/node_modules");
    if !machine.conditional {
        let layer = machine.layer;
        let mut effects = std::mem::take(&mut machine.effects);
        machine
            .tree
            .remove_where(&modules, layer, &mut effects, |path, _| {
                path.ends_with(DEVELOPMENT)
            });
        machine.effects = effects;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_versions_of_a_range_start_with() {
        for (range, start) in [
            ("^4.18.2", "4"),
            ("~4.18.2", "4.18"),
            ("^0.3.20", "0.3"),
            ("1.2.3", "1.2.3"),
            ("1.x", "1"),
            ("5", "5"),
            ("^2 || ^3", "2"),
            (">=3.0.0", ""),
            ("*", ""),
            ("latest", ""),
            ("", ""),
            ("^", ""),
        ] {
            assert_eq!(newest_of(range), start, "{range}");
        }
    }
}
