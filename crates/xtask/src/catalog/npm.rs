//! npm packages: unpacked sizes read from a committed package cache, and package folders measured after an installation.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Failure, head, read};

/// Package folders as `npm install --ignore-scripts` of 80 popular packages left them (npm 11, linux x64, 2026-11-23).
const MEASURED: &str = include_str!("../../npm_measured.tsv");

/// One row a version; where both sources have it, the cache's, which knows the deflated size too.
pub(super) fn table(folder: &Path) -> Result<String, Failure> {
    let mut rows: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for line in MEASURED.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [
            name,
            version,
            unpacked,
            files,
            native,
            dependencies,
            optional,
        ] = columns.as_slice()
        else {
            return Err(format!("npm_measured.tsv: {line}").into());
        };
        let row = format!(
            "{name}\t{version}\t{unpacked}\t{files}\t\t{native}\t{dependencies}\t{optional}\n"
        );
        rows.insert((*name, *version), row);
    }
    let text = read(folder, "npm_from_yarn_cache.tsv")?;
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [
            name,
            version,
            unpacked,
            files,
            deflated,
            _zip,
            native,
            dependencies,
            optional,
            _os,
        ] = columns.as_slice()
        else {
            return Err(format!("npm_from_yarn_cache.tsv: {line}").into());
        };
        let row = format!(
            "{name}\t{version}\t{unpacked}\t{files}\t{deflated}\t{native}\t{dependencies}\t{optional}\n"
        );
        rows.insert((*name, *version), row);
    }
    let columns = [
        "name",
        "version",
        "unpacked",
        "files",
        "deflated",
        "native",
        "dependencies",
        "optional",
    ];
    let source = "package folders measured after npm install, and a package cache committed in toss/slash (2022-2023)";
    Ok(head("2026-11-23", source, &columns) + &rows.into_values().collect::<String>())
}
