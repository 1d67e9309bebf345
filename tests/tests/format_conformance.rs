//! The cases of `tests/conformance/format`: what the formatter makes of a file, and which lines it changes.
//!
//! `case.json` holds `about`, what the case shows, and `lines`, the lines that change. What `BuildKit` reads is held equal in every case.

use serde::Deserialize;
use stagewright::report::FormattedFile;
use stagewright::{Dockerfile, format};
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    lines: Vec<u32>,
}

/// The tree as `BuildKit` dumps it, with the word `AS`, which it reads in any case, in capital letters.
fn dump(text: &str) -> Option<String> {
    let dump = Dockerfile::parse(text).buildkit_dump()?;
    let lines = dump.lines().map(|line| match line.strip_prefix("(from ") {
        Some(rest) => format!(
            "(from {}",
            rest.replace("\"as\"", "\"AS\"").replace("\"As\"", "\"AS\"")
        ),
        None => line.to_owned(),
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn files_are_formatted_and_mean_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/format");
    let mut count = 0;
    for case in fs::read_dir(folder).expect("the cases are there") {
        let path = case.expect("the folder can be listed").path();
        let read = |name: &str| fs::read_to_string(path.join(name)).expect("the file is there");
        let case: Case = serde_json::from_str(&read("case.json")).expect("a case is JSON");
        let (text, expected) = (read("Dockerfile"), read("expected.Dockerfile"));
        let (name, about) = (path.display(), &case.about);
        let formatted = FormattedFile::new("Dockerfile", &Dockerfile::parse(&text));
        assert_eq!(formatted.text, expected, "{name}: {about}");
        assert_eq!(formatted.lines, case.lines, "{name}: {about}");
        assert_eq!(format(&text), expected, "{name}");
        assert_eq!(format(&expected), expected, "{name}: formatted twice");
        assert_eq!(dump(&text), dump(&expected), "{name}: what BuildKit reads");
        count += 1;
    }
    assert!(count >= 24, "{count} cases");
}
