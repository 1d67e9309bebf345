//! `cargo run --example optimize FOLDER [YYYY-MM-DD [FILE]]`: the ladder down from a Dockerfile, as JSON.

use std::error::Error;

use stagewright::report::{OptimizeReport, to_json};
use stagewright::{
    Analysis, Applicability, BuildFiles, Dockerfile, Objective, Options, PlanOptions,
};

#[expect(clippy::print_stdout, reason = "an example shows its answer")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;

    let files = BuildFiles::open(folder)?;
    let options = Options {
        as_of: arguments.next(),
        ..Options::default()
    };
    let analysis = Analysis::new(&Dockerfile::parse(&files.text), &files.context, &options)?;

    let mut wanted = PlanOptions::new(Objective::ColdPull, Applicability::Unsafe);
    wanted.change = arguments.next();
    let plan = analysis.plan_with(&wanted)?;
    print!("{}", to_json(&OptimizeReport::new(&analysis, plan)));
    Ok(())
}
