//! What `COPY` and `ADD` bring: files of the build context, of another stage or image, texts of the Dockerfile.

use std::sync::Arc;

use super::called::basename;
use super::{CONTEXT, INLINE, Interpreter, StageRecord, file_node};
use crate::command::RunFacts;
use crate::context::{EntryKind, Sources};
use crate::kind;
use crate::ledger::{Access, Effects, LayerIndex, Node, Origin, Part, Tree};
use crate::size::{Basis, Kind, Size};
use crate::stage::{CopyOp, CopySource, From, join};

impl Interpreter<'_> {
    pub(super) fn copy(
        &self,
        copy: &CopyOp,
        mut tree: Tree,
        layer: LayerIndex,
    ) -> (Tree, Effects, RunFacts) {
        let (mut effects, mut facts) = (Effects::default(), RunFacts::default());
        let folder = copy.destination.ends_with('/') || copy.sources.len() > 1;
        let destination = copy.destination.trim_end_matches('/');
        for source in &copy.sources {
            match source {
                CopySource::Heredoc { name, content } => {
                    let path = if folder {
                        join(&copy.destination, name)
                    } else {
                        destination.to_owned()
                    };
                    let node = file_node(
                        &path,
                        content.len() as u64,
                        layer,
                        Origin::Inline(Arc::from(content.as_str())),
                        &INLINE,
                    );
                    tree.put(path, node, &mut effects);
                }
                CopySource::Path(path) => match &copy.from {
                    From::Context => self.copy_context(
                        copy,
                        path,
                        folder,
                        &mut tree,
                        layer,
                        &mut effects,
                        &mut facts,
                    ),
                    From::Stage(stage) => {
                        let from = &self.stages[stage.0];
                        if join("/", path) == "/" {
                            self.whole_base(from, copy, &mut tree, layer, &mut effects);
                        }
                        if !copy_stage(
                            &from.tree,
                            copy,
                            path,
                            folder,
                            &mut tree,
                            layer,
                            &mut effects,
                        ) {
                            self.unknown_source(
                                &format!("`{path}` of another stage"),
                                destination,
                                &mut tree,
                                layer,
                                &mut effects,
                                &mut facts,
                            );
                        }
                    }
                    From::Image(image) => {
                        let from = self.image_tree(image, layer);
                        if !copy_stage(&from, copy, path, folder, &mut tree, layer, &mut effects) {
                            self.unknown_source(
                                &format!("`{path}` of `{image}`"),
                                destination,
                                &mut tree,
                                layer,
                                &mut effects,
                                &mut facts,
                            );
                        }
                    }
                    From::Named(name) => self.unknown_source(
                        &format!("the named context `{name}`"),
                        destination,
                        &mut tree,
                        layer,
                        &mut effects,
                        &mut facts,
                    ),
                },
                CopySource::Url { address, .. } => self.unknown_source(
                    &format!("the download `{address}`"),
                    destination,
                    &mut tree,
                    layer,
                    &mut effects,
                    &mut facts,
                ),
                CopySource::Git { address, .. } => self.unknown_source(
                    &format!("the repository `{address}`"),
                    destination,
                    &mut tree,
                    layer,
                    &mut effects,
                    &mut facts,
                ),
            }
        }
        (tree, effects, facts)
    }

    /// Something from outside the build: said, and counted as anything from nothing to a lot.
    fn unknown_source(
        &self,
        what: &str,
        destination: &str,
        tree: &mut Tree,
        layer: LayerIndex,
        effects: &mut Effects,
        facts: &mut RunFacts,
    ) {
        facts.notes.push(format!("the size of {what} is not known"));
        let (size, _) = self.catalog.tools().unmodelled();
        let node = Node {
            parts: [Part::main(Kind::Other, size)].into(),
            layer,
            label: Arc::from(what),
            origin: Origin::Made,
            access: Access::default(),
            basis: Basis::new("not known before the build: order of magnitude"),
        };
        tree.put(format!("{destination}/…"), node, effects);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call site; a struct would only repeat these names"
    )]
    fn copy_context(
        &self,
        copy: &CopyOp,
        source: &str,
        folder: bool,
        tree: &mut Tree,
        layer: LayerIndex,
        effects: &mut Effects,
        facts: &mut RunFacts,
    ) {
        let sources = Sources::new([source])
            .exclude(copy.excludes.iter().cloned())
            .parents(copy.parents);
        let selected = match self.context.matched(&sources) {
            Ok(selected) => selected,
            Err(error) => return facts.notes.push(error.to_string()),
        };
        if selected.is_empty() {
            facts.notes.push(format!(
                "`{source}` is not in the build context: the build fails here"
            ));
        }
        let base = copy.destination.trim_end_matches('/');
        for file in &selected {
            let EntryKind::File { size: bytes, mode } = file.entry.kind else {
                continue;
            };
            let path = if file.named && !folder && !copy.parents {
                base.to_owned()
            } else {
                format!("{base}/{}", file.relative)
            };
            if copy.add && copy.unpack != Some(false) && kind::is_tar(&file.entry.path) {
                let (size, basis) = self.catalog.tools().unpacked(Size::exact(bytes));
                let node = Node {
                    parts: [Part::main(Kind::Other, size)].into(),
                    layer,
                    label: Arc::from(format!("unpacked {}", file.entry.path)),
                    origin: Origin::Made,
                    access: Access::default(),
                    basis,
                };
                let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
                tree.put(format!("{folder}/…{name}"), node, effects);
                continue;
            }
            let origin = Origin::Context(Arc::from(file.entry.path.as_str()));
            let node = Node {
                access: access(copy, Some(mode)),
                ..file_node(&path, bytes, layer, origin, &CONTEXT)
            };
            // A file that is there already with the same content, times, owner and mode is in no layer a second time (`sameDirent` in
            // `util/overlay/overlay_linux.go`).
            let same = |old: &Node| old.origin == node.origin && old.access == node.access;
            if !copy.link && tree.get(&path).is_some_and(same) {
                continue;
            }
            tree.put(path, node, effects);
        }
    }

    /// `COPY --from=stage / /`: the files of the stage's base come along, here those that are not known one by one.
    fn whole_base(
        &self,
        from: &StageRecord,
        copy: &CopyOp,
        tree: &mut Tree,
        layer: LayerIndex,
        effects: &mut Effects,
    ) {
        if let (Some(image), Some(facts)) = (&from.image, &from.base) {
            let target = copy.destination.trim_end_matches('/');
            let contents = self.image_tree(image, layer);
            let known: u64 = contents.iter().map(|(_, node)| node.size().expected).sum();
            let Size {
                low,
                expected,
                high,
            } = facts.uncompressed;
            let rest = |bytes: u64| bytes.saturating_sub(known);
            let size = Size::range(rest(low), rest(expected), rest(high));
            let node = Node {
                parts: [Part::main(Kind::SystemPackage, size)].into(),
                layer,
                label: Arc::from(format!("the files of {image}")),
                origin: Origin::Made,
                access: Access::default(),
                basis: facts.basis.clone(),
            };
            tree.put(format!("{target}/…base"), node, effects);
        }
    }
}

/// What a COPY makes of the owner and the mode of a file: root's without `--chown`, whosever it was.
fn access(copy: &CopyOp, mode: Option<u32>) -> Access {
    let owner = if copy.chown.is_empty() {
        Access::default()
    } else {
        Access::of(&copy.chown)
    };
    let copied = owner.with_mode(mode);
    if copy.chmod.is_empty() {
        copied
    } else {
        copied.changed(&copy.chmod).unwrap_or(copied)
    }
}

/// Copies what a stage has at a path; false where it is not known that anything lies there.
fn copy_stage(
    from: &Tree,
    copy: &CopyOp,
    source: &str,
    folder: bool,
    tree: &mut Tree,
    layer: LayerIndex,
    effects: &mut Effects,
) -> bool {
    let source = join("/", source);
    let target = copy.destination.trim_end_matches('/').to_owned();
    if let Some(node) = from.get(&source).filter(|node| node.label.is_empty()) {
        // A file: into the folder, or as the destination itself.
        let path = if folder {
            format!("{target}/{}", basename(&source))
        } else {
            target
        };
        let node = Node {
            layer,
            access: access(copy, node.access.mode()),
            ..node.clone()
        };
        tree.put(path, node, effects);
        return true;
    }
    let copies = from.copied(&source, &target, layer);
    if copies.is_empty() {
        return copy_written(from, &source, &target, tree, layer, effects);
    }
    for (path, mut node) in copies {
        node.access = access(copy, node.access.mode());
        tree.put(path, node, effects);
    }
    true
}

/// Copies what a command may have written at a path: it wrote into a folder above it, under names that nobody knows.
fn copy_written(
    from: &Tree,
    source: &str,
    target: &str,
    tree: &mut Tree,
    layer: LayerIndex,
    effects: &mut Effects,
) -> bool {
    let mut folder = source;
    while let Some((above, _)) = folder.rsplit_once('/') {
        folder = above;
        if folder.is_empty() {
            return false;
        }
        let start = format!("{folder}/…");
        let written: Vec<_> = from
            .starting_with(&start)
            .filter(|(key, _)| !key[start.len()..].contains('/'))
            .collect();
        for (key, node) in &written {
            let name = basename(key);
            let mut node = Node {
                layer,
                ..(*node).clone()
            };
            // It may be all of it or a part.
            node.lessen();
            tree.put(format!("{target}/{name}"), node, effects);
        }
        if !written.is_empty() {
            return true;
        }
    }
    false
}
