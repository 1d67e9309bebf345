//! Why a step runs again, in data and in words.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::options::Export;
use crate::build::StepId;
use crate::context::Difference;

/// What makes a step run again: the first thing that differs from the build before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// The build before had no such step.
    Added,
    /// The instruction reads differently.
    Text {
        /// The instruction before.
        before: String,
        /// The instruction now.
        after: String,
    },
    /// A build argument has another value.
    BuildArg {
        /// Its name.
        name: String,
        /// The value before, if it was given.
        before: Option<String>,
        /// The value now, if it is given.
        after: Option<String>,
    },
    /// A variable of the environment has another value.
    Variable {
        /// Its name.
        name: String,
        /// The value before, if it was set.
        before: Option<String>,
        /// The value now, if it is set.
        after: Option<String>,
    },
    /// The variables of the environment are the same, but come in another order.
    VariableOrder {
        /// The first that stands elsewhere.
        name: String,
    },
    /// Something else that holds for the step differs: its working directory, its user, its shell, a mount.
    Setting {
        /// What it is.
        name: String,
        /// The value before.
        before: String,
        /// The value now.
        after: String,
    },
    /// The base image is another one.
    Base {
        /// The reference or digest before.
        before: String,
        /// The reference or digest now.
        after: String,
    },
    /// Files that the step takes in differ.
    Files {
        /// The instruction that takes them in.
        instruction: String,
        /// Where they come from: a stage or a named context; nothing for the build context.
        from: Option<String>,
        /// What differs; never empty.
        differences: Vec<Difference>,
    },
    /// What is downloaded differs.
    Download {
        /// The address or checksum before.
        before: String,
        /// The address or checksum now.
        after: String,
    },
    /// A step that came before it is gone.
    Removed {
        /// The instruction that is gone.
        instruction: String,
        /// Its line in the file before, 1-based.
        line: u32,
    },
    /// It stands on another step than before.
    Moved,
    /// The build was told not to use its cache for it.
    NoCache,
    /// It is a local folder that a stage builds on, of which BuildKit keeps no key.
    LocalBase {
        /// The name of the context.
        context: String,
    },
    /// The imported cache knows it, but holds no layer of it, and something that runs needs it.
    NotExported {
        /// How the cache was exported.
        export: Export,
    },
    /// A step that it builds on runs again.
    Step {
        /// That step.
        step: StepId,
        /// Its line, 1-based.
        line: u32,
        /// Its instruction.
        instruction: String,
        /// Why that step runs again.
        because: Arc<Cause>,
    },
}

/// What a verdict hangs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Doubt {
    /// A step runs again, and may or may not write the same.
    Output {
        /// That step.
        step: StepId,
        /// Its line, 1-based.
        line: u32,
        /// Its instruction.
        instruction: String,
    },
    /// A base image is another one, and may or may not hold the same files.
    Image {
        /// The image.
        image: String,
    },
    /// A download may or may not be the same.
    Download {
        /// The address.
        address: String,
    },
    /// Files were not read.
    Unread {
        /// The files.
        paths: Vec<String>,
    },
    /// A file that is needed is not there: the build fails here.
    Missing {
        /// What is wrong.
        message: String,
    },
    /// The imported cache holds no layer of it, and a step that may run needs it.
    Needed {
        /// The step that needs it.
        step: StepId,
        /// Its line, 1-based.
        line: u32,
        /// Its instruction.
        instruction: String,
    },
    /// It builds on a step of which this is not known.
    Step {
        /// That step.
        step: StepId,
        /// Its line, 1-based.
        line: u32,
        /// Its instruction.
        instruction: String,
        /// What that step hangs on.
        because: Arc<Doubt>,
    },
}

impl Cause {
    /// The thing that changed in the end: what [`Cause::Step`] leads to.
    pub fn root(&self) -> &Self {
        match self {
            Self::Step { because, .. } => because.root(),
            other => other,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => formatter.write_str("it is new"),
            Self::Text { before, .. } => write!(formatter, "it read `{before}` before"),
            Self::BuildArg {
                name,
                before,
                after,
            } => {
                write!(
                    formatter,
                    "the build argument `{name}` {}",
                    Values(before.as_deref(), after.as_deref())
                )
            }
            Self::Variable {
                name,
                before,
                after,
            } => {
                write!(
                    formatter,
                    "the variable `{name}` {}",
                    Values(before.as_deref(), after.as_deref())
                )
            }
            Self::VariableOrder { name } => {
                write!(
                    formatter,
                    "the variables of its environment come in another order, from `{name}` on"
                )
            }
            Self::Setting {
                name,
                before,
                after,
            } => {
                write!(
                    formatter,
                    "the {name} {}",
                    Values(Some(before), Some(after))
                )
            }
            Self::Base { before, after } => write!(
                formatter,
                "the base image was `{before}` and is `{after}` now"
            ),
            Self::Files {
                instruction,
                from,
                differences,
            } => {
                write!(formatter, "`{instruction}`")?;
                files(formatter, from.as_deref(), differences)
            }
            Self::Download { before, after } => {
                write!(
                    formatter,
                    "what it downloads was `{before}` and is `{after}` now"
                )
            }
            Self::Removed { instruction, line } => {
                write!(
                    formatter,
                    "`{instruction}`, which stood on line {line} before it, is gone"
                )
            }
            Self::NoCache => formatter.write_str("the build is told not to use its cache for it"),
            Self::LocalBase { context } => write!(
                formatter,
                "the base `{context}` is a local folder, of which the cache has no key"
            ),
            Self::NotExported { export } => write!(
                formatter,
                "the imported cache (`{}`) holds no layer of it, and a step that runs needs it",
                export.as_str()
            ),
            Self::Moved => formatter.write_str("it stands on other steps than before"),
            Self::Step {
                line,
                instruction,
                because,
                ..
            } => after(formatter, *line, instruction, because),
        }
    }
}

/// Why a step runs that stands on another one.
fn after(
    formatter: &mut fmt::Formatter<'_>,
    line: u32,
    instruction: &str,
    because: &Cause,
) -> fmt::Result {
    write!(formatter, "`{instruction}` (line {line})")?;
    match because {
        Cause::Files {
            from, differences, ..
        } => files(formatter, from.as_deref(), differences),
        Cause::Added => formatter.write_str(" is new"),
        Cause::Text { before, .. } => write!(formatter, " read `{before}` before"),
        because => write!(formatter, " runs again: {because}"),
    }
}

fn files(
    formatter: &mut fmt::Formatter<'_>,
    from: Option<&str>,
    differences: &[Difference],
) -> fmt::Result {
    let Some(first) = differences.first() else {
        return formatter.write_str(" takes in other files");
    };
    let words = first.to_string();
    let (path, what) = words.split_at(words.rfind("` ").map_or(0, |at| at + 1));
    write!(formatter, " takes in {path}")?;
    if let Some(from) = from {
        write!(formatter, " of `{from}`")?;
    }
    write!(formatter, ", which{what}")?;
    match differences.len() - 1 {
        0 => Ok(()),
        1 => formatter.write_str(", and one more"),
        more => write!(formatter, ", and {more} more"),
    }
}

struct Values<'v>(Option<&'v str>, Option<&'v str>);

impl fmt::Display for Values<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (Some(before), Some(after)) => write!(formatter, "was `{before}` and is `{after}` now"),
            (None, Some(after)) => write!(formatter, "is `{after}` now and was not set before"),
            (Some(before), None) => write!(formatter, "was `{before}` and is not set now"),
            (None, None) => formatter.write_str("is not set"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output {
                line, instruction, ..
            } => {
                write!(
                    formatter,
                    "`{instruction}` (line {line}), which runs again, writes the same as before"
                )
            }
            Self::Image { image } => write!(formatter, "`{image}` holds the same files as before"),
            Self::Download { address } => {
                write!(formatter, "`{address}` serves the same as before")
            }
            Self::Unread { paths } => match &paths[..] {
                [only] => write!(
                    formatter,
                    "`{only}`, which was not read, is the same as before"
                ),
                [first, rest @ ..] => {
                    write!(
                        formatter,
                        "`{first}` and {} more, which were not read, are the same as before",
                        rest.len()
                    )
                }
                [] => formatter.write_str("files that were not read are the same as before"),
            },
            Self::Needed {
                line, instruction, ..
            } => write!(
                formatter,
                "`{instruction}` (line {line}), which needs it, is cached"
            ),
            Self::Missing { message } => {
                write!(formatter, "the build does not fail here: {message}")
            }
            Self::Step {
                line,
                instruction,
                because,
                ..
            } => write!(
                formatter,
                "`{instruction}` (line {line}) is, that is, if {because}"
            ),
        }
    }
}
