//! Programs that run code of a JavaScript project.

use super::{Invocation, Machine, Model};

pub(super) const MODEL: Model = Model {
    programs: &[
        "node", "nodejs", "npx", "bunx", "deno", "tsc", "vite", "ng", "next", "webpack", "gulp",
        "grunt",
    ],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.has(&["-v", "--version"]) {
        return;
    }
    super::script::run(invocation, machine, ".");
}
