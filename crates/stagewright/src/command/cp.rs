//! `cp`: the bytes again, in this layer.

use super::{Invocation, Machine, Model};

pub(super) const MODEL: Model = Model {
    programs: &["cp"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let (target, operands) = invocation.target_and_operands();
    for source in operands {
        match (source, &target) {
            (Some(source), Some(target)) => machine.copy(&source, target),
            _ => machine.note(format!(
                "`{}` copies paths that only the build knows",
                invocation.text
            )),
        }
    }
}
