//! Commands that run other commands: a script whose text is known, and words before a command such as `sudo`.

use stagewright_syntax::shell::SimpleCommand;

use super::shell::Walk;
use crate::command::{Invocation, Machine};

/// A script that a command runs.
pub(super) struct Called {
    pub(super) text: String,
    /// In a shell of its own: its folder and variables are gone when it ends.
    pub(super) own: bool,
}

impl Walk<'_, '_, '_> {
    /// The script that a command runs, where its text is known: `sh -c '…'`, `sh <<EOF`, `eval …`, `. file`, `sh file`, `./file`.
    pub(super) fn called(
        &mut self,
        invocation: &Invocation,
        command: &SimpleCommand<'_>,
    ) -> Option<Called> {
        let file = |machine: &Machine<'_>, path: &str| {
            machine.text(&machine.absolute(path)).map(str::to_owned)
        };
        match invocation.program.as_str() {
            "eval" => {
                let words: Option<Vec<String>> = invocation.args.iter().cloned().collect();
                let text = words?.join(" ");
                Some(Called { text, own: false })
            }
            "." | "source" => {
                let path = invocation.operands().next()??;
                let text = file(self.machine, &path)?;
                self.machine.reads(&path);
                Some(Called { text, own: false })
            }
            program if is_shell(program) => {
                if invocation.has(&["-c"]) {
                    let text = invocation.operands().next()??;
                    return Some(Called { text, own: true });
                }
                let Some(path) = invocation.operands().next() else {
                    let text = command.redirects.iter().find_map(|one| one.body)?;
                    let text = text.to_owned();
                    return Some(Called { text, own: true });
                };
                let text = file(self.machine, &path.clone()?)?;
                self.machine.reads(&path?);
                Some(Called { text, own: true })
            }
            _ => {
                let path = &invocation.program_path;
                let text = Some(path)
                    .filter(|path| path.contains('/'))
                    .and_then(|path| file(self.machine, path))?;
                self.machine.reads(path);
                let interpreter = text.strip_prefix("#!").map_or("", |rest| {
                    rest.lines().next().unwrap_or_default().trim_end()
                });
                let shell = interpreter.is_empty() || interpreter.rsplit(['/', ' ']).any(is_shell);
                shell.then_some(Called { text, own: true })
            }
        }
    }
}

fn is_shell(program: &str) -> bool {
    matches!(program, "sh" | "bash" | "dash" | "ash" | "zsh" | "ksh")
}

/// `sudo`, `exec`, `env A=1`, `time`, `xargs`: the command is what follows.
pub(super) fn unwrap(program: &str, args: &[Option<String>]) -> (String, Vec<Option<String>>) {
    let mut program = program.to_owned();
    let mut args = args.to_vec();
    loop {
        let name = basename(&program);
        // Options with a value behind them, and words before the command.
        let (valued, words): (&[&str], usize) = match name {
            "sudo" => (&["-u", "-g", "-h", "-p", "-C", "-r", "-t"], 0),
            "env" => (&["-u", "-C", "-S"], 0),
            "nice" => (&["-n"], 0),
            "xargs" => (&["-n", "-I", "-P", "-L", "-d", "-a", "-s", "-E"], 0),
            "timeout" => (&["-s", "-k"], 1),
            "gosu" | "su-exec" => (&[], 1),
            "exec" | "time" | "nohup" | "busybox" | "stdbuf" | "setarch" | "eatmydata" => (&[], 0),
            _ => break,
        };
        let mut skip = 0;
        while let Some(Some(arg)) = args.get(skip) {
            if valued.contains(&arg.as_str()) {
                skip += 2;
            } else if (arg.starts_with('-') && arg.len() > 1)
                || (arg.contains('=') && matches!(name, "env" | "sudo"))
            {
                skip += 1;
            } else {
                break;
            }
        }
        skip += words;
        let Some(Some(next)) = args.get(skip).cloned() else {
            break;
        };
        args.drain(..=skip);
        program = next;
    }
    (program, args)
}

pub(super) fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
