//! `poetry.lock`.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::needs::{Need, Needs, reach};
use super::{LockedPython, PythonLock, file, tables, text};
use crate::facts::lock::LockError;
use crate::facts::wheel::normalize_name;

/// What development needs is written at each package, or follows from the manifest (before 2.0).
pub(super) fn read(table: &Table, manifest: Option<&str>) -> Result<PythonLock, LockError> {
    let version = table
        .get("metadata")
        .and_then(Value::as_table)
        .map_or("", |metadata| text(metadata, "lock-version"));
    if !version.starts_with("1.") && !version.starts_with("2.") {
        return Err(LockError::version(
            version,
            "versions 1 and 2 of poetry.lock are",
        ));
    }
    let mut packages = Vec::new();
    let mut needs = Vec::new();
    let mut grouped = false;
    for package in tables(table, "package") {
        let mut groups: Vec<String> = Vec::new();
        if let Some(list) = package.get("groups").and_then(Value::as_array) {
            grouped = true;
            groups = list
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
        } else if let Some(category) = package.get("category").and_then(Value::as_str) {
            grouped = true;
            groups.push(category.to_owned());
        }
        if groups.iter().any(|group| group == "main") {
            groups.clear();
        }
        if groups.is_empty() && package.get("optional").and_then(Value::as_bool) == Some(true) {
            groups.push("optional".to_owned());
        }
        let marker = match package.get("markers") {
            Some(Value::String(marker)) => Some(marker.clone()),
            Some(Value::Table(by_group)) => by_group
                .get("main")
                .and_then(Value::as_str)
                .map(str::to_owned),
            _ => None,
        };
        packages.push(LockedPython {
            name: normalize_name(text(package, "name")),
            version: text(package, "version").to_owned(),
            groups,
            marker,
            local: package
                .get("source")
                .and_then(Value::as_table)
                .is_some_and(|source| matches!(text(source, "type"), "git" | "directory")),
            files: tables(package, "files").map(file).collect(),
        });
        let list = package.get("dependencies").and_then(Value::as_table);
        needs.push(Needs {
            root: false,
            main: list
                .into_iter()
                .flatten()
                .map(|(name, _)| need(name))
                .collect(),
            extras: BTreeMap::new(),
            groups: BTreeMap::new(),
        });
    }
    if !grouped && let Some(manifest) = manifest.and_then(|text| text.parse::<Table>().ok()) {
        grouped = from_manifest(&mut packages, needs, &manifest);
    }
    Ok(PythonLock { packages, grouped })
}

fn need(name: &str) -> Need<'static> {
    Need {
        name: normalize_name(name),
        marker: None,
        extras: Vec::new(),
    }
}

/// What the manifest of a poetry project asks for leads to the groups of every package.
fn from_manifest<'t>(
    packages: &mut Vec<LockedPython>,
    mut needs: Vec<Needs<'t>>,
    manifest: &'t Table,
) -> bool {
    let tool = manifest
        .get("tool")
        .and_then(|tool| tool.get("poetry"))
        .and_then(Value::as_table);
    let names = |table: Option<&Value>| -> Vec<Need<'static>> {
        let table = table.and_then(Value::as_table);
        table
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "python")
            .map(|(name, _)| need(name))
            .collect()
    };
    let Some(tool) = tool else { return false };
    let mut groups = BTreeMap::new();
    groups.insert("dev", names(tool.get("dev-dependencies")));
    for (name, group) in tool
        .get("group")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
    {
        groups
            .entry(name.as_str())
            .or_insert_with(Vec::new)
            .extend(names(group.get("dependencies")));
    }
    packages.push(LockedPython {
        local: true,
        ..LockedPython::default()
    });
    needs.push(Needs {
        root: true,
        main: names(tool.get("dependencies")),
        extras: BTreeMap::new(),
        groups,
    });
    reach(packages, &needs);
    true
}
