//! `locale-gen` and `localedef`: compiled locales.

use super::{Invocation, Machine, Model};
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["locale-gen", "localedef"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let (one, basis) = machine.catalog.tools().locale();
    let names = invocation.operands().flatten().count();
    let count = if invocation.program == "localedef" {
        1
    } else {
        names.max(1)
    };
    let size = Size::sum((0..count.min(1000)).map(|_| one));
    machine.put_guess(
        "/usr/lib/locale/locale-archive",
        "compiled locales",
        Kind::Locale,
        (size, basis),
    );
}
