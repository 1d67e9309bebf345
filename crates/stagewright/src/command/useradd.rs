//! `useradd`, `adduser`, `groupadd`: the account files again, and a home folder from `/etc/skel`.

use super::{Invocation, Machine, Model};
use crate::ledger::Part;
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &[
        "useradd", "adduser", "usermod", "groupadd", "addgroup", "groupmod", "userdel", "deluser",
        "delgroup", "groupdel", "chpasswd", "passwd", "chsh", "newusers",
    ],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let (size, basis) = machine.catalog.tools().account_files();
    // Each writes them anew; they are in the layer once.
    machine.put(
        "/etc/passwd",
        "account files",
        vec![Part::main(Kind::Text, size)],
        &basis,
    );
    let name = invocation
        .args
        .last()
        .cloned()
        .flatten()
        .filter(|name| !name.starts_with('-'));
    // Alpine's adduser makes one unless told not to, as Debian's does; useradd only when it is asked to.
    let home = match invocation.program.as_str() {
        "useradd" => invocation.has(&["-m", "--create-home"]),
        "adduser" => !invocation.has(&["-H", "--no-create-home", "--system", "-S"]),
        _ => false,
    };
    if let (true, Some(name)) = (home, name) {
        let folder = invocation
            .option(&["-d", "--home-dir", "--home"])
            .unwrap_or_else(|| format!("/home/{name}"));
        let (size, basis) = machine.catalog.tools().home_skeleton();
        machine.put(
            &format!("{folder}/.profile"),
            "a new home folder",
            vec![Part::main(Kind::Text, size)],
            &basis,
        );
    }
}
