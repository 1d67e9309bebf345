//! Alpine packages: what little is known of them (`catalog/alpine.toml`), with ranges as wide as it deserves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::debian::{SystemClosure, SystemPackage};
use super::image::ImageFacts;
use crate::size::{Basis, Size, scaled};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    source: String,
    date: String,
    error: f64,
    database: u64,
    database_per_package: u64,
    lists: u64,
    lists_low: u64,
    lists_high: u64,
    unknown: Range,
    unknown_dev: Range,
    package: BTreeMap<String, Package>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    bytes: u64,
    low: u64,
    high: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Package {
    bytes: u64,
    #[serde(default)]
    includes: Vec<String>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    toml::from_str(include_str!("../../catalog/alpine.toml")).expect("catalog/alpine.toml is valid")
});

/// Archives of Alpine are gzip: about as far compressed as a layer of binaries.
const DOWNLOAD: f64 = 1.0 / 2.6;

/// What `apk add` of these names adds to an image.
pub(crate) fn install(names: &[&str], base: &ImageFacts) -> SystemClosure {
    let rules = &*RULES;
    let mut asked = BTreeSet::new();
    let mut present = Vec::new();
    for name in names {
        // `apk add name=version`, `name~=1.2`, `name>1`, `name@repository`
        let name = name
            .split(['=', '<', '>', '~', '@'])
            .next()
            .unwrap_or_default();
        if base.offers.packages.iter().any(|one| **one == *name) {
            present.push(name.to_owned());
        } else if !name.is_empty() {
            asked.insert(name);
        }
    }
    let included: BTreeSet<&str> = asked
        .iter()
        .filter_map(|name| rules.package.get(*name))
        .flat_map(|package| package.includes.iter().map(String::as_str))
        .collect();
    let mut parts = Vec::new();
    let mut packages = Vec::new();
    let mut unknown = Vec::new();
    for name in asked
        .iter()
        .copied()
        .filter(|name| !included.contains(name))
    {
        if let Some(known) = rules.package.get(name) {
            parts.push(Size::within(known.bytes, rules.error, rules.error));
            packages.push(SystemPackage {
                name: name.to_owned(),
                download: scaled(known.bytes, DOWNLOAD),
                installed: known.bytes,
            });
        } else {
            let range = if name.ends_with("-dev") {
                &rules.unknown_dev
            } else {
                &rules.unknown
            };
            parts.push(Size::range(range.low, range.bytes, range.high));
            unknown.push(name.to_owned());
        }
    }
    let count = u64::try_from(asked.len()).expect("a count fits 64 bits");
    if count > 0 {
        parts.push(Size::exact(
            rules.database + rules.database_per_package * count,
        ));
    }
    let installed = Size::sum(parts);
    SystemClosure {
        packages,
        download: installed.scale(DOWNLOAD),
        installed,
        unknown,
        present,
        basis: Basis::dated(rules.source.clone(), rules.date.clone()),
    }
}

/// Bytes of the package lists that stay without `--no-cache`.
pub(crate) fn lists() -> (Size, Basis) {
    let rules = &*RULES;
    let basis = Basis::new("package lists of the main and community repositories, about");
    (
        Size::range(rules.lists_low, rules.lists, rules.lists_high),
        basis,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Catalog;

    fn add(names: &[&str]) -> SystemClosure {
        let base = Catalog::builtin()
            .image("python:3.12-alpine", None)
            .expect("known");
        install(names, &base)
    }

    // A build on golang:1.11-alpine: 19 MiB before, 113 MiB after gcc and musl-dev.
    #[test]
    fn totals_that_apk_printed() {
        let size = add(&["gcc", "musl-dev"]).installed;
        assert!(size.low <= 94 << 20 && 94 << 20 <= size.high, "{size:?}");
        // node:12-alpine on 3.15: python2, g++ and make came to 221 MiB.
        let size = add(&["python2", "g++", "make"]).installed;
        assert!(size.low <= 221 << 20 && 221 << 20 <= size.high, "{size:?}");
    }

    #[test]
    fn parts_of_others_count_once() {
        let whole = add(&["build-base"]).installed.expected;
        let both = add(&["build-base", "gcc", "musl-dev=1.2.4-r0"])
            .installed
            .expected;
        assert!(both - whole < 100_000, "{whole} {both}");
    }

    #[test]
    fn the_unknown_is_named() {
        let closure = add(&["libpq", "postgresql-dev", "ca-certificates"]);
        assert_eq!(closure.unknown, ["libpq", "postgresql-dev"]);
        assert_eq!(closure.present, ["ca-certificates"]);
        assert!(closure.installed.high > 5 * closure.installed.expected);
        assert_eq!(add(&[]).installed, Size::ZERO);
        assert!(lists().0.low > 0);
    }
}
