//! `ln`: a link holds no bytes of its own; a hard link to a file of a lower layer stores it again.

use super::{Invocation, Machine, Model};

pub(super) const MODEL: Model = Model {
    programs: &["ln", "link"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.has(&["-s", "--symbolic"]) {
        return;
    }
    let (target, sources) = invocation.target_and_operands();
    let Some(target) = target else { return };
    for source in sources.into_iter().flatten() {
        let path = machine.absolute(&source);
        let below = machine
            .tree
            .get(&path)
            .is_some_and(|node| node.layer != machine.layer);
        if below {
            machine.copy(&source, &target);
        }
    }
}
