//! Ignore files: any text is read or refused, and the matcher keeps its own laws.
//!
//! The input is an ignore file, a zero byte, and paths with line feeds between them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagewright::context::IgnoreFile;

fuzz_target!(|input: &str| {
    let (text, paths) = input.split_once('\0').unwrap_or((input, "a\na/b\na/b/c.txt"));
    let Ok(file) = IgnoreFile::parse(text) else {
        return;
    };
    // Read again, the patterns are the same.
    let again = IgnoreFile::parse(text).expect("it was read before");
    assert_eq!(again.patterns(), file.patterns());
    let last = |line: &str| IgnoreFile::parse(&format!("{text}\n{line}"));
    for path in paths.split('\n').take(20).filter(|path| is_path(path)) {
        let ignored = file.ignores(path);
        assert_eq!(ignored, file.ignores(path), "the same question, the same answer");
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        // Without exceptions, what lies below an ignored folder is ignored.
        if !file.patterns().iter().any(|pattern| pattern.starts_with('!')) {
            if parent.is_some_and(|parent| file.ignores(parent)) {
                assert!(ignored, "{path:?} lies in an ignored folder");
            }
        }
        // The last pattern that matches decides.
        if let Ok(all) = last("**") {
            assert!(all.ignores(path), "{path:?} after `**`");
        }
        if let Ok(none) = last("!**") {
            assert!(!none.ignores(path), "{path:?} after `!**`");
        }
        // A pattern without special characters matches itself and what lies below.
        if path.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'/') {
            let named = last(path).expect("a plain path is a pattern");
            assert!(named.ignores(path) && named.ignores(&format!("{path}/x")));
            let kept = last(&format!("!{path}")).expect("a plain path is a pattern");
            assert!(!kept.ignores(path));
        }
    }
});

/// A path as a context has it.
fn is_path(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
