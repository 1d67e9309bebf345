//! `composer`, and the programs that add extensions to PHP.

use super::{Invocation, Machine, Model};
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &[
        "composer",
        "pecl",
        "pear",
        "docker-php-ext-install",
        "docker-php-ext-enable",
        "docker-php-ext-configure",
        "docker-php-source",
        "install-php-extensions",
        "phpize",
        "php",
    ],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    match (
        invocation.program.as_str(),
        invocation.command(&["-d", "--working-dir"]).as_deref(),
    ) {
        ("composer", Some("install" | "update" | "require" | "create-project" | "global")) => {
            for name in ["composer.json", "composer.lock"] {
                machine.touches(name);
            }
            if !invocation.has(&["--no-scripts"]) {
                machine.reads_anything(format!(
                    "`{}` may run scripts of the project",
                    invocation.text
                ));
            }
            let folder = invocation
                .option(&["-d", "--working-dir"])
                .unwrap_or_else(|| ".".into());
            let size = machine.guess(|guess| &guess.composer);
            machine.scatter(
                &format!("{folder}/vendor"),
                "packages",
                "Composer's packages",
                Kind::Text,
                size,
            );
        }
        ("pecl" | "docker-php-ext-install" | "install-php-extensions", _) => {
            let names: Vec<String> = invocation
                .operands()
                .flatten()
                .filter(|word| {
                    !matches!(word.as_str(), "install" | "update-channels")
                        && word.parse::<u32>().is_err()
                })
                .collect();
            let (one, basis) = machine.guess(|guess| &guess.php_extension);
            let size = Size::sum(names.iter().map(|_| one));
            machine.scatter(
                "/usr/local/lib/php",
                &format!("extensions-{}-{}", machine.layer, invocation.index),
                format!("PHP extensions {}", names.join(", ")),
                Kind::Binary,
                (size, basis),
            );
        }
        ("docker-php-source", Some("extract")) => {
            let size = machine.guess(|guess| &guess.unpacked_download);
            machine.put_guess("/usr/src/php", "PHP's source", Kind::Text, size);
        }
        ("docker-php-source", Some("delete")) => machine.remove("/usr/src/php"),
        ("php", _) if !invocation.has(&["-v", "-m", "-i", "--version"]) => {
            machine.runs_code(invocation);
            let size = machine.guess(|guess| &guess.script_output);
            machine.scatter(
                ".",
                &format!("php-{}", invocation.index),
                format!("what `{}` writes", invocation.text),
                Kind::Other,
                size,
            );
        }
        _ => {}
    }
}
