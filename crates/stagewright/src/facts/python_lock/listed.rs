//! Lock files that write at each package what it is for: `pylock.toml`, `pdm.lock`, `Pipfile.lock`.

use toml::{Table, Value};

use super::{LockedPython, PythonLock, file, files, tables, text};
use crate::facts::lock::LockError;
use crate::facts::wheel::normalize_name;

/// PEP 751: everything that the marker allows is installed.
pub(super) fn pylock(table: &Table) -> Result<PythonLock, LockError> {
    let version = text(table, "lock-version");
    if !version.starts_with("1.") {
        return Err(LockError::version(version, "version 1 of pylock.toml is"));
    }
    let packages = tables(table, "packages").map(|package| LockedPython {
        name: normalize_name(text(package, "name")),
        version: text(package, "version").to_owned(),
        marker: package
            .get("marker")
            .and_then(Value::as_str)
            .map(str::to_owned),
        local: package.contains_key("directory") || package.contains_key("vcs"),
        files: files(package),
        groups: Vec::new(),
    });
    Ok(PythonLock {
        packages: packages.collect(),
        grouped: false,
    })
}

pub(super) fn pdm(table: &Table) -> Result<PythonLock, LockError> {
    let version = table
        .get("metadata")
        .and_then(Value::as_table)
        .map_or("", |metadata| text(metadata, "lock_version"));
    if !version.starts_with("4.") && version != "4" {
        return Err(LockError::version(version, "version 4 of pdm.lock is"));
    }
    let packages = tables(table, "package").map(|package| {
        let groups: Vec<String> = package
            .get("groups")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        LockedPython {
            name: normalize_name(text(package, "name")),
            version: text(package, "version").to_owned(),
            groups: if groups.iter().any(|group| group == "default") {
                Vec::new()
            } else {
                groups
            },
            marker: package
                .get("marker")
                .and_then(Value::as_str)
                .map(str::to_owned),
            local: package.contains_key("path") || package.contains_key("git"),
            files: tables(package, "files").map(file).collect(),
        }
    });
    Ok(PythonLock {
        packages: packages.collect(),
        grouped: true,
    })
}

pub(super) fn pipfile(text: &str) -> Result<PythonLock, LockError> {
    let lock: serde_json::Value = serde_json::from_str(text).map_err(LockError::malformed)?;
    let version = &lock["_meta"]["pipfile-spec"];
    if version.as_u64() != Some(6) {
        let found = if version.is_null() {
            String::new()
        } else {
            version.to_string()
        };
        return Err(LockError::version(found, "version 6 of Pipfile.lock is"));
    }
    let mut packages = Vec::new();
    for section in ["default", "develop"] {
        for (name, entry) in lock[section].as_object().into_iter().flatten() {
            let version = entry["version"].as_str().unwrap_or_default();
            packages.push(LockedPython {
                name: normalize_name(name),
                version: version.trim_start_matches('=').to_owned(),
                groups: if section == "develop" {
                    vec!["develop".to_owned()]
                } else {
                    Vec::new()
                },
                marker: entry["markers"].as_str().map(str::to_owned),
                local: entry.get("path").is_some() || entry.get("git").is_some(),
                files: Vec::new(),
            });
        }
    }
    Ok(PythonLock {
        packages,
        grouped: true,
    })
}
