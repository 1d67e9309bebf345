//! `cat`, `tee` and `echo`: text that goes on, or into a file.

use super::{Invocation, Machine, Model};
use crate::kind;
use crate::size::{Basis, Size};

pub(super) const MODEL: Model = Model {
    programs: &["cat", "tee", "echo", "printf", "dd"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    match invocation.program.as_str() {
        "tee" => {
            let input = machine.input.take();
            let size = input
                .unwrap_or_else(|| (Size::range(0, 100, 4096), Basis::new("output of a command")));
            for path in invocation
                .operands()
                .flatten()
                .filter(|path| !path.starts_with("/dev/"))
            {
                machine.put_file(&path, kind::of_path(&path), size.clone());
            }
            machine.output = Some(size);
        }
        "cat" => {
            let mut sum: Option<(Size, Basis)> = machine.input.take();
            for path in invocation.operands().flatten() {
                machine.touches(&path);
                for (size, basis) in machine.matching(&path).collect::<Vec<_>>() {
                    let whole = sum.take().map_or(size, |(other, _)| other.plus(size));
                    sum = Some((whole, basis));
                }
            }
            machine.output = sum;
        }
        "dd" => {
            let value = |name: &str| {
                invocation
                    .args
                    .iter()
                    .flatten()
                    .find_map(|arg| arg.strip_prefix(name).map(str::to_owned))
            };
            if let Some(path) = value("of=") {
                let size = match (
                    value("bs=").and_then(|text| bytes(&text)),
                    value("count=").and_then(|text| bytes(&text)),
                ) {
                    (Some(block), Some(count)) => (
                        Size::exact(block.saturating_mul(count)),
                        Basis::new("block size and count of `dd`"),
                    ),
                    _ => machine.guess(|guess| &guess.download),
                };
                machine.put_file(&path, kind::of_path(&path), size);
            }
        }
        _ => {
            let words: Option<Vec<&str>> = invocation.args.iter().map(Option::as_deref).collect();
            if let Some(words) = words {
                let size = printed(&invocation.program, &words);
                machine.output = Some((size, Basis::new("text in the Dockerfile")));
            }
        }
    }
}

/// What `echo` and `printf` print. A format with `%` may be longer or shorter than its words.
fn printed(program: &str, words: &[&str]) -> Size {
    let sum = |words: &[&str]| words.iter().map(|word| word.len() as u64 + 1).sum::<u64>();
    match (program, words) {
        ("echo", ["-n", rest @ ..]) => Size::exact(sum(rest).saturating_sub(1)),
        ("echo", ["-e" | "-ne" | "-en", rest @ ..]) => Size::range(0, sum(rest), sum(rest)),
        ("echo", []) => Size::exact(1),
        ("echo", words) => Size::exact(sum(words)),
        (_, [format]) if !format.contains('%') => {
            Size::exact((format.len() - format.matches('\\').count()) as u64)
        }
        (_, words) => Size::range(0, sum(words), 2 * sum(words)),
    }
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1,
        "k" | "K" => 1024,
        "M" => 1024 * 1024,
        "G" => 1024 * 1024 * 1024,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}
