//! One function a command: asks the library, and chooses between its JSON and its text.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use stagewright::config::CONFIG_FILE;
use stagewright::online::{Online, Progress};
use stagewright::report::{
    BuildkitReport, Coded, CompareReport, DiffReport, EditReport, ErrorReport, FormatReport,
    FormattedFile, GenerateReport, MeasureReport, OptimizeReport, ParseReport, PullReport,
    SizeReport, compare::of_compare, diff::of_diff, measure::of_measure, pull::of_pull, text,
    to_json,
};
use stagewright::{
    Analysis, BuildFiles, Context, Dockerfile, Finding, Image, Inputs, MeasureOptions, Operation,
    Project, RecipeOptions, Severity, dockerfile_path, read_config, read_dockerfile, read_file,
    read_standard_input, write_dockerfile, write_file,
};

use crate::arguments::{
    BuildArguments, Command, Diff, Edit, Form, Format, Generate, Measure, OnlineArguments,
    Optimize, Parse, Pull, Size,
};
use crate::cache::cache;

/// What is printed, and how the command ends.
#[derive(Default)]
pub(crate) struct Answer {
    /// For standard output.
    pub(crate) text: String,
    /// For standard error, where standard output is for another program.
    pub(crate) notes: String,
    /// Whether something is wrong with the Dockerfile or its project.
    pub(crate) findings: bool,
    /// What went wrong with some of several files.
    pub(crate) errors: Vec<ErrorReport>,
}

impl Answer {
    pub(crate) fn new(text: String, findings: bool) -> Self {
        Self {
            text,
            findings,
            ..Self::default()
        }
    }
}

/// An error of the library on its way to the person.
pub(crate) struct Failure(ErrorReport);

impl Failure {
    pub(crate) fn new(report: ErrorReport) -> Self {
        Self(report)
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(ErrorReport::new(&error))
    }
}

/// Does what a command asks for.
pub(crate) fn to(command: &Command) -> Result<Answer, ErrorReport> {
    let answer = match command {
        Command::Parse(arguments) => match arguments.form {
            Some(Form::Buildkit) => Ok(parse_as_buildkit(arguments)),
            None => parse(arguments),
        },
        Command::Format(arguments) => format(arguments),
        Command::Edit(arguments) => edit(arguments),
        Command::Size(arguments) => size(arguments),
        Command::Pull(arguments) => pull(arguments),
        Command::Measure(arguments) => measure(arguments),
        Command::Cache(arguments) => cache(arguments),
        Command::Diff(arguments) => diff(arguments),
        Command::Optimize(arguments) => optimize(arguments),
        Command::Generate(arguments) => generate(arguments),
    };
    answer.map_err(|Failure(report)| report)
}

fn parse(arguments: &Parse) -> Result<Answer, Failure> {
    let path = only(
        &arguments.paths,
        "several files can only be read with `--as`",
    )?;
    let (_, text) = read(path)?;
    let report = ParseReport::new(&Dockerfile::parse(&text));
    Ok(Answer::new(
        if arguments.json {
            to_json(&report)
        } else {
            text::of_parse(&report)
        },
        !report.errors.is_empty(),
    ))
}

fn parse_as_buildkit(arguments: &Parse) -> Answer {
    let mut answer = Answer::default();
    for path in &arguments.paths {
        match read(path) {
            Ok((name, text)) => {
                let report = BuildkitReport::new(name, &Dockerfile::parse(&text));
                answer.text.push_str(&report.to_json_line());
                answer.findings |= !report.ok;
            }
            Err(Failure(error)) => answer.errors.push(error),
        }
    }
    answer
}

fn format(arguments: &Format) -> Result<Answer, Failure> {
    let shown = !arguments.check && !arguments.write;
    if shown {
        let message = "several files can only be formatted with `--check` or `--write`";
        only(&arguments.paths, message)?;
    }
    let mut errors = Vec::new();
    let mut files = Vec::new();
    for path in &arguments.paths {
        match format_one(path, arguments.write) {
            Ok(file) => files.push(file),
            Err(Failure(error)) => errors.push(error),
        }
    }
    if let ([], [_]) = (files.as_slice(), errors.as_slice()) {
        return Err(Failure(errors.remove(0)));
    }
    let report = FormatReport::new(files);
    let faulty = report.files.iter().any(|file| !file.errors.is_empty());
    let different = report.files.iter().any(|file| !file.lines.is_empty());
    let (text, notes) = match report.files.as_slice() {
        _ if arguments.json => (to_json(&report), String::new()),
        [file] if shown => (file.text.clone(), text::of_errors(&file.path, &file.errors)),
        _ => (text::of_format(&report, arguments.write), String::new()),
    };
    Ok(Answer {
        text,
        notes,
        findings: faulty || arguments.check && different,
        errors,
    })
}

fn format_one(path: &Path, write: bool) -> Result<FormattedFile, Failure> {
    let (name, text) = read_to(write, path)?;
    let file = FormattedFile::new(name, &Dockerfile::parse(&text));
    if write && file.text != text {
        write_dockerfile(&file.path, &file.text)?;
    }
    Ok(file)
}

fn edit(arguments: &Edit) -> Result<Answer, Failure> {
    let (path, text) = read_to(arguments.write, &arguments.path)?;
    let edits = arguments
        .edits
        .iter()
        .map(|json| Operation::from_json(json));
    let report = EditReport::new(path, &text, &edits.collect::<Result<Vec<_>, _>>()?)?;
    if arguments.write && report.text != text {
        write_dockerfile(&report.path, &report.text)?;
    }
    let findings = !report.errors.is_empty();
    let notes = text::of_errors(&report.path, &report.errors);
    Ok(match (arguments.json, arguments.write) {
        (true, _) => Answer::new(to_json(&report), findings),
        (false, true) => Answer {
            notes,
            ..Answer::new(String::new(), findings)
        },
        (false, false) => Answer {
            notes,
            ..Answer::new(report.text, findings)
        },
    })
}

/// As [`read`], for a file that may be written.
fn read_to(write: bool, path: &Path) -> Result<(String, String), Failure> {
    if write && path == Path::new(STANDARD_INPUT) {
        return Err(Failure(ErrorReport::of(
            "usage",
            "standard input cannot be written: leave `--write` out",
        )));
    }
    read(path)
}

/// The path that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The name and the text of a Dockerfile, of the one in a folder, or of standard input.
fn read(path: &Path) -> Result<(String, String), Failure> {
    if path == Path::new(STANDARD_INPUT) {
        return Ok((STANDARD_INPUT.to_owned(), read_standard_input()?));
    }
    let text = read_dockerfile(path)?;
    Ok((dockerfile_path(path)?.display().to_string(), text))
}

fn only<'p, T>(paths: &'p [T], message: &str) -> Result<&'p T, Failure> {
    match paths {
        [only] => Ok(only),
        _ => Err(Failure(ErrorReport::of("several-files", message))),
    }
}

fn size(arguments: &Size) -> Result<Answer, Failure> {
    let against = arguments.against.as_ref().map(read_file).transpose()?;
    let build = &arguments.build;
    let asked = Some(&arguments.online);
    let (_, analysis) = analyze_against(&arguments.path, build, false, against.as_deref(), asked)?;
    if let Some(path) = &arguments.compare {
        let measured = MeasureOptions::from_words(None, arguments.build.platform.as_deref())?;
        let image = Image::open_with(path, &measured)?;
        let report = CompareReport::new(&analysis, &image);
        let text = if arguments.json {
            to_json(&report)
        } else {
            of_compare(&report)
        };
        return Ok(Answer::new(text, serious(&report.findings)));
    }
    let report = SizeReport::new(&analysis);
    Ok(Answer::new(
        if arguments.json {
            to_json(&report)
        } else {
            text::of_size(&report)
        },
        serious(&report.findings),
    ))
}

fn pull(arguments: &Pull) -> Result<Answer, Failure> {
    let (_, analysis) = analyze(&arguments.path, &arguments.arguments, true)?;
    let builds = arguments.build.iter().map(|path| {
        let (_, build) = analyze(path, &arguments.arguments.elsewhere(), true)?;
        Ok::<_, Failure>(build)
    });
    let builds = builds.collect::<Result<Vec<_>, _>>()?;
    let pull = analysis.pull_beside(arguments.image.clone(), &builds, arguments.change.clone())?;
    let report = PullReport::new(&analysis, pull);
    let text = if arguments.json {
        to_json(&report)
    } else {
        of_pull(&report)
    };
    Ok(Answer::new(text, serious(&report.findings)))
}

fn measure(arguments: &Measure) -> Result<Answer, Failure> {
    let image = Image::open_with(&arguments.image, &arguments.options()?)?;
    if arguments.learn {
        let config = read_config(&arguments.project)?;
        let name = arguments.learn_as.as_deref();
        let learned = image.learn(&config, name, arguments.date.as_deref())?;
        write_file(arguments.project.join(CONFIG_FILE), &learned)?;
    }
    let report = MeasureReport::new(image);
    let text = if arguments.json {
        to_json(&report)
    } else {
        of_measure(&report)
    };
    Ok(Answer::new(text, false))
}

fn diff(arguments: &Diff) -> Result<Answer, Failure> {
    let (_, before) = analyze(&arguments.old, &arguments.build, true)?;
    let (_, after) = analyze(&arguments.new, &arguments.build, true)?;
    let report = DiffReport::new(before.diff(&after, arguments.change.as_deref())?);
    let text = if arguments.json {
        to_json(&report)
    } else {
        of_diff(&report)
    };
    Ok(Answer::new(text, serious(&report.diff.introduced)))
}

fn optimize(arguments: &Optimize) -> Result<Answer, Failure> {
    let (files, analysis) = analyze(&arguments.path, &arguments.build, false)?;
    let mut plan = analysis.plan_with(&arguments.plan()?)?;
    if let Some(rungs) = arguments.rungs {
        plan = plan.until(rungs);
    }
    if arguments.write {
        files.write(&plan.dockerfile, plan.dockerignore.as_deref())?;
    }
    let report = OptimizeReport::new(&analysis, plan);
    Ok(Answer::new(
        if arguments.json {
            to_json(&report)
        } else {
            text::of_optimize(&report)
        },
        serious(&report.findings),
    ))
}

fn generate(arguments: &Generate) -> Result<Answer, Failure> {
    let context = Context::directory(&arguments.path)?;
    let options = RecipeOptions {
        port: arguments.port,
        base: arguments.base.clone(),
        command: (!arguments.command.is_empty()).then(|| arguments.command.clone()),
    };
    let generated = Project::detect_package(&context, arguments.package.as_deref())?
        .generate(&context, &options)?;
    if arguments.write {
        BuildFiles::create(
            &arguments.path,
            &generated.dockerfile,
            &generated.dockerignore,
        )?;
    }
    let report = GenerateReport::new(&context, generated)?;
    Ok(Answer::new(
        if arguments.json {
            to_json(&report)
        } else {
            text::of_generate(&report)
        },
        serious(&report.findings),
    ))
}

fn analyze(
    path: &std::path::Path,
    build: &BuildArguments,
    hash: bool,
) -> Result<(BuildFiles, Analysis), Failure> {
    analyze_against(path, build, hash, None, None)
}

fn analyze_against(
    path: &std::path::Path,
    build: &BuildArguments,
    hash: bool,
    against: Option<&str>,
    asked: Option<&OnlineArguments>,
) -> Result<(BuildFiles, Analysis), Failure> {
    let options = build.options()?;
    let files = BuildFiles::open_with(path, &build.files(hash))?;
    let options = options.with_project(&files.config, against)?;
    let inputs = Inputs::new(files.context.clone()).read_named(&options.named_contexts)?;
    let file = Dockerfile::parse(&files.text);
    let analysis = match asked.and_then(|asked| asked.settings(&files.folder)) {
        Some(settings) => Online::new(settings)?.analyze(&file, &inputs, &options, &mut show)?,
        None => Analysis::with_inputs(&file, &inputs, &options)?,
    };
    Ok((files, analysis))
}

/// Shows a person how far the answering is.
fn show(progress: &Progress) {
    let mut terminal = std::io::stderr();
    if !terminal.is_terminal() {
        return;
    }
    let end = if progress.done == progress.total {
        "\r\x1b[K"
    } else {
        ""
    };
    let what: String = progress.what.chars().take(60).collect();
    // Whoever cannot be shown it needs no more than the answer.
    let _ = write!(
        terminal,
        "\r\x1b[K{} of {} measured: {what}{end}",
        progress.done, progress.total
    );
}

/// Notes are no reason to stop a pipeline.
pub(crate) fn serious(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity != Severity::Note)
}
