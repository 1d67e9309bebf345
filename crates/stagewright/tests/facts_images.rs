//! Base images: what the catalogue says of references, tags, digests and days.

use stagewright::facts::{Catalog, DistroId, ImageFacts, ImageFit, Libc, PackageManager};

fn image(reference: &str) -> ImageFacts {
    as_of(reference, None)
}

fn as_of(reference: &str, day: Option<&str>) -> ImageFacts {
    Catalog::builtin()
        .image(reference, day)
        .unwrap_or_else(|| panic!("{reference} is known"))
}

// repo-info, reports of 2019-08 to 2019-10: the images of the article.
#[test]
fn the_images_of_2019() {
    let full = image("python:3.7");
    assert_eq!(full.uncompressed.expected, 917_700_000);
    assert_eq!(full.compressed.expected, 346_314_368);
    assert_eq!(full.layers.len(), 9);
    assert_eq!(full.basis.date.as_deref(), Some("2019-10-17"));
    assert_eq!((full.fit, full.stale.clone()), (ImageFit::Tag, None));
    assert_eq!(full.python_version(), Some((3, 7)));
    assert_eq!(
        full.site_packages().as_deref(),
        Some("/usr/local/lib/python3.7/site-packages")
    );
    assert_eq!(full.env[0].0, "PATH");
    assert!(full.env[0].1.starts_with("/usr/local/bin:/usr/local/sbin:"));
    assert_eq!(full.distro.codename.as_deref(), Some("buster"));
    assert_eq!(
        image("docker.io/library/python:3.7-slim")
            .uncompressed
            .expected,
        178_690_000
    );
    let alpine = image("python:3.7-alpine");
    assert_eq!(alpine.uncompressed.expected, 98_750_000);
    assert_eq!(
        (alpine.libc, alpine.distro.id),
        (Libc::Musl, DistroId::Alpine)
    );
    assert!(
        alpine
            .basis
            .source
            .contains("compressed: uncompressed / 2.70")
    );
    assert_eq!(image("alpine:3.10").uncompressed.expected, 5_550_000);
}

// images_2026: exact layers, uncompressed of another build.
#[test]
fn the_images_of_2026() {
    let slim = image("python:3.12-slim");
    assert_eq!(slim.compressed.expected, 43_188_023);
    assert_eq!(slim.uncompressed.expected, 119_200_000);
    let debian = image("debian:trixie-slim");
    assert_eq!(slim.layers[0], debian.layers[0], "the base layer is shared");
    let full = image("python:3.12");
    assert_eq!(full.uncompressed.expected, 1_110_000_000);
    assert!(
        full.uncompressed.high >= 1_115_000_000,
        "printed as GB: 5 MB either way"
    );
    assert_eq!(
        image("python:3.12-slim-bookworm").uncompressed.expected,
        124_300_000
    );
    assert_eq!(image("node:22-slim").node.as_deref(), Some("22.23.2"));
}

#[test]
fn other_tags_of_the_same_build() {
    assert_eq!(image("node:22-bookworm-slim").tag, "22-slim");
    assert_eq!(image("debian:13-slim").tag, "trixie-slim");
    assert_eq!(image("python:3.14-slim-trixie").fit, ImageFit::Tag);
    assert_eq!(image("python:slim").tag, "3.14-slim");
    assert_eq!(image("debian").tag, "trixie");
    assert_eq!(image("ubuntu:noble").tag, "24.04");
    assert_eq!(image("nginx").uncompressed.expected, 161_330_000);
}

#[test]
fn the_newest_build_or_the_newest_until_a_day() {
    assert_eq!(image("python:3.13-slim").uncompressed.expected, 126_250_000);
    assert_eq!(
        as_of("python:3.13-slim", Some("2026-08-20"))
            .uncompressed
            .expected,
        117_920_000
    );
    assert_eq!(
        as_of("python:latest", Some("2018-06-01")).python.as_deref(),
        Some("3.6.4")
    );
    assert_ne!(image("python:latest").python.as_deref(), Some("3.6.4"));
    assert!(as_of("python:3.7", Some("2022-01-01")).stale.is_some());
    assert_eq!(
        Catalog::builtin().image("python:3.7", Some("2010-01-01")),
        None
    );
}

#[test]
fn digests() {
    let digest = "sha256:229a2c5bfa27522db7815ea81f9bed70af17ccb9de9fc7ad142b1877b5830d36";
    let pinned = image(&format!("python@{digest}"));
    assert_eq!(
        (pinned.tag.as_str(), pinned.fit),
        ("3.12-slim", ImageFit::Digest)
    );
    assert!(pinned.compressed.is_exact());
    let other = format!("sha256:{}", "0".repeat(64));
    assert_eq!(
        Catalog::builtin().image(&format!("python@{other}"), None),
        None
    );
    let both = image(&format!("python:3.12-slim@{other}"));
    assert!(both.stale.expect("another build").contains("digest"));
}

#[test]
fn the_nearest_row_stands_in_and_says_so() {
    let line = image("python:3.7.9-slim-stretch");
    assert_eq!((line.tag.as_str(), line.fit), ("3.7-slim", ImageFit::Line));
    let family = image("node:16-slim");
    assert_eq!(
        (family.tag.as_str(), family.fit),
        ("18-slim", ImageFit::Family)
    );
    // Its size is another version's, its version is what it says.
    assert_eq!(family.node.as_deref(), Some("16"));
    assert!(
        family
            .stale
            .expect("said")
            .contains("`node:16-slim` is not in the catalogue")
    );
    assert!(family.uncompressed.low < 140_000_000 && family.uncompressed.high > 250_000_000);
    assert_eq!(image("python:3.9-alpine3.13").libc, Libc::Musl);
}

#[test]
fn nothing_is_guessed() {
    for reference in [
        "internal.example/team/app:1",
        "python-dev:3.7",
        "",
        ":",
        "@",
        "library/",
        "python:no-such-variant",
        "localhost:5000/python",
    ] {
        assert_eq!(
            Catalog::builtin().image(reference, None),
            None,
            "{reference}"
        );
    }
}

#[test]
fn siblings_of_a_version() {
    let siblings = Catalog::builtin().variants("python", "3.7", None);
    let names: Vec<(&str, u64)> = siblings
        .iter()
        .map(|image| (image.tag.as_str(), image.uncompressed.expected))
        .collect();
    assert_eq!(
        names[..3],
        [
            ("3.7-alpine", 98_750_000),
            ("3.7-slim", 178_690_000),
            ("3.7", 917_700_000)
        ]
    );
    assert!(
        siblings
            .iter()
            .all(|image| image.offers.package_manager != PackageManager::None)
    );
    assert!(Catalog::builtin().variants("nothing", "1", None).is_empty());
    assert!(Catalog::builtin().variants("python", "", None).is_empty());
}
