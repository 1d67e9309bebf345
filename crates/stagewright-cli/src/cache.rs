//! `cache`: which two states are compared, and what else is asked of them.

use std::path::Path;

use stagewright::report::{CacheReport, ErrorReport, HistoryReport, text, to_json};
use stagewright::{
    Analysis, BuildFiles, CacheOptions, Change, Dockerfile, Durations, History, HistoryOptions,
    Inputs, Options, Prediction, Snapshot, Trace, read_bytes, read_file, write_file,
};

use crate::answer::{Answer, Failure, serious};
use crate::arguments::{BuildArguments, Cache, CacheCommand, Save};

/// Answers `cache`, and what stands below it.
pub(crate) fn cache(arguments: &Cache) -> Result<Answer, Failure> {
    if let Some(CacheCommand::Save(save)) = &arguments.command {
        return self::save(save);
    }
    let trace = match &arguments.trace {
        Some(path) => Some(Trace::parse(read_bytes(path)?)?),
        None => None,
    };
    let mut durations = match &arguments.durations {
        Some(path) => Durations::parse(&read_file(path)?)?,
        None => Durations::default(),
    };
    if let Some(trace) = &trace {
        durations = durations.trace(trace.clone());
    }
    if arguments.history || arguments.history_file.is_some() {
        return history(arguments, &durations);
    }
    let Compared {
        analysis,
        prediction,
    } = compare(arguments)?;
    let mut report = CacheReport::new(&analysis, &prediction)
        .with_durations(&analysis, &prediction, &durations)?
        .with_expectations(
            &prediction,
            &arguments.assert_cached,
            &arguments.assert_rerun,
        )?;
    if let Some(trace) = &trace {
        report = report.with_trace(&analysis, &prediction, trace);
    }
    let text = if arguments.json {
        to_json(&report)
    } else {
        text::of_cache(&report)
    };
    let findings = serious(&report.findings) || !report.holds();
    Ok(Answer::new(text, findings))
}

/// A prediction, with the later of the two builds.
struct Compared {
    analysis: Analysis,
    prediction: Prediction,
}

fn compare(arguments: &Cache) -> Result<Compared, Failure> {
    let (before, after) = (Side::before(arguments), Side::after(arguments));
    let (before, analysis) = if let Some(path) = &arguments.after {
        (
            before.open(&arguments.path, arguments)?,
            after.open(path, arguments)?,
        )
    } else if let Some(revision) = &arguments.git {
        let files = BuildFiles::open_with(&arguments.path, &arguments.build.files(true))?;
        let earlier = files.at_revision(revision)?;
        (
            analyze(&earlier, &before.options(arguments)?)?,
            analyze(&files, &after.options(arguments)?)?,
        )
    } else {
        return change(arguments);
    };
    let prediction = analysis.since_with(&before, &arguments.cache()?);
    Ok(Compared {
        analysis,
        prediction,
    })
}

/// One folder, of which some files, arguments or base images change.
fn change(arguments: &Cache) -> Result<Compared, Failure> {
    let side = Side::before(arguments);
    let before = if is_snapshot(&arguments.path) {
        side.open(&arguments.path, arguments)?
    } else {
        let files = BuildFiles::open_with(&arguments.path, &arguments.build.files(false))?;
        analyze(&files, &side.options(arguments)?)?
    };
    let mut files = arguments.change.clone();
    let told = !arguments.after_arg.is_empty()
        || !arguments.after_base.is_empty()
        || !arguments.before_arg.is_empty()
        || !arguments.before_base.is_empty()
        || arguments.cache()? != CacheOptions::default();
    if files.is_empty() && !told {
        files.extend(before.source_file());
    }
    let mut change = Change::files(files);
    // What holds for the build before alone is as the options of both have it afterwards.
    let both = options(&arguments.build, &arguments.base)?;
    for (name, _) in &arguments.before_arg {
        change = match both.build_args.get(name) {
            Some(value) => change.build_arg(name, value),
            None => change.without_build_arg(name),
        };
    }
    for (name, _) in &arguments.before_base {
        change = match both.bases.get(name) {
            Some(digest) => change.base(name, digest),
            None => change.without_base(name),
        };
    }
    for (name, value) in &arguments.after_arg {
        change = change.build_arg(name, value);
    }
    for (name, digest) in &arguments.after_base {
        change = change.base(name, digest);
    }
    let prediction = before.after_with(&change, &arguments.cache()?)?;
    Ok(Compared {
        analysis: before,
        prediction,
    })
}

/// What holds for one of the two builds alone.
struct Side<'a> {
    args: &'a [(String, String)],
    bases: &'a [(String, String)],
}

impl<'a> Side<'a> {
    fn before(arguments: &'a Cache) -> Self {
        Self {
            args: &arguments.before_arg,
            bases: &arguments.before_base,
        }
    }

    fn after(arguments: &'a Cache) -> Self {
        Self {
            args: &arguments.after_arg,
            bases: &arguments.after_base,
        }
    }

    fn options(&self, arguments: &Cache) -> Result<Options, Failure> {
        let mut options = options(&arguments.build, &arguments.base)?;
        options.build_args.extend(self.args.iter().cloned());
        options.bases.extend(self.bases.iter().cloned());
        Ok(options)
    }

    /// A folder, or the snapshot of one, which knows how it was built.
    fn open(&self, path: &Path, arguments: &Cache) -> Result<Analysis, Failure> {
        if is_snapshot(path) {
            if !self.args.is_empty() || !self.bases.is_empty() {
                return Err(Failure::new(ErrorReport::of(
                    "usage",
                    format!(
                        "`{}` is a snapshot, which says itself how it was built",
                        path.display()
                    ),
                )));
            }
            return Ok(Snapshot::parse(&read_file(path)?)?.analyze()?);
        }
        let mut files = arguments.build.files(true);
        // Of two folders each has its own Dockerfile of that name.
        let own = files.file.as_ref().map(|file| path.join(file));
        if let Some(own) = own.filter(|own| own.is_file()) {
            files.file = Some(own);
        }
        let files = BuildFiles::open_with(path, &files)?;
        analyze(&files, &self.options(arguments)?)
    }
}

fn options(build: &BuildArguments, bases: &[(String, String)]) -> Result<Options, Failure> {
    let mut options = build.options()?;
    options.bases.extend(bases.iter().cloned());
    Ok(options)
}

/// A snapshot is known by its name.
fn is_snapshot(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
        && !path.is_dir()
}

fn analyze(files: &BuildFiles, options: &Options) -> Result<Analysis, Failure> {
    let file = Dockerfile::parse(&files.text);
    let options = options.clone().with_project(&files.config, None)?;
    let inputs = Inputs::new(files.context.clone()).read_named(&options.named_contexts)?;
    Ok(Analysis::with_inputs(&file, &inputs, &options)?)
}

fn history(arguments: &Cache, durations: &Durations) -> Result<Answer, Failure> {
    let files = BuildFiles::open_with(&arguments.path, &arguments.build.files(false))?;
    let window = HistoryOptions::from_words(arguments.commits, arguments.since.as_deref())?;
    let history = match &arguments.history_file {
        Some(path) => History::parse(&read_file(path)?)?.within(&window),
        None => files.history(&window)?,
    };
    let analysis = analyze(&files, &options(&arguments.build, &arguments.base)?)?;
    let forecast = analysis.forecast(&history, durations)?;
    let report = HistoryReport::new(&analysis, forecast);
    let text = if arguments.json {
        to_json(&report)
    } else {
        text::of_history(&report)
    };
    Ok(Answer::new(text, serious(&report.findings)))
}

fn save(arguments: &Save) -> Result<Answer, Failure> {
    let files = BuildFiles::open_with(&arguments.path, &arguments.build.files(true))?;
    let analysis = analyze(&files, &options(&arguments.build, &arguments.base)?)?;
    let snapshot = Snapshot::of(&analysis)?;
    let json = snapshot.to_json();
    let Some(path) = &arguments.output else {
        return Ok(Answer::new(json, false));
    };
    write_file(path, &json)?;
    let said = format!(
        "{} files, {} in `{}`\n",
        snapshot.file_count(),
        text::bytes(json.len() as u64),
        path.display()
    );
    Ok(Answer::new(said, false))
}
