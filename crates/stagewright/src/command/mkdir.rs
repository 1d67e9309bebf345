//! `mkdir`: folders hold no bytes of their own.

use super::{Invocation, Machine, Model};

pub(super) const MODEL: Model = Model {
    programs: &["mkdir"],
    run,
};

fn run(_: &Invocation, _: &mut Machine<'_>) {}
