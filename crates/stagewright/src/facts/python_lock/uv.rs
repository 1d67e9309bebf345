//! `uv.lock`.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::needs::{Need, Needs, reach};
use super::{LockedPython, PythonLock, files, tables, text};
use crate::facts::lock::LockError;
use crate::facts::wheel::normalize_name;

/// `uv.lock`: which groups need a package follows from its dependencies.
pub(super) fn read(table: &Table) -> Result<PythonLock, LockError> {
    let version = table.get("version").and_then(Value::as_integer);
    if version != Some(1) {
        let found = version
            .map(|version| version.to_string())
            .unwrap_or_default();
        return Err(LockError::version(found, "version 1 of uv.lock is"));
    }
    let mut packages = Vec::new();
    let mut needs: Vec<Needs<'_>> = Vec::new();
    for package in tables(table, "package") {
        let source = package.get("source").and_then(Value::as_table);
        let is = |kind: &str| source.is_some_and(|source| source.contains_key(kind));
        let root = is("virtual") || is("editable");
        packages.push(LockedPython {
            name: normalize_name(text(package, "name")),
            version: if root {
                String::new()
            } else {
                text(package, "version").to_owned()
            },
            local: root || is("git") || is("directory") || is("path"),
            files: files(package),
            ..LockedPython::default()
        });
        let lists = |key: &str| -> BTreeMap<&str, Vec<Need<'_>>> {
            let groups = package.get(key).and_then(Value::as_table);
            let group = |(name, list)| (name, asked(list));
            groups
                .into_iter()
                .flatten()
                .map(|(name, list)| group((name.as_str(), list)))
                .collect()
        };
        needs.push(Needs {
            root,
            main: package.get("dependencies").map(asked).unwrap_or_default(),
            extras: lists("optional-dependencies"),
            groups: lists("dev-dependencies"),
        });
    }
    reach(&mut packages, &needs);
    Ok(PythonLock {
        packages,
        grouped: true,
    })
}

fn asked(list: &Value) -> Vec<Need<'_>> {
    let tables = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_table);
    tables
        .map(|need| Need {
            name: normalize_name(text(need, "name")),
            marker: need.get("marker").and_then(Value::as_str),
            extras: need
                .get("extra")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect(),
        })
        .collect()
}
