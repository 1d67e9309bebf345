//! The cases of `tests/conformance/syntax`: one trap each, with BuildKit's answer.
//!
//! `expected.json` holds `about`, what the case shows, and what BuildKit v0.32.2 answers: `ok`, `error`, `line`, `dump`. The dump is there
//! if its parser accepts the file, even if a later step rejects an instruction. `cargo xtask oracle tests/conformance/syntax` asks
//! BuildKit again.

use serde_json::{Value, json};
use stagewright::Dockerfile;
use stagewright::report::BuildkitReport;
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
