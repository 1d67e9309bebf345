//! The parts of an instruction as plain JavaScript objects.

use napi_derive::napi;
use stagewright::report;
use stagewright::report::view::{
    ParsedCommand, ParsedImage, ParsedMount, ParsedPair, ParsedText, ParsedWord,
};

use crate::value::{Span, all};

/// A piece of the text with its place.
#[napi(object, object_from_js = false)]
pub struct Text {
    /// The text as BuildKit reads it: continuations joined, comments between them gone.
    pub text: String,
    /// Its bytes.
    pub span: Span,
}

/// A key with its value.
#[napi(object, object_from_js = false)]
pub struct Pair {
    /// The key.
    pub key: Text,
    /// The value as written, quotes and variables included; nothing for an argument without a default, or a plain option.
    pub value: Option<Text>,
    /// From the key to the end of the value.
    pub span: Span,
}

/// A mount of a `RUN`.
#[napi(object, object_from_js = false)]
pub struct Mount {
    /// Its options, in order.
    pub options: Vec<Pair>,
    /// The bytes of the flag's value.
    pub span: Span,
}

/// An image reference.
#[napi(object, object_from_js = false)]
pub struct ImageReference {
    /// The registry as written, if it is.
    pub registry: Option<Text>,
    /// The repository as written.
    pub repository: Text,
    /// The tag, without its colon.
    pub tag: Option<Text>,
    /// The digest with its algorithm.
    pub digest: Option<Text>,
}

/// A word of a command.
#[napi(object, object_from_js = false)]
pub struct Word {
    /// The word as written.
    pub text: String,
    /// What the command gets: quotes removed; nothing where only a run knows it.
    pub value: Option<String>,
    /// Its bytes.
    pub span: Span,
}

/// A command of a shell script.
#[napi(object, object_from_js = false)]
pub struct Command {
    /// Its words, the program first.
    pub words: Vec<Word>,
    /// Its bytes.
    pub span: Span,
}

/// The parts of an instruction, each with its place. Which there are depends on its kind; a faulty instruction has name and
/// arguments only. Of `ONBUILD` they are those of the instruction that it holds.
#[napi(object, object_from_js = false)]
pub struct InstructionView {
    /// The name as written.
    pub name: Text,
    /// Everything behind name and flags.
    pub arguments: Text,
    /// Whether the arguments are a JSON array.
    pub json: bool,
    /// The words: image of `FROM`; sources and destination of `COPY` and `ADD`; words of a command without a shell, of `SHELL`,
    /// `EXPOSE` and `VOLUME`; the value of `WORKDIR`, `USER`, `STOPSIGNAL` and `MAINTAINER`. Spans of words in JSON hold the
    /// quotes.
    pub words: Vec<Text>,
    /// The name that a `FROM` gives its stage.
    pub stage_name: Option<Text>,
    /// The image of a `FROM`, if its reference is written out.
    pub image: Option<ImageReference>,
    /// Keys and values of `ENV`, `LABEL` and `ARG`, as written.
    pub pairs: Vec<Pair>,
    /// Mounts of a `RUN`.
    pub mounts: Vec<Mount>,
    /// The commands that a `RUN` has the shell run, also in a heredoc, as far as they can be read.
    pub commands: Vec<Command>,
}

impl From<&ParsedText> for Text {
    fn from(text: &ParsedText) -> Self {
        Self {
            text: text.text.clone(),
            span: text.span.into(),
        }
    }
}

impl From<&ParsedPair> for Pair {
    fn from(pair: &ParsedPair) -> Self {
        Self {
            key: (&pair.key).into(),
            value: pair.value.as_ref().map(Text::from),
            span: pair.span.into(),
        }
    }
}

impl From<&ParsedMount> for Mount {
    fn from(mount: &ParsedMount) -> Self {
        Self {
            options: all(&mount.options),
            span: mount.span.into(),
        }
    }
}

impl From<&ParsedImage> for ImageReference {
    fn from(image: &ParsedImage) -> Self {
        Self {
            registry: image.registry.as_ref().map(Text::from),
            repository: (&image.repository).into(),
            tag: image.tag.as_ref().map(Text::from),
            digest: image.digest.as_ref().map(Text::from),
        }
    }
}

impl From<&ParsedWord> for Word {
    fn from(word: &ParsedWord) -> Self {
        Self {
            text: word.text.clone(),
            value: word.value.clone(),
            span: word.span.into(),
        }
    }
}

impl From<&ParsedCommand> for Command {
    fn from(command: &ParsedCommand) -> Self {
        Self {
            words: all(&command.words),
            span: command.span.into(),
        }
    }
}

impl From<&report::InstructionView> for InstructionView {
    fn from(view: &report::InstructionView) -> Self {
        Self {
            name: (&view.name).into(),
            arguments: (&view.arguments).into(),
            json: view.json,
            words: all(&view.words),
            stage_name: view.stage_name.as_ref().map(Text::from),
            image: view.image.as_ref().map(ImageReference::from),
            pairs: all(&view.pairs),
            mounts: all(&view.mounts),
            commands: all(&view.commands),
        }
    }
}
