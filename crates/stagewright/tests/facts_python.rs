//! Python packages: sizes against what was measured, and which file a platform takes.

use std::sync::Arc;

use stagewright::Kind;
use stagewright::facts::{
    Arch, Catalog, Libc, PackageFacts, WheelFit, WheelPlatform, normalize_name,
};

const GLIBC: WheelPlatform = WheelPlatform::x86_64(Libc::Glibc);
const MUSL: WheelPlatform = WheelPlatform::x86_64(Libc::Musl);

fn package(
    name: &str,
    version: &str,
    python: (u32, u32),
    platform: WheelPlatform,
) -> Arc<PackageFacts> {
    Catalog::builtin().python_package(name, Some(version), python, platform)
}

// Wheels downloaded for CPython 3.11 and read entry by entry; most are not in the table of measured packages in that version.
#[test]
fn wheels_that_were_opened_lie_within_the_stated_errors() {
    let (mut within, mut known, mut expected, mut real) = (0, 0, 0_u64, 0_u64);
    let mut outside = Vec::new();
    for line in include_str!("data/wheels_measured.tsv").lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (Some(file), Ok(uncompressed)) =
            (columns[1].strip_suffix(".whl"), columns[3].parse::<u64>())
        else {
            continue;
        };
        let mut parts = file.split('-');
        let (name, version) = (
            parts.next().expect("a name"),
            parts.next().expect("a version"),
        );
        let facts = package(name, version, (3, 11), GLIBC);
        if !facts.is_known() {
            continue;
        }
        known += 1;
        if facts.installed.low <= uncompressed && uncompressed <= facts.installed.high {
            within += 1;
        } else {
            outside.push(format!(
                "{name} {version}: {uncompressed}, {:?}, {}",
                facts.installed, facts.basis.source
            ));
        }
        expected += facts.installed.expected;
        real += uncompressed;
    }
    assert!(known >= 20, "{known} of the packages are in the tables");
    assert!(
        within * 10 >= known * 9,
        "{within} of {known} lie within their range: {outside:#?}"
    );
    assert!(
        expected.abs_diff(real) * 10 <= real,
        "{expected} expected in all, {real} measured"
    );
}

// Measured on CPython 3.7.16 from the versions of October 2019.
#[test]
fn the_packages_of_the_article() {
    let flask = package("Flask", "1.1.1", (3, 7), GLIBC);
    assert_eq!(
        (flask.installed.expected, flask.byte_code.expected),
        (309_554, 260_832)
    );
    assert_eq!(
        (flask.wheel, flask.download.expected),
        (WheelFit::Pure, 94_457)
    );
    assert!(flask.download.is_exact());
    assert_eq!(
        flask.dependencies.clone().expect("known"),
        ["click", "itsdangerous", "jinja2", "werkzeug"]
    );
    let admin = package("flask_admin", "1.5.3", (3, 7), GLIBC);
    assert_eq!(
        (admin.wheel, admin.native),
        (WheelFit::SdistOnly, Some(false))
    );
    assert_eq!(
        (admin.tests.expected, admin.tests_byte_code.expected),
        (266_621, 182_763)
    );
    assert!(
        admin
            .kinds
            .iter()
            .any(|part| part.kind == Kind::WebAssets && part.share > 0.7)
    );
}

#[test]
fn the_byte_code_of_another_python() {
    let on_37 = package("flask", "1.1.1", (3, 7), GLIBC).byte_code;
    let on_312 = package("flask", "1.1.1", (3, 12), GLIBC).byte_code;
    // The same source compiled by 3.12 came to 1.13 times its length, by 3.7 to 0.87.
    assert!(on_312.low < 339_000 && on_312.high > 339_000, "{on_312:?}");
    assert!(on_312.expected > on_37.expected);
}

// wheels_musl_gaps: what an Alpine base finds.
#[test]
fn what_musl_finds() {
    let fit = |name: &str, version: &str| package(name, version, (3, 12), MUSL).wheel;
    assert_eq!(fit("protobuf", "7.35.1"), WheelFit::FallbackPure);
    assert_eq!(fit("scikit-learn", "1.9.0"), WheelFit::SdistOnly);
    assert_eq!(fit("onnxruntime", "1.28.0"), WheelFit::None);
    assert_eq!(fit("pydantic-core", "2.46.4"), WheelFit::Native);
    assert_eq!(fit("flask", "3.1.3"), WheelFit::Pure);
    assert_eq!(
        package("markupsafe", "1.1.1", (3, 7), MUSL).wheel,
        WheelFit::SdistOnly,
        "wheels for musl came in 2021"
    );
    assert_eq!(
        package("markupsafe", "1.1.1", (3, 7), GLIBC).wheel,
        WheelFit::Native
    );
    assert_eq!(
        package("onnxruntime", "1.28.0", (3, 12), GLIBC).wheel,
        WheelFit::Native
    );
    let arm = WheelPlatform {
        libc: Libc::Glibc,
        arch: Arch::Aarch64,
    };
    assert_eq!(
        package("torch", "2.13.0", (3, 12), arm).download.expected,
        427_210_998
    );
}

#[test]
fn what_is_not_in_the_tables_is_said_to_be_unknown() {
    let facts = package("no-such-package-anywhere", "1.0", (3, 12), GLIBC);
    assert!(!facts.is_known());
    assert_eq!(
        (facts.wheel, facts.native, facts.dependencies.clone()),
        (WheelFit::Unknown, None, None)
    );
    assert!(facts.installed.high > 10 * facts.installed.expected);
    // A known name in a version that no table has: the sizes of the nearest, and more room.
    let far = package("flask", "0.12", (3, 7), GLIBC);
    assert!(
        far.is_known() && far.basis.source.contains("version 1.1.1"),
        "{}",
        far.basis.source
    );
    assert!(!far.installed.is_exact());
}

#[test]
fn names_are_compared_as_indexes_do() {
    assert_eq!(normalize_name("Flask_Admin"), "flask-admin");
    assert_eq!(normalize_name("zope..interface--X"), "zope-interface-x");
    assert_eq!(normalize_name(""), "");
}

#[test]
fn shares_add_up() {
    for (name, version) in [
        ("numpy", "2.4.6"),
        ("flask", "1.1.1"),
        ("nothing", "1"),
        ("requests", "2.32.0"),
    ] {
        let facts = package(name, version, (3, 12), GLIBC);
        let sum: f64 = facts.kinds.iter().map(|part| part.share).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{name}: {sum}");
    }
}

// Measured from a manylinux wheel; the table of files ends with 3.14.5, which has musllinux wheels.
#[test]
fn a_version_that_was_only_measured_has_the_platforms_of_the_one_before() {
    let facts = package("rapidfuzz", "3.14.6", (3, 12), MUSL);
    assert_eq!(facts.wheel, WheelFit::Native);
    assert_eq!(facts.version.as_deref(), Some("3.14.6"));
}
