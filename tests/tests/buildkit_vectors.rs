//! What BuildKit's own tests ask, held against BuildKit's recorded answers.
//!
//! `conformance/buildkit/KIND.jsonl` has a line for each question: `table` (the test it comes from), `question` and `answer`. The inputs are
//! those of the tests of `github.com/moby/buildkit` v0.32.2 and `github.com/moby/patternmatcher` v0.6.1 (both Apache-2.0) and small changes of
//! them; the answers are what BuildKit's code says. `cargo xtask oracle --record` makes the files.

use serde_json::Value;
use stagewright_tests::buildkit::{answer, differences, is_known};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Questions that each kind has at least.
const KINDS: [(&str, usize); 6] = [
    ("directives", 80),
    ("ignore", 200),
    ("image", 300),
    ("source", 900),
    ("text", 550),
    ("word", 500),
];

#[test]
fn questions_of_buildkits_tests_are_answered_as_buildkit_answers_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/buildkit");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, least) in KINDS {
        let rows =
            fs::read_to_string(folder.join(format!("{kind}.jsonl"))).expect("it is recorded");
        for row in rows.split_terminator('\n') {
            let row: Value = serde_json::from_str(row).expect("a line is JSON");
            let ours = answer(kind, &row["question"]);
            let different = differences(kind, &ours, &row["answer"]);
            assert!(
                different.is_empty() || is_known(kind, &different, &row["answer"]),
                "{} {}: {different:?}\n{ours}\n{}",
                row["table"],
                row["question"],
                row["answer"]
            );
            *counts.entry(kind).or_default() += 1;
        }
        assert!(counts[kind] >= least, "{kind}: {}", counts[kind]);
    }
}
