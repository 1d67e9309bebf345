//! `chmod`: a file of a lower layer whose mode changes is stored again as a whole, as overlay file systems keep whole files.

use super::{Invocation, Machine, Model};
use crate::ledger::Access;

pub(super) const MODEL: Model = Model {
    programs: &["chmod"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    machine.change_access(invocation, Access::changed);
}
