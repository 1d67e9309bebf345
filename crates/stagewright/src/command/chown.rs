//! `chown`: a file of a lower layer whose owner changes is stored again as a whole, as overlay file systems keep whole files.

use super::{Invocation, Machine, Model};

pub(super) const MODEL: Model = Model {
    programs: &["chown", "chgrp"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let group = invocation.program == "chgrp";
    machine.change_access(invocation, |access, owner| {
        Some(if group {
            access.owned(&format!(":{owner}"))
        } else {
            access.owned(owner)
        })
    });
}
