//! An edit changes only its bytes, and an inserted instruction leaves the others alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagewright_syntax::Dockerfile;
use stagewright_syntax::edit::EditSet;

fuzz_target!(|input: (u8, u8, &str)| {
    let (which, what, text) = input;
    let file = Dockerfile::parse(text);
    if file.is_empty() {
        return;
    }
    let instruction = file.instruction(which as usize % file.len());
    let mut edits = EditSet::new();
    let done = match what % 6 {
        0 => edits.insert_before(&instruction, "RUN true"),
        1 => edits.insert_after(&instruction, "RUN true"),
        2 => edits.remove_instruction(&instruction, what > 128),
        3 => edits.set_flag(&instruction, "network", Some("none")),
        4 => edits.replace_instruction(&instruction, "RUN true"),
        _ => edits.remove_flag(&instruction, "link"),
    };
    done.expect("one edit cannot overlap another");
    let changed = edits.apply(text);
    let (mut old, mut new) = (0, 0);
    for edit in edits.edits() {
        let kept = edit.span.start as usize - old;
        assert_eq!(text[old..old + kept], changed[new..new + kept]);
        new += kept + edit.content.len();
        old = edit.span.end as usize;
    }
    assert_eq!(text[old..], changed[new..]);
    // Faulty files may hold lines that belong to nothing.
    if file.errors().is_empty() && what % 6 == 0 {
        assert_eq!(Dockerfile::parse(&changed).len(), file.len() + 1);
    }
});
