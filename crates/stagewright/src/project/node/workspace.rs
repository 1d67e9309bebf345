//! Workspaces: which packages a repository holds, which of them is the application, and which of the others it needs.

use super::delivery::{SERVERS, is_bundled};
use super::manifest::{Manifest, inside};
use crate::context::Context;

/// The packages of a repository with workspaces.
#[derive(Clone, Debug)]
pub(super) struct Workspaces {
    /// Every package, in the order of their folders.
    pub(super) packages: Vec<Manifest>,
    /// The application's package, by its place among them.
    pub(super) application: Option<usize>,
}

impl Workspaces {
    /// What the root's manifest, or `pnpm-workspace.yaml`, names; `None` where it names nothing.
    pub(super) fn read(context: &Context, root: &Manifest) -> Option<Self> {
        let mut patterns = root.workspaces();
        if let Some(text) = context.text("pnpm-workspace.yaml") {
            patterns.extend(packages_of_yaml(text));
        }
        let folders = context
            .files()
            .filter_map(|entry| entry.path.strip_suffix("/package.json").map(str::to_owned));
        let mut folders: Vec<String> = folders
            .filter(|folder| !folder.contains("node_modules"))
            .filter(|folder| is_member(&patterns, folder))
            .collect();
        folders.sort();
        let packages: Vec<Manifest> = folders
            .iter()
            .filter_map(|folder| Manifest::read(context, folder)?.ok())
            .collect();
        if packages.is_empty() {
            return None;
        }
        Some(Self {
            application: application(&packages),
            packages,
        })
    }

    /// The place of the package in a folder.
    pub(super) fn place(&self, folder: &str) -> Option<usize> {
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        self.packages.iter().position(|one| one.folder == folder)
    }

    /// The application's package and those of the repository that it needs, what is needed first.
    fn closure(&self, application: usize) -> Vec<usize> {
        let mut order = Vec::new();
        self.visit(application, &mut Vec::new(), &mut order);
        order
    }

    /// As [`closure`](Self::closure), the packages themselves.
    pub(super) fn needed(&self, application: usize) -> Vec<&Manifest> {
        let order = self.closure(application);
        order.into_iter().map(|at| &self.packages[at]).collect()
    }

    fn visit(&self, at: usize, seen: &mut Vec<usize>, order: &mut Vec<usize>) {
        if seen.contains(&at) {
            return;
        }
        seen.push(at);
        for (other, package) in self.packages.iter().enumerate() {
            if !package.name().is_empty() && self.packages[at].names(package.name()) {
                self.visit(other, seen, order);
            }
        }
        order.push(at);
    }
}

/// The one package that is started or served; `None` where several could be.
fn application(packages: &[Manifest]) -> Option<usize> {
    let of = |fits: fn(&Manifest) -> bool| {
        let found: Vec<usize> = (0..packages.len())
            .filter(|&at| fits(&packages[at]))
            .collect();
        (!found.is_empty()).then_some(found)
    };
    let found = of(|package| SERVERS.iter().any(|server| package.needs(server.package)))
        .or_else(|| of(|package| package.script("start").is_some()))
        .or_else(|| of(is_bundled))?;
    match found.as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

/// Whether the patterns take a folder in. `*` is one component, `**` any number, `!` takes out again.
fn is_member(patterns: &[String], folder: &str) -> bool {
    let mut member = false;
    for pattern in patterns {
        let (out, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern.as_str()),
        };
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        let parts: Vec<&str> = pattern.split('/').collect();
        if matches(&parts, &folder.split('/').collect::<Vec<_>>()) {
            member = !out;
        }
    }
    member
}

fn matches(pattern: &[&str], folder: &[&str]) -> bool {
    match (pattern, folder) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            matches(rest, folder)
                || folder
                    .split_first()
                    .is_some_and(|(_, below)| matches(pattern, below))
        }
        ([first, rest @ ..], [name, below @ ..]) => component(first, name) && matches(rest, below),
        _ => false,
    }
}

/// One component, in which `*` stands for any characters.
fn component(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|&at| rest.is_char_boundary(at))
                .any(|at| component(after, &rest[at..]))
        }),
    }
}

/// The list `packages` of `pnpm-workspace.yaml`, written as a block: one quoted or plain string a line.
fn packages_of_yaml(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .skip_while(|line| line.trim_end() != "packages:")
        .skip(1);
    lines
        .map(|line| line.split(" #").next().unwrap_or_default().trim())
        .take_while(|line| line.is_empty() || line.starts_with('-') || line.starts_with('#'))
        .filter_map(|line| line.strip_prefix('-'))
        .map(|item| item.trim().trim_matches(['"', '\'']).to_owned())
        .collect()
}

/// `package.json` of the root and of every package: what an install reads.
pub(super) fn manifests(workspaces: &Workspaces) -> impl Iterator<Item = String> {
    workspaces
        .packages
        .iter()
        .map(|package| inside(&package.folder, "package.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_workspaces() {
        let patterns = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let list = patterns(&["packages/*", "./apps/**", "!apps/old"]);
        for folder in ["packages/api", "apps/web", "apps/a/b"] {
            assert!(is_member(&list, folder), "{folder}");
        }
        for folder in ["packages", "packages/api/deep", "apps/old", "other"] {
            assert!(!is_member(&list, folder), "{folder}");
        }
        assert!(is_member(&patterns(&["libs/ui-*"]), "libs/ui-kit"));
    }

    #[test]
    fn the_list_of_a_yaml_file() {
        let text = "# ours\npackages:\n  # all\n  - \"packages/*\"\n  - apps/web # one\n\nonlyBuiltDependencies:\n  - esbuild\n";
        assert_eq!(packages_of_yaml(text), ["packages/*", "apps/web"]);
        assert!(packages_of_yaml("catalog:\n  a: 1\n").is_empty());
    }
}
