//! What a build is made of, kept as a small file: a later build can be compared with it when its files are gone.

mod form;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use stagewright_syntax::Dockerfile;
use thiserror::Error;

use crate::analysis::{Analysis, AnalysisError};
use crate::build::{Build, Inputs, Origin};
use crate::context::{Content, Context, Covers, Directory, Node, Selector, join};
use crate::options::{Options, Platform};
use form::{ContextForm, Form, OptionsForm};

/// The version of the form that is written, and the only one that is read.
pub const VERSION: u64 = 1;

/// What one build is made of: its Dockerfile, its options, and of each file that some step reads the type, mode, size and digest.
///
/// Contents of files are not in it, but the Dockerfile is, and build arguments are as they were given; secrets are never known here.
/// Its steps are worked out from it anew, so that causes are told as between two folders.
///
/// ```
/// use stagewright::{Analysis, Context, Dockerfile, Options, Snapshot, compare};
///
/// let file = Dockerfile::parse("FROM scratch\nCOPY main.py /\n");
/// let analyze = |text: &str| -> Result<Analysis, Box<dyn std::error::Error>> {
///     let context = Context::builder().file("main.py", text).file("notes.md", "later").build()?;
///     Ok(Analysis::new(&file, &context, &Options::default())?)
/// };
/// let saved = Snapshot::of(&analyze("print(1)")?)?.to_json();
///
/// let before = Snapshot::parse(&saved)?.analyze()?;
/// let prediction = compare(&before, &analyze("print(2)")?);
/// assert_eq!(
///     prediction.steps[0].to_string(),
///     "`COPY main.py /` runs again because `COPY main.py /` takes in `main.py`, which changed"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot {
    dockerfile: String,
    options: Options,
    context: Context,
    named: BTreeMap<String, Context>,
}

/// Why a snapshot cannot be made or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It was written in another form.
    #[error("the snapshot has version {found}, and this is for version {VERSION}: save it anew")]
    Version {
        /// The version it has.
        found: u64,
    },
    /// It is none, or a damaged one.
    #[error("this is no snapshot of a build, or a damaged one: {place}: {message}")]
    Bad {
        /// Where it is wrong.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// A file that a step reads was never read for its digest.
    #[error("`{path}` was not read for its digest, without which it cannot be compared")]
    Unread {
        /// The path in the context.
        path: String,
    },
}

impl SnapshotError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Version { .. } => "snapshot-version",
            Self::Bad { .. } => "bad-snapshot",
            Self::Unread { .. } => "snapshot-unread",
        }
    }

    fn bad(place: impl Into<String>, message: impl std::fmt::Display) -> Self {
        Self::Bad {
            place: place.into(),
            message: message.to_string(),
        }
    }
}

/// What tells the version, whatever else stands there.
#[derive(Deserialize)]
struct Head {
    snapshot: u64,
}

impl Snapshot {
    /// The snapshot of a build. Its context must have been read with digests.
    pub fn of(analysis: &Analysis) -> Result<Self, SnapshotError> {
        let build = analysis.build();
        let part = |context: &Context, origin: &Origin| -> Result<Context, SnapshotError> {
            let kept = needed(build, context, origin);
            check_read(&kept)?;
            Ok(context.with_tree(kept))
        };
        let named = build.named.iter().map(|(name, context)| {
            let origin = Origin::NamedContext(name.clone());
            Ok((name.clone(), part(context, &origin)?))
        });
        Ok(Self {
            dockerfile: analysis.text().to_owned(),
            options: analysis.options().clone(),
            context: part(analysis.context(), &Origin::Context)?,
            named: named.collect::<Result<_, SnapshotError>>()?,
        })
    }

    /// Models the build anew. Sizes that hang on the texts of files, such as what `pip install -r` brings, are not known from it.
    pub fn analyze(&self) -> Result<Analysis, AnalysisError> {
        let inputs = self.named.iter().fold(
            Inputs::new(self.context.clone()),
            |inputs, (name, context)| inputs.named_context(name, context.clone()),
        );
        Analysis::with_inputs(&Dockerfile::parse(&self.dockerfile), &inputs, &self.options)
    }

    /// The text of the Dockerfile.
    pub fn dockerfile(&self) -> &str {
        &self.dockerfile
    }

    /// How the build was called.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How many files it knows.
    pub fn file_count(&self) -> usize {
        let named = self.named.values().map(Context::file_count);
        self.context.file_count() + named.sum::<usize>()
    }

    /// The snapshot as JSON, the same bytes for the same build.
    pub fn to_json(&self) -> String {
        let options = &self.options;
        let form = Form {
            snapshot: VERSION,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            dockerfile: self.dockerfile.clone(),
            options: OptionsForm {
                target: options.target.clone(),
                build_args: options.build_args.clone(),
                platform: options.platform.to_string(),
                builder: options.builder,
                run: options.run.clone(),
                named_contexts: options.named_contexts.clone(),
                bases: options.bases.clone(),
                downloads: options.downloads.clone(),
                as_of: options.as_of.clone(),
                images: options.images.clone(),
            },
            context: ContextForm::of(&self.context),
            named_contexts: self
                .named
                .iter()
                .map(|(name, context)| (name.clone(), ContextForm::of(context)))
                .collect(),
        };
        crate::report::to_json(&form)
    }

    /// Reads what [`Snapshot::to_json`] wrote. Another version, and anything that is not whole, is an error.
    pub fn parse(text: &str) -> Result<Self, SnapshotError> {
        let not_json = |error: serde_json::Error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let message = error.to_string();
            let end = message.rfind(" at line ").unwrap_or(message.len());
            SnapshotError::bad(place, &message[..end])
        };
        let head: Head = serde_json::from_str(text).map_err(not_json)?;
        if head.snapshot != VERSION {
            return Err(SnapshotError::Version {
                found: head.snapshot,
            });
        }
        let form: Form = serde_json::from_str(text).map_err(not_json)?;
        let platform = &form.options.platform;
        let options = Options {
            target: form.options.target,
            build_args: form.options.build_args,
            platform: Platform::parse(platform).ok_or_else(|| {
                SnapshotError::bad(format!("`{platform}`"), "this is no platform")
            })?,
            builder: form.options.builder,
            run: form.options.run,
            named_contexts: form.options.named_contexts,
            bases: form.options.bases,
            downloads: form.options.downloads,
            as_of: form.options.as_of,
            images: form.options.images,
            ..Options::default()
        };
        let named = form.named_contexts.into_iter();
        let named = named.map(|(name, context)| Ok((name, context.read()?)));
        Ok(Self {
            dockerfile: form.dockerfile,
            options,
            context: form.context.read()?,
            named: named.collect::<Result<_, SnapshotError>>()?,
        })
    }
}

/// The part of a context that some step reads.
fn needed(build: &Build, context: &Context, origin: &Origin) -> Arc<Directory> {
    let tree = context.tree();
    let mut kept = Kept::default();
    let inputs = build.steps.iter().flat_map(|step| &step.inputs);
    for input in inputs.filter(|input| input.origin == *origin) {
        if input.selectors.is_empty() {
            return Arc::clone(tree);
        }
        for selector in &input.selectors {
            kept.select(tree, selector);
        }
    }
    kept.prune(tree, "")
}

/// Paths of a tree, without the `/` in front.
#[derive(Default)]
struct Kept {
    /// With everything below.
    whole: BTreeSet<String>,
    /// The folder alone.
    alone: BTreeSet<String>,
    /// Links may have been followed.
    links: bool,
}

impl Kept {
    fn select(&mut self, tree: &Directory, selector: &Selector) {
        let Ok(covered) = selector.covered(tree) else {
            // A source that is not there; a chain of links may say so.
            self.links = true;
            return;
        };
        for one in covered {
            self.links |= one.path != one.place;
            let place = one.place.trim_start_matches('/').to_owned();
            match one.what {
                Covers::Root(_) => self.whole.insert(String::new()),
                Covers::Whole(_) => self.whole.insert(place),
                Covers::Header(_) => self.alone.insert(place),
                Covers::RootHeader => false,
            };
        }
    }

    fn prune(&self, directory: &Arc<Directory>, at: &str) -> Arc<Directory> {
        if self.whole.contains(at) {
            return Arc::clone(directory);
        }
        let mut children = Vec::new();
        for (name, node) in directory.children() {
            let path = join(at, name);
            let left = match node {
                node if self.whole.contains(&path) => Some(node.clone()),
                Node::Directory(below) => {
                    let below = self.prune(below, &path);
                    let kept = !below.children().is_empty() || self.alone.contains(&path);
                    kept.then_some(Node::Directory(below))
                }
                Node::Symlink(_) => self.links.then(|| node.clone()),
                _ => None,
            };
            children.extend(left.map(|left| (Arc::clone(name), left)));
        }
        Arc::new(Directory::new(directory.mode(), children))
    }
}

fn check_read(tree: &Directory) -> Result<(), SnapshotError> {
    let mut unread = None;
    tree.walk("", &mut |path, node| {
        let known = match node {
            Node::File(file) => matches!(file.content, Content::Record(_)),
            other => !matches!(other, Node::Unread),
        };
        if !known && unread.is_none() {
            unread = Some(path.to_owned());
        }
    });
    unread.map_or(Ok(()), |path| Err(SnapshotError::Unread { path }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analysis() -> Analysis {
        let text = "FROM scratch\nCOPY a link/ /\n";
        let context = Context::builder()
            .file_with_mode("a", "1", 0o755)
            .file("b", "2")
            .file("d/e", "3")
            .directory_with_mode("d/f", 0o700)
            .symlink("link", "d")
            .ignore("# nothing\n")
            .build()
            .unwrap();
        Analysis::new(&Dockerfile::parse(text), &context, &Options::default()).unwrap()
    }

    #[test]
    fn only_what_is_read_is_kept_and_reads_back() {
        let snapshot = Snapshot::of(&analysis()).unwrap();
        let text = snapshot.to_json();
        let read = Snapshot::parse(&text).unwrap();
        assert_eq!(read.to_json(), text);
        let paths: Vec<String> = read
            .context
            .entries()
            .into_iter()
            .map(|one| one.path)
            .collect();
        assert_eq!(paths, ["a", "d", "d/e", "d/f", "link"]);
        let analyzed = read.analyze().unwrap();
        assert!(analysis().since(&analyzed).is_cached());
        // What cannot be known from it is said.
        assert_eq!(analyzed.findings()[0].code, "no-contents");
    }

    #[test]
    fn damage_is_told_with_its_place() {
        let text = Snapshot::of(&analysis()).unwrap().to_json();
        // Cut anywhere but behind the last brace.
        for end in 0..text.trim_end().len() {
            let error = Snapshot::parse(&text[..end]).unwrap_err();
            assert_eq!(error.code(), "bad-snapshot", "{end}");
        }
        for (from, to, place) in [
            ("\"d/e\"", "\"../e\"", "entry `../e`"),
            ("\"d/e\"", "\"x/e\"", "entry `x/e`"),
            ("\"d/e\"", "\"a\"", "entry `a`"),
            ("\"0755\"", "\"99999\"", "entry `a`"),
            ("sha256:", "md5:", "entry `"),
            ("linux/amd64", "nowhere", "`nowhere`"),
            (
                "\"snapshot\": 1,",
                "\"snapshot\": 1, \"more\": 2,",
                "line 2",
            ),
            ("\"size\": 1", "\"size\": -1", "line "),
            ("# nothing", "[", "`.dockerignore`"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = Snapshot::parse(&text.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.code(), "bad-snapshot", "{to}");
            assert!(error.to_string().contains(place), "{error}");
        }
        let error = Snapshot::parse(&text.replace("\"snapshot\": 1", "\"snapshot\": 2"));
        assert_eq!(error.unwrap_err().code(), "snapshot-version");
        // What another version holds besides does not matter.
        assert_eq!(
            Snapshot::parse("{\"snapshot\": 99}").unwrap_err().code(),
            "snapshot-version"
        );
        for text in [
            "",
            "null",
            "[]",
            "{}",
            "{\"schema\": 1}",
            "{\"snapshot\": \"1\"}",
        ] {
            assert_eq!(
                Snapshot::parse(text).unwrap_err().code(),
                "bad-snapshot",
                "{text}"
            );
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Snapshot::parse(&deep).unwrap_err().code(), "bad-snapshot");
    }

    #[test]
    fn files_that_were_not_read_are_refused() {
        let file = Dockerfile::parse("FROM scratch\nCOPY a /\n");
        let context = Context::builder().sized_file("a", 3).sized_file("b", 3);
        let options = Options::default();
        let analysis = Analysis::new(&file, &context.build().unwrap(), &options).unwrap();
        let error = Snapshot::of(&analysis).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().contains("`a`")),
            ("snapshot-unread", true)
        );
    }
}
