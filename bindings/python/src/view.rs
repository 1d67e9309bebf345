//! The parts of an instruction as frozen Python classes.

use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use stagewright::report;
use stagewright::report::view::{
    ParsedCommand, ParsedImage, ParsedMount, ParsedPair, ParsedText, ParsedWord,
};

use crate::value::{Span, all, value};

value! {
    /// A piece of the text with its place.
    Text {
        /// The text as BuildKit reads it: continuations joined, comments between them gone.
        text: String,
        /// Its bytes.
        span: Span,
    }
}

value! {
    /// A key with its value.
    Pair {
        /// The key.
        key: Text,
        /// The value as written, quotes and variables included; nothing for an argument without a default, or a plain option.
        value: Option<Text>,
        /// From the key to the end of the value.
        span: Span,
    }
}

value! {
    /// A mount of a `RUN`.
    Mount {
        /// Its options, in order.
        options: Vec<Pair>,
        /// The bytes of the flag's value.
        span: Span,
    }
}

value! {
    /// An image reference.
    ImageReference {
        /// The registry as written, if it is.
        registry: Option<Text>,
        /// The repository as written.
        repository: Text,
        /// The tag, without its colon.
        tag: Option<Text>,
        /// The digest with its algorithm.
        digest: Option<Text>,
    }
}

value! {
    /// A word of a command.
    Word {
        /// The word as written.
        text: String,
        /// What the command gets: quotes removed; nothing where only a run knows it.
        value: Option<String>,
        /// Its bytes.
        span: Span,
    }
}

value! {
    /// A command of a shell script.
    Command {
        /// Its words, the program first.
        words: Vec<Word>,
        /// Its bytes.
        span: Span,
    }
}

value! {
    /// The parts of an instruction, each with its place. Which there are depends on its kind; a faulty instruction has name and
    /// arguments only. Of `ONBUILD` they are those of the instruction that it holds.
    InstructionView {
        /// The name as written.
        name: Text,
        /// Everything behind name and flags.
        arguments: Text,
        /// Whether the arguments are a JSON array.
        json: bool,
        /// The words: image of `FROM`; sources and destination of `COPY` and `ADD`; words of a command without a shell, of `SHELL`,
        /// `EXPOSE` and `VOLUME`; the value of `WORKDIR`, `USER`, `STOPSIGNAL` and `MAINTAINER`. Spans of words in JSON hold the
        /// quotes.
        words: Vec<Text>,
        /// The name that a `FROM` gives its stage.
        stage_name: Option<Text>,
        /// The image of a `FROM`, if its reference is written out.
        image: Option<ImageReference>,
        /// Keys and values of `ENV`, `LABEL` and `ARG`, as written.
        pairs: Vec<Pair>,
        /// Mounts of a `RUN`.
        mounts: Vec<Mount>,
        /// The commands that a `RUN` has the shell run, also in a heredoc, as far as they can be read.
        commands: Vec<Command>,
    }
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
