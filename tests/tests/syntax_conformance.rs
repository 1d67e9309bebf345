//! The cases of `tests/conformance/syntax`, one trap each, with BuildKit's answer; and of `tests/conformance/parse`, where parts stand.
//!
//! `expected.json` holds `about`, what the case shows, and what BuildKit v0.32.2 answers: `ok`, `error`, `line`, `dump`. The dump is there
//! if its parser accepts the file, even if a later step rejects an instruction. `cargo xtask oracle tests/conformance/syntax` asks
//! BuildKit again.

use serde_json::{Value, json};
use stagewright::Dockerfile;
use stagewright::report::{BuildkitReport, ParseReport, to_json};
use stagewright_tests::conformance::Case;
use std::fs;
use std::path::Path;

#[test]
fn cases_are_answered_as_buildkit_answers_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/syntax");
    let mut count = 0;
    for case in fs::read_dir(folder).expect("the cases are there") {
        let case = case.expect("the folder can be listed").path();
        let text = fs::read_to_string(case.join("Dockerfile")).expect("a case has a Dockerfile");
        let expected =
            fs::read_to_string(case.join("expected.json")).expect("a case has an expectation");
        let mut expected: Value = serde_json::from_str(&expected).expect("an expectation is JSON");
        let file = Dockerfile::parse(&text);
        let mut found = json!(BuildkitReport::new("", &file));
        found["about"] = expected["about"].clone();
        expected["file"] = json!("");
        assert_eq!(found, expected, "{}", case.display());
        assert_eq!(file.text(), text);
        count += 1;
    }
    assert!(count >= 80, "{count} cases");
}

/// Every piece of text in an answer, with its place.
fn pieces(value: &Value, found: &mut Vec<(String, usize, usize)>) {
    if let (Some(text), Some(span)) = (value["text"].as_str(), value.get("span")) {
        let offset = |name: &str| {
            let offset = span[name].as_u64().expect("an offset");
            usize::try_from(offset).expect("an offset")
        };
        found.push((text.to_owned(), offset("start"), offset("end")));
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| pieces(value, found)),
        Value::Object(values) => values.values().for_each(|value| pieces(value, found)),
        _ => {}
    }
}

#[test]
fn parts_stand_where_they_are_said_to() {
    let cases = Case::all("parse");
    assert!(cases.len() >= 6, "{} cases", cases.len());
    for case in cases {
        let text = fs::read_to_string(case.folder.join("Dockerfile")).expect("the file is there");
        let answer = to_json(&ParseReport::new(&Dockerfile::parse(&text)));
        case.check(&answer);
        let mut found = Vec::new();
        pieces(
            &serde_json::from_str(&answer).expect("the answer is JSON"),
            &mut found,
        );
        assert!(found.len() > 5, "{}", case.folder.display());
        for (part, start, end) in found {
            let written = &text[start..end];
            // Over lines the joined text differs, and words in JSON are written with quotes.
            let exact = part == written || written.contains('\n') || written.starts_with('"');
            assert!(exact, "{}: {part:?} is {written:?}", case.folder.display());
        }
    }
}
