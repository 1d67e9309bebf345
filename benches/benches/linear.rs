//! Whether time grows with the text and not faster: texts of every shape from a hundred bytes to a hundred megabytes,
//! parsed to typed instructions. Throughput falls where it does not.

use divan::Bencher;
use divan::counter::BytesCount;
use stagewright_syntax::Dockerfile;
use stagewright_tests::shapes;
use std::fmt;
use std::hint::black_box;

fn main() {
    divan::main();
}

struct Case {
    name: &'static str,
    shape: fn(usize) -> String,
    size: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes", self.name, self.size)
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let sizes = [100, 10_000, 1_000_000, 100_000_000];
    shapes::all()
        .into_iter()
        .flat_map(move |(name, shape)| sizes.map(|size| Case { name, shape, size }))
}

#[divan::bench(args = cases(), sample_count = 3)]
fn linear(bencher: Bencher<'_, '_>, case: &Case) {
    let text = (case.shape)(case.size);
    bencher.counter(BytesCount::new(text.len())).bench(|| {
        let file = Dockerfile::parse(black_box(&text));
        for instruction in file.instructions() {
            black_box(&instruction.view());
        }
    });
}
