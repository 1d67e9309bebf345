//! What other tools made of the sample projects, built and started (`tests/real/peers.json`, made by `cargo xtask real peers`), beside what
//! stagewright makes of the same (`tests/real/optimize.json`). Needs neither BuildKit nor the tools.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use stagewright_tests::peers::{Kind, Record};
use stagewright_tests::proof;

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("real")
        .join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_project_was_given_to_every_tool() {
    let (record, ours): (Record, proof::Record) = (read("peers.json"), read("optimize.json"));
    let projects: BTreeSet<&str> = ours.builds.iter().map(|b| b.project.as_str()).collect();
    for tool in &record.tools {
        let made = record.made.iter().filter(|made| made.tool == tool.name);
        let seen: BTreeSet<&str> = made.map(|made| made.project.as_str()).collect();
        // Generators that write for one language have seen the projects of that one.
        let least = if tool.kind == Kind::Rewrites { 28 } else { 13 };
        assert!(
            seen.len() >= least && seen.is_subset(&projects),
            "{}: {seen:?}",
            tool.name
        );
    }
    for made in &record.made {
        let title = format!("{} {}", made.project, made.tool);
        let fails = made.fault.is_some() || made.missing.is_some();
        assert_eq!(made.works().is_none(), fails, "{title}");
        assert!(made.image.is_none() || made.dockerfile.is_some(), "{title}");
    }
}

/// On the projects that a tool wrote for and that work with it, ours are smaller, run no install again, and none fails.
#[test]
fn ahead_of_every_tool() {
    let (record, ours): (Record, proof::Record) = (read("peers.json"), read("optimize.json"));
    let mut compared = 0;
    let mut smaller_elsewhere = Vec::new();
    for tool in &record.tools {
        let found = record.compare(tool, &ours).unwrap();
        println!("{tool:?}: {found:?}");
        let ([their_works, our_works], [their_installs, our_installs]) =
            (found.works, found.installs_again);
        assert!(our_works >= their_works, "{tool:?}: {found:?}");
        assert_eq!(our_works, found.built, "{tool:?}: {found:?}");
        assert!(
            our_installs == 0 && our_installs <= their_installs,
            "{tool:?}: {found:?}"
        );
        assert_eq!(found.larger[1], 0, "{tool:?}: {found:?}");
        if let [Some(theirs), Some(own)] = found.smaller {
            assert!(own > theirs, "{tool:?}: {found:?}");
            compared += 1;
        }
        let ahead = found.ahead.into_iter().map(|(project, _)| project);
        smaller_elsewhere.extend(ahead.map(|project| format!("{project} {}", tool.name)));
    }
    assert!(compared >= 6, "{compared} tools");
    // 5 kB of 138 MB, 0.8 MB of 945 MB, and 16 kB of 563 MB.
    let known = [
        "console-pyproject dockerfile-doctor",
        "flask-article dockerfile-doctor",
        "streamlit-requirements dockseed",
    ];
    let new: Vec<&String> = smaller_elsewhere
        .iter()
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    assert!(
        new.is_empty(),
        "another tool has the smaller image: {new:?}"
    );
}
