//! Python packages: the sizes of the files of each version that public lock files name.

use std::path::Path;
use std::str::FromStr as _;

use pep440_rs::Version;

use super::{Failure, head, read};

/// What `uv lock` took of some 200 packages that are downloaded much, had it been asked on the first of January of each year from 2020
/// on, and of 300 today (Linux x86-64, 2026-11-26). Made by `read_locks.py`.
const OF_OTHER_DAYS: &str = include_str!("../../wheels_more.tsv");

/// One row a version. Dependencies that are those of the row above are written as `=`.
pub(super) fn table(folder: &Path) -> Result<String, Failure> {
    let text = read(folder, "wheels_all_versions.tsv")?;
    let mut rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .chain(OF_OTHER_DAYS.lines())
        .map(|line| line.split('\t').collect())
        .collect();
    rows.sort_by_cached_key(|row| (row[0], Version::from_str(row[1]).ok()));
    let mut table = head(
        "2026-11-26",
        "files named in uv.lock files of 70 public repositories, and what packages that are downloaded much had on other days",
        &[
            "name",
            "version",
            "upload_date",
            "kind",
            "any",
            "manylinux_x86_64",
            "manylinux_aarch64",
            "musllinux_x86_64",
            "musllinux_aarch64",
            "sdist",
            "complete",
            "dependencies",
        ],
    );
    let mut above = ("", "");
    for mut row in rows {
        if row.len() != 12 {
            return Err(format!("wheels_all_versions.tsv: {}", row.join("\t")).into());
        }
        let here = (row[0], row[11]);
        if here == above && !here.1.is_empty() {
            row[11] = "=";
        }
        above = here;
        table += &row.join("\t");
        table.push('\n');
    }
    Ok(table)
}
