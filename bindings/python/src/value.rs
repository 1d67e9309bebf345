//! Facts as frozen Python classes: attributes, equality, `repr` and pickling.

use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use stagewright::comparison;
use stagewright::estimate::LayerEstimate;
use stagewright::measure;
use stagewright::report::parse::{
    ParsedDirective, ParsedError, ParsedFlag, ParsedHeredoc, ParsedInstruction, Range,
};
use stagewright::report::{BaseReport, StepReport};
use stagewright::{history, plan, pull, trace};

/// A class whose instances are their attributes.
macro_rules! value {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $about:literal])+ $field:ident: $type:ty,)+ }) => {
        $(#[doc = $doc])+
        #[pyclass(frozen, get_all, eq, from_py_object, module = "stagewright")]
        #[derive(Clone, PartialEq)]
        pub(crate) struct $name {
            $($(#[doc = $about])+ pub(crate) $field: $type,)+
        }

        #[pymethods]
        impl $name {
            #[new]
            #[expect(clippy::allow_attributes, reason = "most have few")]
            #[allow(clippy::too_many_arguments, reason = "one for each attribute")]
            fn new($($field: $type),+) -> Self {
                Self { $($field),+ }
            }

            fn __repr__(this: &Bound<'_, Self>) -> PyResult<String> {
                let attributes = [$(format!(concat!(stringify!($field), "={}"), this.getattr(stringify!($field))?.repr()?)),+];
                Ok(format!(concat!(stringify!($name), "({})"), attributes.join(", ")))
            }

            fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
                let attributes = [$(this.getattr(stringify!($field))?),+];
                Ok((this.get_type(), PyTuple::new(this.py(), attributes)?))
            }
        }
    };
}

pub(crate) use value;

value! {
    /// Bytes that are not known exactly: the value lies between `low` and `high`, `expected` is the best guess.
    Size {
        /// The least that is likely, in bytes.
        low: u64,
        /// The best guess, in bytes.
        expected: u64,
        /// The most that is likely, in bytes.
        high: u64,
    }
}

value! {
    /// Bytes of a text in UTF-8, from `start` up to `end`.
    Span {
        /// The first byte.
        start: u32,
        /// The byte after the last.
        end: u32,
    }
}

value! {
    /// Where a number comes from.
    Basis {
        /// The source in a few words.
        source: String,
        /// The day it was read or measured, `YYYY-MM-DD`, where it has one.
        date: Option<String>,
    }
}

value! {
    /// Something that a layer holds.
    Content {
        /// Where it lies.
        path: String,
        /// What it is (`flask 1.1.1`); empty for a plain file.
        label: String,
        /// Its bytes, uncompressed.
        size: Size,
    }
}

value! {
    /// One layer of the image.
    Layer {
        /// The line of the instruction, 1-based.
        line: u32,
        /// The stage, by its name or as `stage-N`.
        stage: String,
        /// The instruction as one line.
        instruction: String,
        /// Its bytes on disk.
        size: Size,
        /// Its bytes on the wire.
        compressed: Size,
        /// Where the numbers come from.
        basis: Vec<Basis>,
        /// What it holds, largest first.
        contents: Vec<Content>,
        /// Bytes of lower layers that it hides or replaces.
        hidden: Size,
        /// Bytes of lower layers that it holds again because it changes their owner or mode.
        copied_up: Size,
        /// What the estimate does not cover, in sentences.
        notes: Vec<String>,
    }
}

value! {
    /// What is known of the image that everything is built on.
    Base {
        /// Its reference as written; `scratch` if there is none.
        reference: String,
        /// Whether the catalogue knows it.
        known: bool,
        /// Its bytes on disk, where it is known.
        size: Option<Size>,
        /// Its bytes on the wire, where it is known.
        compressed: Option<Size>,
        /// Where the numbers come from.
        basis: Option<Basis>,
        /// Why the numbers may be off, where they are not of the build that was asked for.
        stale: Option<String>,
    }
}

value! {
    /// What is wrong with a Dockerfile or its project, or not known of it.
    Finding {
        /// A stable name in kebab-case.
        code: String,
        /// `error`, `warning` or `note`.
        severity: String,
        /// The file it is in, relative to the context; empty for the Dockerfile.
        file: String,
        /// The line in that file, 1-based; 0 if it concerns the whole file.
        line: u32,
        /// The column, 1-based, in characters; 0 where only the line is known.
        column: u32,
        /// The bytes of the file that it is about.
        span: Span,
        /// One sentence.
        message: String,
    }
}

value! {
    /// What happens to one step of the next build.
    Step {
        /// The line of its instruction, 1-based.
        line: u32,
        /// Its stage, by its name or as `stage-N`.
        stage: String,
        /// The instruction as one line.
        instruction: String,
        /// `cached`, `rerun` or `unknown`.
        verdict: String,
        /// Why it runs, or what its verdict depends on; nothing for a cached step.
        cause: Option<String>,
    }
}

value! {
    /// One change of a project.
    Commit {
        /// Its name; empty where it has none.
        id: String,
        /// When it was made, in seconds since 1970-01-01 UTC; 0 where that is not known.
        time: i64,
        /// The paths of the build context that it changed, added or removed.
        paths: Vec<String>,
        /// Whether it changed the text of the Dockerfile.
        dockerfile: bool,
    }
}

value! {
    /// How often a path changes.
    PathForecast {
        /// The path in the context.
        path: String,
        /// In how many commits.
        commits: usize,
    }
}

value! {
    /// How often one step runs again.
    StepForecast {
        /// The line of its instruction, 1-based.
        line: u32,
        /// Its stage, by its name or as `stage-N`.
        stage: String,
        /// The instruction as one line.
        instruction: String,
        /// In how many commits it runs for certain.
        reruns: usize,
        /// In how many it may run.
        unknown: usize,
        /// The chance that a commit runs it for certain, 0 to 1.
        chance: f64,
        /// How long it takes, in seconds.
        seconds: f64,
        /// Where that is known from.
        basis: Basis,
        /// Seconds that it costs a commit on the average.
        expected_seconds: f64,
        /// The paths that made it run most often.
        causes: Vec<PathForecast>,
    }
}

value! {
    /// A step of which a prediction and a trace say different things.
    Disagreement {
        /// The line of its instruction, 1-based.
        line: u32,
        /// Its stage, by its name or as `stage-N`.
        stage: String,
        /// The instruction as one line.
        instruction: String,
        /// `cached`, `rerun` or `unknown`.
        predicted: String,
        /// What BuildKit did: `cached`, `ran`, or `missing` where it shows no such step.
        found: String,
    }
}

value! {
    /// How a trace stands to a prediction of its build.
    TraceCheck {
        /// Whether the trace goes to the end of its build; steps that it lacks are disagreements only then.
        complete: bool,
        /// How many steps were compared.
        compared: usize,
        /// Steps of which the two say different things.
        disagreements: Vec<Disagreement>,
        /// What the trace shows as steps and the Dockerfile does not have, by BuildKit's names.
        strangers: Vec<String>,
    }
}

value! {
    /// What a Dockerfile costs.
    Measure {
        /// Bytes of the image on disk.
        size: Size,
        /// Bytes of the image on the wire.
        compressed: Size,
        /// The instructions that an edit of the source runs again.
        rebuilds: Vec<String>,
        /// Seconds that those take, at what is usual for their kind.
        seconds: f64,
        /// Bytes that a host with the previous image pulls after that edit.
        warm_pull: u64,
        /// The instructions that every build runs again though no file is edited: it gives arguments such as `GIT_SHA` and `BUILD_DATE`
        /// another value.
        every_build: Vec<String>,
    }
}

value! {
    /// One rewrite of a plan.
    Rung {
        /// The pass that makes it.
        pass_name: String,
        /// What it does.
        title: String,
        /// `safe`, `unsafe` or `suggestion`.
        applicability: String,
        /// What it takes for granted, in sentences.
        assumptions: Vec<String>,
        /// What a person should know about it, in sentences.
        warnings: Vec<String>,
        /// What it wins of what is minimised, as a share of what the file as it is costs.
        gain: f64,
        /// The cost before it.
        before: Measure,
        /// The cost after it.
        after: Measure,
        /// The Dockerfile after it.
        dockerfile: String,
        /// The `.dockerignore` after it; nothing where it changes none.
        dockerignore: Option<String>,
    }
}

value! {
    /// A parser directive.
    Directive {
        /// Its name in lower case.
        name: String,
        /// Its value.
        value: String,
    }
}

value! {
    /// A flag of an instruction.
    Flag {
        /// Its name.
        name: String,
        /// Its value; nothing for a bare flag.
        value: Option<String>,
        /// Its bytes.
        span: Span,
    }
}

value! {
    /// A here-document.
    Heredoc {
        /// Its name.
        name: String,
        /// Its body.
        content: String,
        /// Whether variables in it are expanded.
        expand: bool,
        /// The bytes from the first line of its body to the end of the line that ends it.
        span: Span,
    }
}

value! {
    /// One instruction as written.
    Instruction {
        /// Its name in upper case; as written where no instruction has it.
        keyword: String,
        /// The first line, 1-based.
        line: u32,
        /// The last line, 1-based.
        end_line: u32,
        /// Its bytes.
        span: Span,
        /// Its flags, in order.
        flags: Vec<Flag>,
        /// The instruction as one line: continuations joined, comments gone.
        text: String,
        /// Its here-documents, in order.
        heredocs: Vec<Heredoc>,
    }
}

value! {
    /// What BuildKit would reject. A value, not an exception.
    SyntaxError {
        /// A stable name in kebab-case.
        code: String,
        /// BuildKit's message.
        message: String,
        /// The line, 1-based.
        line: u32,
        /// The column, 1-based, in characters.
        column: u32,
        /// The bytes at fault.
        span: Span,
    }
}

value! {
    /// One layer of a measured image.
    ImageLayer {
        /// The instruction that made it, from the image's history; empty where that says nothing.
        instruction: String,
        /// Its digest (`sha256:…`), of the blob where the archive names it, else of the tar; empty where it says nothing.
        digest: String,
        /// Whether the bytes were held against that digest.
        verified: bool,
        /// How it is compressed: `none`, `gzip` or `zstd`.
        packing: String,
        /// Files: no folders, links or white-outs.
        files: u64,
        /// Bytes of the files: the sum of the sizes of its tar's entries.
        bytes: u64,
        /// Bytes of the blob, where it is compressed.
        compressed: Option<u64>,
        /// Bytes of lower layers that it removes or replaces.
        hidden: u64,
        /// Its part of what the image wastes, as dive counts it.
        wasted: u64,
        /// What its files are made of, most bytes first.
        kinds: Vec<KindBytes>,
        /// Its largest files.
        largest: Vec<ImageFile>,
    }
}

value! {
    /// Bytes of one kind.
    KindBytes {
        /// The kind, `python-source` for example.
        kind: String,
        /// Files of it.
        files: u64,
        /// Bytes of them.
        bytes: u64,
    }
}

value! {
    /// A file that a measured image stores.
    ImageFile {
        /// Where it lies, from the root.
        path: String,
        /// Its bytes.
        bytes: u64,
        /// Its layer, counted from 0.
        layer: usize,
    }
}

value! {
    /// A path that takes bytes in several layers.
    Waste {
        /// The path.
        path: String,
        /// Its bytes in all layers.
        bytes: u64,
        /// The layers, counted from 0.
        layers: Vec<usize>,
    }
}

value! {
    /// Files with one content and several paths.
    Duplicate {
        /// The SHA-256 of the content, in hex.
        digest: String,
        /// Bytes of one of them.
        bytes: u64,
        /// How many paths there are.
        count: u64,
        /// The first of them in order, ten at most.
        paths: Vec<String>,
    }
}

value! {
    /// A predicted number and the true one.
    Difference {
        /// What was predicted.
        predicted: Size,
        /// What is there, in bytes.
        measured: u64,
        /// Predicted less measured bytes: above zero where too much was predicted.
        off: i64,
        /// Whether the true number lies in the predicted range.
        inside: bool,
    }
}

value! {
    /// Predicted and measured bytes.
    Compared {
        /// Bytes on disk.
        size: Difference,
        /// Bytes on the wire; nothing where the measured layers are not compressed.
        compressed: Option<Difference>,
    }
}

value! {
    /// A layer as it was predicted and as it was built.
    ComparedLayer {
        /// The line of the instruction, 1-based.
        line: u32,
        /// The instruction as one line.
        instruction: String,
        /// The instruction that the image's history has in its place; empty where that says nothing.
        built: String,
        /// Bytes on disk.
        size: Difference,
        /// Bytes on the wire; nothing where the measured layer is not compressed.
        compressed: Option<Difference>,
    }
}

value! {
    /// What a host pulls of one layer, or of a base.
    PulledLayer {
        /// The line of the instruction, 1-based.
        line: u32,
        /// The stage, by its name or as `stage-N`.
        stage: String,
        /// The instruction as one line.
        instruction: String,
        /// Bytes under gzip; none where the host has it.
        gzip: Size,
        /// Bytes under zstd; none where the host has it.
        zstd: Size,
        /// How much of it the host has: `nothing`, `part`, `unknown` or `all`.
        there: String,
    }
}

value! {
    /// What a host pulls.
    Pull {
        /// Bytes with layers under gzip, what a push does unless told otherwise.
        gzip: Size,
        /// Bytes with the image's own layers under zstd. Layers of the base stay as its registry has them.
        zstd: Size,
        /// The layers, base first; the base's as one, and not among them where it is not known.
        layers: Vec<PulledLayer>,
    }
}

/// A list of one kind as a list of another.
pub(crate) fn all<T, U: From<T>>(items: impl IntoIterator<Item = T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

impl From<stagewright::Size> for Size {
    fn from(size: stagewright::Size) -> Self {
        Self {
            low: size.low,
            expected: size.expected,
            high: size.high,
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
            commits: path.commits,
        }
    }
}

impl From<&history::StepForecast> for StepForecast {
    fn from(step: &history::StepForecast) -> Self {
        Self {
            line: step.line,
            stage: step.stage.clone(),
            instruction: step.instruction.clone(),
            reruns: step.reruns,
            unknown: step.unknown,
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
            compared: check.compared,
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
            warm_pull: measure.warm_pull,
            every_build: measure.every_build.clone(),
        }
    }
}

impl From<&plan::Rung> for Rung {
    fn from(rung: &plan::Rung) -> Self {
        Self {
            pass_name: rung.pass.into(),
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

impl From<ParsedInstruction> for Instruction {
    fn from(instruction: ParsedInstruction) -> Self {
        Self {
            keyword: instruction.keyword,
            line: instruction.line,
            end_line: instruction.end_line,
            span: instruction.span.into(),
            flags: all(instruction.flags),
            text: instruction.text,
            heredocs: all(instruction.heredocs),
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
            files: layer.files,
            bytes: layer.bytes,
            compressed: layer.compressed,
            hidden: layer.hidden,
            wasted: layer.wasted,
            kinds: all(&layer.kinds),
            largest: all(&layer.largest),
        }
    }
}

impl From<&measure::KindBytes> for KindBytes {
    fn from(kind: &measure::KindBytes) -> Self {
        Self {
            kind: kind.kind.as_str().into(),
            files: kind.files,
            bytes: kind.bytes,
        }
    }
}

impl From<&measure::FileBytes> for ImageFile {
    fn from(file: &measure::FileBytes) -> Self {
        Self {
            path: file.path.clone(),
            bytes: file.bytes,
            layer: file.layer,
        }
    }
}

impl From<&measure::Waste> for Waste {
    fn from(waste: &measure::Waste) -> Self {
        Self {
            path: waste.path.clone(),
            bytes: waste.bytes,
            layers: waste.layers.clone(),
        }
    }
}

impl From<&measure::Duplicate> for Duplicate {
    fn from(duplicate: &measure::Duplicate) -> Self {
        Self {
            digest: duplicate.digest.clone(),
            bytes: duplicate.bytes,
            count: duplicate.count,
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
            measured: difference.measured,
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
