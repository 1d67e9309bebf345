//! The library's answers to the cases that all languages share.

use stagewright::report::{
    CacheReport, Coded, CompareReport, DiffReport, ErrorReport, GenerateReport, HistoryReport,
    MeasureReport, OptimizeReport, SizeReport, to_json,
};
use stagewright::{
    Analysis, BuildFiles, CacheOptions, Change, Context, Dockerfile, Durations, FilesOptions,
    History, Image, Inputs, MeasureOptions, Options, PlanOptions, Project, RecipeOptions,
    RunOptions, RunWords, Snapshot, Trace, read_file,
};
use stagewright_tests::conformance::{Case, Compared, Side};

/// An error as every face says it.
struct Failure(ErrorReport);

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(ErrorReport::new(&error))
    }
}

fn analyze(case: &Case, folder: std::path::PathBuf) -> Result<Analysis, Failure> {
    analyze_side(case, folder, &Side::default())
}

fn analyze_side(case: &Case, folder: std::path::PathBuf, side: &Side) -> Result<Analysis, Failure> {
    let build = &case.build;
    let arguments = build.build_args.iter().chain(&side.build_args);
    let bases = build.bases.iter().chain(&side.bases);
    let pair = |(name, value): (&String, &String)| (name.clone(), value.clone());
    let options = Options::from_words(
        build.target.as_deref(),
        arguments.map(pair),
        build.platform.as_deref(),
        build.as_of.as_deref(),
    )?
    .with_bases(bases.map(pair))?;
    let builder = build.builder.as_deref().map(str::parse).transpose()?;
    let options = Options {
        builder: builder.unwrap_or_default(),
        named_contexts: build.build_contexts.clone(),
        run: RunOptions::from_words(&RunWords {
            network: build.network.clone(),
            add_hosts: build.add_hosts.clone(),
            shm_size: build.shm_size.clone(),
            ulimits: build.ulimits.clone(),
            cgroup_parent: build.cgroup_parent.clone(),
        })?,
        ..options
    };
    let files = FilesOptions {
        hash: case.after().is_some(),
        ..FilesOptions::default()
    };
    let files = BuildFiles::open_with(folder, &files)?;
    let options = options.with_project(&files.config, case.against().as_deref())?;
    let inputs = Inputs::new(files.context.clone()).read_named(&options.named_contexts)?;
    Ok(Analysis::with_inputs(
        &Dockerfile::parse(&files.text),
        &inputs,
        &options,
    )?)
}

fn durations(
    case: &Case,
    given: Option<&String>,
    trace: Option<&Trace>,
) -> Result<Durations, Failure> {
    let durations = match given {
        Some(name) => Durations::parse(&read_file(case.folder.join(name))?)?,
        None => Durations::default(),
    };
    Ok(match trace {
        Some(trace) => durations.trace(trace.clone()),
        None => durations,
    })
}

fn trace(case: &Case, name: Option<&String>) -> Result<Option<Trace>, Failure> {
    let parse = |name: &String| Ok(Trace::parse(&read_file(case.folder.join(name))?)?);
    name.map(parse).transpose()
}

fn size(case: &Case) -> Result<String, Failure> {
    Ok(to_json(&SizeReport::new(&analyze(case, case.project())?)))
}

fn cache(case: &Case) -> Result<String, Failure> {
    let none = Compared::default();
    let asked = case.cache.as_ref().unwrap_or(&none);
    let options = CacheOptions::from_words(
        asked.no_cache,
        asked.no_cache_filter.clone(),
        asked.imported.as_deref(),
    )?;
    let before = match &asked.snapshot {
        Some(name) => Snapshot::parse(&read_file(case.folder.join(name))?)?.analyze()?,
        None => analyze_side(case, case.project(), &asked.before)?,
    };
    let (analysis, prediction) = if let Some(after) = case.after() {
        let after = analyze_side(case, after, &asked.after)?;
        let prediction = after.since_with(&before, &options);
        (after, prediction)
    } else {
        let change = Change::files(case.change.files.iter().cloned());
        let arguments = case.change.build_args.iter();
        let change = arguments.fold(change, |change, (name, value)| {
            change.build_arg(name, value)
        });
        let bases = case.change.bases.iter();
        let change = bases.fold(change, |change, (name, digest)| change.base(name, digest));
        let prediction = before.after_with(&change, &options)?;
        (before, prediction)
    };
    let trace = trace(case, asked.trace.as_ref())?;
    let durations = durations(case, asked.durations.as_ref(), trace.as_ref())?;
    let mut report = CacheReport::new(&analysis, &prediction)
        .with_durations(&analysis, &prediction, &durations)?
        .with_expectations(&prediction, &asked.cached, &asked.rerun)?;
    if let Some(trace) = &trace {
        report = report.with_trace(&analysis, &prediction, trace);
    }
    Ok(to_json(&report))
}

fn history(case: &Case) -> Result<String, Failure> {
    let asked = case.history.as_ref().expect("the case says which commits");
    let commits = History::parse(&read_file(case.folder.join(&asked.commits))?)?;
    let trace = trace(case, asked.trace.as_ref())?;
    let durations = durations(case, asked.durations.as_ref(), trace.as_ref())?;
    let analysis = analyze(case, case.project())?;
    let forecast = analysis.forecast(&commits, &durations)?;
    Ok(to_json(&HistoryReport::new(&analysis, forecast)))
}

fn optimize(case: &Case) -> Result<String, Failure> {
    let analysis = analyze(case, case.project())?;
    let asked = case
        .plan
        .as_ref()
        .expect("the case says what the plan may do");
    let options = PlanOptions::new(asked.objective.parse()?, asked.applicability.parse()?);
    let weights = asked.weights.iter();
    let weights = weights.map(|(word, weight)| (word.clone(), *weight));
    let mut options = options.with_words(weights, asked.threshold)?;
    options.change.clone_from(&asked.change);
    options.skip.clone_from(&asked.skip);
    options.only.clone_from(&asked.only);
    let plan = analysis.plan_with(&options)?;
    let plan = asked.until.map_or(plan.clone(), |rungs| plan.until(rungs));
    Ok(to_json(&OptimizeReport::new(&analysis, plan)))
}

fn diff(case: &Case) -> Result<String, Failure> {
    let before = analyze(case, case.project())?;
    let after = analyze(case, case.after().expect("the case has both states"))?;
    let diff = before.diff(&after, case.diff.change.as_deref())?;
    Ok(to_json(&DiffReport::new(diff)))
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
    let generated = Project::detect_package(&context, asked.package.as_deref())?
        .generate(&context, &options)?;
    Ok(to_json(&GenerateReport::new(&context, generated)?))
}

fn image(case: &Case) -> Result<Image, Failure> {
    let asked = case
        .measure
        .as_ref()
        .expect("the case says what is measured");
    let mut options =
        MeasureOptions::from_words(asked.image_name.as_deref(), asked.platform.as_deref())?;
    options.verify = asked.verify;
    Ok(Image::open_with(
        case.project().join(&asked.image),
        &options,
    )?)
}

fn measure(case: &Case) -> Result<String, Failure> {
    Ok(to_json(&MeasureReport::new(image(case)?)))
}

fn comparison(case: &Case) -> Result<String, Failure> {
    let analysis = analyze(case, case.project())?;
    Ok(to_json(&CompareReport::new(&analysis, &image(case)?)))
}

fn error(case: &Case) -> Result<String, Failure> {
    if case.measure.is_some() {
        return measure(case);
    }
    if case.cache.is_some() {
        return cache(case);
    }
    if case.history.is_some() {
        return history(case);
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
fn forecasts() {
    every("history", 2, history);
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
fn differences() {
    every("diff", 5, diff);
}

#[test]
fn comparisons() {
    every("compare", 2, comparison);
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
