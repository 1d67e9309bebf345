//! Python packages: the sizes of the files of each version that public lock files name.

use std::path::Path;
use std::str::FromStr as _;

use pep440_rs::Version;

use super::{Failure, head, read};

/// One row a version. Dependencies that are those of the row above are written as `=`.
pub(super) fn table(folder: &Path) -> Result<String, Failure> {
    let text = read(folder, "wheels_all_versions.tsv")?;
    let mut rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect())
        .collect();
    rows.sort_by_cached_key(|row| (row[0], Version::from_str(row[1]).ok()));
    let mut table = head(
        "2026-08-22",
        "files named in uv.lock files of 70 public repositories",
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
