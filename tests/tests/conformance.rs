//! The library's answers to the cases that all languages share.

use stagewright::report::{
    CacheReport, Coded, ErrorReport, GenerateReport, MeasureReport, OptimizeReport, SizeReport,
    to_json,
};
use stagewright::{
    Analysis, BuildFiles, Change, Context, Dockerfile, FilesOptions, Image, MeasureOptions,
    Options, PlanOptions, Project, RecipeOptions,
};
use stagewright_tests::conformance::Case;

/// An error as every face says it.
struct Failure(ErrorReport);

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(ErrorReport::new(&error))
    }
}

fn analyze(case: &Case, folder: std::path::PathBuf) -> Result<Analysis, Failure> {
    let build = &case.build;
    let options = Options::from_words(
        build.target.as_deref(),
        build.build_args.clone(),
        build.platform.as_deref(),
        build.as_of.as_deref(),
    )?;
    let files = FilesOptions {
        hash: case.after().is_some(),
        ..FilesOptions::default()
    };
    let files = BuildFiles::open_with(folder, &files)?;
    Ok(Analysis::new(
        &Dockerfile::parse(&files.text),
        &files.context,
        &options,
    )?)
}

fn size(case: &Case) -> Result<String, Failure> {
    Ok(to_json(&SizeReport::new(&analyze(case, case.project())?)))
}

fn cache(case: &Case) -> Result<String, Failure> {
    let before = analyze(case, case.project())?;
    if let Some(after) = case.after() {
        let after = analyze(case, after)?;
        return Ok(to_json(&CacheReport::new(&after, &after.since(&before))));
    }
    let change = Change::files(case.change.files.iter().cloned());
    let change = case
        .change
        .build_args
        .iter()
        .fold(change, |change, (name, value)| {
            change.build_arg(name, value)
        });
    Ok(to_json(&CacheReport::new(&before, &before.after(&change)?)))
}

fn optimize(case: &Case) -> Result<String, Failure> {
    let analysis = analyze(case, case.project())?;
    let asked = case
        .plan
        .as_ref()
        .expect("the case says what the plan may do");
    let mut options = PlanOptions::new(asked.objective.parse()?, asked.applicability.parse()?);
    options.change.clone_from(&asked.change);
    options.skip.clone_from(&asked.skip);
    options.only.clone_from(&asked.only);
    Ok(to_json(&OptimizeReport::new(
        &analysis,
        analysis.plan_with(&options)?,
    )))
}

fn generate(case: &Case) -> Result<String, Failure> {
    let asked = case
        .generate
        .as_ref()
        .expect("the case says what the recipe is told");
    let options = RecipeOptions {
        port: asked.port,
        base: asked.base.clone(),
        command: asked.command.clone(),
    };
    let context = Context::directory(case.project())?;
    let generated = Project::detect(&context)?.generate(&context, &options)?;
    Ok(to_json(&GenerateReport::new(&context, generated)?))
}

fn measure(case: &Case) -> Result<String, Failure> {
    let asked = case
        .measure
        .as_ref()
        .expect("the case says what is measured");
    let mut options =
        MeasureOptions::from_words(asked.image_name.as_deref(), asked.platform.as_deref())?;
    options.verify = asked.verify;
    let image = Image::open_with(case.project().join(&asked.image), &options)?;
    Ok(to_json(&MeasureReport::new(image)))
}

fn error(case: &Case) -> Result<String, Failure> {
    if case.measure.is_some() {
        return measure(case);
    }
    match (&case.plan, &case.generate) {
        (Some(_), _) => optimize(case),
        (_, Some(_)) => generate(case),
        _ => size(case),
    }
}

#[track_caller]
fn every(area: &str, least: usize, answer: impl Fn(&Case) -> Result<String, Failure>) {
    let cases = Case::all(area);
    assert!(cases.len() >= least, "{} cases", cases.len());
    for case in cases {
        match answer(&case) {
            Ok(answer) => case.check(&answer),
            Err(Failure(report)) => panic!("{}: {}", case.folder.display(), report.error.message),
        }
    }
}

#[test]
fn sizes() {
    every("size", 5, size);
}

#[test]
fn predictions() {
    every("cache", 6, cache);
}

#[test]
fn plans() {
    every("optimize", 4, optimize);
}

#[test]
fn recipes() {
    every("generate", 1, generate);
}

#[test]
fn images() {
    every("measure", 7, measure);
}

#[test]
fn errors() {
    let cases = Case::all("errors");
    assert!(cases.len() >= 10, "{} cases", cases.len());
    for case in cases {
        match error(&case) {
            Ok(answer) => panic!("{}: is answered: {answer}", case.folder.display()),
            Err(Failure(report)) => case.check(&to_json(&report)),
        }
    }
}
