//! How long steps take (`catalog/seconds.toml`).

use std::sync::OnceLock;

use serde::Deserialize;

use crate::build::StepKind;

/// The table: one row for each kind of step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    base: Row,
    run: Row,
    copy: Row,
    add: Row,
    workdir: Row,
    link: Row,
}

/// What one kind of step takes.
#[derive(Debug, Deserialize)]
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

    pub(crate) fn row(&self, kind: StepKind) -> &Row {
        match kind {
            StepKind::Base => &self.base,
            StepKind::Run => &self.run,
            StepKind::Copy => &self.copy,
            StepKind::Add => &self.add,
            StepKind::Workdir => &self.workdir,
            StepKind::Link => &self.link,
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
            let row = table.row(kind);
            assert!(row.seconds >= 0.0 && !row.source.is_empty());
            assert!(crate::date::seconds_of_day(&row.date).is_some());
        }
    }
}
