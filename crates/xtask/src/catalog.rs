//! `cargo xtask catalog FOLDER`: makes `crates/stagewright/catalog/*.tsv.zst` from a folder of source tables.
//!
//! Same folder and same `zstd`, same bytes. The tables written by hand (`*.toml`) are not touched.

mod debian;
mod images;
mod npm;
mod wheels;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failure;

/// Makes every table that is made, not written.
pub(crate) fn run(folder: &Path) -> Result<(), Failure> {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stagewright/catalog");
    let tables = [
        ("images_2018.tsv.zst", images::of_2018(folder)?),
        ("tags.tsv.zst", images::tags(folder)?),
        ("wheels.tsv.zst", wheels::table(folder)?),
        ("npm.tsv.zst", npm::table()?),
        (
            "python_measured.tsv.zst",
            include_str!("../python_measured.tsv").to_owned(),
        ),
        (
            "python_extras.tsv.zst",
            include_str!("../python_extras.tsv").to_owned(),
        ),
        (
            "debian_files.tsv.zst",
            include_str!("../debian_files.tsv").to_owned(),
        ),
    ];
    let write = |(name, text): (&str, String)| -> Result<(), Failure> {
        let packed = pack(&text, block_of(name))?;
        println_size(name, text.len(), packed.len());
        Ok(std::fs::write(catalog.join(name), packed)?)
    };
    tables.into_iter().try_for_each(write)?;
    debian::bookworm(folder)?.into_iter().try_for_each(write)?;
    // Wants the package lists of this machine too.
    debian::trixie(folder)?.into_iter().try_for_each(write)
}

#[expect(
    clippy::print_stdout,
    reason = "a task's report to the person who ran it"
)]
fn println_size(name: &str, text: usize, packed: usize) {
    println!("{name:28} {text:>9} bytes, packed {packed:>7}");
}

/// Reads one of the source tables.
fn read(folder: &Path, name: &str) -> Result<String, Failure> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// The day and the source as the first line of a table, then the names of its columns.
fn head(date: &str, source: &str, columns: &[&str]) -> String {
    format!("{date}\t{source}\n{}\n", columns.join("\t"))
}

/// Runs `zstd`, which packs a tenth better than what is written in Rust and is needed nowhere else.
fn zstd(arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut child = Command::new("zstd")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the `zstd` command is needed: {error}"))?;
    let mut stdin = child.stdin.take().ok_or("no pipe to zstd")?;
    let output = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(input));
        let output = child.wait_with_output();
        (output, writer.join())
    });
    let (output, written) = output;
    let output = output?;
    if !output.status.success() || !matches!(written, Ok(Ok(()))) {
        return Err(format!("`zstd {}` failed: {}", arguments.join(" "), output.status).into());
    }
    Ok(output.stdout)
}

/// The bytes of a block. Of a small block little is unpacked for one name, a large one packs better: names that are asked for together lie
/// near each other in the tables of Debian only by chance.
fn block_of(name: &str) -> usize {
    match name {
        "wheels.tsv.zst" | "tags.tsv.zst" | "python_measured.tsv.zst" | "images_2018.tsv.zst" => {
            24 << 10
        }
        _ => 1 << 20,
    }
}

/// A table in the form that `facts/table.rs` describes.
fn pack(text: &str, block: usize) -> Result<Vec<u8>, Failure> {
    let head = text
        .match_indices('\n')
        .nth(1)
        .map_or(text.len(), |(at, _)| at + 1);
    let (head, rows) = text.split_at(head);
    let key = |line: &str| {
        line.split(['\t', '\n'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let mut blocks: Vec<(String, usize, String)> = vec![(head.to_owned(), 0, String::new())];
    let mut before = String::new();
    for line in rows.split_inclusive('\n') {
        let name = key(line);
        let last = blocks.last().ok_or("a table has a head")?;
        if blocks.len() == 1 || (last.0.len() >= block && name != before) {
            blocks.push((String::new(), 0, name.clone()));
        }
        if let Some((text, rows, _)) = blocks.last_mut() {
            text.push_str(line);
            *rows += 1;
        }
        before = name;
    }
    let (mut index, mut frames) = (String::new(), Vec::new());
    for (text, rows, key) in blocks {
        let size = format!("--stream-size={}", text.len());
        let options = ["--ultra", "-22", "--no-progress", "--no-check", "-q", "-c"];
        let frame = zstd(&[&options[..], &[&size]].concat(), text.as_bytes())?;
        index.push_str(&format!("{}\t{rows}\t{key}\n", frame.len()));
        frames.extend(frame);
    }
    let mut packed = vec![0x50, 0x2a, 0x4d, 0x18];
    packed.extend(u32::try_from(index.len())?.to_le_bytes());
    packed.extend(index.into_bytes());
    packed.extend(frames);
    Ok(packed)
}

fn unpack(path: &Path) -> Result<String, Failure> {
    let packed = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(String::from_utf8(zstd(&["-d", "-q", "-c"], &packed)?)?)
}
