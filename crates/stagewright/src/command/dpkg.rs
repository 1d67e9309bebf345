//! `dpkg -i`: package files whose contents are not known.

use super::{Invocation, Machine, Model, tar};
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &["dpkg", "gdebi"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.program == "dpkg"
        && !invocation.has(&["-i", "--install", "-x", "--extract", "--unpack"])
    {
        return;
    }
    for name in invocation.operands() {
        let known = name.as_deref().and_then(|name| {
            machine.touches(name);
            machine.matching(name).next()
        });
        let sized = match known {
            Some(file) if file.0.is_exact() => tar::unpacked(machine, Some(file.0)),
            _ => machine.guess(|guess| &guess.deb_file),
        };
        let name = name.unwrap_or_else(|| format!("package-{}", invocation.index));
        let own = name.rsplit('/').next().unwrap_or(&name);
        let path = format!("/var/lib/dpkg/{}-{}-{own}", machine.layer, invocation.index);
        machine.put_guess(&path, format!("package {own}"), Kind::SystemPackage, sized);
    }
}
