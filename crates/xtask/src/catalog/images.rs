//! Official images: the builds of 2018-01, and which tags were the same build on 2026-08-22.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::{Failure, head, read};

/// One report of an image as the source table has it.
#[derive(Deserialize)]
struct Report {
    image: String,
    tag: String,
    arch: String,
    #[serde(default)]
    index_digest: Option<String>,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    config: Option<String>,
    #[serde(default)]
    compressed: Option<u64>,
    #[serde(default)]
    layers: Vec<(String, u64)>,
    #[serde(default)]
    r#virtual: Option<u64>,
    #[serde(default)]
    libc: Option<String>,
    #[serde(default)]
    distro: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    workdir: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    cmd: Option<String>,
    #[serde(default)]
    entrypoint: Option<String>,
}

/// The builds of 2018-01: one row a build, with all its tags.
pub(super) fn of_2018(folder: &Path) -> Result<String, Failure> {
    let mut builds: BTreeMap<(String, String), (Report, BTreeSet<String>)> = BTreeMap::new();
    for line in read(folder, "images_2018-01.jsonl")?.lines() {
        let report: Report = serde_json::from_str(line)?;
        let Some(config) = report.config.clone() else {
            continue;
        };
        if report.arch != "amd64" {
            continue;
        }
        let tag = report.tag.clone();
        let (best, tags) = builds
            .entry((report.image.clone(), config))
            .or_insert_with(|| (Report { ..blank(&report) }, BTreeSet::new()));
        tags.insert(tag);
        fill(best, report);
    }
    let mut rows: Vec<String> = builds
        .into_values()
        .filter(|(report, _)| report.r#virtual.is_some() || report.compressed.is_some())
        .map(|(report, tags)| row(&report, &tags))
        .collect();
    rows.sort_unstable();
    let columns = [
        "family",
        "tags",
        "uncompressed",
        "compressed",
        "layers",
        "digest",
        "index_digest",
        "libc",
        "distro",
        "env",
        "workdir",
        "user",
        "cmd",
        "entrypoint",
    ];
    let source = "docker-library/repo-info, reports of 2018-01-28";
    Ok(head("2018-01-28", source, &columns) + &rows.concat())
}

fn blank(report: &Report) -> Report {
    Report {
        image: report.image.clone(),
        tag: String::new(),
        arch: String::new(),
        index_digest: None,
        digest: None,
        config: None,
        compressed: None,
        layers: Vec::new(),
        r#virtual: None,
        libc: None,
        distro: None,
        env: BTreeMap::new(),
        workdir: None,
        user: None,
        cmd: None,
        entrypoint: None,
    }
}

/// Several tags of one build: what one report lacks another may have.
fn fill(best: &mut Report, other: Report) {
    best.index_digest = best.index_digest.take().or(other.index_digest);
    best.digest = best.digest.take().or(other.digest);
    best.compressed = best.compressed.or(other.compressed);
    best.r#virtual = best.r#virtual.or(other.r#virtual);
    best.libc = best.libc.take().or(other.libc);
    best.distro = best.distro.take().or(other.distro);
    best.workdir = best.workdir.take().or(other.workdir);
    best.user = best.user.take().or(other.user);
    best.cmd = best.cmd.take().or(other.cmd);
    best.entrypoint = best.entrypoint.take().or(other.entrypoint);
    if best.layers.is_empty() {
        best.layers = other.layers;
    }
    if best.env.is_empty() {
        best.env = other.env;
    }
}

fn row(report: &Report, tags: &BTreeSet<String>) -> String {
    let number = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    let short = |digest: &Option<String>| {
        let digest = digest.as_deref().unwrap_or_default();
        digest
            .trim_start_matches("sha256:")
            .chars()
            .take(16)
            .collect::<String>()
    };
    let json = |text: &Option<String>| text.as_deref().unwrap_or_default().replace("\\/", "/");
    let layers: Vec<String> = report
        .layers
        .iter()
        .map(|(digest, bytes)| format!("{digest}:{bytes}"))
        .collect();
    let env: Vec<String> = report
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let columns = [
        report.image.clone(),
        tags.iter().cloned().collect::<Vec<_>>().join(" "),
        number(report.r#virtual),
        number(report.compressed),
        layers.join(" "),
        short(&report.digest),
        short(&report.index_digest),
        report.libc.clone().unwrap_or_default(),
        report
            .distro
            .clone()
            .unwrap_or_default()
            .replace('?', "")
            .trim_end()
            .to_owned(),
        env.join("\u{1f}"),
        report.workdir.clone().unwrap_or_default(),
        report.user.clone().unwrap_or_default(),
        json(&report.cmd),
        json(&report.entrypoint),
    ];
    columns.join("\t") + "\n"
}

/// Which tags were the same build on 2026-08-22: family and all tags of a build, one row a build.
pub(super) fn tags(folder: &Path) -> Result<String, Failure> {
    let mut rows = BTreeSet::new();
    for line in read(folder, "official_tags.tsv")?.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [family, directory, arches, tags, shared] = columns.as_slice() else {
            return Err(format!("official_tags.tsv: {line}").into());
        };
        if directory.contains("windows") || !arches.split(',').any(|arch| arch == "amd64") {
            continue;
        }
        let all: Vec<&str> = tags
            .split(' ')
            .chain(shared.split(' '))
            .filter(|tag| !tag.is_empty())
            .collect();
        rows.insert(format!("{family}\t{}\n", all.join(" ")));
    }
    let source = "docker-library/official-images, library/*";
    Ok(head("2026-08-22", source, &["family", "tags"]) + &rows.into_iter().collect::<String>())
}
