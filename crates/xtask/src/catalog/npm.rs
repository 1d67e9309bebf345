//! npm packages: what their archives unpack to.

use std::collections::BTreeMap;

use super::{Failure, head};

/// What `choose_npm.py` chose of what `measure_npm.py` measured: rows by name and version, the oldest version first.
const MEASURED: &str = include_str!("../../npm_measured.tsv");

/// The rows as they are, and needs without the version where they mean the newest that the table has.
pub(super) fn table() -> Result<String, Failure> {
    let mut lines = MEASURED.lines();
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
    if let Some(row) = rows.iter().find(|row| row.len() != columns.len()) {
        return Err(format!("npm_measured.tsv: {}", row.join("\t")).into());
    }
    let newest: BTreeMap<&str, Vec<u64>> =
        rows.iter().map(|row| (row[0], numbers(row[1]))).collect();
    let mut table = String::new();
    for row in &rows {
        let (facts, needs) = row.split_at(5);
        let needs = needs.iter().map(|list| {
            let needs = list.split(',').map(|need| unless_newest(need, &newest));
            needs.collect::<Vec<_>>().join(",")
        });
        let needs: Vec<String> = needs.collect();
        table += &format!("{}\t{}\n", facts.join("\t"), needs.join("\t"));
    }
    let source = "archives of packages, unpacked and added up file by file";
    Ok(head("2026-11-26", source, &columns) + &table)
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
