//! Time and memory of the syntax crate grow in proportion to the text, whatever the text is like.
//!
//! An allocator of its own counts the bytes in use; times are compared between a text and one sixteen times as long, with
//! room for a busy machine.

use stagewright_syntax::shell::Script;
use stagewright_syntax::{Dockerfile, View};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    let used = USED.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(used, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "an allocator that counts and passes on")]
// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both blocks may be there for a while.
        add(size);
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One measurement at a time: the counters are shared.
static ALONE: Mutex<()> = Mutex::new(());

/// Parses and makes every view, one after the other; the time it takes and the bytes it needs at most, the text included.
fn measure(text: &str) -> (Duration, usize) {
    let before = USED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let start = Instant::now();
    let file = Dockerfile::parse(text);
    let mut views = 0;
    for instruction in file.instructions() {
        views += usize::from(!matches!(instruction.view(), View::Invalid(_)));
    }
    assert!(views <= file.len());
    let time = start.elapsed();
    (time, PEAK.load(Ordering::Relaxed) - before + text.len())
}

/// A name, and the text of a size.
type Shape = (&'static str, fn(usize) -> String);

fn shapes() -> Vec<Shape> {
    vec![
        ("instructions", |n| {
            "FROM a\nRUN b c\nENV D=e\n".repeat(n / 22)
        }),
        ("tiny instructions", |n| "RUN\n".repeat(n / 4)),
        ("empty lines", |n| "\n".repeat(n)),
        ("one heredoc", |n| {
            format!("FROM a\nRUN <<EOF\n{}EOF\n", "echo line\n".repeat(n / 10))
        }),
        ("one long continuation", |n| {
            format!("FROM a\nRUN b {}c\n", "\\\n  && echo d ".repeat(n / 14))
        }),
        ("empty continuations", |n| {
            format!("FROM a\nRUN b {}\n", "\\\n".repeat(n / 2))
        }),
        ("comments in a continuation", |n| {
            format!("FROM a\nRUN b \\\n{} c\n", "# d\n".repeat(n / 4))
        }),
        ("one long ENV", |n| {
            format!("FROM a\nENV {}z=1\n", "key=value \\\n".repeat(n / 12))
        }),
        ("long lines", |n| {
            format!("RUN {}\n", "a ".repeat(30_000)).repeat(n / 60_005 + 1)
        }),
        ("heredocs that never end", |n| {
            "RUN <<A <<B <<C\n".repeat(n / 16)
        }),
    ]
}

#[test]
fn memory_stays_below_eight_times_the_text() {
    let alone = ALONE.lock();
    for (name, shape) in shapes() {
        let text = shape(4_000_000);
        let (_, peak) = measure(&text);
        // The view of one instruction with 300,000 pairs is a list of as many, 72 bytes each.
        let limit = if name == "one long ENV" { 20 } else { 8 };
        assert!(
            peak < limit * text.len(),
            "{name}: {peak} bytes for {} of text",
            text.len()
        );
    }
    drop(alone);
}

#[test]
fn time_grows_with_the_text() {
    let alone = ALONE.lock();
    for (name, shape) in shapes() {
        let (short, long) = (shape(250_000), shape(4_000_000));
        let time = |text: &str| (0..3).map(|_| measure(text).0).min().unwrap_or_default();
        let (first, second) = (time(&short), time(&long));
        let limit = first.max(Duration::from_millis(2)) * 16 * 5;
        assert!(
            second < limit,
            "{name}: {first:?} for a sixteenth of what takes {second:?}"
        );
    }
    drop(alone);
}

#[test]
fn depth_ends_in_an_error_or_not_at_all() {
    let alone = ALONE.lock();
    let nested = format!("{}{}", "${a:-".repeat(100_000), "}".repeat(100_000));
    let error = stagewright_syntax::expand::Expander::new('\\')
        .word(&nested, &())
        .expect_err("this is too deep");
    assert_eq!(error.code(), "nesting-too-deep");
    // BuildKit recurses here; a line of a million triggers is read without.
    let triggers = format!("FROM a\n{}RUN b\n", "ONBUILD ".repeat(7_000));
    assert!(
        Dockerfile::parse(&triggers)
            .buildkit_dump()
            .is_some_and(|dump| dump.ends_with(')'))
    );
    let arrays = format!("FROM a\nRUN {}{}\n", "[".repeat(30_000), "]".repeat(30_000));
    assert!(
        Dockerfile::parse(&arrays).errors().is_empty(),
        "too deep for JSON, so it is for the shell"
    );
    for open in ["(", "$(", "{ ", "\"$(", "if ", "`", "${a:-", "$(("] {
        let script = open.repeat(50_000);
        assert!(Script::parse(&script).commands.len() <= script.len());
    }
    drop(alone);
}
