//! The answer of `measure`.

use serde::Serialize;

use super::SCHEMA;
use super::text::{bytes, line, short};
use crate::measure::{Image, Packing};

/// The answer of `measure`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct MeasureReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What was measured.
    #[serde(flatten)]
    pub image: Image,
}

impl MeasureReport {
    /// The report of a measured image.
    pub fn new(image: Image) -> Self {
        Self {
            schema: SCHEMA,
            image,
        }
    }
}

/// The text of `measure`.
pub fn of_measure(report: &MeasureReport) -> String {
    let mut out = String::new();
    let image = &report.image;
    let name = image.names.first().map_or("image", String::as_str);
    let platform = image
        .platform
        .as_deref()
        .map(|platform| format!(", {platform}"))
        .unwrap_or_default();
    line(
        &mut out,
        &format!(
            "{name}{platform}: {} in {} files",
            bytes(image.bytes),
            image.files
        ),
    );
    match image.compressed {
        Some(compressed) => line(&mut out, &format!("  to pull: {}", bytes(compressed))),
        None => line(
            &mut out,
            "  to pull: not known, since the layers are not compressed",
        ),
    }
    for (what, count) in [
        ("hidden in lower layers", image.hidden),
        ("wasted, as dive counts", image.wasted),
        ("there under another path too", image.duplicated),
    ] {
        if count > 0 {
            line(&mut out, &format!("  {what}: {}", bytes(count)));
        }
    }
    line(&mut out, "");
    for layer in &image.layers {
        let instruction = if layer.instruction.is_empty() {
            "(the image does not say)"
        } else {
            &layer.instruction
        };
        let compressed = layer.compressed.map_or_else(|| "-".to_owned(), bytes);
        line(
            &mut out,
            &format!(
                "{:>10} {compressed:>10} {:>7}  {}",
                bytes(layer.bytes),
                layer.files,
                short(instruction, 90)
            ),
        );
        if layer.hidden > 0 {
            line(
                &mut out,
                &format!("{:>30}  hides {} of lower layers", "", bytes(layer.hidden)),
            );
        }
        if layer.packing == Packing::Zstd {
            line(&mut out, &format!("{:>30}  compressed by zstd", ""));
        }
    }
    lists(&mut out, image);
    for note in &image.notes {
        line(&mut out, &format!("note: {note}"));
    }
    out
}

/// What the files are made of, and where the bytes went: ten rows each.
fn lists(out: &mut String, image: &Image) {
    let mut list = |title: &str, rows: Vec<(u64, String)>| {
        if !rows.is_empty() {
            line(out, "");
            line(out, title);
        }
        for (count, text) in rows.into_iter().take(10) {
            line(out, &format!("{:>10}  {text}", bytes(count)));
        }
    };
    let kinds = image.kinds.iter().filter(|kind| kind.bytes > 0);
    list(
        "by kind",
        kinds
            .map(|kind| {
                (
                    kind.bytes,
                    format!("{} in {} files", kind.kind.as_str(), kind.files),
                )
            })
            .collect(),
    );
    list(
        "largest files",
        image
            .largest
            .iter()
            .map(|file| (file.bytes, format!("{} (layer {})", file.path, file.layer)))
            .collect(),
    );
    let waste = image.waste.iter().map(|waste| {
        let layers: Vec<String> = waste.layers.iter().map(usize::to_string).collect();
        (
            waste.bytes,
            format!("{} (layers {})", waste.path, layers.join(", ")),
        )
    });
    list("paths in several layers", waste.collect());
    let duplicates = image.duplicates.iter().map(|duplicate| {
        let more = duplicate.bytes.saturating_mul(duplicate.count - 1);
        let paths: Vec<&str> = duplicate.paths.iter().take(2).map(String::as_str).collect();
        let rest = if duplicate.count > 2 {
            format!(" and {} more", duplicate.count - 2)
        } else {
            String::new()
        };
        (more, format!("{}{rest}", paths.join(", ")))
    });
    list("the same content under several paths", duplicates.collect());
}
