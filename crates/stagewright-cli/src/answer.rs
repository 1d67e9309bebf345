//! One function a command: asks the library, and chooses between its JSON and its text.

use stagewright::report::{
    BuildkitReport, CacheReport, Coded, ErrorReport, GenerateReport, OptimizeReport, ParseReport,
    SizeReport, text, to_json,
};
use stagewright::{
    Analysis, BuildFiles, Change, Context, Dockerfile, Finding, Project, RecipeOptions, Severity,
    read_dockerfile,
};

use crate::arguments::{BuildArguments, Cache, Command, Form, Generate, Optimize, Parse, Size};

/// What is printed, and whether something is wrong with the Dockerfile or its project.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) findings: bool,
}

/// An error of the library on its way to the person.
pub(crate) struct Failure(ErrorReport);

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(ErrorReport::new(&error))
    }
}

/// Does what a command asks for.
pub(crate) fn to(command: &Command) -> Result<Answer, ErrorReport> {
    let answer = match command {
        Command::Parse(arguments) => parse(arguments),
        Command::Size(arguments) => size(arguments),
        Command::Cache(arguments) => cache(arguments),
        Command::Optimize(arguments) => optimize(arguments),
        Command::Generate(arguments) => generate(arguments),
    };
    answer.map_err(|Failure(report)| report)
}

fn parse(arguments: &Parse) -> Result<Answer, Failure> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        files.push((path.display().to_string(), read_dockerfile(path)?));
    }
    if arguments.form == Some(Form::Buildkit) {
        let parsed: Vec<(&str, Dockerfile<'_>)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), Dockerfile::parse(text)))
            .collect();
        let report = BuildkitReport::new(parsed.iter().map(|(path, file)| (*path, file)));
        return Ok(Answer {
            text: if arguments.json {
                to_json(&report)
            } else {
                text::of_buildkit(&report)
            },
            findings: report.files.iter().any(|file| !file.accepted),
        });
    }
    let [(_, only)] = files.as_slice() else {
        return Err(Failure(ErrorReport::of(
            "several-files",
            "several files can only be read with `--as`",
        )));
    };
    let report = ParseReport::new(&Dockerfile::parse(only));
    Ok(Answer {
        text: if arguments.json {
            to_json(&report)
        } else {
            text::of_parse(&report)
        },
        findings: !report.errors.is_empty(),
    })
}

fn size(arguments: &Size) -> Result<Answer, Failure> {
    let (_, analysis) = analyze(&arguments.path, &arguments.build, false)?;
    let report = SizeReport::new(&analysis);
    Ok(Answer {
        text: if arguments.json {
            to_json(&report)
        } else {
            text::of_size(&report)
        },
        findings: serious(&report.findings),
    })
}

fn cache(arguments: &Cache) -> Result<Answer, Failure> {
    let (_, before) = analyze(&arguments.path, &arguments.build, arguments.after.is_some())?;
    let (analysis, prediction) = if let Some(path) = &arguments.after {
        let (_, after) = analyze(path, &arguments.build, true)?;
        let prediction = after.since(&before);
        (after, prediction)
    } else {
        let mut files = arguments.change.clone();
        if files.is_empty() && arguments.change_build_arg.is_empty() {
            files.extend(before.source_file());
        }
        let change = arguments
            .change_build_arg
            .iter()
            .fold(Change::files(files), |change, (name, value)| {
                change.build_arg(name, value)
            });
        let prediction = before.after(&change)?;
        (before, prediction)
    };
    let report = CacheReport::new(&analysis, &prediction);
    Ok(Answer {
        text: if arguments.json {
            to_json(&report)
        } else {
            text::of_cache(&report)
        },
        findings: serious(&report.findings),
    })
}

fn optimize(arguments: &Optimize) -> Result<Answer, Failure> {
    let (files, analysis) = analyze(&arguments.path, &arguments.build, false)?;
    let plan = analysis.plan_with(&arguments.plan()?)?;
    if arguments.write {
        files.write(&plan.dockerfile, plan.dockerignore.as_deref())?;
    }
    let report = OptimizeReport::new(&analysis, plan);
    Ok(Answer {
        text: if arguments.json {
            to_json(&report)
        } else {
            text::of_optimize(&report)
        },
        findings: serious(&report.findings),
    })
}

fn generate(arguments: &Generate) -> Result<Answer, Failure> {
    let context = Context::directory(&arguments.path)?;
    let options = RecipeOptions {
        port: arguments.port,
        base: arguments.base.clone(),
        command: (!arguments.command.is_empty()).then(|| arguments.command.clone()),
    };
    let generated = Project::detect(&context)?.generate(&context, &options)?;
    if arguments.write {
        BuildFiles::create(
            &arguments.path,
            &generated.dockerfile,
            &generated.dockerignore,
        )?;
    }
    let report = GenerateReport::new(&context, generated)?;
    Ok(Answer {
        text: if arguments.json {
            to_json(&report)
        } else {
            text::of_generate(&report)
        },
        findings: serious(&report.findings),
    })
}

fn analyze(
    path: &std::path::Path,
    build: &BuildArguments,
    hash: bool,
) -> Result<(BuildFiles, Analysis), Failure> {
    let options = build.options()?;
    let files = BuildFiles::open_with(path, &build.files(hash))?;
    let analysis = Analysis::new(&Dockerfile::parse(&files.text), &files.context, &options)?;
    Ok((files, analysis))
}

/// Notes are no reason to stop a pipeline.
fn serious(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity != Severity::Note)
}
