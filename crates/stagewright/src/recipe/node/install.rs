//! How the packages of a Node application are installed, and what installs them.

use stagewright_syntax::instruction::Sharing;
use stagewright_syntax::write::{Dockerfile, Env, Mount, Run};

use super::copy_each;
use crate::project::NodeProject;
use crate::project::node::NodeManager;

/// pnpm and later yarns are no part of the image of Node: corepack brings the version that `package.json` names, else npm one that reads
/// the lock file.
pub(super) fn bring_manager(project: &NodeProject) -> Option<Run> {
    let package = match project.manager {
        NodeManager::Npm => return None,
        NodeManager::YarnClassic if !project.pinned => return None,
        _ if project.pinned => return Some(Run::shell("corepack enable")),
        NodeManager::Pnpm => "pnpm",
        NodeManager::YarnClassic | NodeManager::Yarn => "@yarnpkg/cli-dist",
    };
    let versioned = match project.manager_major {
        Some(major) => format!("{package}@{major}"),
        None => package.to_owned(),
    };
    // The image of Node brings a yarn 1 under the same name.
    let force = if project.manager == NodeManager::Yarn {
        "--force "
    } else {
        ""
    };
    let run = Run::shell(format!("npm install --global {force}{versioned}"));
    Some(run.mount(Mount::cache("/root/.npm")))
}

/// The instructions that install, with the files that are read mounted and the cache kept for the next build.
pub(super) fn install(file: &mut Dockerfile, project: &NodeProject, production: bool) {
    if project.plug_n_play {
        file.push(Env::new().set("YARN_NODE_LINKER", "node-modules"));
    }
    if project.lock.is_none() {
        // A tool that writes a lock file needs the others to be its own.
        copy_each(file, &project.manifests, None);
    }
    file.push(install_run(project, production));
}

/// The command that installs everything, or what production needs.
pub(crate) fn install_run(project: &NodeProject, production: bool) -> Run {
    let scripts = !project.lifecycle.is_empty();
    let of_one = production && !project.folder.is_empty();
    let mut words: Vec<String> = Vec::new();
    let mut say = |text: &str| words.push(text.to_owned());
    let cache = match project.manager {
        NodeManager::Npm => {
            say(if project.lock.is_some() {
                "npm ci"
            } else {
                "npm install"
            });
            if production {
                say("--omit=dev");
            }
            if of_one {
                say(&format!("--workspace={}", project.folder));
            }
            "/root/.npm"
        }
        NodeManager::Pnpm => {
            say("pnpm install");
            say(if project.lock.is_some() {
                "--frozen-lockfile"
            } else {
                "--no-frozen-lockfile"
            });
            if production {
                say("--prod");
            }
            if of_one {
                // Without the braces the dots behind a path say nothing of the packages that it needs.
                say(&format!("--filter='{{./{}}}...'", project.folder));
            }
            "/root/.local/share/pnpm/store"
        }
        NodeManager::YarnClassic => {
            say("yarn install");
            if project.lock.is_some() {
                say("--frozen-lockfile");
            }
            if production {
                say("--production");
            }
            "/usr/local/share/.cache/yarn"
        }
        NodeManager::Yarn if production => {
            say("yarn workspaces focus --production");
            "/root/.yarn/berry/cache"
        }
        NodeManager::Yarn => {
            say(if project.lock.is_some() {
                "yarn install --immutable"
            } else {
                "yarn install"
            });
            "/root/.yarn/berry/cache"
        }
    };
    if scripts && project.manager != NodeManager::Yarn {
        // Those of the packages run then, those of the project need its sources.
        say("--ignore-scripts");
    }
    let mut command = words.join(" ");
    if scripts && project.manager == NodeManager::Npm {
        command.push_str(&rebuild(project, production));
    }
    let workdir = of_one && project.manager == NodeManager::Yarn;
    if workdir {
        command = format!("cd {} && {command}", project.folder);
    }
    let mut cache = Mount::cache(cache);
    if project.manager == NodeManager::YarnClassic {
        // Two installs at once spoil the cache of yarn 1.
        cache = cache.sharing(Sharing::Locked);
    }
    let run = Run::shell(command).mount(cache);
    if project.lock.is_none() {
        return run;
    }
    project.manifests.iter().fold(run, |run, name| {
        run.mount(Mount::bind(name.as_str(), name.as_str()))
    })
}

/// Runs the scripts of packages after an install without scripts. They are named: `npm rebuild` alone runs those of the project as well.
pub(crate) fn rebuild(project: &NodeProject, production: bool) -> String {
    let plain = |name: &String| {
        let of_name = |c: char| c.is_ascii_alphanumeric() || "@/._-".contains(c);
        name.chars().all(of_name)
    };
    let scripted = project.scripted.iter().flatten();
    let scripted = scripted.filter(|(_, dev)| !production || !dev);
    // npm does not write down that it calls node-gyp for a package without a script.
    let mut names: Vec<&str> = scripted
        .map(|(name, _)| name)
        .chain(&project.compiled)
        .filter(|name| plain(name))
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        String::new()
    } else {
        format!(" && npm rebuild {}", names.join(" "))
    }
}
