//! The parts of one instruction, each with its place: what an editor needs to change one of them.

use serde::Serialize;
use stagewright_syntax::edit::EditError;
use stagewright_syntax::image::ImageRef;
use stagewright_syntax::instruction::{self, Command, HealthcheckTest, ScriptForm, Source};
use stagewright_syntax::shell::{self, Script};
use stagewright_syntax::{Dockerfile, Instruction, Span, Text, View};

use super::parse::Range;
use crate::edit::OperationError;

/// A piece of the text with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedText {
    /// The text as BuildKit reads it: continuations joined, comments between them gone.
    pub text: String,
    /// Its bytes in the file.
    pub span: Range,
}

impl From<&Text<'_>> for ParsedText {
    fn from(text: &Text<'_>) -> Self {
        Self {
            text: text.to_string(),
            span: text.span.into(),
        }
    }
}

/// The parts of an instruction. Which there are depends on its kind; a faulty instruction has name and arguments only. Of `ONBUILD` they are
/// those of the instruction that it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InstructionView {
    /// The name as written.
    pub name: ParsedText,
    /// Everything behind name and flags.
    pub arguments: ParsedText,
    /// Whether the arguments are a JSON array.
    pub json: bool,
    /// The words: image of `FROM`; sources and destination of `COPY` and `ADD`; words of a command without a shell, of `SHELL`, `EXPOSE` and
    /// `VOLUME`; the value of `WORKDIR`, `USER`, `STOPSIGNAL` and `MAINTAINER`. Spans of words in JSON hold the quotes.
    pub words: Vec<ParsedText>,
    /// The name that a `FROM` gives its stage.
    pub stage_name: Option<ParsedText>,
    /// The image of a `FROM`, if its reference is written out.
    pub image: Option<ParsedImage>,
    /// Keys and values of `ENV`, `LABEL` and `ARG`, as written.
    pub pairs: Vec<ParsedPair>,
    /// Mounts of a `RUN`.
    pub mounts: Vec<ParsedMount>,
    /// The commands that a `RUN` has the shell run, also in a heredoc, as far as they can be read.
    pub commands: Vec<ParsedCommand>,
}

/// An image reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedImage {
    /// The registry as written, if it is.
    pub registry: Option<ParsedText>,
    /// The repository as written.
    pub repository: ParsedText,
    /// The tag, without its colon.
    pub tag: Option<ParsedText>,
    /// The digest with its algorithm.
    pub digest: Option<ParsedText>,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedPair {
    /// The key.
    pub key: ParsedText,
    /// The value as written, quotes and variables included; nothing for an argument without a default, or a plain option.
    pub value: Option<ParsedText>,
    /// From the key to the end of the value.
    pub span: Range,
}

/// A mount of a `RUN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedMount {
    /// Its options, in order.
    pub options: Vec<ParsedPair>,
    /// The value of the flag.
    pub span: Range,
}

/// A command of a shell script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedCommand {
    /// Its words, the program first.
    pub words: Vec<ParsedWord>,
    /// Its bytes in the file.
    pub span: Range,
}

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedWord {
    /// The word as written.
    pub text: String,
    /// What the command gets: quotes removed; nothing where only a run knows it.
    pub value: Option<String>,
    /// Its bytes in the file.
    pub span: Range,
}

impl InstructionView {
    /// The parts of an instruction of a file, counted from 0.
    pub fn of(file: &Dockerfile<'_>, index: usize) -> Result<Self, OperationError> {
        if index < file.len() {
            return Ok(Self::new(&file.instruction(index)));
        }
        let count = file.len();
        Err(EditError::NoInstruction { index, count }.into())
    }

    /// The parts of an instruction.
    pub fn new(instruction: &Instruction<'_>) -> Self {
        let mut view = Self {
            name: (&instruction.keyword_text()).into(),
            arguments: (&instruction.arguments()).into(),
            json: false,
            words: Vec::new(),
            stage_name: None,
            image: None,
            pairs: Vec::new(),
            mounts: Vec::new(),
            commands: Vec::new(),
        };
        match instruction.view() {
            View::Onbuild(trigger) => {
                if let Ok(nested) = trigger.nested() {
                    view.fill(nested);
                }
            }
            other => view.fill(&other),
        }
        view
    }

    fn fill(&mut self, view: &View<'_>) {
        match view {
            View::From(from) => {
                self.words = vec![(&from.image).into()];
                self.stage_name = from.name.as_ref().map(ParsedText::from);
                self.image = image(&from.image);
            }
            View::Run(run) => {
                self.command(&run.command);
                self.mounts = run.mounts.iter().map(mount).collect();
                self.commands = commands(run);
            }
            View::Copy(copy) => self.files(&copy.sources, &copy.destination, copy.json),
            View::Add(add) => self.files(&add.sources, &add.destination, add.json),
            View::Env(env) => self.pairs = env.pairs.iter().map(pair).collect(),
            View::Label(label) => self.pairs = label.pairs.iter().map(pair).collect(),
            View::Arg(arg) => {
                let args = arg.args.iter();
                self.pairs = args
                    .map(|arg| named(&arg.key, arg.value.as_ref(), arg.span()))
                    .collect();
            }
            View::Workdir(found) => self.words = vec![(&found.value).into()],
            View::User(found) => self.words = vec![(&found.value).into()],
            View::Stopsignal(found) => self.words = vec![(&found.value).into()],
            View::Maintainer(found) => self.words = vec![(&found.value).into()],
            View::Cmd(found) => self.command(&found.command),
            View::Entrypoint(found) => self.command(&found.command),
            View::Healthcheck(found) => {
                if let HealthcheckTest::Exec(words) = &found.test {
                    self.list(words, true);
                }
            }
            View::Expose(found) => self.list(&found.ports, false),
            View::Volume(found) => self.list(&found.paths, found.json),
            View::Shell(found) => self.list(&found.words, true),
            _ => {}
        }
    }

    fn list(&mut self, words: &[Text<'_>], json: bool) {
        self.words = words.iter().map(ParsedText::from).collect();
        self.json = json;
    }

    fn command(&mut self, command: &Command<'_>) {
        if let Command::Exec(words) = command {
            self.list(words, true);
        }
    }

    fn files(&mut self, sources: &[Source<'_>], destination: &Text<'_>, json: bool) {
        let sources = sources.iter().map(|source| &source.text);
        self.words = sources.chain([destination]).map(ParsedText::from).collect();
        self.json = json;
    }
}

fn named(key: &Text<'_>, value: Option<&Text<'_>>, span: Span) -> ParsedPair {
    ParsedPair {
        key: key.into(),
        value: value.map(ParsedText::from),
        span: span.into(),
    }
}

fn pair(pair: &instruction::Pair<'_>) -> ParsedPair {
    named(&pair.key, Some(&pair.value), pair.span())
}

fn mount(mount: &instruction::Mount<'_>) -> ParsedMount {
    let options = mount.options.iter();
    ParsedMount {
        options: options
            .map(|option| named(&option.key, option.value.as_ref(), option.span()))
            .collect(),
        span: mount.span.into(),
    }
}

/// The parts of a reference; nothing if it has variables, is none, or is broken over lines.
fn image(text: &Text<'_>) -> Option<ParsedImage> {
    let image = ImageRef::parse(text).ok()?;
    if text.len() != text.span.len() as usize {
        return None;
    }
    let part = |range: &std::ops::Range<usize>| {
        let offset = |at: usize| text.span.start + u32::try_from(at).unwrap_or(u32::MAX);
        ParsedText {
            text: text[range.clone()].to_owned(),
            span: Span::new(offset(range.start), offset(range.end)).into(),
        }
    };
    Some(ParsedImage {
        registry: image.domain_range.as_ref().map(part),
        repository: part(&image.path_range),
        tag: image.tag_range.as_ref().map(part),
        digest: image.digest_range.as_ref().map(part),
    })
}

fn commands(run: &instruction::Run<'_>) -> Vec<ParsedCommand> {
    let Some(script) = run
        .script()
        .filter(|script| script.form != ScriptForm::File)
    else {
        return Vec::new();
    };
    let word = |word: &shell::Word<'_>| ParsedWord {
        text: word.raw.to_owned(),
        value: word.literal().map(std::borrow::Cow::into_owned),
        span: script.source_span(word.span).into(),
    };
    let commands = Script::parse(&script.text).commands;
    commands
        .iter()
        .map(|command| ParsedCommand {
            words: command.words.iter().map(word).collect(),
            span: script.source_span(command.span).into(),
        })
        .collect()
}
