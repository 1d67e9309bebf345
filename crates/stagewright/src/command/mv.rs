//! `mv`: the bytes again in this layer, and those of a lower layer hidden.

use super::{Invocation, Machine, Model};

pub(super) const MODEL: Model = Model {
    programs: &["mv"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let (target, operands) = invocation.target_and_operands();
    for source in operands {
        match (source, &target) {
            (Some(source), Some(target)) => {
                machine.copy(&source, target);
                machine.remove(&source);
            }
            _ => machine.note(format!(
                "`{}` moves paths that only the build knows",
                invocation.text
            )),
        }
    }
}
