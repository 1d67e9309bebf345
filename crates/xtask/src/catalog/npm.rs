//! npm packages: unpacked sizes read from a committed package cache, and package folders measured after an installation.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Failure, head, read};

/// Package folders as `npm install --ignore-scripts` of some 100 popular packages left them (npm 11, linux x64, 2026-11-23 and -25), and
/// what the archives hold of 80 earlier versions that are still pinned much. Made by `measure_npm.py`.
const MEASURED: &str = include_str!("../../npm_measured.tsv");

/// One row a version; where both sources have it, the cache's, which knows the deflated size too.
pub(super) fn table(folder: &Path) -> Result<String, Failure> {
    let mut rows: BTreeMap<(&str, &str), [&str; 6]> = BTreeMap::new();
    for line in MEASURED.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[
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
        let row = [unpacked, files, "", native, dependencies, optional];
        rows.insert((name, version), row);
    }
    let text = read(folder, "npm_from_yarn_cache.tsv")?;
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[
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
        let row = [unpacked, files, deflated, native, dependencies, optional];
        rows.insert((name, version), row);
    }
    let mut newest: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (name, version) in rows.keys() {
        let newest = newest.entry(name).or_default();
        *newest = numbers(version).max(std::mem::take(newest));
    }
    let mut table = String::new();
    for ((name, version), mut row) in rows {
        let needs = [row[4], row[5]].map(|list| {
            let needs = list.split(',').map(|need| unless_newest(need, &newest));
            needs.collect::<Vec<_>>().join(",")
        });
        [row[4], row[5]] = [&needs[0], &needs[1]];
        table += &format!("{name}\t{version}\t{}\n", row.join("\t"));
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
    let source = "package folders measured after npm install, archives of packages, and a package cache committed in toss/slash (2022-2023)";
    Ok(head("2026-11-25", source, &columns) + &table)
}

fn numbers(version: &str) -> Vec<u64> {
    let core = version.split('-').next().unwrap_or_default();
    let parts = core.split('.');
    parts.map(|part| part.parse().unwrap_or_default()).collect()
}

/// The name of a need alone where the newest version that the table has is one of those it means.
fn unless_newest<'n>(need: &'n str, newest: &BTreeMap<&str, Vec<u64>>) -> &'n str {
    // A scope starts with `@` too.
    match need.rsplit_once('@') {
        Some((name, start)) if !name.is_empty() => {
            let known = newest.get(name);
            if known.is_none_or(|newest| newest.starts_with(&numbers(start))) {
                name
            } else {
                need
            }
        }
        _ => need,
    }
}
