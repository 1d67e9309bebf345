//! Runs the build in the mind: every step of every stage that is built, on a file system of sized paths.

mod branch;
mod called;
mod condition;
mod copy;
mod shell;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use stagewright_syntax::shell::Script;

use called::basename;

use crate::command::{self, Invocation, Machine, RunFacts};
use crate::context::{Context, EntryKind, Sources};
use crate::facts::{Arch, Catalog, ImageFacts, Libc, WheelPlatform};
use crate::kind;
use crate::ledger::{Access, Effects, LayerIndex, Node, Origin, Part, Tree};
use crate::size::{Basis, Kind, Size};
use crate::stage::{Base, From, MountKind, Op, RunOp, StageGraph, StageId, StageInstruction, join};

/// Where the size of a file of the context comes from.
static CONTEXT: LazyLock<Basis> = LazyLock::new(|| Basis::new("the build context"));

/// Where the size of a here-document comes from.
static INLINE: LazyLock<Basis> = LazyLock::new(|| Basis::new("text in the Dockerfile"));

/// The layer number of files that a mount shows: they are in no layer.
const MOUNTED: LayerIndex = usize::MAX;

/// What one step leaves in its layer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LayerRecord {
    /// The layer's number over the whole build.
    pub index: LayerIndex,
    /// The stage.
    pub stage: StageId,
    /// The place of the instruction in its stage ([`crate::stage::Stage::instructions`]).
    pub instruction: usize,
    /// What the layer holds, by path.
    pub nodes: Vec<(Arc<str>, Node)>,
    /// What it hides of lower layers.
    pub effects: Effects,
    /// What its commands do, for a RUN.
    pub facts: RunFacts,
}

/// A stage after its last step.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct StageRecord {
    /// The file system.
    pub tree: Tree,
    /// Its own layers, in order; none for a stage that is not built.
    pub layers: Vec<LayerRecord>,
    /// The image that the stage and those below it are built on, as written.
    pub image: Option<String>,
    /// What that image offers, where it is known, with the system packages installed since.
    pub(crate) base: Option<Arc<ImageFacts>>,
}

impl StageRecord {
    /// The layer of an instruction, by its place in the stage; nothing for one that makes none.
    pub(crate) fn layer(&self, instruction: usize) -> Option<&LayerRecord> {
        let mut layers = self.layers.iter();
        layers.find(|layer| layer.instruction == instruction)
    }
}

/// Every stage after its last step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// One for each stage of the graph, in order.
    pub stages: Vec<StageRecord>,
}

/// Base images by their reference as written, as far as the catalogue knows them.
pub(crate) type Images = BTreeMap<String, Option<Arc<ImageFacts>>>;

/// Runs every stage that is built.
pub(crate) fn run(
    graph: &StageGraph,
    context: &Context,
    catalog: &Catalog,
    images: &Images,
    arch: Arch,
) -> Record {
    let mut interpreter = Interpreter {
        arch,
        context,
        catalog,
        images,
        next_layer: 0,
        stages: Vec::new(),
    };
    for stage in &graph.stages {
        let record = if stage.reachable {
            interpreter.stage(graph, stage.id)
        } else {
            StageRecord::default()
        };
        interpreter.stages.push(record);
    }
    Record {
        stages: interpreter.stages,
    }
}

struct Interpreter<'a> {
    arch: Arch,
    context: &'a Context,
    catalog: &'a Catalog,
    images: &'a Images,
    next_layer: LayerIndex,
    stages: Vec<StageRecord>,
}

impl Interpreter<'_> {
    fn layer(&mut self) -> LayerIndex {
        self.next_layer += 1;
        self.next_layer
    }

    fn stage(&mut self, graph: &StageGraph, id: StageId) -> StageRecord {
        let stage = graph.stage(id);
        let mut record = StageRecord::default();
        match &stage.base {
            Base::Stage(base) => {
                record.tree = self.stages[base.0].tree.clone();
                record.image.clone_from(&self.stages[base.0].image);
                record.base.clone_from(&self.stages[base.0].base);
            }
            Base::Image(image) => {
                record.image = Some(image.clone());
                record.base = self.images.get(image).cloned().flatten();
                let layer = self.layer();
                record.tree = self.image_tree(image, layer);
            }
            _ => {}
        }
        for (at, instruction) in stage.instructions.iter().enumerate() {
            let layer = match &instruction.op {
                Op::Config => continue,
                Op::Workdir(_) => {
                    let layer = self.layer();
                    record.layers.push(empty(layer, id, at));
                    continue;
                }
                _ => self.layer(),
            };
            let tree = std::mem::take(&mut record.tree);
            let (tree, effects, facts) = match &instruction.op {
                Op::Copy(copy) => self.copy(copy, tree, layer),
                Op::Run(run) => self.run(run, instruction, tree, layer, &mut record.base),
                _ => (tree, Effects::default(), RunFacts::default()),
            };
            let nodes = tree
                .layer(layer)
                .map(|(path, node)| (Arc::clone(path), node.clone()))
                .collect();
            record.tree = tree;
            record.layers.push(LayerRecord {
                index: layer,
                stage: id,
                instruction: at,
                nodes,
                effects,
                facts,
            });
        }
        record
    }

    /// What is known of the inside of an image: nodes of its own layer, so that a later step can copy or hide them.
    fn image_tree(&self, image: &str, layer: LayerIndex) -> Tree {
        let Some(Some(facts)) = self.images.get(image) else {
            return self.program_tree(image, layer);
        };
        let python = self.catalog.interpreters().contents(facts);
        let node = self.catalog.node_images().contents(facts);
        let nodes = python.iter().chain(node.iter()).map(|content| {
            let node = Node {
                parts: Arc::clone(&content.parts),
                layer,
                label: Arc::clone(&content.label),
                origin: Origin::Made,
                access: Access::default(),
                basis: content.basis.clone(),
            };
            (Arc::clone(&content.path), node)
        });
        nodes.collect()
    }

    /// The files of an image of one program.
    fn program_tree(&self, image: &str, layer: LayerIndex) -> Tree {
        let platform = WheelPlatform {
            libc: Libc::Glibc,
            arch: self.arch,
        };
        let files = self.catalog.program_image(image, platform);
        let nodes = files.into_iter().flatten().map(|(path, size, basis)| {
            let node = Node {
                parts: [Part::main(Kind::Binary, size)].into(),
                layer,
                label: Arc::default(),
                origin: Origin::Made,
                access: Access::default().with_mode(Some(0o755)),
                basis,
            };
            (Arc::from(path), node)
        });
        nodes.collect()
    }

    fn run(
        &self,
        run: &RunOp,
        instruction: &StageInstruction,
        mut tree: Tree,
        layer: LayerIndex,
        base: &mut Option<Arc<ImageFacts>>,
    ) -> (Tree, Effects, RunFacts) {
        let mut mounts = Vec::new();
        for mount in &run.mounts {
            if !mount.target.is_empty() {
                mounts.push(mount.target.clone());
            }
            if mount.kind == MountKind::Bind {
                self.show(mount.from.as_ref(), &mount.source, &mount.target, &mut tree);
            }
        }
        let state = &instruction.before;
        let mut machine = Machine {
            tree,
            layer,
            effects: Effects::default(),
            variables: state
                .env
                .iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            cwd: state.workdir().to_owned(),
            user: state.config.user.clone(),
            base: base.take(),
            catalog: self.catalog,
            context: self.context,
            arch: self.arch,
            mounts,
            conditional: false,
            input: None,
            output: None,
            printed: None,
            apt: Vec::new(),
            virtual_packages: BTreeMap::new(),
            facts: RunFacts::default(),
        };
        if let Some(script) = &run.script {
            shell::run(&Script::parse(script), script, &mut machine);
        } else if let Some((program, args)) = run.argv.split_first() {
            let invocation = Invocation {
                program: basename(program).to_owned(),
                program_path: program.clone(),
                args: args.iter().cloned().map(Some).collect(),
                text: run.argv.join(" "),
                index: 0,
            };
            machine.facts.programs.push(invocation.program.clone());
            command::run(&invocation, &mut machine);
        }
        let Machine {
            mut tree,
            effects,
            facts,
            base: known,
            ..
        } = machine;
        *base = known;
        tree.remove_where("/", MOUNTED, &mut Effects::default(), |_, node| {
            node.layer == MOUNTED
        });
        (tree, effects, facts)
    }

    /// Shows the files of a bind mount to the commands.
    fn show(&self, from: Option<&From>, source: &str, target: &str, tree: &mut Tree) {
        let mut effects = Effects::default();
        match from {
            None | Some(From::Context) => {
                let source = if source.is_empty() { "." } else { source };
                let selected = self
                    .context
                    .matched(&Sources::new([source]))
                    .unwrap_or_default();
                for file in selected
                    .iter()
                    .filter(|file| matches!(file.entry.kind, EntryKind::File { .. }))
                {
                    let path = if file.named {
                        target.to_owned()
                    } else {
                        format!("{}/{}", target.trim_end_matches('/'), file.relative)
                    };
                    let node = file_node(
                        &path,
                        file.entry.size(),
                        MOUNTED,
                        Origin::Context(Arc::from(file.entry.path.as_str())),
                        &CONTEXT,
                    );
                    tree.put(path, node, &mut effects);
                }
            }
            Some(From::Stage(stage)) => {
                for (path, node) in
                    self.stages[stage.0]
                        .tree
                        .copied(&join("/", source), target, MOUNTED)
                {
                    tree.put(path, node, &mut effects);
                }
            }
            Some(_) => {}
        }
    }
}

fn empty(index: LayerIndex, stage: StageId, instruction: usize) -> LayerRecord {
    LayerRecord {
        index,
        stage,
        instruction,
        nodes: Vec::new(),
        effects: Effects::default(),
        facts: RunFacts::default(),
    }
}

fn file_node(path: &str, bytes: u64, layer: LayerIndex, origin: Origin, basis: &Basis) -> Node {
    Node {
        parts: [Part::main(kind::of_path(path), Size::exact(bytes))].into(),
        layer,
        label: Arc::default(),
        origin,
        access: Access::default(),
        basis: basis.clone(),
    }
}
