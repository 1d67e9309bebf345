//! Requirement files as pip reads them: continuations, comments, includes, constraints, options.
//!
//! The rules are those of pip's `req_file.py`: lines are joined first, then comments are cut, then each line is an option or a
//! requirement with its own options behind it.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::marker::Interpreter;
use super::requirement::{self, Requirement, excerpt};

/// What a requirement file and all that it includes ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requirements {
    /// What is installed, in the order of the files.
    pub entries: Vec<Requirement>,
    /// What limits versions without installing anything (`-c`).
    pub constraints: Vec<Requirement>,
    /// The files read, in the order of reading, the first one included.
    pub files: Vec<String>,
    /// Lines that pip would refuse, sorted by file and line as they were read.
    pub problems: Vec<RequirementProblem>,
    /// `--no-binary` or `--only-binary` or another index stand in the files: which files pip takes may differ from the tables.
    pub other_sources: bool,
}

/// A line of a requirement file that pip would refuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RequirementProblem {
    /// What is wrong, stable.
    pub code: RequirementProblemCode,
    /// The file.
    pub file: String,
    /// The line, 1-based.
    pub line: u32,
    /// What is wrong, in a sentence without place.
    pub message: String,
}

/// What can be wrong with a line of a requirement file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RequirementProblemCode {
    /// The line is no requirement.
    BadRequirement,
    /// The line is an option that pip does not know, or lacks its value.
    BadOption,
    /// An included file cannot be read.
    MissingInclude,
    /// A file includes itself, directly or by way of others, or includes go too deep.
    CircularInclude,
}

impl RequirementProblemCode {
    /// The code as a finding shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequirement => "bad-requirement",
            Self::BadOption => "bad-option",
            Self::MissingInclude => "missing-include",
            Self::CircularInclude => "circular-include",
        }
    }
}

impl fmt::Display for RequirementProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}: {}", self.file, self.line, self.message)
    }
}

impl Requirements {
    /// Reads a requirement file. `file` is its path, to which includes are relative; `lookup` gives the text of an included file
    /// by its path, or `None`. `python` decides the markers.
    pub fn read(
        file: &str,
        text: &str,
        python: (u32, u32),
        lookup: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Self {
        let mut reader = Reader {
            result: Self::default(),
            interpreter: Interpreter { python },
            lookup,
            open: Vec::new(),
            read: BTreeSet::new(),
        };
        reader.file(file, text, false);
        reader.result
    }

    /// Whether every entry names its one version.
    pub fn is_pinned(&self) -> bool {
        self.applying()
            .all(|entry| entry.version.is_some() || entry.source.is_some())
    }

    /// Whether pip checks hashes, and so takes nothing that is not listed.
    pub fn has_hashes(&self) -> bool {
        self.entries.iter().any(|entry| !entry.hashes.is_empty())
    }

    /// The entries whose marker holds.
    pub fn applying(&self) -> impl Iterator<Item = &Requirement> {
        self.entries.iter().filter(|entry| entry.applies)
    }
}

/// Includes nest no deeper in files that people write.
const DEPTH: usize = 32;

/// Options with a value that say where or how packages are found, not which.
const VALUED: [&str; 12] = [
    "-i",
    "--index-url",
    "--pypi-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--no-binary",
    "--only-binary",
    "--trusted-host",
    "--use-feature",
    "--global-option",
    "--config-settings",
];
const FLAGS: [&str; 5] = [
    "--no-index",
    "--prefer-binary",
    "--require-hashes",
    "--pre",
    "--no-deps",
];

struct Reader<'r> {
    result: Requirements,
    interpreter: Interpreter,
    lookup: &'r mut dyn FnMut(&str) -> Option<String>,
    /// The files being read, outermost first.
    open: Vec<String>,
    /// Files read already, once as requirements and once as constraints at most: a file included twice adds nothing.
    read: BTreeSet<(String, bool)>,
}

impl Reader<'_> {
    fn file(&mut self, file: &str, text: &str, constraint: bool) {
        self.open.push(file.to_owned());
        self.read.insert((file.to_owned(), constraint));
        if !self.result.files.iter().any(|one| one == file) {
            self.result.files.push(file.to_owned());
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, joined) in logical_lines(text) {
            let content = without_comment(&joined);
            if !content.is_empty() {
                self.line(content, file, line, constraint);
            }
        }
        self.open.pop();
    }

    fn line(&mut self, content: &str, file: &str, line: u32, constraint: bool) {
        let problem = match self.read_line(content, file, line, constraint) {
            Ok(()) => return,
            Err(problem) => problem,
        };
        self.result.problems.push(RequirementProblem {
            code: problem.0,
            file: file.to_owned(),
            line,
            message: problem.1,
        });
    }

    fn read_line(
        &mut self,
        content: &str,
        file: &str,
        line: u32,
        constraint: bool,
    ) -> Result<(), (RequirementProblemCode, String)> {
        use RequirementProblemCode::{BadOption, BadRequirement};
        if content.starts_with('-') {
            let (option, value) = option(content);
            return match option {
                "-r" | "--requirement" => self.include(value, file, constraint),
                "-c" | "--constraint" => self.include(value, file, true),
                "-e" | "--editable" => {
                    let (place, _) = cut_options(value);
                    let mut entry = self
                        .requirement(place, file, line)
                        .map_err(|message| (BadRequirement, message))?;
                    entry.editable = true;
                    self.push(entry, constraint);
                    Ok(())
                }
                _ if FLAGS.contains(&option) => {
                    self.result.other_sources |= option == "--no-index";
                    Ok(())
                }
                _ if VALUED.contains(&option) => {
                    self.result.other_sources = true;
                    if value.is_empty() {
                        return Err((BadOption, format!("`{option}` lacks its value")));
                    }
                    Ok(())
                }
                _ => Err((
                    BadOption,
                    format!("`{}` is no option of requirement files", excerpt(option)),
                )),
            };
        }
        let (text, options) = cut_options(content);
        let mut entry = self
            .requirement(text, file, line)
            .map_err(|message| (BadRequirement, message))?;
        entry.hashes = hashes(options);
        self.push(entry, constraint);
        Ok(())
    }

    fn requirement(&self, text: &str, file: &str, line: u32) -> Result<Requirement, String> {
        let mut entry = requirement::read(text, self.interpreter)?;
        file.clone_into(&mut entry.file);
        entry.line = line;
        Ok(entry)
    }

    fn push(&mut self, entry: Requirement, constraint: bool) {
        if constraint {
            self.result.constraints.push(entry);
        } else {
            self.result.entries.push(entry);
        }
    }

    fn include(
        &mut self,
        value: &str,
        from: &str,
        constraint: bool,
    ) -> Result<(), (RequirementProblemCode, String)> {
        if value.is_empty() {
            return Err((
                RequirementProblemCode::BadOption,
                "the name of the file to include is missing".to_owned(),
            ));
        }
        let path = beside(from, value);
        if self.open.contains(&path) || self.open.len() >= DEPTH {
            let message = format!("`{}` includes itself", excerpt(value));
            return Err((RequirementProblemCode::CircularInclude, message));
        }
        if self.read.contains(&(path.clone(), constraint)) {
            return Ok(());
        }
        let Some(text) = (self.lookup)(&path) else {
            let message = format!("`{}` cannot be read", excerpt(value));
            return Err((RequirementProblemCode::MissingInclude, message));
        };
        self.file(&path, &text, constraint);
        Ok(())
    }
}

/// An option and its value: `-r file`, `-rfile`, `--requirement=file`.
fn option(content: &str) -> (&str, &str) {
    let short = content.len() > 2 && !content.starts_with("--");
    let end = content
        .find(|c: char| c.is_whitespace() || c == '=')
        .unwrap_or(content.len());
    let end = if short && content.is_char_boundary(2) {
        end.min(2)
    } else {
        end
    };
    let value = content[end..].trim_start();
    (
        &content[..end],
        value.strip_prefix('=').unwrap_or(value).trim(),
    )
}

/// Splits a requirement from the options behind it, at the first word that starts with `-`.
fn cut_options(content: &str) -> (&str, &str) {
    let mut start = 0;
    for (at, space) in content.match_indices(char::is_whitespace) {
        let next = at + space.len();
        if content[next..].starts_with("--") {
            start = at;
            break;
        }
    }
    if start == 0 {
        (content.trim(), "")
    } else {
        (content[..start].trim_end(), content[start..].trim_start())
    }
}

fn hashes(options: &str) -> Vec<String> {
    let mut words = options.split_whitespace();
    let mut hashes = Vec::new();
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--hash=") {
            Some(value) => Some(value),
            None if word == "--hash" => words.next(),
            None => None,
        };
        hashes.extend(value.map(|value| value.trim_matches(['"', '\'']).to_owned()));
    }
    hashes
}

/// Lines with continuations joined, each with the number of its first line.
fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(u32, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        // A comment line ends a continuation and adds nothing to it.
        let comment = line.trim_start().starts_with('#');
        if let (false, Some(part)) = (comment, line.strip_suffix('\\')) {
            open.get_or_insert_with(|| (number, String::new()))
                .1
                .push_str(part);
            continue;
        }
        let rest = if comment { "" } else { line };
        match open.take() {
            Some((first, joined)) => lines.push((first, joined + rest)),
            None => lines.push((number, rest.to_owned())),
        }
    }
    lines.extend(open);
    lines
}

/// Cuts a comment: `#` at the start or behind white space.
fn without_comment(line: &str) -> &str {
    let hash = line
        .match_indices('#')
        .find(|(at, _)| *at == 0 || line[..*at].ends_with(char::is_whitespace));
    hash.map_or(line, |(at, _)| &line[..at]).trim()
}

/// The path of an included file, relative to the file that includes it.
fn beside(from: &str, include: &str) -> String {
    if include.starts_with('/') || include.contains("://") {
        return include.to_owned();
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let absolute = from.starts_with('/');
    for part in include.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|part| *part != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let root = if absolute { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}
