//! Any text is read, every view and every error has its place, and formatting changes no value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagewright_syntax::{Dockerfile, format, shell};

fuzz_target!(|text: &str| {
    let file = Dockerfile::parse(text);
    assert_eq!(file.text(), text);
    let mut last = 0;
    for instruction in file.instructions() {
        let span = instruction.span();
        assert!(span.start >= last && text.get(span.range()).is_some());
        last = span.end;
        for flag in instruction.flags() {
            assert!(text.get(flag.span.range()).is_some());
        }
        assert!(text.get(instruction.arguments().span.range()).is_some());
        if let stagewright_syntax::View::Run(run) = instruction.view() {
            if let Some(source) = run.script() {
                for command in shell::Script::parse(&source.text).commands {
                    assert!(text.get(source.source_span(command.span).range()).is_some());
                }
            }
        }
    }
    for error in file.errors() {
        assert!(text.get(error.span().range()).is_some());
    }
    for comment in file.comments() {
        assert!(text[comment.span.range()].starts_with('#'));
    }
    let dump = file.buildkit_dump();
    let formatted = format::format(text);
    let lower = |dump: Option<String>| dump.map(|dump| dump.to_lowercase());
    assert_eq!(
        lower(Dockerfile::parse(&formatted).buildkit_dump()),
        lower(dump)
    );
    assert_eq!(format::format(&formatted), formatted);
});
