//! Real builds (`tests/real/size.json`, made by `cargo xtask real size`), held against what is estimated of the same files today, given
//! the measured base images. Needs no BuildKit. `cargo test -p stagewright-tests --test size_proof -- --nocapture` prints the table.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::print_stdout, reason = "the table is shown with --nocapture")]

use std::fs;

use stagewright::Size;
use stagewright_tests::size_proof::{self, Image, Maker, Record, Row};

fn record() -> Record {
    let path = size_proof::folder().with_file_name("size.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn images(record: &Record) -> Vec<Image> {
    let compare = |name: &String| {
        size_proof::compare(name, record).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    record.cases.keys().map(compare).collect()
}

#[expect(clippy::cast_precision_loss, reason = "shares of megabytes")]
fn off(expected: u64, truth: u64) -> f64 {
    (expected as f64 / truth.max(1) as f64 - 1.0).abs()
}

#[expect(clippy::cast_precision_loss, reason = "shares of megabytes")]
fn half_width(size: Size) -> f64 {
    (size.high - size.low) as f64 / 2.0 / size.expected.max(1) as f64
}

fn within(truth: u64, size: Size) -> bool {
    (size.low..=size.high).contains(&truth)
}

/// The value below which a share of the values lies: the nearest rank.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank among a hundred values"
)]
fn quantile(values: impl IntoIterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * share).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}

#[expect(clippy::cast_precision_loss, reason = "counts of a hundred values")]
fn share(count: usize, of: usize) -> f64 {
    count as f64 / of as f64
}

/// Layers that hold something to speak of: of a few bytes a share says nothing.
fn weighty<'i>(images: &'i [Image], makers: &'i [Maker]) -> Vec<&'i Row> {
    images
        .iter()
        .flat_map(|image| &image.rows)
        .filter(|row| {
            makers.contains(&row.maker) && row.bytes.max(row.estimate.expected) >= 100_000
        })
        .collect()
}

#[test]
fn every_case_was_built() {
    let record = record();
    let built: Vec<&String> = record.cases.keys().collect();
    let there = size_proof::names().unwrap();
    assert_eq!(built, there.iter().collect::<Vec<_>>());
    for (kind, least) in [("py-", 20), ("node-", 12), ("sys-", 8)] {
        let count = there.iter().filter(|name| name.starts_with(kind)).count();
        assert!(count >= least, "{kind}: {count}");
    }
}

#[test]
fn what_is_copied_from_the_context_is_exact() {
    for row in images(&record()).iter().flat_map(|image| &image.rows) {
        if row.maker == Maker::Context && !row.instruction.starts_with("ADD") {
            assert_eq!(
                row.estimate,
                Size::exact(row.bytes),
                "{}: {}",
                row.case,
                row.instruction
            );
        }
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one row of the table after the other"
)]
fn images_and_layers_weigh_what_is_estimated() {
    let images = images(&record());
    print(&images);
    let known: Vec<&Image> = images.iter().filter(|image| image.is_known()).collect();
    println!(
        "{} images, {} of them with a range not wider than the image",
        images.len(),
        known.len()
    );
    let all: Vec<&Image> = images.iter().collect();
    let image = |images: &[&Image], share| {
        let offs = images
            .iter()
            .map(|image| off(image.estimate.expected, image.bytes()));
        quantile(offs, share)
    };
    let runs = weighty(&images, &[Maker::Run]);
    let sure: Vec<&Row> = runs
        .iter()
        .copied()
        .filter(|row| half_width(row.estimate) <= 0.5)
        .collect();
    let run = |rows: &[&Row], share| {
        let offs = rows.iter().map(|row| off(row.estimate.expected, row.bytes));
        quantile(offs, share)
    };
    let blobs = known.iter().filter(|image| image.is_without_cache());
    let blobs = blobs.map(|image| off(image.compressed.expected, image.gzip()));
    let outside = |images: &[&Image]| {
        let within = images
            .iter()
            .filter(|image| within(image.bytes(), image.estimate));
        1.0 - share(within.count(), images.len())
    };
    let layers: Vec<&Row> = images.iter().flat_map(|image| &image.rows).collect();
    let covered = layers
        .iter()
        .filter(|row| within(row.bytes, row.estimate))
        .count();
    let figures = [
        (
            "all images above the base, median error",
            image(&all, 0.5),
            0.03,
        ),
        (
            "all images above the base, 90th percentile",
            image(&all, 0.9),
            0.10,
        ),
        (
            "known images above the base, median error",
            image(&known, 0.5),
            0.03,
        ),
        (
            "known images above the base, 90th percentile",
            image(&known, 0.9),
            0.10,
        ),
        ("RUN of modelled tools, median error", run(&runs, 0.5), 0.05),
        (
            "RUN of modelled tools, 90th percentile",
            run(&runs, 0.9),
            0.15,
        ),
        (
            "RUN of modelled tools, range within ±50 %, median error",
            run(&sure, 0.5),
            0.05,
        ),
        (
            "RUN of modelled tools, range within ±50 %, 90th percentile",
            run(&sure, 0.9),
            0.15,
        ),
        (
            "known images, compressed, median error",
            quantile(blobs, 0.5),
            0.06,
        ),
        ("all images outside their range", outside(&all), 0.10),
        (
            "layers outside their range",
            1.0 - share(covered, layers.len()),
            0.10,
        ),
        (
            "half width of an image's range, median",
            quantile(all.iter().map(|image| half_width(image.estimate)), 0.5),
            0.15,
        ),
        (
            "half width of a known image's range, median",
            quantile(known.iter().map(|image| half_width(image.estimate)), 0.5),
            0.15,
        ),
        (
            "half width of a RUN layer's range, median",
            quantile(runs.iter().map(|row| half_width(row.estimate)), 0.5),
            0.15,
        ),
    ];
    let mut missed = Vec::new();
    for (name, value, aim) in figures {
        println!(
            "{name:60} {:>6.1} %  aim {:>4.1} %  {}",
            value * 100.0,
            aim * 100.0,
            if value <= aim { "met" } else { "missed" }
        );
        if value > aim {
            missed.push(name);
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

fn print(images: &[Image]) {
    println!(
        "{:26} {:>11} {:>11} {:>7} {:>22}  {:>7}",
        "case", "true", "estimated", "off", "range", "gzip"
    );
    for image in images {
        line(
            &image.case,
            image.bytes(),
            image.estimate,
            image.gzip(),
            image.compressed,
        );
        for row in &image.rows {
            if row.bytes > 0 || row.estimate.high > 0 {
                let text: String = row.instruction.chars().take(70).collect();
                line(
                    &format!("    {:?}", row.maker),
                    row.bytes,
                    row.estimate,
                    row.gzip,
                    row.compressed,
                );
                println!("        {text}");
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares of megabytes")]
fn line(name: &str, bytes: u64, size: Size, gzip: u64, compressed: Size) {
    let off = |expected: u64, truth: u64| (expected as f64 / truth.max(1) as f64 - 1.0) * 100.0;
    println!(
        "{name:26} {bytes:>11} {:>11} {:>+6.1}% {:>22} {} {:>+6.1}%",
        size.expected,
        off(size.expected, bytes),
        format!("{}..{}", size.low, size.high),
        if within(bytes, size) { ' ' } else { '!' },
        off(compressed.expected, gzip),
    );
}
