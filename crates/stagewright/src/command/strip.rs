//! `strip`: symbols of programs and libraries go. What is left lies between nearly nothing and all of it.

use std::sync::Arc;

use super::{Invocation, Machine, Model};
use crate::facts::interpreter::SYMBOLS;
use crate::ledger::Part;
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["strip", "upx"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    for path in invocation.operands().flatten() {
        let path = machine.absolute(&path);
        machine.touches(&path);
        machine.remove_labelled(&path, SYMBOLS);
        let Some(node) = machine.tree.get(&path).cloned() else {
            continue;
        };
        let tools = machine.catalog.tools();
        let basis = tools.stripped(Size::ZERO).1;
        let symbols = |kind| matches!(kind, Kind::Binary | Kind::NativeWheel | Kind::Other);
        let parts = node
            .parts
            .iter()
            .map(|part| Part {
                size: if symbols(part.kind) {
                    tools.stripped(part.size).0
                } else {
                    part.size
                },
                ..*part
            })
            .collect();
        let label = Arc::clone(&node.label);
        machine.put(&path, label, parts, &basis);
    }
}
