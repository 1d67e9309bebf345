//! `rm`: frees bytes of its own layer and hides those of lower ones.

use super::{Invocation, Machine, Model};

pub(super) const MODEL: Model = Model {
    programs: &["rm", "rmdir", "unlink"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    for path in invocation.operands() {
        match path {
            Some(path) => machine.remove(&path),
            None => machine.note(format!(
                "`{}` removes paths that only the build knows",
                invocation.text
            )),
        }
    }
}
