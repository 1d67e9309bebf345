//! Memory of the syntax crate stays below eight times the text, whatever the text is like.
//!
//! An allocator of its own counts the bytes in use, of blocks that grow both the old and the new one. Words are as long as
//! people write them: a list of one-letter words takes 32 bytes for each of them. Time is measured by
//! `cargo xtask bench linear`; where it grew with the square of the text, the texts here would not end.

use stagewright_syntax::shell::Script;
use stagewright_syntax::{Dockerfile, View};
use stagewright_tests::shapes;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Parses and makes every view, one after the other; the bytes it needs at most, the text included.
fn measure(text: &str) -> usize {
    let before = USED.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let file = Dockerfile::parse(text);
    let mut views = 0;
    for instruction in file.instructions() {
        views += usize::from(!matches!(instruction.view(), View::Invalid(_)));
    }
    assert!(views <= file.len());
    PEAK.load(Ordering::Relaxed) - before + text.len()
}

#[test]
fn memory_stays_below_eight_times_the_text() {
    let alone = ALONE.lock();
    for (name, shape) in shapes::all() {
        let text = shape(2_000_000);
        let peak = measure(&text);
        assert!(
            peak < 8 * text.len(),
            "{name}: {peak} bytes for {} of text",
            text.len()
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
