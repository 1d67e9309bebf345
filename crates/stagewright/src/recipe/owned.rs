//! Folders of the last stage that the user of the image may write to.

use stagewright_syntax::write::{Copy, Dockerfile, Run};

use super::{USER, copy_each};

/// The folders, by how each comes to be.
#[derive(Debug, Default)]
pub(super) struct Owned {
    /// Nothing is copied there: made before anything is copied, and once.
    made: Vec<String>,
    /// Copied as they are, for the user.
    copied: Vec<String>,
    /// Inside of what is copied.
    inner: Vec<String>,
}

impl Owned {
    /// Sorts folders by what is copied; of a stage that another one is copied into as a whole nothing is there before.
    pub(super) fn new(folders: &[String], sources: &[String], whole: bool) -> Self {
        let mut owned = Self::default();
        for folder in folders {
            let name = format!("{folder}/");
            let inside = |source: &String| source.ends_with('/') && name.starts_with(source);
            if whole {
                owned.inner.push(folder.clone());
            } else if sources.contains(&name) {
                owned.copied.push(name);
            } else if sources.iter().any(inside) {
                owned.inner.push(folder.clone());
            } else {
                owned.made.push(folder.clone());
            }
        }
        owned
    }

    /// Makes the folders that nothing is copied to.
    pub(super) fn make(&self, file: &mut Dockerfile) {
        push(file, &self.made);
    }

    /// Copies the sources, and makes the folders inside of them.
    pub(super) fn copy(&self, file: &mut Dockerfile, sources: &[String]) {
        let others = sources.iter().filter(|name| !self.copied.contains(name));
        copy_each(file, others, None);
        for folder in &self.copied {
            file.push(Copy::files([folder.as_str()], format!("./{folder}")).chown(USER));
        }
        self.make_inner(file);
    }

    /// Makes the folders that lie inside of what was copied.
    pub(super) fn make_inner(&self, file: &mut Dockerfile) {
        push(file, &self.inner);
    }
}

fn push(file: &mut Dockerfile, folders: &[String]) {
    if folders.is_empty() {
        return;
    }
    let new: Vec<&str> = folders
        .iter()
        .map(String::as_str)
        .filter(|folder| *folder != ".")
        .collect();
    let owner = format!("chown {USER} {}", folders.join(" "));
    file.push(Run::shell(if new.is_empty() {
        owner
    } else {
        format!("mkdir -p {} && {owner}", new.join(" "))
    }));
}
