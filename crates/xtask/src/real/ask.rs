//! Builds projects with a running BuildKit and reads from its trace what was cached.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value};
use stagewright_tests::scenario::{Entry, Project};

/// The builder at `BUILDKIT_HOST`. Its cache is emptied again and again: it should have no other use.
pub(super) struct Builder {
    folder: PathBuf,
    there: BTreeMap<String, Entry>,
}

impl Builder {
    pub(super) fn new() -> Result<Self, Box<dyn Error>> {
        if std::env::var_os("BUILDKIT_HOST").is_none() {
            return Err(
                "BUILDKIT_HOST is not set: start a builder as tests/real/README.md says".into(),
            );
        }
        let folder = std::env::temp_dir().join(format!("stagewright-real-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            there: BTreeMap::new(),
        })
    }

    /// Empties the cache and the folder that is built from.
    pub(super) fn forget(&mut self) -> Result<(), Box<dyn Error>> {
        fs::remove_dir_all(&self.folder)?;
        fs::create_dir_all(&self.folder)?;
        self.there.clear();
        let output = Command::new("buildctl").args(["prune", "--all"]).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(())
    }

    /// Builds, and tells of each step whether it was cached. `no_cache` names stages that may not use the cache; none are all.
    pub(super) fn build(
        &mut self,
        project: &Project,
        no_cache: Option<&[String]>,
    ) -> Result<Map<String, Value>, Box<dyn Error>> {
        self.put(project)?;
        let mut command = build(&self.folder);
        for (name, value) in &project.args {
            command
                .arg("--opt")
                .arg(format!("build-arg:{name}={value}"));
        }
        if let Some(target) = &project.target {
            command.arg("--opt").arg(format!("target={target}"));
        }
        if let Some(stages) = no_cache {
            command
                .arg("--opt")
                .arg(format!("no-cache={}", stages.join(",")));
        }
        trace(&mut command)
    }

    /// Brings the folder to the state of the project, touching only what differs.
    fn put(&mut self, project: &Project) -> Result<(), Box<dyn Error>> {
        let mut wanted = project.files.clone();
        wanted.insert(
            "Dockerfile".to_owned(),
            Entry::Text(project.dockerfile.clone()),
        );
        for path in self.there.keys().filter(|path| !wanted.contains_key(*path)) {
            remove(&self.folder.join(path))?;
        }
        // Folders that only held files which are gone.
        prune(&self.folder, &self.folder, &wanted)?;
        for (path, entry) in &wanted {
            let place = self.folder.join(path);
            if self.there.get(path) != Some(entry) || fs::symlink_metadata(&place).is_err() {
                write(&self.folder, path, entry)?;
            }
        }
        self.there = wanted;
        Ok(())
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // What is left of it does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn write(root: &Path, path: &str, entry: &Entry) -> std::io::Result<()> {
    let place = root.join(path);
    let mut above = root.to_owned();
    for part in Path::new(path).parent().into_iter().flatten() {
        above.push(part);
        if !above.is_dir() {
            fs::create_dir(&above)?;
            fs::set_permissions(&above, fs::Permissions::from_mode(0o755))?;
        }
    }
    match entry {
        Entry::Text(text) => file(&place, text, 0o644),
        Entry::File { text, mode } => file(&place, text, *mode),
        Entry::Link { link } => {
            remove(&place)?;
            symlink(link, &place)
        }
        Entry::Folder { folder } => {
            if !place.is_dir() {
                remove(&place)?;
                fs::create_dir(&place)?;
            }
            fs::set_permissions(&place, fs::Permissions::from_mode(*folder))
        }
    }
}

fn file(place: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    remove(place)?;
    fs::write(place, text)?;
    fs::set_permissions(place, fs::Permissions::from_mode(mode))
}

fn remove(place: &Path) -> std::io::Result<()> {
    match fs::symlink_metadata(place) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(place),
        Ok(_) => fs::remove_file(place),
        Err(_) => Ok(()),
    }
}

/// Removes folders that nothing wanted is in; `true` if the folder itself is one.
fn prune(root: &Path, folder: &Path, wanted: &BTreeMap<String, Entry>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let place = entry?.path();
        if fs::symlink_metadata(&place)?.is_dir() {
            let path = place
                .strip_prefix(root)
                .unwrap_or(&place)
                .to_string_lossy()
                .into_owned();
            let below = format!("{path}/");
            if wanted
                .keys()
                .any(|other| *other == path || other.starts_with(&below))
            {
                prune(root, &place, wanted)?;
            } else {
                fs::remove_dir_all(&place)?;
            }
        }
    }
    Ok(())
}

/// The command that builds a folder, which holds its Dockerfile.
pub(super) fn build(folder: &Path) -> Command {
    let mut command = Command::new("buildctl");
    command.args([
        "build",
        "--frontend",
        "dockerfile.v0",
        "--progress",
        "rawjson",
    ]);
    for name in ["context", "dockerfile"] {
        command
            .arg("--local")
            .arg(format!("{name}={}", folder.display()));
    }
    command
}

/// Runs the command of a build, and tells of each step whether it was cached.
pub(super) fn trace(command: &mut Command) -> Result<Map<String, Value>, Box<dyn Error>> {
    let output = command.output()?;
    let trace = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last: Vec<&str> = trace.lines().rev().take(3).collect();
        return Err(last.join("\n").into());
    }
    Ok(steps(&trace))
}

/// The steps in a trace (`--progress rawjson`). BuildKit tells of a vertex several times.
fn steps(trace: &str) -> Map<String, Value> {
    let mut found: BTreeMap<String, bool> = BTreeMap::new();
    for line in trace.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        for vertex in event["vertexes"].as_array().into_iter().flatten() {
            let name = vertex["name"].as_str().unwrap_or_default();
            let other = ["[internal]", "[context "]
                .iter()
                .any(|start| name.starts_with(start));
            if !name.starts_with('[') || other {
                continue;
            }
            // Of a base image it is not told whether anything was fetched.
            if name.contains("] FROM ") {
                continue;
            }
            *found.entry(name.to_owned()).or_default() |= vertex["cached"] == true;
        }
    }
    found
        .into_iter()
        .map(|(name, cached)| (name, Value::Bool(cached)))
        .collect()
}
