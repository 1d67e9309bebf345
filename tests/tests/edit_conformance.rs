//! The cases of `tests/conformance/edit`: what an edit makes of a file, or why it is refused.
//!
//! `case.json` holds `about`, what the case shows, and `operations`, made one after the other in `Dockerfile`; or `instructions`, of which a
//! new file is made. `expected.Dockerfile` is the new text; where the edit is refused there is an `error` instead. Both are written by hand.

use serde::Deserialize;
use serde_json::Value;
use stagewright::edit::{Operation, OperationError, apply, compose};
use stagewright::report::ErrorReport;
use stagewright::{Dockerfile, NewInstruction};
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    operations: Option<Vec<Value>>,
    instructions: Option<Vec<Value>>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    code: String,
    message: String,
}

fn answer(case: &Case, text: &str) -> Result<String, OperationError> {
    let json = |values: &Option<Vec<Value>>| {
        let values = values.iter().flatten();
        values.map(ToString::to_string).collect::<Vec<_>>()
    };
    let operations = json(&case.operations);
    let operations = operations.iter().map(|json| Operation::from_json(json));
    let changed = apply(text, &operations.collect::<Result<Vec<_>, _>>()?)?;
    let new = json(&case.instructions);
    let new = new.iter().map(|json| NewInstruction::from_json(json));
    let new = new.collect::<Result<Vec<_>, _>>()?;
    Ok(if new.is_empty() {
        changed
    } else {
        compose(&new)?
    })
}

#[test]
fn edits_are_made_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/edit");
    let (mut made, mut refused) = (0, 0);
    for case in fs::read_dir(folder).expect("the cases are there") {
        let path = case.expect("the folder can be listed").path();
        let read = |name: &str| fs::read_to_string(path.join(name));
        let case = read("case.json").expect("a case says what is asked");
        let case: Case = serde_json::from_str(&case).expect("a case is JSON");
        let name = format!("{}: {}", path.display(), case.about);
        let text = read("Dockerfile").unwrap_or_default();
        let found = answer(&case, &text);
        match (&case.error, found) {
            (None, Ok(found)) => {
                assert_eq!(
                    found,
                    read("expected.Dockerfile").expect("the file is there"),
                    "{name}"
                );
                if case.instructions.is_some() {
                    assert_eq!(Dockerfile::parse(&found).errors(), [], "{name}");
                }
                made += 1;
            }
            (Some(wanted), Err(error)) => {
                let found = ErrorReport::new(&error).error;
                assert_eq!(
                    (found.code, &*found.message),
                    (&*wanted.code, &*wanted.message),
                    "{name}"
                );
                refused += 1;
            }
            (_, found) => panic!("{name}: {found:?}"),
        }
    }
    assert!(
        made >= 26 && refused >= 23,
        "{made} made, {refused} refused"
    );
}
