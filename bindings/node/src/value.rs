//! Facts as plain JavaScript objects.

use napi_derive::napi;
use stagewright::comparison;
use stagewright::estimate::LayerEstimate;
use stagewright::measure;
use stagewright::report::parse::{ParsedDirective, ParsedError, ParsedFlag, ParsedHeredoc, Range};
use stagewright::report::{BaseReport, StepReport};
use stagewright::{history, plan, pull, trace};

/// Bytes that are not known exactly: the value lies between `low` and `high`, `expected` is the best guess.
#[napi(object, object_from_js = false)]
pub struct Size {
    /// The least that is likely, in bytes.
    pub low: i64,
    /// The best guess, in bytes.
    pub expected: i64,
    /// The most that is likely, in bytes.
    pub high: i64,
}

/// Bytes of a text in UTF-8, from `start` up to `end`.
#[napi(object)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// Where a number comes from.
#[napi(object, object_from_js = false)]
pub struct Basis {
    /// The source in a few words.
    pub source: String,
    /// The day it was read or measured, `YYYY-MM-DD`, where it has one.
    pub date: Option<String>,
}

/// Something that a layer holds.
#[napi(object, object_from_js = false)]
pub struct Content {
    /// Where it lies.
    pub path: String,
    /// What it is (`flask 1.1.1`); empty for a plain file.
    pub label: String,
    /// Its bytes, uncompressed.
    pub size: Size,
}

/// One layer of the image.
#[napi(object, object_from_js = false)]
pub struct Layer {
    /// The line of the instruction, 1-based.
    pub line: u32,
    /// The stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// Its bytes on disk.
    pub size: Size,
    /// Its bytes on the wire.
    pub compressed: Size,
    /// Where the numbers come from.
    pub basis: Vec<Basis>,
    /// What it holds, largest first.
    pub contents: Vec<Content>,
    /// Bytes of lower layers that it hides or replaces.
    pub hidden: Size,
    /// Bytes of lower layers that it holds again because it changes their owner or mode.
    pub copied_up: Size,
    /// What the estimate does not cover, in sentences.
    pub notes: Vec<String>,
}

/// What is known of the image that everything is built on.
#[napi(object, object_from_js = false)]
pub struct Base {
    /// Its reference as written; `scratch` if there is none.
    pub reference: String,
    /// Whether the catalogue knows it.
    pub known: bool,
    /// Its bytes on disk, where it is known.
    pub size: Option<Size>,
    /// Its bytes on the wire, where it is known.
    pub compressed: Option<Size>,
    /// Where the numbers come from.
    pub basis: Option<Basis>,
    /// Why the numbers may be off, where they are not of the build that was asked for.
    pub stale: Option<String>,
}

/// What is wrong with a Dockerfile or its project, or not known of it.
#[napi(object, object_from_js = false)]
pub struct Finding {
    /// A stable name in kebab-case.
    pub code: String,
    /// `error`, `warning` or `note`.
    pub severity: String,
    /// The file it is in, relative to the context; empty for the Dockerfile.
    pub file: String,
    /// The line in that file, 1-based; 0 if it concerns the whole file.
    pub line: u32,
    /// The column, 1-based, in characters; 0 where only the line is known.
    pub column: u32,
    /// The bytes of the file that it is about.
    pub span: Span,
    /// One sentence.
    pub message: String,
}

/// What happens to one step of the next build.
#[napi(object, object_from_js = false)]
pub struct Step {
    /// The line of its instruction, 1-based.
    pub line: u32,
    /// Its stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// `cached`, `rerun` or `unknown`.
    pub verdict: String,
    /// Why it runs, or what its verdict depends on; nothing for a cached step.
    pub cause: Option<String>,
}

/// One change of a project.
#[napi(object, object_from_js = false)]
pub struct Commit {
    /// Its name; empty where it has none.
    pub id: String,
    /// When it was made, in seconds since 1970-01-01 UTC; 0 where that is not known.
    pub time: i64,
    /// The paths of the build context that it changed, added or removed.
    pub paths: Vec<String>,
    /// Whether it changed the text of the Dockerfile.
    pub dockerfile: bool,
}

/// How often a path changes.
#[napi(object, object_from_js = false)]
pub struct PathForecast {
    /// The path in the context.
    pub path: String,
    /// In how many commits.
    pub commits: u32,
}

/// How often one step runs again.
#[napi(object, object_from_js = false)]
pub struct StepForecast {
    /// The line of its instruction, 1-based.
    pub line: u32,
    /// Its stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// In how many commits it runs for certain.
    pub reruns: u32,
    /// In how many it may run.
    pub unknown: u32,
    /// The chance that a commit runs it for certain, 0 to 1.
    pub chance: f64,
    /// How long it takes, in seconds.
    pub seconds: f64,
    /// Where that is known from.
    pub basis: Basis,
    /// Seconds that it costs a commit on the average.
    pub expected_seconds: f64,
    /// The paths that made it run most often.
    pub causes: Vec<PathForecast>,
}

/// A step of which a prediction and a trace say different things.
#[napi(object, object_from_js = false)]
pub struct Disagreement {
    /// The line of its instruction, 1-based.
    pub line: u32,
    /// Its stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// `cached`, `rerun` or `unknown`.
    pub predicted: String,
    /// What BuildKit did: `cached`, `ran`, or `missing` where it shows no such step.
    pub found: String,
}

/// How a trace stands to a prediction of its build.
#[napi(object, object_from_js = false)]
pub struct TraceCheck {
    /// Whether the trace goes to the end of its build; steps that it lacks are disagreements only then.
    pub complete: bool,
    /// How many steps were compared.
    pub compared: u32,
    /// Steps of which the two say different things.
    pub disagreements: Vec<Disagreement>,
    /// What the trace shows as steps and the Dockerfile does not have, by BuildKit's names.
    pub strangers: Vec<String>,
}

/// What a Dockerfile costs.
#[napi(object, object_from_js = false)]
pub struct Measure {
    /// Bytes of the image on disk.
    pub size: Size,
    /// Bytes of the image on the wire.
    pub compressed: Size,
    /// The instructions that an edit of the source runs again.
    pub rebuilds: Vec<String>,
    /// Seconds that those take, at what is usual for their kind.
    pub seconds: f64,
    /// Bytes that a host with the previous image pulls after that edit.
    pub warm_pull: i64,
    /// The instructions that every build runs again though no file is edited: it gives arguments such as `GIT_SHA` and `BUILD_DATE`
    /// another value.
    pub every_build: Vec<String>,
}

/// One rewrite of a plan.
#[napi(object, object_from_js = false)]
pub struct Rung {
    /// The pass that makes it.
    pub pass: String,
    /// What it does.
    pub title: String,
    /// `safe`, `unsafe` or `suggestion`.
    pub applicability: String,
    /// What it takes for granted, in sentences.
    pub assumptions: Vec<String>,
    /// What a person should know about it, in sentences.
    pub warnings: Vec<String>,
    /// What it wins of what is minimised, as a share of what the file as it is costs.
    pub gain: f64,
    /// The cost before it.
    pub before: Measure,
    /// The cost after it.
    pub after: Measure,
    /// The Dockerfile after it.
    pub dockerfile: String,
    /// The `.dockerignore` after it; nothing where it changes none.
    pub dockerignore: Option<String>,
}

/// A parser directive.
#[napi(object, object_from_js = false)]
pub struct Directive {
    /// Its name in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A flag of an instruction.
#[napi(object, object_from_js = false)]
pub struct Flag {
    /// Its name.
    pub name: String,
    /// Its value; nothing for a bare flag.
    pub value: Option<String>,
    /// Its bytes.
    pub span: Span,
}

/// A here-document.
#[napi(object, object_from_js = false)]
pub struct Heredoc {
    /// Its name.
    pub name: String,
    /// Its body.
    pub content: String,
    /// Whether variables in it are expanded.
    pub expand: bool,
    /// The bytes from the first line of its body to the end of the line that ends it.
    pub span: Span,
}

/// What BuildKit would reject. A value, not an exception.
#[napi(object, object_from_js = false)]
pub struct SyntaxError {
    /// A stable name in kebab-case.
    pub code: String,
    /// BuildKit's message.
    pub message: String,
    /// The line, 1-based.
    pub line: u32,
    /// The column, 1-based, in characters.
    pub column: u32,
    /// The bytes at fault.
    pub span: Span,
}

/// One layer of a measured image.
#[napi(object, object_from_js = false)]
pub struct ImageLayer {
    /// The instruction that made it, from the image's history; empty where that says nothing.
    pub instruction: String,
    /// Its digest (`sha256:…`), of the blob where the archive names it, else of the tar; empty where it says nothing.
    pub digest: String,
    /// Whether the bytes were held against that digest.
    pub verified: bool,
    /// How it is compressed: `none`, `gzip` or `zstd`.
    pub packing: String,
    /// Files: no folders, links or white-outs.
    pub files: i64,
    /// Bytes of the files: the sum of the sizes of its tar's entries.
    pub bytes: i64,
    /// Bytes of the blob, where it is compressed.
    pub compressed: Option<i64>,
    /// Bytes of lower layers that it removes or replaces.
    pub hidden: i64,
    /// Its part of what the image wastes, as dive counts it.
    pub wasted: i64,
    /// What its files are made of, most bytes first.
    pub kinds: Vec<KindBytes>,
    /// Its largest files.
    pub largest: Vec<ImageFile>,
}

/// Bytes of one kind.
#[napi(object, object_from_js = false)]
pub struct KindBytes {
    /// The kind, `python-source` for example.
    pub kind: String,
    /// Files of it.
    pub files: i64,
    /// Bytes of them.
    pub bytes: i64,
}

/// A file that a measured image stores.
#[napi(object, object_from_js = false)]
pub struct ImageFile {
    /// Where it lies, from the root.
    pub path: String,
    /// Its bytes.
    pub bytes: i64,
    /// Its layer, counted from 0.
    pub layer: u32,
}

/// A path that takes bytes in several layers.
#[napi(object, object_from_js = false)]
pub struct Waste {
    /// The path.
    pub path: String,
    /// Its bytes in all layers.
    pub bytes: i64,
    /// The layers, counted from 0.
    pub layers: Vec<u32>,
}

/// Files with one content and several paths.
#[napi(object, object_from_js = false)]
pub struct Duplicate {
    /// The SHA-256 of the content, in hex.
    pub digest: String,
    /// Bytes of one of them.
    pub bytes: i64,
    /// How many paths there are.
    pub count: i64,
    /// The first of them in order, ten at most.
    pub paths: Vec<String>,
}

/// A predicted number and the true one.
#[napi(object, object_from_js = false)]
pub struct Difference {
    /// What was predicted.
    pub predicted: Size,
    /// What is there, in bytes.
    pub measured: i64,
    /// Predicted less measured bytes: above zero where too much was predicted.
    pub off: i64,
    /// Whether the true number lies in the predicted range.
    pub inside: bool,
}

/// Predicted and measured bytes.
#[napi(object, object_from_js = false)]
pub struct Compared {
    /// Bytes on disk.
    pub size: Difference,
    /// Bytes on the wire; nothing where the measured layers are not compressed.
    pub compressed: Option<Difference>,
}

/// A layer as it was predicted and as it was built.
#[napi(object, object_from_js = false)]
pub struct ComparedLayer {
    /// The line of the instruction, 1-based.
    pub line: u32,
    /// The instruction as one line.
    pub instruction: String,
    /// The instruction that the image's history has in its place; empty where that says nothing.
    pub built: String,
    /// Bytes on disk.
    pub size: Difference,
    /// Bytes on the wire; nothing where the measured layer is not compressed.
    pub compressed: Option<Difference>,
}

/// What a host pulls of one layer, or of a base.
#[napi(object, object_from_js = false)]
pub struct PulledLayer {
    /// The line of the instruction, 1-based.
    pub line: u32,
    /// The stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// Bytes under gzip; none where the host has it.
    pub gzip: Size,
    /// Bytes under zstd; none where the host has it.
    pub zstd: Size,
    /// How much of it the host has.
    #[napi(ts_type = "'nothing' | 'part' | 'unknown' | 'all'")]
    pub there: String,
}

/// What a host pulls.
#[napi(object, object_from_js = false)]
pub struct Pull {
    /// Bytes with layers under gzip, what a push does unless told otherwise.
    pub gzip: Size,
    /// Bytes with the image's own layers under zstd. Layers of the base stay as its registry has them.
    pub zstd: Size,
    /// The layers, base first; the base's as one, and not among them where it is not known.
    pub layers: Vec<PulledLayer>,
}

/// Bytes as a JavaScript number, which is exact up to 2^53.
pub(crate) fn bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A place in a list as JavaScript has it.
pub(crate) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A list of one kind as a list of another.
pub(crate) fn all<T, U: From<T>>(items: impl IntoIterator<Item = T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

impl From<stagewright::Size> for Size {
    fn from(size: stagewright::Size) -> Self {
        Self {
            low: bytes(size.low),
            expected: bytes(size.expected),
            high: bytes(size.high),
        }
    }
}

impl From<Range> for Span {
    fn from(range: Range) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

impl From<&stagewright::Basis> for Basis {
    fn from(basis: &stagewright::Basis) -> Self {
        Self {
            source: basis.source.to_string(),
            date: basis.date.as_deref().map(str::to_owned),
        }
    }
}

impl From<&stagewright::estimate::Content> for Content {
    fn from(content: &stagewright::estimate::Content) -> Self {
        Self {
            path: content.path.to_string(),
            label: content.label.to_string(),
            size: content.size.into(),
        }
    }
}

impl From<&LayerEstimate> for Layer {
    fn from(layer: &LayerEstimate) -> Self {
        Self {
            line: layer.line,
            stage: layer.stage.clone(),
            instruction: layer.instruction.clone(),
            size: layer.size.uncompressed.into(),
            compressed: layer.size.compressed.into(),
            basis: all(&layer.basis),
            contents: all(&layer.contents),
            hidden: layer.hidden.into(),
            copied_up: layer.copied_up.into(),
            notes: layer.notes.clone(),
        }
    }
}

impl From<&BaseReport> for Base {
    fn from(base: &BaseReport) -> Self {
        Self {
            reference: base.reference.clone(),
            known: base.known,
            size: base.size.map(|size| size.uncompressed.into()),
            compressed: base.size.map(|size| size.compressed.into()),
            basis: base.basis.as_ref().map(Basis::from),
            stale: base.stale.clone(),
        }
    }
}

impl From<&stagewright::Finding> for Finding {
    fn from(finding: &stagewright::Finding) -> Self {
        Self {
            code: finding.code.into(),
            severity: finding.severity.as_str().into(),
            file: finding.file.clone(),
            line: finding.line,
            column: finding.column,
            span: Range::from(finding.span).into(),
            message: finding.message.clone(),
        }
    }
}

impl From<&StepReport> for Step {
    fn from(step: &StepReport) -> Self {
        Self {
            line: step.line,
            stage: step.stage.clone(),
            instruction: step.instruction.clone(),
            verdict: step.verdict.into(),
            cause: step.cause.clone(),
        }
    }
}

impl From<&history::Commit> for Commit {
    fn from(commit: &history::Commit) -> Self {
        Self {
            id: commit.id.clone(),
            time: commit.time,
            paths: commit.paths.clone(),
            dockerfile: commit.dockerfile,
        }
    }
}

impl From<&history::PathForecast> for PathForecast {
    fn from(path: &history::PathForecast) -> Self {
        Self {
            path: path.path.clone(),
            commits: index(path.commits),
        }
    }
}

impl From<&history::StepForecast> for StepForecast {
    fn from(step: &history::StepForecast) -> Self {
        Self {
            line: step.line,
            stage: step.stage.clone(),
            instruction: step.instruction.clone(),
            reruns: index(step.reruns),
            unknown: index(step.unknown),
            chance: step.chance,
            seconds: step.seconds,
            basis: (&step.basis).into(),
            expected_seconds: step.expected_seconds,
            causes: all(&step.causes),
        }
    }
}

impl From<&trace::Disagreement> for Disagreement {
    fn from(one: &trace::Disagreement) -> Self {
        Self {
            line: one.line,
            stage: one.stage.clone(),
            instruction: one.instruction.clone(),
            predicted: one.predicted.into(),
            found: one.found.into(),
        }
    }
}

impl From<&trace::TraceCheck> for TraceCheck {
    fn from(check: &trace::TraceCheck) -> Self {
        Self {
            complete: check.complete,
            compared: index(check.compared),
            disagreements: all(&check.disagreements),
            strangers: check.strangers.clone(),
        }
    }
}

impl From<&plan::Measure> for Measure {
    fn from(measure: &plan::Measure) -> Self {
        Self {
            size: measure.size.uncompressed.into(),
            compressed: measure.size.compressed.into(),
            rebuilds: measure.rebuilds.clone(),
            seconds: measure.seconds,
            warm_pull: bytes(measure.warm_pull),
            every_build: measure.every_build.clone(),
        }
    }
}

impl From<&plan::Rung> for Rung {
    fn from(rung: &plan::Rung) -> Self {
        Self {
            pass: rung.pass.into(),
            title: rung.title.clone(),
            applicability: rung.applicability.as_str().into(),
            assumptions: rung.assumptions.clone(),
            warnings: rung.warnings.clone(),
            gain: rung.gain,
            before: (&rung.before).into(),
            after: (&rung.after).into(),
            dockerfile: rung.dockerfile.clone(),
            dockerignore: rung.dockerignore.clone(),
        }
    }
}

impl From<ParsedDirective> for Directive {
    fn from(directive: ParsedDirective) -> Self {
        Self {
            name: directive.name,
            value: directive.value,
        }
    }
}

impl From<ParsedFlag> for Flag {
    fn from(flag: ParsedFlag) -> Self {
        Self {
            name: flag.name,
            value: flag.value,
            span: flag.span.into(),
        }
    }
}

impl From<ParsedHeredoc> for Heredoc {
    fn from(heredoc: ParsedHeredoc) -> Self {
        Self {
            name: heredoc.name,
            content: heredoc.content,
            expand: heredoc.expand,
            span: heredoc.span.into(),
        }
    }
}

impl From<&ParsedError> for SyntaxError {
    fn from(error: &ParsedError) -> Self {
        Self {
            code: error.code.into(),
            message: error.message.clone(),
            line: error.line,
            column: error.column,
            span: error.span.into(),
        }
    }
}

impl From<&measure::Layer> for ImageLayer {
    fn from(layer: &measure::Layer) -> Self {
        Self {
            instruction: layer.instruction.clone(),
            digest: layer.digest.clone(),
            verified: layer.verified,
            packing: layer.packing.as_str().into(),
            files: bytes(layer.files),
            bytes: bytes(layer.bytes),
            compressed: layer.compressed.map(bytes),
            hidden: bytes(layer.hidden),
            wasted: bytes(layer.wasted),
            kinds: all(&layer.kinds),
            largest: all(&layer.largest),
        }
    }
}

impl From<&measure::KindBytes> for KindBytes {
    fn from(kind: &measure::KindBytes) -> Self {
        Self {
            kind: kind.kind.as_str().into(),
            files: bytes(kind.files),
            bytes: bytes(kind.bytes),
        }
    }
}

impl From<&measure::FileBytes> for ImageFile {
    fn from(file: &measure::FileBytes) -> Self {
        Self {
            path: file.path.clone(),
            bytes: bytes(file.bytes),
            layer: index(file.layer),
        }
    }
}

impl From<&measure::Waste> for Waste {
    fn from(waste: &measure::Waste) -> Self {
        Self {
            path: waste.path.clone(),
            bytes: bytes(waste.bytes),
            layers: waste.layers.iter().copied().map(index).collect(),
        }
    }
}

impl From<&measure::Duplicate> for Duplicate {
    fn from(duplicate: &measure::Duplicate) -> Self {
        Self {
            digest: duplicate.digest.clone(),
            bytes: bytes(duplicate.bytes),
            count: bytes(duplicate.count),
            paths: duplicate.paths.clone(),
        }
    }
}

impl From<Span> for stagewright::syntax::Span {
    fn from(span: Span) -> Self {
        Self::new(span.start, span.end)
    }
}

impl From<&comparison::Difference> for Difference {
    fn from(difference: &comparison::Difference) -> Self {
        Self {
            predicted: difference.predicted.into(),
            measured: bytes(difference.measured),
            off: difference.off,
            inside: difference.inside,
        }
    }
}

impl From<&comparison::Compared> for Compared {
    fn from(compared: &comparison::Compared) -> Self {
        Self {
            size: (&compared.uncompressed).into(),
            compressed: compared.compressed.as_ref().map(Difference::from),
        }
    }
}

impl From<&comparison::ComparedLayer> for ComparedLayer {
    fn from(layer: &comparison::ComparedLayer) -> Self {
        Self {
            line: layer.line,
            instruction: layer.instruction.clone(),
            built: layer.built.clone(),
            size: (&layer.size.uncompressed).into(),
            compressed: layer.size.compressed.as_ref().map(Difference::from),
        }
    }
}

impl From<&pull::PulledLayer> for PulledLayer {
    fn from(layer: &pull::PulledLayer) -> Self {
        Self {
            line: layer.line,
            stage: layer.stage.clone(),
            instruction: layer.instruction.clone(),
            gzip: layer.gzip.into(),
            zstd: layer.zstd.into(),
            there: layer.there.as_str().to_owned(),
        }
    }
}

impl From<&stagewright::Pull> for Pull {
    fn from(pull: &stagewright::Pull) -> Self {
        Self {
            gzip: pull.gzip.into(),
            zstd: pull.zstd.into(),
            layers: all(&pull.layers),
        }
    }
}
