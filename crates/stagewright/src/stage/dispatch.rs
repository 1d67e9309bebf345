//! What each instruction does to the state of its stage (`dispatch` and the functions below it in
//! `frontend/dockerfile/dockerfile2llb/convert.go` at v0.32.2).

use std::sync::Arc;

use stagewright_syntax::expand::Expander;
use stagewright_syntax::instruction::{
    Add, Copy, Healthcheck, HealthcheckTest, Source, exposed_ports,
};
use stagewright_syntax::{Heredoc, Instruction, Span, View, quote};

use super::copy::check_mode;
use super::resolve::{Resolver, Walk};
use super::run::argv;
use super::state::{State, join};
use super::{CopyOp, CopySource, From, Op, StageId};

/// `ARG`s that steer the frontend and never reach a command (`convert.go`, `nonEnvArgs`).
const NON_ENV_ARGS: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

impl Resolver<'_, '_> {
    /// What an instruction does to the state and to the file system (`dispatch`).
    pub(super) fn dispatch(
        &mut self,
        instruction: &Instruction<'_>,
        span: Span,
        state: &mut Arc<State>,
        walk: &mut Walk,
    ) -> Op {
        match instruction.view() {
            View::Run(run) => return Op::Run(self.run(&run, state, walk)),
            View::Copy(copy) => return Op::Copy(self.copy(&copy, state, span, walk)),
            View::Add(add) => return Op::Copy(self.add(&add, state, span)),
            View::Workdir(workdir) => {
                let path = self.expand(&workdir.value, state, span);
                // An absolute path stays as it is written (`system.NormalizeWorkdir`), and so it is in the key of a RUN; nothing means the
                // folder that was.
                let path = match path.as_str() {
                    "" => state.workdir().to_owned(),
                    absolute if absolute.starts_with('/') => path,
                    relative => join(state.workdir(), relative),
                };
                Arc::make_mut(state).config.workdir.clone_from(&path);
                walk.words.push(join("/", &path));
                if path != "/" {
                    return Op::Workdir(join("/", &path));
                }
            }
            View::Env(env) => {
                // The whole line sees the environment from before it.
                let pairs: Vec<_> = env
                    .pairs
                    .iter()
                    .map(|pair| {
                        (
                            self.expand(&pair.key, state, span),
                            self.expand(&pair.value, state, span),
                        )
                    })
                    .collect();
                walk.words.extend(words(&pairs));
                let state = Arc::make_mut(state);
                for (key, value) in pairs {
                    state.env.set(&key, &value);
                    state.config.set_env(&key, &value);
                }
            }
            View::Arg(arg) => {
                for pair in &arg.args {
                    let default = pair.value.as_deref().map(|default| {
                        let expanded = self.expander.word(default, &state.env);
                        expanded.map_or_else(
                            |_| default.to_owned(),
                            |expanded| expanded.value.into_owned(),
                        )
                    });
                    let word = default.map_or_else(
                        || pair.key.to_string(),
                        |default| format!("{}={default}", pair.key),
                    );
                    walk.words.push(word);
                    self.arg(&pair.key, pair.value.as_deref(), state, span);
                }
            }
            _ => self.configure(instruction, span, state, walk),
        }
        Op::Config
    }

    /// What a COPY takes and where it puts it (`dispatchCopy`).
    fn copy(&mut self, copy: &Copy<'_>, state: &State, span: Span, walk: &mut Walk) -> CopyOp {
        let from = match copy.from.as_ref().filter(|name| !name.is_empty()) {
            None => From::Context,
            Some(name) => self.copy_from(name, name.span, walk),
        };
        // In BuildKit's order (`CopyCommand.Expand`): of several faults it reports the first.
        let chown = self.optional(copy.chown.as_deref(), state, span);
        let chmod = self.optional(copy.chmod.as_deref(), state, span);
        let sources = self.sources(&copy.sources, state, span, false);
        let written = self.expand(&copy.destination, state, span);
        let op = CopyOp {
            add: false,
            from,
            sources,
            destination: absolute(&written, state),
            written_destination: written,
            chown,
            chmod,
            link: copy.link,
            parents: copy.parents,
            excludes: copy.excludes.iter().map(ToString::to_string).collect(),
            checksum: String::new(),
            keep_git_dir: None,
            unpack: None,
        };
        self.check_copy(&op, span);
        op
    }

    /// What an ADD takes and where it puts it (`dispatchCopy`).
    fn add(&mut self, add: &Add<'_>, state: &State, span: Span) -> CopyOp {
        let chown = self.optional(add.chown.as_deref(), state, span);
        let chmod = self.optional(add.chmod.as_deref(), state, span);
        let checksum = self.optional(add.checksum.as_deref(), state, span);
        let sources = self.sources(&add.sources, state, span, true);
        let written = self.expand(&add.destination, state, span);
        let mut op = CopyOp {
            add: true,
            from: From::Context,
            sources,
            destination: absolute(&written, state),
            written_destination: written,
            chown,
            chmod,
            link: add.link,
            parents: false,
            excludes: add.excludes.iter().map(ToString::to_string).collect(),
            checksum,
            keep_git_dir: add.keep_git_dir,
            unpack: add.unpack,
        };
        if let Err(message) = op.settle() {
            self.problem("invalid-source", span, message);
        }
        self.check_copy(&op, span);
        op
    }

    /// Instructions that change the image configuration alone.
    fn configure(
        &mut self,
        instruction: &Instruction<'_>,
        span: Span,
        state: &mut Arc<State>,
        walk: &mut Walk,
    ) {
        match instruction.view() {
            View::User(user) => {
                let user = self.expand(&user.value, state, span);
                walk.words.push(user.clone());
                Arc::make_mut(state).config.user = user;
            }
            View::Shell(shell) => {
                let words: Vec<_> = shell.words.iter().map(ToString::to_string).collect();
                walk.words.extend_from_slice(&words);
                Arc::make_mut(state).config.shell = words;
            }
            View::Cmd(cmd) => {
                let argv = argv(&cmd.command, &state.config);
                walk.words.extend_from_slice(&argv);
                Arc::make_mut(state).config.cmd = Some(argv);
                walk.has_cmd = true;
            }
            View::Entrypoint(entrypoint) => {
                let argv = argv(&entrypoint.command, &state.config);
                walk.words.extend_from_slice(&argv);
                let config = &mut Arc::make_mut(state).config;
                config.entrypoint = Some(argv);
                // A CMD of the base goes; one of this stage stays.
                if !walk.has_cmd {
                    config.cmd = None;
                }
            }
            View::Expose(expose) => {
                let mut written: Vec<&str> = expose.ports.iter().map(|port| &**port).collect();
                written.sort_unstable();
                let words: Vec<String> = written
                    .into_iter()
                    .flat_map(|port| self.expand_words(port, state, span))
                    .collect();
                walk.words.extend_from_slice(&words);
                for word in words {
                    let found = exposed_ports(&word).unwrap_or_else(|error| {
                        self.problem(error.code(), span, error.message());
                        Vec::new()
                    });
                    let ports = &mut Arc::make_mut(state).config.ports;
                    for port in found {
                        if let Err(at) = ports.binary_search(&port) {
                            ports.insert(at, port);
                        }
                    }
                }
            }
            View::Volume(volume) => {
                for path in &volume.paths {
                    // Trimmed before variables are put in (`parseVolume`); `trim` knows the white space that Go knows.
                    let path = self.expand(path.trim(), state, span);
                    if path.is_empty() {
                        let message = "VOLUME specified can not be an empty string";
                        self.problem("blank-volume", span, message);
                    }
                    walk.words.push(path.clone());
                    let volumes = &mut Arc::make_mut(state).config.volumes;
                    if let Err(at) = volumes.binary_search(&path) {
                        volumes.insert(at, path);
                    }
                }
            }
            View::Label(label) => {
                let pairs: Vec<_> = label
                    .pairs
                    .iter()
                    .map(|pair| {
                        (
                            self.expand(&pair.key, state, span),
                            self.expand(&pair.value, state, span),
                        )
                    })
                    .collect();
                walk.words.extend(words(&pairs));
                Arc::make_mut(state).config.labels.extend(pairs);
            }
            View::Stopsignal(signal) => {
                let signal = self.expand(&signal.value, state, span);
                if !is_signal(&signal) {
                    self.problem("invalid-signal", span, format!("invalid signal: {signal}"));
                }
                walk.words.push(signal.clone());
                Arc::make_mut(state).config.stop_signal = signal;
            }
            View::Healthcheck(check) => {
                let test = match &check.test {
                    HealthcheckTest::None => vec!["NONE".to_owned()],
                    HealthcheckTest::Shell(text) => vec!["CMD-SHELL".to_owned(), text.to_string()],
                    HealthcheckTest::Exec(words) => ["CMD".to_owned()]
                        .into_iter()
                        .chain(words.iter().map(ToString::to_string))
                        .collect(),
                };
                walk.words.extend_from_slice(&test);
                walk.words.extend(settings(&check));
                Arc::make_mut(state).config.healthcheck = Some(test);
            }
            View::Onbuild(onbuild) => walk.words.push(onbuild.expression()),
            View::Maintainer(maintainer) => walk.words.push(maintainer.value.to_string()),
            _ => {}
        }
    }

    /// `dispatchArg`: a build argument, else the default, else the global value; what has a value is in the environment from here on.
    fn arg(&mut self, name: &str, default: Option<&str>, state: &mut Arc<State>, span: Span) {
        let value = match (self.options.build_args.get(name), default) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(default)) => Some(self.expand(default, state, span)),
            (None, None) => self.global_args.get(name).map(str::to_owned),
        };
        let state = Arc::make_mut(state);
        if !state.args.iter().any(|arg| arg == name) {
            state.args.push(name.to_owned());
        }
        if let Some(value) = value.filter(|_| !NON_ENV_ARGS.contains(&name)) {
            state.env.set(name, &value);
        }
    }

    fn expand(&mut self, word: &str, state: &State, span: Span) -> String {
        match self.expander.word(word, &state.env) {
            Ok(expanded) => expanded.value.into_owned(),
            Err(error) => {
                self.problem("expansion", span, error.to_string());
                word.to_owned()
            }
        }
    }

    fn expand_words(&mut self, word: &str, state: &State, span: Span) -> Vec<String> {
        self.expander
            .words(word, &state.env)
            .unwrap_or_else(|error| {
                self.problem("expansion", span, error.to_string());
                Vec::new()
            })
    }

    fn optional(&mut self, word: Option<&str>, state: &State, span: Span) -> String {
        word.map(|word| self.expand(word, state, span))
            .unwrap_or_default()
    }

    fn check_copy(&mut self, op: &CopyOp, span: Span) {
        if let Err(message) = check_mode(&op.chmod) {
            self.problem("invalid-mode", span, message);
        }
    }

    fn sources(
        &mut self,
        sources: &[Source<'_>],
        state: &State,
        span: Span,
        add: bool,
    ) -> Vec<CopySource> {
        sources
            .iter()
            .map(|source| {
                if let Some(heredoc) = &source.heredoc {
                    return self.heredoc(heredoc, state, span);
                }
                let text = self.expand(&source.text, state, span);
                CopySource::read(&text, add).unwrap_or_else(|message| {
                    self.problem("invalid-source", span, message);
                    CopySource::Path(text)
                })
            })
            .collect()
    }

    fn heredoc(&mut self, heredoc: &Heredoc<'_>, state: &State, span: Span) -> CopySource {
        let raw = heredoc.chomped();
        let content = if heredoc.expand {
            Expander::heredoc().word(&raw, &state.env).map_or_else(
                |error| {
                    self.problem("expansion", span, error.to_string());
                    String::new()
                },
                |expanded| expanded.value.into_owned(),
            )
        } else {
            raw.into_owned()
        };
        CopySource::Heredoc {
            name: heredoc.name.to_string(),
            content,
        }
    }

    /// `findStateByName`: a name in any case; of several stages the last.
    pub(super) fn stage_named(&self, name: &str) -> Option<StageId> {
        self.names.get(&name.to_lowercase()).copied()
    }

    /// `toCommand`: an index, a stage of any later or earlier place, or an image; a stage that is not there yet is an error.
    fn copy_from(&mut self, name: &str, span: Span, walk: &mut Walk) -> From {
        let plain = self.expander.word(name, &());
        if plain.is_ok_and(|expanded| expanded.value != name) {
            let message = "variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround";
            self.problem("variable-in-from", span, message);
            return From::Image(name.to_owned());
        }
        let stage = match name.parse::<usize>() {
            Ok(index) if index < self.stages.len() => Some(StageId(index)),
            Ok(index) => {
                self.problem(
                    "invalid-stage-index",
                    span,
                    format!("invalid stage index {index}"),
                );
                return From::Image(name.to_owned());
            }
            Err(_) => self.stage_named(name),
        };
        self.edges.extend(stage.map(|stage| (walk.id, stage)));
        match stage {
            Some(stage) if stage >= walk.id => {
                let message = format!(
                    "cannot copy from stage {}, it needs to be defined before current stage {}",
                    quote(name),
                    quote(&self.stages_ref(walk.id).label())
                );
                self.problem("copy-from-later-stage", span, message);
                From::Image(name.to_owned())
            }
            Some(stage) => {
                walk.needs.insert(stage);
                From::Stage(stage)
            }
            None => match self.named(name) {
                Some(named) => From::Named(named),
                None => From::Image(name.to_owned()),
            },
        }
    }
}

/// A number but 0, or the name of a Linux signal in any case, with `SIG` or without (`github.com/moby/sys/signal`).
fn is_signal(text: &str) -> bool {
    const NAMES: &str = " ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP \
        TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX ";
    if let Ok(number) = text.parse::<i64>() {
        return number != 0;
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |start: &str, last: u8| {
        let number = name
            .strip_prefix(start)
            .filter(|text| !text.starts_with(['0', '+']));
        number
            .and_then(|text| text.parse::<u8>().ok())
            .is_some_and(|number| (1..=last).contains(&number))
    };
    (!name.contains(' ') && NAMES.contains(&format!(" {name} ")))
        || real_time("RTMIN+", 15)
        || real_time("RTMAX-", 14)
}

/// `pathRelativeToWorkingDir`: the working directory is put before a relative path; a slash at the end stays.
fn absolute(path: &str, state: &State) -> String {
    let mut absolute = join(state.workdir(), path);
    if (path.ends_with('/') || path == "." || path.is_empty() || path.ends_with("/."))
        && absolute != "/"
    {
        absolute.push('/');
    }
    absolute
}

fn words(pairs: &[(String, String)]) -> impl Iterator<Item = String> {
    pairs.iter().map(|(key, value)| format!("{key}={value}"))
}

/// How often and how long a health check tries.
fn settings(check: &Healthcheck<'_>) -> [String; 5] {
    [
        &check.interval,
        &check.timeout,
        &check.start_period,
        &check.start_interval,
        &check.retries,
    ]
    .map(|one| one.as_deref().unwrap_or_default().to_owned())
}
