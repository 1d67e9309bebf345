//! New instructions and files, printed so that they are read back as the same values.
//!
//! ```
//! use stagewright_syntax::write;
//!
//! let mut file = write::Dockerfile::new();
//! file.push(write::From::image("python:3.12-slim").named("base"));
//! file.push(write::Run::shell("pip install -r requirements.txt").mount(write::Mount::cache("/root/.cache/pip")));
//! file.push(write::Cmd::exec(["gunicorn", "app:app"]));
//! assert_eq!(
//!     file.to_string(),
//!     "FROM python:3.12-slim AS base\n\
//!      RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n\
//!      CMD [\"gunicorn\", \"app:app\"]\n"
//! );
//! ```

mod builder;
mod value;

pub use builder::{Add, Copy, From, Mount, Run};
pub use value::{
    Arg, Cmd, Entrypoint, Env, Expose, Healthcheck, Label, Onbuild, Shell, Stopsignal, User,
    Volume, Workdir,
};

use crate::edit::EditError;
use std::fmt::{self, Write as _};

/// An instruction that can be printed.
pub trait Print {
    /// The instruction as text without a final line break, for a file with this escape character.
    ///
    /// The text is read back before it is handed out: an error if it would not give the same values, as with line breaks
    /// in a path, or a command in shell form that is a JSON array.
    fn print(&self, escape: char) -> Result<String, EditError>;
}

/// Instructions that are written already, comments and blank lines among them. They are printed as they are.
impl Print for str {
    fn print(&self, _escape: char) -> Result<String, EditError> {
        Ok(self.to_owned())
    }
}

/// Prints with the backslash for escape character. What cannot be written is a formatting error, which makes `to_string`
/// panic: values from outside go through [`Print::print`].
macro_rules! display {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.print('\\').map_err(|_| fmt::Error)?)
            }
        }
    )*};
}

display!(From Run Copy Add Env Label Arg Workdir User Stopsignal Cmd Entrypoint Shell Expose Volume Healthcheck Onbuild);

/// A new file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    lines: String,
    error: Option<EditError>,
}

impl Dockerfile {
    /// An empty file; its escape character is the backslash.
    pub const fn new() -> Self {
        Self {
            lines: String::new(),
            error: None,
        }
    }

    /// Adds an instruction.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "callers push what they have just built"
    )]
    pub fn push(&mut self, instruction: impl Print) -> &mut Self {
        match instruction.print('\\') {
            Ok(text) => self.line(&text),
            Err(error) => {
                self.error.get_or_insert(error);
                self
            }
        }
    }

    /// Adds comment lines, one for each line of the text.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        for line in text.split('\n') {
            let line = format!("# {line}");
            self.line(line.trim_end_matches(crate::go::is_space));
        }
        self
    }

    /// Adds a parser directive; these stand at the top.
    pub fn directive(&mut self, name: &str, value: &str) -> &mut Self {
        let line = format!("# {name}={value}");
        if value.contains('\n') {
            self.error
                .get_or_insert(EditError::Unwritable { value: line });
            return self;
        }
        self.line(&line)
    }

    /// Adds an empty line.
    pub fn blank(&mut self) -> &mut Self {
        self.line("")
    }

    fn line(&mut self, line: &str) -> &mut Self {
        self.lines.push_str(line);
        self.lines.push('\n');
        self
    }

    /// The text of the file, or the first instruction that could not be written.
    pub fn print(&self) -> Result<String, EditError> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None => Ok(self.lines.clone()),
        }
    }
}

/// The text of the file. An instruction that could not be written is a formatting error, which makes `to_string` panic:
/// values from outside go through [`Dockerfile::print`].
impl fmt::Display for Dockerfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error {
            Some(_) => Err(fmt::Error),
            None => f.write_str(&self.lines),
        }
    }
}

/// A flag with its dashes, the value quoted where it must be.
///
/// An error if the value holds a line break, or characters beyond ASCII, which `BuildKit` spoils in flags.
pub fn flag(name: &str, value: Option<&str>, escape: char) -> Result<String, EditError> {
    let Some(value) = value else {
        return Ok(format!("--{name}"));
    };
    if value.contains(['\n', '\r']) || !value.is_ascii() {
        return Err(EditError::Unwritable {
            value: value.to_owned(),
        });
    }
    let special =
        |c: char| c.is_ascii_whitespace() || c == '\x0b' || matches!(c, '"' | '\'') || c == escape;
    if !value.contains(special) {
        return Ok(format!("--{name}={value}"));
    }
    let mut out = format!("--{name}=\"");
    for c in value.chars() {
        if c == '"' || c == escape {
            out.push(escape);
        }
        out.push(c);
    }
    out.push('"');
    Ok(out)
}

/// A JSON array of strings on one line, as the exec forms and `COPY ["a b", "c"]` take it.
pub fn json_array<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    let mut out = String::from("[");
    for (index, word) in words.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push('"');
        for c in word.as_ref().chars() {
            match c {
                '"' | '\\' => {
                    out.push('\\');
                    out.push(c);
                }
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if (c as u32) < 0x20 => {
                    let _ = write!(out, "\\u{:04x}", c as u32);
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out.push(']');
    out
}

/// A value for `ENV`, `LABEL` and `ARG` that expands to exactly this text: quoted where it must be, dollars escaped.
///
/// An error if the text holds a line break, which no such value can.
pub fn literal(value: &str, escape: char) -> Result<String, EditError> {
    quoted(value, escape, false)
}

/// A value for `ENV`, `LABEL` and `ARG` in which variables stand: quoted where it must be.
///
/// An error if the text holds a line break, which no such value can.
pub fn value(value: &str, escape: char) -> Result<String, EditError> {
    quoted(value, escape, true)
}

fn quoted(value: &str, escape: char, variables: bool) -> Result<String, EditError> {
    if value.contains(['\n', '\r']) {
        return Err(EditError::Unwritable {
            value: value.to_owned(),
        });
    }
    let plain = |c: char| {
        c.is_alphanumeric() || "_-./:=@%+,~^".contains(c) || (variables && "${}".contains(c))
    };
    if !value.is_empty() && value.chars().all(plain) {
        return Ok(value.to_owned());
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        if c == '"' || c == escape || (c == '$' && !variables) {
            out.push(escape);
        }
        out.push(c);
    }
    out.push('"');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_printed() {
        let cases: [(&dyn Print, &str); 14] = [
            (
                &From::image("a").platform("linux/amd64"),
                "FROM --platform=linux/amd64 a",
            ),
            (&Run::shell(" --x "), "RUN -- --x"),
            (&Run::lines(["a", "&& b"]), "RUN a \\\n    && b"),
            (&Run::script("EOF\nx"), "RUN <<EOF_\nEOF\nx\nEOF_"),
            (
                &Run::exec(["a\"b\\"]).mount(Mount::bind("a,b", "/c d").read_only()),
                "RUN --mount=\"type=bind,\\\"source=a,b\\\",target=/c d,readonly\" [\"a\\\"b\\\\\"]",
            ),
            (
                &Copy::files(["a"], "b").from("c").link(),
                "COPY --from=c --link a b",
            ),
            (&Copy::files(["a b"], "c"), "COPY [\"a b\", \"c\"]"),
            (
                &Add::files(["a"], "b").unpack(false),
                "ADD --unpack=false a b",
            ),
            (
                &Env::new().set("A", "$B c").literal("D", "$E"),
                "ENV A=\"$B c\" D=\"\\$E\"",
            ),
            (&Arg::new("A").default_value(""), "ARG A=\"\""),
            (&Volume::new(["/a b"]), "VOLUME [\"/a b\"]"),
            (&Expose::new([80, 443]), "EXPOSE 80 443"),
            (
                &Healthcheck::shell("x").interval("5s"),
                "HEALTHCHECK --interval=5s CMD x",
            ),
            (
                &Onbuild::new(&Run::script("x")).unwrap(),
                "ONBUILD RUN <<EOF\nx\nEOF",
            ),
        ];
        for (instruction, want) in cases {
            assert_eq!(instruction.print('\\').unwrap(), want);
        }
        assert_eq!(
            Env::new().literal("A", "a`$").print('`').unwrap(),
            "ENV A=\"a```$\""
        );
    }

    #[test]
    fn what_would_not_be_read_back_is_refused() {
        let cases: [&dyn Print; 10] = [
            &Run::shell("[\"a\"]"),
            &Run::shell("a \\"),
            &Run::shell("a\nRUN b"),
            &Run::shell("cat <<EOF"),
            &From::image("a b"),
            &From::image("a").named("9"),
            &Copy::files(["<<a"], "b"),
            &Env::new().set("a b", "c"),
            &Workdir::new(""),
            &Healthcheck::shell("x").interval("5"),
        ];
        for instruction in cases {
            assert_eq!(
                instruction.print('\\').unwrap_err().code(),
                "value-unwritable"
            );
        }
    }
}
