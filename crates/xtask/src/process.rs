//! Running other programs, with progress on the terminal.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::Failure;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates
        .and_then(Path::parent)
        .expect("xtask lies two folders below the root")
        .to_owned()
}

/// The folder for everything that is built: cargo's own.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// What a program said and whether it succeeded.
pub(crate) struct Answer {
    pub(crate) stdout: String,
    pub(crate) success: bool,
}

/// Runs a program whose output the person sees as it comes, and keeps what it says on its standard output.
pub(crate) fn watch(title: &str, command: &mut Command) -> Result<Answer, Failure> {
    eprintln!("==> {title}");
    let start = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let mut pipe = child.stdout.take().ok_or("a child without its pipe")?;
    let reader = thread::spawn(move || {
        let (mut all, mut chunk) = (Vec::new(), [0; 8192]);
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            all.extend_from_slice(&chunk[..count]);
            // Nobody to see it is no reason to stop.
            let _ = std::io::stdout().write_all(&chunk[..count]);
            let _ = std::io::stdout().flush();
        }
        all
    });
    let status = child.wait()?;
    let stdout = reader.join().map_err(|_| "the reader of a pipe stopped")?;
    eprintln!(
        "    {} after {:.1} s",
        if status.success() { "done" } else { "FAILED" },
        start.elapsed().as_secs_f64()
    );
    Ok(Answer {
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        success: status.success(),
    })
}

/// Runs a program that must succeed; its output is shown.
pub(crate) fn must(title: &str, command: &mut Command) -> Result<(), Failure> {
    if watch(title, command)?.success {
        Ok(())
    } else {
        Err(format!("{title}: `{}` failed", shown(command)).into())
    }
}

/// Runs a program that must succeed, and returns what it says.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| cannot_start(command, &error))?;
    if !output.status.success() {
        return Err(format!("`{}` failed", shown(command)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether the work that left this stamp was done for the same input; where it was not, `work` does it and leaves the stamp.
pub(crate) fn once(
    stamp: &Path,
    input: &str,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    if std::fs::read_to_string(stamp).is_ok_and(|before| before == input) {
        return Ok(());
    }
    work()?;
    Ok(std::fs::write(stamp, input)?)
}

/// The version that a program prints (`Python 3.12.4`, `v20.11.0`) as two numbers.
pub(crate) fn version(program: &str) -> Option<(u32, u32)> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = digits.split('.').map(|part| part.trim().parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    format!("`{}` cannot be started: {error}", shown(command)).into()
}
