//! Node applications: package manager, lock file, Node version, framework, build, entry point, port, workspaces.

mod delivery;
mod entry;
mod manifest;
pub(crate) mod native;
mod site;
mod sources;
mod workspace;

use self::delivery::{SERVERS, delivery, framework};
use self::manifest::{Manifest, inside};
use self::workspace::Workspaces;
use super::writes::{self, Writes};
use super::{ProjectError, named, start};
use crate::analysis::called;
use crate::context::Context;

/// A Node application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the files"
)]
pub struct NodeProject {
    /// What installs its packages.
    pub manager: NodeManager,
    /// Whether `packageManager` in `package.json` says which, and in which version: corepack obeys it.
    pub pinned: bool,
    /// Whether a later yarn keeps packages in archives, and makes no `node_modules`.
    pub plug_n_play: bool,
    /// The major version of the package manager that the lock file is of, where it says so.
    pub manager_major: Option<u32>,
    /// The lock file.
    pub lock: Option<String>,
    /// Every file that an install reads, `package.json` first.
    pub manifests: Vec<String>,
    /// The major version of Node that the project asks for, whether a later one would do as well, and the file that says so.
    pub node: Option<NodeVersion>,
    /// The framework, as people call it (`express`, `next`, `vite`).
    pub framework: Option<&'static str>,
    /// What the image holds of the application.
    pub delivery: Delivery,
    /// Folders of the packages whose `build` script runs, in order; `""` is the context itself.
    pub builds: Vec<String>,
    /// The folders that they write, relative to the context, in the same order; empty where what is started lies among the sources.
    pub outputs: Vec<String>,
    /// Folders of the packages whose `build` script runs though what is started lies among the sources: what it leaves beside them is for
    /// the running application.
    pub builds_beside: Vec<String>,
    /// Whether one of those installs packages of its own, which the package manager of the project knows nothing of.
    pub build_installs: bool,
    /// Whether anything is installed for production.
    pub needs_packages: bool,
    /// Packages that the application needs when it runs, by name.
    pub production: Vec<String>,
    /// Packages that only developers need, by name.
    pub development: Vec<String>,
    /// One of them that a script of the application names all the same.
    pub named_development: Option<String>,
    /// Scripts of `package.json` that an install runs by itself.
    pub lifecycle: Vec<&'static str>,
    /// Those of them that need nothing but the sources and the packages of production.
    pub own_scripts: Vec<&'static str>,
    /// Packages that run a script of theirs when they are installed, and whether only developers need them; `None` where the lock file does
    /// not say.
    pub scripted: Option<Vec<(String, bool)>>,
    /// Packages that are compiled when they are installed.
    pub compiled: Vec<String>,
    /// The folder of the application's package, `""` where the repository is one package.
    pub folder: String,
    /// Folders of the packages of the repository that the application needs, with its own; empty where the repository is one package.
    pub packages: Vec<String>,
    /// The start command, where the files are certain about it, or why they are not.
    pub command: Result<Vec<String>, String>,
    /// The port that the files name.
    pub port: Option<u16>,
    /// Whether the application listens on the port that the variable `PORT` names.
    pub reads_port: bool,
    /// Whether the application is known to listen on the container's own loopback alone, unless told otherwise.
    pub loopback: bool,
    /// What is left open about the variables that it reads.
    pub variables: Option<String>,
    /// A script that `npm start` runs before the application.
    pub prestart: Option<String>,
    /// Where the application writes when it runs.
    pub writes: Writes,
    /// Whether a source calls a package manager, which must then be there when it runs.
    pub calls_manager: bool,
    /// Files and folders that the application reads when it runs.
    pub sources: Vec<String>,
    /// Files and folders that the build reads; empty where there is no build.
    pub build_sources: Vec<String>,
}

/// A version of Node that a project asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeVersion {
    /// The major version.
    pub major: u32,
    /// Whether the project takes any later one.
    pub at_least: bool,
    /// The file that says so.
    pub file: String,
}

/// What installs the packages of a Node application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeManager {
    /// npm.
    Npm,
    /// pnpm.
    Pnpm,
    /// yarn 1.
    YarnClassic,
    /// yarn 2 and later.
    Yarn,
}

/// What the image of a Node application holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The sources as they are, and the packages of production.
    Sources,
    /// What the build writes into a folder, and the packages of production.
    Built {
        /// The folder, relative to the application's package.
        output: String,
    },
    /// What Next.js writes with `output: 'standalone'`: a server with the packages it needs.
    Standalone,
    /// Files for a browser, in a folder that the build writes.
    Static {
        /// The folder, relative to the application's package.
        output: String,
    },
}

impl NodeManager {
    /// The program.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::YarnClassic | Self::Yarn => "yarn",
        }
    }
}

/// Scripts of a project that npm runs by itself after an install, in their order.
pub(crate) const LIFECYCLE: [&str; 4] = ["preinstall", "install", "postinstall", "prepare"];

/// Lock files, and the manager that writes each.
const LOCKS: &[(&str, NodeManager)] = &[
    ("npm-shrinkwrap.json", NodeManager::Npm),
    ("package-lock.json", NodeManager::Npm),
    ("pnpm-lock.yaml", NodeManager::Pnpm),
    ("yarn.lock", NodeManager::YarnClassic),
];

/// Reads the project; `None` without a `package.json`.
pub(crate) fn detect(
    context: &Context,
    package: Option<&str>,
) -> Result<Option<NodeProject>, ProjectError> {
    let read = Manifest::read(context, "").transpose();
    let Some(root) = read.map_err(bad_manifest)? else {
        return Ok(None);
    };
    let (manager, lock) = manager(context, &root)?;
    let pinned = root.text(&["packageManager"]).is_some();
    let workspaces = Workspaces::read(context, &root);
    let application = application(workspaces.as_ref(), package)?;
    let (own, closure): (&Manifest, Vec<&Manifest>) = match &workspaces {
        Some(found) => (&found.packages[application], found.needed(application)),
        None => (&root, vec![&root]),
    };
    // What a server of the application's own serves is no site.
    let serves = SERVERS.iter().any(|server| own.needs(server.package));
    let site = site::read(context, own).filter(|_| !serves);
    let framework = framework(own, site.as_ref());
    let builds: Vec<String> = closure
        .iter()
        .filter(|package| package.script("build").is_some())
        .map(|package| package.folder.clone())
        .collect();
    let delivery = delivery(context, own, framework, &builds, site.as_ref());
    let packages: Vec<String> = match &workspaces {
        Some(_) => closure.iter().map(|one| one.folder.clone()).collect(),
        None => Vec::new(),
    };
    let command = entry::command(context, own, &delivery, site.as_ref());
    let scripts = entry::texts(context, &own.folder);
    let prestart = entry::prestart(own).filter(|_| !matches!(delivery, Delivery::Static { .. }));
    let writes = match delivery {
        Delivery::Static { .. } => Writes::default(),
        _ => written(context, &own.folder, &scripts, prestart),
    };
    let texts: Vec<&str> = scripts.iter().map(|(_, text)| *text).collect();
    let named = texts.iter().find_map(|text| entry::port(text));
    let mut sources = sources::run_sources(context, &own.folder, &packages, &delivery);
    if delivery == Delivery::Sources {
        sources.extend(named_files(context, own, &texts, &sources));
    }
    let (builds, builds_beside) = match delivery {
        Delivery::Sources => (Vec::new(), builds),
        _ => (builds, Vec::new()),
    };
    let build_installs = closure.iter().any(|package| {
        builds_beside.contains(&package.folder) && package.script("build").is_some_and(installs)
    });
    let outputs = outputs(context, own, &closure, &builds, &delivery);
    Ok(Some(NodeProject {
        pinned,
        plug_n_play: manager == NodeManager::Yarn && !links_modules(context),
        manager_major: lock
            .as_deref()
            .and_then(|lock| manager_major(context.text(lock)?)),
        manifests: manifests(context, manager, lock.as_deref(), workspaces.as_ref()),
        node: version(context, &root),
        sources,
        build_sources: if builds.is_empty() && builds_beside.is_empty() {
            Vec::new()
        } else {
            sources::build_sources(context, &packages, framework)
        },
        named_development: named_development(own, &texts, &command),
        needs_packages: workspaces.is_some() || !own.production().is_empty(),
        production: own.production(),
        development: own.development(),
        own_scripts: if workspaces.is_none() && delivery == Delivery::Sources {
            entry::own_scripts(context, &root)
        } else {
            Vec::new()
        },
        scripted: native::scripted(context, lock.as_deref()),
        compiled: native::compiled(context, lock.as_deref()),
        lifecycle: root.lifecycle(),
        folder: own.folder.clone(),
        port: named.or_else(|| site.as_ref()?.port),
        reads_port: framework == Some("next")
            || site.as_ref().is_some_and(|site| site.port.is_some())
            || texts.iter().any(|text| text.contains("process.env.PORT")),
        loopback: is_loopback(framework, &texts),
        variables: start::variables(
            context,
            &own.folder,
            own.script("start").into_iter().chain(texts.iter().copied()),
        ),
        prestart: prestart.map(str::to_owned),
        writes,
        calls_manager: MANAGERS
            .iter()
            .any(|manager| texts.iter().any(|text| called::starts(text, manager))),
        manager,
        lock,
        framework,
        delivery,
        builds,
        builds_beside,
        build_installs,
        outputs,
        packages,
        command,
    }))
}

/// Package managers of Node, by the names that start them.
pub(crate) const MANAGERS: [&str; 6] = ["npm", "npx", "corepack", "yarn", "yarnpkg", "pnpm"];

/// Whether the settings of a later yarn ask for `node_modules`.
fn links_modules(context: &Context) -> bool {
    let settings = context.text(".yarnrc.yml");
    settings.is_some_and(|text| text.contains("nodeLinker: node-modules"))
}

fn bad_manifest(why: String) -> ProjectError {
    ProjectError::BadManifest {
        file: "package.json".into(),
        why,
    }
}

/// Whether the framework takes loopback alone, and no script tells it otherwise.
fn is_loopback(framework: Option<&str>, texts: &[&str]) -> bool {
    SERVERS.iter().any(|server| {
        server.loopback
            && Some(server.name) == framework
            && !texts.iter().any(|text| text.contains("host"))
    })
}

/// Where the scripts write, and the one that runs before them.
fn written(
    context: &Context,
    folder: &str,
    scripts: &[(String, &str)],
    prestart: Option<&str>,
) -> Writes {
    // What a tool of the project writes, it writes when it is called.
    let is_tool = |path: &str| {
        let mut parts = path.split('/');
        parts.any(|part| matches!(part, "scripts" | "tools"))
    };
    let running = scripts.iter().filter(|(path, _)| !is_tool(path));
    let running: Vec<(String, &str)> = running.cloned().collect();
    let mut writes = writes::read(context, folder, &running);
    let made = prestart.map(entry::makes).unwrap_or_default();
    let made = made.iter().map(|name| inside(folder, name));
    writes.folders.extend(made);
    writes.folders.sort();
    writes.folders.dedup();
    writes
}

/// Files besides the sources that these, or the scripts that start them, name.
fn named_files(
    context: &Context,
    own: &Manifest,
    texts: &[&str],
    sources: &[String],
) -> Vec<String> {
    let start = ["start", "prestart"].iter();
    let start = start.filter_map(|name| own.script(name));
    let texts: Vec<&str> = start.chain(texts.iter().copied()).collect();
    named::read(context, &own.folder, &texts, sources)
}

/// A package for developers that a script loads, or that the command has `node` load.
fn named_development(
    own: &Manifest,
    texts: &[&str],
    command: &Result<Vec<String>, String>,
) -> Option<String> {
    let loads = |word: &String, name: &String| {
        let value = word
            .split_once('=')
            .map_or(word.as_str(), |(_, value)| value);
        value == name || value.starts_with(&format!("{name}/"))
    };
    own.development().into_iter().find(|name| {
        texts.iter().any(|text| entry::imports(text, name))
            || command.iter().flatten().any(|word| loads(word, name))
    })
}

/// Whether a script calls a package manager to install something.
fn installs(script: &str) -> bool {
    let words: Vec<&str> = script.split_ascii_whitespace().collect();
    let pairs = words.windows(2);
    let of_manager = |pair: &[&str]| {
        MANAGERS.contains(&pair[0]) && matches!(pair[1], "install" | "i" | "ci" | "add")
    };
    pairs.into_iter().any(of_manager)
}

/// The folders that builds write, relative to the context.
fn outputs(
    context: &Context,
    own: &Manifest,
    closure: &[&Manifest],
    builds: &[String],
    delivery: &Delivery,
) -> Vec<String> {
    let written = |folder: &String| {
        let package = closure.iter().find(|one| one.folder == *folder)?;
        let name = match delivery {
            Delivery::Built { output } | Delivery::Static { output } if *folder == own.folder => {
                output.clone()
            }
            Delivery::Standalone if *folder == own.folder => ".next".into(),
            _ => entry::output(context, package)?,
        };
        Some(inside(folder, &name))
    };
    let written = builds
        .iter()
        .map(|folder| written(folder).unwrap_or_default());
    written.collect()
}

/// The package of the repository that is started, by its place.
fn application(
    workspaces: Option<&Workspaces>,
    package: Option<&str>,
) -> Result<usize, ProjectError> {
    let Some(found) = workspaces else {
        return Ok(0);
    };
    match package {
        Some(folder) => found.place(folder),
        None => found.application,
    }
    .ok_or_else(|| ProjectError::SeveralApplications {
        packages: found
            .packages
            .iter()
            .map(|one| one.folder.clone())
            .collect(),
    })
}

/// The package manager and its lock file: what `packageManager` names, else the one whose lock file is there.
fn manager(
    context: &Context,
    root: &Manifest,
) -> Result<(NodeManager, Option<String>), ProjectError> {
    let there: Vec<(&str, NodeManager)> = LOCKS
        .iter()
        .filter(|(file, _)| context.entry(file).is_some())
        .map(|(file, manager)| match manager {
            NodeManager::YarnClassic if is_later_yarn(context) => (*file, NodeManager::Yarn),
            other => (*file, *other),
        })
        .collect();
    let conflict = |files: Vec<&str>| ProjectError::LockConflict {
        files: files.into_iter().map(str::to_owned).collect(),
    };
    let named = root.text(&["packageManager"]).and_then(|text| {
        let (name, version) = text.split_once('@').unwrap_or((text, ""));
        match name {
            "npm" => Some(NodeManager::Npm),
            "pnpm" => Some(NodeManager::Pnpm),
            "yarn" if version.starts_with("1.") => Some(NodeManager::YarnClassic),
            "yarn" => Some(NodeManager::Yarn),
            _ => None,
        }
    });
    if let Some(named) = named {
        let own = there
            .iter()
            .find(|(_, manager)| manager.program() == named.program());
        return match (own, there.first()) {
            (Some((file, _)), _) => Ok((named, Some((*file).to_owned()))),
            (None, Some((file, _))) => Err(conflict(vec!["package.json", file])),
            (None, None) => Ok((named, None)),
        };
    }
    let Some(&(file, manager)) = there.first() else {
        return Ok((NodeManager::Npm, None));
    };
    // npm prefers its shrinkwrap; two managers disagree.
    if there.iter().any(|(_, other)| *other != manager) {
        return Err(conflict(there.iter().map(|(file, _)| *file).collect()));
    }
    Ok((manager, Some(file.to_owned())))
}

/// The manifests of every package of a repository with workspaces; `None` where one runs scripts of its own when it is installed, or
/// where no package is found.
pub(crate) fn members(context: &Context) -> Option<Vec<String>> {
    let root = Manifest::read(context, "")?.ok()?;
    let found = Workspaces::read(context, &root)?;
    let quiet = found.packages.iter().all(|one| one.lifecycle().is_empty());
    quiet.then(|| workspace::manifests(&found).collect())
}

/// A script of a `package.json` by name, where none runs before or after it, and `node` in it is the image's own.
pub(crate) fn script(context: &Context, manifest: &str, name: &str) -> Option<String> {
    let folder = manifest.strip_suffix("package.json")?;
    let own = Manifest::read(context, folder.trim_end_matches('/'))?.ok()?;
    let around = ["pre", "post"].map(|when| format!("{when}{name}"));
    let alone = around.iter().all(|name| own.script(name).is_none()) && !own.names("node");
    own.script(name).filter(|_| alone).map(str::to_owned)
}

fn is_later_yarn(context: &Context) -> bool {
    context
        .text("yarn.lock")
        .is_some_and(|text| text.contains("__metadata:"))
        || context.entry(".yarnrc.yml").is_some()
}

/// The major version of the manager that wrote a lock file of pnpm or of a later yarn (pnpm's and yarn's own tables of formats).
fn manager_major(lock: &str) -> Option<u32> {
    let value = |line: &str, key: &str| {
        let rest = line.trim().strip_prefix(key)?;
        Some(rest.trim().trim_matches(['\'', '"']).to_owned())
    };
    let mut metadata = false;
    for line in lock.lines().take(20) {
        metadata |= line.starts_with("__metadata:");
        if let Some(version) = value(line, "lockfileVersion:") {
            return match version.split('.').next()? {
                "5" => Some(7),
                "6" => Some(8),
                "9" => Some(9),
                _ => None,
            };
        }
        if metadata && let Some(version) = value(line, "version:") {
            return match version.parse::<u32>().ok()? {
                0..=4 => Some(2),
                5..=7 => Some(3),
                _ => Some(4),
            };
        }
    }
    None
}

/// Every file that an install reads.
fn manifests(
    context: &Context,
    manager: NodeManager,
    lock: Option<&str>,
    workspaces: Option<&Workspaces>,
) -> Vec<String> {
    let mut manifests = vec!["package.json".to_owned()];
    manifests.extend(lock.map(str::to_owned));
    let settings: &[&str] = match manager {
        NodeManager::Npm => &[".npmrc"],
        NodeManager::Pnpm => &[".npmrc", "pnpm-workspace.yaml", ".pnpmfile.cjs"],
        NodeManager::YarnClassic => &[".npmrc", ".yarnrc"],
        NodeManager::Yarn => &[".yarnrc.yml"],
    };
    manifests.extend(
        settings
            .iter()
            .filter(|file| context.entry(file).is_some())
            .map(|file| (*file).to_owned()),
    );
    manifests.extend(workspaces.into_iter().flat_map(workspace::manifests));
    // Folders that a later yarn or a patching tool reads.
    for folder in [".yarn/releases", ".yarn/plugins", ".yarn/patches"] {
        if manager == NodeManager::Yarn && context.entry(folder).is_some() {
            manifests.push(folder.to_owned());
        }
    }
    manifests
}

/// `.nvmrc`, `.node-version`, or `engines.node` and `volta.node` of `package.json`; else the base of a Dockerfile that is there already.
fn version(context: &Context, root: &Manifest) -> Option<NodeVersion> {
    for file in [".nvmrc", ".node-version"] {
        if let Some((major, _)) = context.text(file).and_then(major) {
            return Some(NodeVersion {
                major,
                at_least: false,
                file: file.to_owned(),
            });
        }
    }
    let package = [["volta", "node"], ["engines", "node"]]
        .iter()
        .find_map(|keys| major(root.text(keys)?));
    if let Some((major, at_least)) = package {
        return Some(NodeVersion {
            major,
            at_least,
            file: "package.json".into(),
        });
    }
    let (major, _) = super::base_version(context.text("Dockerfile")?, "node")
        .and_then(|version| major(&version))?;
    Some(NodeVersion {
        major,
        at_least: false,
        file: "Dockerfile".into(),
    })
}

/// The first major version that a range names, and whether it takes any later one.
fn major(range: &str) -> Option<(u32, bool)> {
    let range = range.trim();
    let start = range.find(|c: char| c.is_ascii_digit())?;
    let sign = range[..start].trim();
    // `lts/iron` and the like name no number.
    if !matches!(sign, "" | "v" | "^" | "~" | "=" | ">" | ">=") {
        return None;
    }
    let digits: String = range[start..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let open = sign.starts_with('>') && !range.contains('<');
    Some((digits.parse().ok()?, open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node() {
        assert_eq!(major("v20.11.1\n"), Some((20, false)));
        assert_eq!(major(">=18"), Some((18, true)));
        assert_eq!(major(">=18 <21"), Some((18, false)));
        assert_eq!(major("^20.9.0"), Some((20, false)));
        assert_eq!(major("20.x"), Some((20, false)));
        for odd in ["lts/iron", "", "*", "<20"] {
            assert_eq!(major(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_lock_file_tells_the_manager() {
        assert_eq!(manager_major("lockfileVersion: '9.0'\n"), Some(9));
        assert_eq!(manager_major("lockfileVersion: 5.4\n"), Some(7));
        assert_eq!(
            manager_major("# made\n\n__metadata:\n  version: 8\n  cacheKey: 10c0\n"),
            Some(4)
        );
        assert_eq!(manager_major("# yarn lockfile v1\n"), None);
    }
}
