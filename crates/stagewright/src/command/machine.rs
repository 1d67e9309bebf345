//! The machine that models run on: a shell's view of the file system, sized.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Invocation;
use super::pip::Site;
use crate::context::Context;
use crate::facts::{Arch, Catalog, ImageFacts, Libc, WheelPlatform};
use crate::finding::Severity;
use crate::ledger::{Access, Effects, LayerIndex, Node, Origin, Part, Tree};
use crate::size::{Basis, Kind, Size};
use crate::stage::{is_root, join};

/// What a command is known to read of the files that COPY and ADD brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reads {
    /// Absolute paths of files and folders.
    pub paths: Vec<String>,
    /// Why it may read anything else, where it may.
    pub anything: Option<String>,
}

/// Packages that a command installs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Install {
    /// The tool (`pip`, `npm`, `apt-get`, `apk`).
    pub tool: &'static str,
    /// The command's place among those of its script.
    pub command: usize,
    /// Where the packages go: the interpreter's prefix for pip, the project folder for npm, `/` for the system's.
    pub prefix: String,
    /// Names and versions (empty where unknown).
    pub packages: Vec<(String, String)>,
    /// The manifests it reads, as absolute paths.
    pub manifests: Vec<String>,
    /// Whether it may write its manifests again.
    pub writes_manifests: bool,
}

/// A package cache that a command fills.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheUse {
    /// The tool.
    pub tool: &'static str,
    /// The folder.
    pub path: String,
    /// What it would leave there.
    pub size: Size,
    /// The command's place among those of its script.
    pub command: usize,
}

/// A fault in a file of the context that a command reads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileProblem {
    /// The file, relative to the context.
    pub file: String,
    /// The line, 1-based.
    pub line: u32,
    /// A stable name in kebab-case.
    pub code: &'static str,
    /// An error where the command fails.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
}

/// What the commands of one RUN do, besides bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFacts {
    /// What it reads.
    pub reads: Reads,
    /// What it installs.
    pub installs: Vec<Install>,
    /// Caches it leaves in the layer.
    pub caches: Vec<CacheUse>,
    /// Commands no model knows, as written.
    pub unmodelled: Vec<String>,
    /// What the estimate cannot know, in sentences.
    pub notes: Vec<String>,
    /// Faults in the files it reads.
    pub problems: Vec<FileProblem>,
    /// Programs it calls.
    pub programs: Vec<String>,
    /// Programs that those call: what a script of `package.json` runs, `git` for what is fetched from a repository.
    pub calls: Vec<String>,
}

/// The machine.
pub(crate) struct Machine<'a> {
    pub(crate) tree: Tree,
    pub(crate) layer: LayerIndex,
    pub(crate) effects: Effects,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) cwd: String,
    pub(crate) user: String,
    /// What the base offers, with what was installed since.
    pub(crate) base: Option<Arc<ImageFacts>>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) context: &'a Context,
    pub(crate) arch: Arch,
    /// Mount points: what is written under them is in no layer.
    pub(crate) mounts: Vec<String>,
    /// Whether the command at hand may not run at all.
    pub(crate) conditional: bool,
    /// What comes from the command before it in a pipe, or from a file, where it may be large.
    pub(crate) input: Option<(Size, Basis)>,
    /// What it writes to its standard output, where that may be large.
    pub(crate) output: Option<(Size, Basis)>,
    /// What it prints, where that is known.
    pub(crate) printed: Option<String>,
    /// What `apt-get install` put in this layer.
    pub(crate) apt: Vec<super::AptInstall>,
    /// What `apk add --virtual` put under one name.
    pub(crate) virtual_packages: BTreeMap<String, Vec<String>>,
    pub(crate) facts: RunFacts,
}

impl Machine<'_> {
    /// A path as the shell sees it from the working directory.
    pub(crate) fn absolute(&self, path: &str) -> String {
        match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                join(&self.home(), rest.trim_start_matches('/'))
            }
            _ => join(&self.cwd, path),
        }
    }

    /// The home folder of the user that runs.
    pub(crate) fn home(&self) -> String {
        if let Some(home) = self.variables.get("HOME") {
            return home.clone();
        }
        match self.user.split(':').next().unwrap_or_default() {
            "" | "root" | "0" => "/root".into(),
            user => format!("/home/{user}"),
        }
    }

    /// A variable's value, if it is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether writes to a path stay out of the layer.
    pub(crate) fn mounted(&self, path: &str) -> bool {
        self.mounts.iter().any(|mount| {
            path == mount
                || path
                    .strip_prefix(mount.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Stores something at a path. A command that may not run adds between nothing and all of it.
    pub(crate) fn put(
        &mut self,
        path: &str,
        label: impl Into<Arc<str>>,
        parts: Vec<Part>,
        basis: &Basis,
    ) {
        if self.mounted(path) {
            return;
        }
        let parts = parts
            .into_iter()
            .filter(|part| part.size.high > 0)
            .map(|part| Part {
                size: if self.conditional {
                    Size {
                        low: 0,
                        ..part.size
                    }
                } else {
                    part.size
                },
                ..part
            })
            .collect();
        let node = Node {
            parts,
            layer: self.layer,
            label: label.into(),
            origin: Origin::Made,
            access: Access::of(&self.user),
            basis: basis.clone(),
        };
        self.tree.put(path, node, &mut self.effects);
    }

    /// Puts a file whose text is known.
    pub(crate) fn put_text(&mut self, path: &str, text: &str, basis: &Basis) {
        if self.mounted(path) {
            return;
        }
        let size = Size::exact(text.len() as u64);
        let node = Node {
            parts: [Part::main(Kind::Text, size)].into(),
            layer: self.layer,
            label: Arc::default(),
            origin: Origin::Inline(Arc::from(text)),
            access: Access::of(&self.user),
            basis: basis.clone(),
        };
        self.tree.put(path, node, &mut self.effects);
    }

    /// Sizes of the files that a path names; the last component may be a pattern.
    pub(crate) fn matching(&self, path: &str) -> std::vec::IntoIter<(Size, Basis)> {
        let path = self.absolute(path);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let found: Vec<(Size, Basis)> = if name.contains(['*', '?']) {
            let own = |key: &str| {
                key.strip_prefix(folder)
                    .and_then(|rest| rest.strip_prefix('/'))
                    .is_some_and(|rest| !rest.contains('/') && glob(name, rest))
            };
            self.tree
                .under(folder)
                .filter(|(key, _)| own(key))
                .map(|(_, node)| (node.size(), node.basis.clone()))
                .collect()
        } else {
            self.tree
                .get(&path)
                .map(|node| (node.size(), node.basis.clone()))
                .into_iter()
                .collect()
        };
        found.into_iter()
    }

    /// Adds to a file.
    pub(crate) fn append(&mut self, path: &str, part: Part, basis: &Basis) {
        let whole = match self.tree.get(path) {
            Some(node) => part.size.plus(node.size()),
            None => part.size,
        };
        self.put(
            path,
            "",
            vec![Part {
                size: whole,
                ..part
            }],
            basis,
        );
    }

    /// Removes what lies at a path; the last component may be a pattern.
    pub(crate) fn remove(&mut self, path: &str) {
        let path = self.absolute(path);
        self.touches(&path);
        if self.mounted(&path) || self.conditional || self.remove_scattered(&path) {
            return;
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if name == "*" {
            // `rm -rf /var/lib/apt/lists/*` empties the folder.
            self.tree.remove(
                if folder.is_empty() { "/" } else { folder },
                self.layer,
                &mut self.effects,
            );
        } else if name.contains(['*', '?']) {
            let folder = if folder.is_empty() {
                "/".to_owned()
            } else {
                folder.to_owned()
            };
            let depth = folder.trim_end_matches('/').len() + 1;
            let name = name.to_owned();
            self.tree
                .remove_where(&folder, self.layer, &mut self.effects, |path, _| {
                    path.get(depth..)
                        .and_then(|rest| rest.split('/').next())
                        .is_some_and(|first| glob(&name, first))
                });
        } else {
            self.tree.remove(&path, self.layer, &mut self.effects);
        }
    }

    /// Removes every node under a folder whose own name fits a pattern.
    pub(crate) fn remove_named(&mut self, folder: &str, name: &str) {
        if self.conditional {
            return;
        }
        self.tree
            .remove_where(folder, self.layer, &mut self.effects, |path, _| {
                path.rsplit('/').next().is_some_and(|own| glob(name, own))
            });
    }

    /// Removes every node under a folder that is called so.
    pub(crate) fn remove_labelled(&mut self, folder: &str, label: &str) {
        if !self.conditional {
            self.tree
                .remove_where(folder, self.layer, &mut self.effects, |_, node| {
                    &*node.label == label
                });
        }
    }

    /// Removes parts of what lies under a folder.
    pub(crate) fn strip(&mut self, folder: &str, test: impl Fn(&Part) -> bool) {
        if !self.conditional {
            self.tree.strip(folder, self.layer, &mut self.effects, test);
        }
    }

    /// `cp -r source target`.
    pub(crate) fn copy(&mut self, source: &str, target: &str) {
        let from = self.absolute(source);
        self.touches(&from);
        let into = target.ends_with('/')
            || self
                .tree
                .under(&self.absolute(target))
                .any(|(path, _)| **path != *self.absolute(target));
        let mut to = self.absolute(target);
        let (from, whole) = match from.strip_suffix("/*").or_else(|| from.strip_suffix("/.")) {
            Some(folder) => (folder.to_owned(), true),
            None => (from, source.ends_with("/.")),
        };
        if into && !whole {
            to = join(&to, from.rsplit('/').next().unwrap_or_default());
        }
        if self.mounted(&to) {
            return;
        }
        let copies = self.tree.copied(&from, &to, self.layer);
        if copies.is_empty() && self.copy_scattered(&from, &to) {
            return;
        }
        if copies.is_empty() && self.tree.inside(&from).is_some() {
            self.note(format!("`{source}` is a part of something whose parts are not known: its copy is not counted"));
        }
        for (path, mut node) in copies {
            if self.conditional {
                node.lessen();
            }
            self.tree.put(path, node, &mut self.effects);
        }
    }

    /// `chown` and `chmod`: operands after the first lose their place in lower layers where `change` makes something else of them.
    pub(crate) fn change_access(
        &mut self,
        invocation: &Invocation,
        change: impl Fn(&Access, &str) -> Option<Access>,
    ) {
        let reference = invocation.has(&["--reference"]);
        let mut operands = invocation.operands();
        let word = if reference {
            None
        } else {
            operands.next().flatten()
        };
        for path in operands {
            let Some(path) = path else {
                self.note(format!(
                    "`{}` changes paths that only the build knows",
                    invocation.text
                ));
                continue;
            };
            let path = self.absolute(&path);
            self.touches(&path);
            if self.conditional {
                continue;
            }
            let keys = self.named(&path, invocation.has(&["-R", "--recursive"]));
            self.tree
                .copy_up(&keys, self.layer, &mut self.effects, |access| {
                    change(access, word.as_deref()?)
                });
        }
    }

    /// What a path names, whose last component may be a pattern: with all that lies below it, or the plain files alone (of a folder its own
    /// entry has no bytes).
    fn named(&self, path: &str, below: bool) -> Vec<Arc<str>> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let pattern = name.contains(['*', '?']);
        let root = if pattern { folder } else { path };
        let fits = |key: &str, node: &Node| {
            let rest = key.get(folder.len() + 1..).unwrap_or_default();
            let own = rest.split('/').next().unwrap_or_default();
            (!pattern || glob(name, own)) && (below || own == rest && node.label.is_empty())
        };
        let found = self.tree.under(root).filter(|(key, node)| fits(key, node));
        let found: Vec<_> = found.map(|(key, _)| Arc::clone(key)).collect();
        if found.is_empty() && below {
            return self
                .scattered(path)
                .map(|(key, _)| key)
                .into_iter()
                .collect();
        }
        found
    }

    /// The text of a file that COPY, ADD or a here-document brought.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match &self.tree.get(path)?.origin {
            Origin::Context(source) => self.context.text(source),
            Origin::Inline(text) => Some(text),
            Origin::Made => None,
        }
    }

    /// The path in the context of a file that COPY or ADD brought.
    pub(crate) fn context_path(&self, path: &str) -> Option<String> {
        match &self.tree.get(path)?.origin {
            Origin::Context(source) => Some(source.to_string()),
            _ => None,
        }
    }

    /// Which wheels fit the base; glibc where the base is not known.
    pub(crate) fn wheel_platform(&self) -> WheelPlatform {
        WheelPlatform {
            libc: self.base.as_ref().map_or(Libc::Glibc, |base| base.libc),
            arch: self.arch,
        }
    }

    /// Where the interpreter behind a program keeps its packages: that of a virtual environment if the program lies in one or one is
    /// first on the search path, else the base's own.
    pub(crate) fn python_site(&self, program: &str) -> Site {
        let python = self
            .base
            .as_deref()
            .and_then(|base| self.catalog.python_of(base))
            .unwrap_or((3, 12));
        let environment = program
            .rsplit_once("/bin/")
            .map(|(prefix, _)| prefix.to_owned())
            .or_else(|| self.variable("VIRTUAL_ENV").map(str::to_owned))
            .or_else(|| {
                self.variable("PATH")?.split(':').find_map(|folder| {
                    folder
                        .strip_suffix("/bin")
                        .filter(|prefix| self.is_environment(prefix))
                        .map(str::to_owned)
                })
            });
        if let Some(prefix) = environment.filter(|prefix| self.is_environment(prefix)) {
            return Site {
                packages: format!("{prefix}/lib/python{}.{}/site-packages", python.0, python.1),
                prefix,
                python,
            };
        }
        let packages = self
            .base
            .as_deref()
            .and_then(ImageFacts::site_packages)
            .unwrap_or_else(|| {
                format!(
                    "/usr/local/lib/python{}.{}/site-packages",
                    python.0, python.1
                )
            });
        Site {
            packages,
            prefix: self.interpreter_prefix(),
            python,
        }
    }

    /// The folder that the base's own interpreter stands in.
    pub(crate) fn interpreter_prefix(&self) -> String {
        let packages = self.base.as_deref().and_then(ImageFacts::site_packages);
        packages
            .as_deref()
            .and_then(|packages| packages.split_once("/lib/"))
            .map_or("/usr/local", |(prefix, _)| prefix)
            .to_owned()
    }

    /// Whether a package is in the base already: official Python images have pip, and before 3.12 setuptools and wheel.
    ///
    /// Source: the Dockerfiles of docker-library/python (`PYTHON_SETUPTOOLS_VERSION`, `PYTHON_WHEEL_VERSION`).
    pub(crate) fn comes_with_python(&self, package: &str, python: (u32, u32)) -> bool {
        let official = self
            .base
            .as_ref()
            .is_some_and(|base| base.family == "python");
        official
            && (package == "pip" || (python < (3, 12) && matches!(package, "setuptools" | "wheel")))
    }

    pub(crate) fn is_environment(&self, prefix: &str) -> bool {
        self.tree.get(&format!("{prefix}/pyvenv.cfg")).is_some()
    }

    /// Whether Python stores byte code beside its own modules when it runs: root can, and official images come without any.
    pub(crate) fn writes_byte_code(&self) -> bool {
        is_root(&self.user)
            && self
                .base
                .as_ref()
                .is_some_and(|base| base.family == "python")
    }

    /// Says what the estimate cannot know.
    pub(crate) fn note(&mut self, note: String) {
        if !self.facts.notes.contains(&note) {
            self.facts.notes.push(note);
        }
    }

    /// Says that a command reads a file or folder.
    pub(crate) fn reads(&mut self, path: &str) {
        let path = self.absolute(path);
        if !self.facts.reads.paths.contains(&path) {
            self.facts.reads.paths.push(path);
        }
    }

    /// Says that a command uses what lies at a path, if anything is known to lie there.
    pub(crate) fn touches(&mut self, path: &str) {
        let path = self.absolute(path);
        let folder = path.trim_end_matches("/*").trim_end_matches('*');
        if self.tree.has(folder) {
            let folder = folder.to_owned();
            self.reads(&folder);
        }
    }

    /// Says what is wrong with a lock file: the command that reads it fails.
    pub(crate) fn lock_problem(&mut self, path: &str, error: &crate::facts::LockError) {
        let file = self.context_path(path).unwrap_or_else(|| path.to_owned());
        self.facts.problems.push(FileProblem {
            file,
            line: 0,
            code: error.code(),
            severity: Severity::Error,
            message: error.to_string(),
        });
    }

    /// Says that a command calls another program.
    pub(crate) fn calls(&mut self, program: &str) {
        if !self.facts.calls.iter().any(|other| other == program) {
            self.facts.calls.push(program.to_owned());
        }
    }

    /// Says that a command may read anything.
    pub(crate) fn reads_anything(&mut self, why: String) {
        self.facts.reads.anything.get_or_insert(why);
    }
}

/// `*` and `?` as the shell and `find -name` take them within one name.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n, mut star, mut retry) = (0, 0, None, 0);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some(p);
                retry = n;
                p += 1;
            }
            Some(&b) if b == b'?' || b == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some(at) => {
                    p = at + 1;
                    retry += 1;
                    n = retry;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(glob("*.pyc", "a.pyc") && glob("py*", "py") && glob("a?c", "abc") && glob("*", ""));
        assert!(!glob("*.pyc", "a.py") && !glob("a", "ab"));
        assert!(!glob(
            &"a*".repeat(40),
            &"a".repeat(200)
                .replace("aaaaaaaaaa", "aaaaaaaaab")
                .chars()
                .take(30)
                .collect::<String>()
        ));
    }
}
