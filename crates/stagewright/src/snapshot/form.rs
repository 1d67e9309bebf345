//! The form of a snapshot as JSON: what is written, and how what is read is held against it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::SnapshotError;
use crate::context::{
    Content, Context, DEEPEST, DIRECTORY_MODE, Digest, Directory, File, IgnoreFile, Node, Special,
    base_name, depth, file_node, rooted,
};
use crate::facts::MeasuredImage;
use crate::options::{Builder, RunOptions};

/// The form as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// [`super::VERSION`].
    pub(super) snapshot: u64,
    /// The version of the program that wrote it, for people.
    pub(super) tool: String,
    pub(super) dockerfile: String,
    pub(super) options: OptionsForm,
    pub(super) context: ContextForm,
    pub(super) named_contexts: BTreeMap<String, ContextForm>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionsForm {
    pub(super) target: Option<String>,
    pub(super) build_args: BTreeMap<String, String>,
    pub(super) platform: String,
    #[serde(default)]
    pub(super) builder: Builder,
    #[serde(default)]
    pub(super) run: RunOptions,
    pub(super) named_contexts: BTreeMap<String, String>,
    pub(super) bases: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) downloads: BTreeMap<String, String>,
    pub(super) as_of: Option<String>,
    pub(super) images: BTreeMap<String, MeasuredImage>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextForm {
    /// The Dockerfile's path in the context.
    dockerfile: String,
    ignore: Option<IgnoreForm>,
    /// Folders before what they hold, names in the order of their bytes.
    entries: Vec<EntryForm>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IgnoreForm {
    name: String,
    text: String,
}

/// What stands at a path; which of the fields there are follows from the type.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryForm {
    path: String,
    #[serde(rename = "type")]
    kind: EntryType,
    /// Permissions in octal, as `chmod` takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// BuildKit's record of the file, which covers mode, size and content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum EntryType {
    File,
    Folder,
    Link,
    Pipe,
    Socket,
    CharacterDevice,
    BlockDevice,
}

impl ContextForm {
    pub(super) fn of(context: &Context) -> Self {
        let mut entries = Vec::new();
        context.tree().walk("", &mut |path, node| {
            entries.push(EntryForm::of(path, node));
        });
        Self {
            dockerfile: context.dockerfile_name().to_owned(),
            ignore: context.ignore_file().map(|ignore| IgnoreForm {
                name: ignore.name().to_owned(),
                text: ignore.text().to_owned(),
            }),
            entries,
        }
    }

    pub(super) fn read(self) -> Result<Context, SnapshotError> {
        let sent = tree(self.entries)?;
        let Some(ignore) = &self.ignore else {
            return Ok(Context::of_parts(
                Arc::clone(&sent),
                sent,
                None,
                &rooted(&self.dockerfile),
            ));
        };
        let read = IgnoreFile::named(&ignore.name, &ignore.text)
            .map_err(|error| SnapshotError::bad(format!("`{}`", ignore.name), error))?;
        let all = with_ignore(&sent, &rooted(&ignore.name), &ignore.text);
        Ok(Context::of_parts(
            all,
            sent,
            Some(read),
            &rooted(&self.dockerfile),
        ))
    }
}

/// A folder whose entries are being read.
struct Open {
    path: String,
    mode: u32,
    children: Vec<(Arc<str>, Node)>,
}

impl Open {
    fn close(self) -> Arc<Directory> {
        Arc::new(Directory::new(self.mode, self.children))
    }
}

/// The tree of entries, which come as [`Directory::walk`] gives them.
fn tree(entries: Vec<EntryForm>) -> Result<Arc<Directory>, SnapshotError> {
    let mut open = vec![Open {
        path: String::new(),
        mode: DIRECTORY_MODE,
        children: Vec::new(),
    }];
    let close_last = |open: &mut Vec<Open>| {
        let done = open.pop().expect("the root is never closed here");
        let name = Arc::from(base_name(&done.path));
        let above = open.last_mut().expect("the root stays open");
        above.children.push((name, Node::Directory(done.close())));
    };
    let mut last: Option<String> = None;
    for entry in entries {
        let bad = |message: &str| SnapshotError::bad(format!("entry `{}`", entry.path), message);
        if entry.path.is_empty()
            || rooted(&entry.path) != entry.path
            || depth(&entry.path) > DEEPEST
        {
            return Err(bad("this is no path of a context"));
        }
        let later = last
            .as_ref()
            .is_none_or(|last| last.split('/').lt(entry.path.split('/')));
        if !later {
            return Err(bad("the entries are not in order"));
        }
        let (parent, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        while open.len() > 1 && open.last().is_some_and(|folder| folder.path != parent) {
            close_last(&mut open);
        }
        let folder = open.last_mut().expect("the root stays open");
        if folder.path != parent {
            return Err(bad("the folder that it lies in is missing"));
        }
        match entry.node()? {
            Node::Directory(directory) => open.push(Open {
                path: entry.path.clone(),
                mode: directory.mode(),
                children: Vec::new(),
            }),
            node => folder.children.push((Arc::from(name), node)),
        }
        last = Some(entry.path);
    }
    while open.len() > 1 {
        close_last(&mut open);
    }
    Ok(open.pop().expect("the root is left").close())
}

/// The tree with the text of its ignore file, by which a later change is read.
fn with_ignore(root: &Arc<Directory>, name: &str, text: &str) -> Arc<Directory> {
    let node = match root.node(name) {
        None => file_node(text.as_bytes(), 0o644),
        Some(Node::File(file)) => Node::File(Arc::new(File {
            text: Some(Arc::from(text)),
            ..File::clone(file)
        })),
        Some(_) => return Arc::clone(root),
    };
    root.with(name, Some(node))
}

impl EntryForm {
    fn of(path: &str, node: &Node) -> Self {
        let mut form = Self {
            path: path.to_owned(),
            kind: EntryType::File,
            mode: None,
            size: None,
            digest: None,
            target: None,
            device: None,
        };
        let octal = |mode: u32| Some(format!("{mode:04o}"));
        match node {
            Node::File(file) => {
                form.mode = octal(file.mode);
                form.size = Some(file.size);
                form.digest = Some(file.record().digest.to_string());
            }
            Node::Directory(directory) => {
                form.kind = EntryType::Folder;
                form.mode = octal(directory.mode());
            }
            Node::Symlink(target) => {
                form.kind = EntryType::Link;
                form.target = Some(target.to_string());
            }
            Node::Special(special) => {
                form.kind = match special.flag {
                    b'3' => EntryType::CharacterDevice,
                    b'4' => EntryType::BlockDevice,
                    b'6' => EntryType::Pipe,
                    _ => EntryType::Socket,
                };
                form.mode = octal(special.mode);
                form.device = Some(special.device);
            }
            Node::Unread => unreachable!("what a step reads was read"),
        }
        form
    }

    fn node(&self) -> Result<Node, SnapshotError> {
        let bad = |message: &str| SnapshotError::bad(format!("entry `{}`", self.path), message);
        let mode = || {
            let mode = self.mode.as_deref();
            let mode = mode.and_then(|mode| u32::from_str_radix(mode, 8).ok());
            mode.filter(|mode| *mode <= 0o7777)
                .ok_or_else(|| bad("it has no permissions, or none that there are"))
        };
        let special = |flag: u8| -> Result<Node, SnapshotError> {
            Ok(Node::Special(Special {
                mode: mode()?,
                flag,
                device: self.device.ok_or_else(|| bad("it has no device numbers"))?,
            }))
        };
        match self.kind {
            EntryType::File => {
                let digest = self.digest.as_deref().and_then(Digest::parse);
                let digest = digest.ok_or_else(|| bad("it has no digest, or none that is one"))?;
                Ok(Node::File(Arc::new(File {
                    size: self.size.ok_or_else(|| bad("it has no size"))?,
                    mode: mode()?,
                    content: Content::Record(digest),
                    stamp: None,
                    text: None,
                })))
            }
            EntryType::Folder => Ok(Node::Directory(Arc::new(Directory::new(
                mode()?,
                Vec::new(),
            )))),
            EntryType::Link => {
                let target = self.target.as_deref();
                let target = target.ok_or_else(|| bad("it leads nowhere"))?;
                Ok(Node::Symlink(Arc::from(target)))
            }
            EntryType::CharacterDevice => special(b'3'),
            EntryType::BlockDevice => special(b'4'),
            EntryType::Pipe => special(b'6'),
            EntryType::Socket => special(b'0'),
        }
    }
}
