//! How long steps take (`catalog/seconds.toml`).

use std::sync::OnceLock;

use serde::Deserialize;

use crate::build::StepKind;

/// The table: one row for each kind of step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    base: Row,
    install: Install,
    run: Row,
    copy: Row,
    add: Row,
    workdir: Row,
    link: Row,
}

/// What a command that installs packages takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Install {
    /// What such a command holds, each.
    words: Vec<String>,
    seconds: f64,
    source: String,
    date: String,
}

/// What one kind of step takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) seconds: f64,
    pub(crate) source: String,
    pub(crate) date: String,
}

impl Table {
    pub(crate) fn embedded() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| {
            toml::from_str(include_str!("../../catalog/seconds.toml"))
                .expect("the embedded table is valid")
        })
    }

    /// What a step of a kind takes; of a RUN the instruction tells more.
    pub(crate) fn row(&self, kind: StepKind, instruction: &str) -> Row {
        let installs = |words: &String| instruction.contains(words.as_str());
        match kind {
            StepKind::Base => self.base.clone(),
            StepKind::Run if self.install.words.iter().any(installs) => Row {
                seconds: self.install.seconds,
                source: self.install.source.clone(),
                date: self.install.date.clone(),
            },
            StepKind::Run => self.run.clone(),
            StepKind::Copy => self.copy.clone(),
            StepKind::Add => self.add.clone(),
            StepKind::Workdir => self.workdir.clone(),
            // A configuration alone is an image without a layer, as a merge is.
            StepKind::Link | StepKind::Config => self.link.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_source_and_a_day() {
        let table = Table::embedded();
        for kind in [
            StepKind::Base,
            StepKind::Run,
            StepKind::Copy,
            StepKind::Add,
            StepKind::Workdir,
            StepKind::Link,
        ] {
            let row = table.row(kind, "");
            assert!(row.seconds >= 0.0 && !row.source.is_empty());
            assert!(crate::date::seconds_of_day(&row.date).is_some());
        }
        let install = table.row(
            StepKind::Run,
            "RUN apt-get update && apt-get install -y git",
        );
        let other = table.row(StepKind::Run, "RUN mkdir /data");
        assert!(install.seconds > other.seconds && !install.source.is_empty());
    }
}
