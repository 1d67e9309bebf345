//! Where an application writes when it runs: the user of an image without rights may write to no folder that is not its own.
//!
//! Sources are read line by line for calls that write (Python's `open` with a mode, `os.makedirs`, `sqlite3.connect`, Flask's instance
//! folder; Node's `fs`, multer, `SQLite`), and the folders of the repository that hold nothing but `.gitkeep`, which people keep for that.

mod call;

use self::call::{Anchor, Target};
use crate::context::Context;

/// Where an application writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Writes {
    /// Folders relative to the context, sorted; `"."` is the one that the application runs in.
    pub folders: Vec<String>,
    /// What is likely and not certain, as questions.
    pub questions: Vec<String>,
}

/// A source of the application: its path and its text.
pub(super) type Source<'c> = (String, &'c str);

/// Files that stand for a folder that would be empty.
const KEEPERS: [&str; 3] = [".gitkeep", ".keep", ".gitignore"];

/// Folders that everybody may write to.
const OPEN: [&str; 4] = ["/tmp", "/var/tmp", "/dev", "/proc"];

/// Reads the sources of an application that runs in `root`, `""` for the context itself.
pub(super) fn read(context: &Context, root: &str, sources: &[Source<'_>]) -> Writes {
    let files = Files::of(context);
    let mut found = Writes {
        folders: files.kept(root),
        questions: Vec::new(),
    };
    for (path, text) in sources {
        for target in call::targets(path, text) {
            place(&files, root, path, &target, &mut found);
        }
    }
    // Its name would be a part of a command.
    let (plain, others) = found
        .folders
        .into_iter()
        .partition(|folder| is_plain(folder));
    found.folders = plain;
    for folder in others {
        found.questions.push(ask(&folder, ".gitkeep"));
    }
    found.folders.sort();
    found.folders.dedup();
    found.questions.dedup();
    found
}

/// The paths of a context in order, so that what lies below a folder is found at once.
struct Files(Vec<String>);

impl Files {
    fn of(context: &Context) -> Self {
        let mut paths: Vec<String> = context.files().map(|entry| entry.path).collect();
        paths.sort_unstable();
        Self(paths)
    }

    /// What lies below a folder, relative to it.
    fn below(&self, folder: &str) -> impl Iterator<Item = &str> {
        let inside = format!("{folder}/");
        let start = self.0.partition_point(|path| *path < inside);
        self.0[start..]
            .iter()
            .map_while(move |path| path.strip_prefix(&inside))
    }

    /// Folders with nothing but a file that keeps them.
    fn kept(&self, root: &str) -> Vec<String> {
        let keeper = |path: &String| {
            let (folder, name) = path.rsplit_once('/')?;
            (name == ".gitkeep" || name == ".keep").then(|| folder.to_owned())
        };
        let folders = self.0.iter().filter_map(keeper);
        folders
            .filter(|folder| root.is_empty() || folder.starts_with(&format!("{root}/")))
            .filter(|folder| !folder.split('/').any(is_unneeded))
            .filter(|folder| self.below(folder).all(|rest| KEEPERS.contains(&rest)))
            .collect()
    }

    /// Whether a folder holds code, which nobody should be able to change.
    fn is_source(&self, folder: &str) -> bool {
        let ends = [".py", ".js", ".ts", ".mjs", ".cjs"];
        self.below(folder)
            .any(|name| ends.iter().any(|end| name.ends_with(end)))
    }
}

/// Whether a path is one word of a shell that stands for itself.
fn is_plain(path: &str) -> bool {
    !path.starts_with('-')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte))
}

fn ask(place: &str, source: &str) -> String {
    format!("does the application write to `{place}` (`{source}`)? the user of the image may not")
}

/// Whether the running application has nothing to do with a folder.
fn is_unneeded(name: &str) -> bool {
    name.starts_with('.')
        || matches!(
            name,
            "tests" | "test" | "docs" | "node_modules" | "versions" | "__tests__" | "src"
        )
}

/// Adds what is written to the folders or to the questions.
fn place(files: &Files, root: &str, path: &str, target: &Target, found: &mut Writes) {
    let ask = |place: &str| ask(place, path);
    if target.path.starts_with('/') {
        let open = OPEN.iter().any(|open| target.path.starts_with(open));
        if !open {
            found.questions.push(ask(&target.path));
        }
        return;
    }
    let own = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let start = match target.anchor {
        Anchor::File => own,
        Anchor::Working | Anchor::Unknown => root,
    };
    let Some(whole) = normal(start, &target.path) else {
        found.questions.push(ask(&target.path));
        return;
    };
    let folder = if target.is_folder {
        whole
    } else {
        whole
            .rsplit_once('/')
            .map_or(String::new(), |(folder, _)| folder.to_owned())
    };
    let folder = if folder.is_empty() || folder == root {
        ".".to_owned()
    } else {
        folder
    };
    let there = files.below(&folder).next().is_some();
    // A base that is computed may be another folder than it seems; one of that name tells.
    if target.anchor == Anchor::Unknown && !there {
        found
            .questions
            .push(ask(if folder == "." { &target.path } else { &folder }));
        return;
    }
    if files.is_source(&folder) {
        found.questions.push(ask(&folder));
        return;
    }
    found.folders.push(folder);
}

/// A path below a folder, without `.` and `..`; nothing where it leaves the context.
fn normal(start: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = start.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
