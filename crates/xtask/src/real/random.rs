//! Asks about made-up projects and changes.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;

use stagewright_tests::random::{Answer, pair};
use stagewright_tests::scenario;

use super::ask::Builder;

/// `cargo xtask real cache --random`.
pub(super) struct Random {
    /// How many pairs.
    pub(super) count: u64,
    pub(super) seed: u64,
    /// The number of the first pair.
    pub(super) first: u64,
    /// Whether the answers are kept in `tests/real/random`.
    pub(super) record: bool,
}

impl Random {
    /// `N [SEED [FIRST]] [--record]`.
    pub(super) fn read(words: &[&str]) -> Result<Self, Box<dyn Error>> {
        let (record, words) = match words {
            [words @ .., "--record"] => (true, words),
            words => (false, words),
        };
        let number = |place: usize, otherwise: u64| {
            let word = words.get(place);
            word.map_or(Ok(otherwise), |word| word.parse())
        };
        Ok(Self {
            count: number(0, 100)?,
            seed: number(1, 1)?,
            first: number(2, 0)?,
            record,
        })
    }

    /// Makes up the pairs, asks, and compares.
    pub(super) fn run(&self, builder: &mut Builder) -> Result<(), Box<dyn Error>> {
        let mut kept = None;
        if self.record {
            let folder = super::folder("random");
            fs::create_dir_all(&folder)?;
            kept = Some(File::create(folder.join(format!("{}.jsonl", self.seed)))?);
        }
        let (mut asked, mut wrong, mut unknown, mut steps, mut refused) = (0, 0, 0, 0, 0);
        for index in self.first..self.first + self.count {
            let (project, mut edit) = pair(self.seed, index);
            let after = project.after(&edit);
            let Ok(answer) = builder.ask(&project, &edit) else {
                refused += 1;
                continue;
            };
            if let Some(file) = &mut kept {
                let answer = Answer {
                    pair: index,
                    steps: answer.clone(),
                };
                writeln!(file, "{}", serde_json::to_string(&answer)?)?;
            }
            edit.steps = answer;
            let outcome = scenario::check(&project, &edit)?;
            asked += 1;
            steps += outcome.compared;
            unknown += outcome.unknown;
            if !outcome.disagreements.is_empty() {
                wrong += 1;
                eprintln!("--- pair {index} of seed {}: {}", self.seed, edit.name);
                eprintln!("{}\n+++\n{}", project.dockerfile, after.dockerfile);
                for fault in &outcome.disagreements {
                    eprintln!("  {fault}");
                }
            }
            let done = index + 1 - self.first;
            if done.is_multiple_of(50) {
                eprintln!(
                    "{done} of {}: {wrong} disagreements, {unknown} of {steps} steps open",
                    self.count
                );
            }
        }
        super::println(&format!(
            "{asked} pairs compared ({refused} more did not build): {wrong} disagreements, {unknown} of {steps} steps left open"
        ));
        if wrong == 0 {
            Ok(())
        } else {
            Err("the prediction and BuildKit disagree".into())
        }
    }
}
