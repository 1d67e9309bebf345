//! A command of a script, as its model reads it.

/// One command with its words expanded as far as they are known.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The program's name without its folder.
    pub(crate) program: String,
    /// The program as written.
    pub(crate) program_path: String,
    /// The arguments; `None` where only the build knows the word.
    pub(crate) args: Vec<Option<String>>,
    /// The command as written, for messages.
    pub(crate) text: String,
    /// The command's place among those of its script.
    pub(crate) index: usize,
}

impl Invocation {
    /// Arguments that are no options.
    pub(crate) fn operands(&self) -> impl Iterator<Item = Option<String>> + '_ {
        let mut options = true;
        self.args
            .iter()
            .filter_map(move |arg| match arg.as_deref() {
                Some("--") if options => {
                    options = false;
                    None
                }
                Some(text) if options && text.len() > 1 && text.starts_with('-') => None,
                _ => Some(arg.clone()),
            })
    }

    /// Target and sources of `cp` and `mv`, with `-t`.
    pub(crate) fn target_and_operands(&self) -> (Option<String>, Vec<Option<String>>) {
        if let Some(target) = self.option(&["-t", "--target-directory"]) {
            let sources = self
                .operands()
                .filter(|operand| operand.as_deref() != Some(&target))
                .collect();
            return (Some(target), sources);
        }
        let mut sources: Vec<_> = self.operands().collect();
        let target = sources.pop().flatten();
        (target, sources)
    }

    /// Whether one of these options is given; a single letter also inside a cluster such as `-rf`.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.args
            .iter()
            .flatten()
            .take_while(|arg| *arg != "--")
            .any(|arg| {
                names.iter().any(|name| {
                    arg == name
                        || arg
                            .strip_prefix(name)
                            .is_some_and(|rest| rest.starts_with('='))
                        || (name.len() == 2
                            && arg.starts_with('-')
                            && !arg.starts_with("--")
                            && arg[1..].contains(&name[1..]))
                })
            })
    }

    /// The value of an option, as `--name value`, `--name=value` or `-nvalue`.
    pub(crate) fn option(&self, names: &[&str]) -> Option<String> {
        self.options(names).into_iter().next()
    }

    /// All values of an option.
    pub(crate) fn options(&self, names: &[&str]) -> Vec<String> {
        let mut values = Vec::new();
        let mut args = self.args.iter();
        while let Some(arg) = args.next() {
            let Some(arg) = arg else { continue };
            for name in names {
                if arg == name {
                    values.extend(args.next().cloned().flatten());
                } else if let Some(value) = arg.strip_prefix(name) {
                    if let Some(value) = value.strip_prefix('=') {
                        values.push(value.to_owned());
                    } else if name.len() == 2 && !arg.starts_with("--") {
                        values.push(value.to_owned());
                    }
                }
            }
        }
        values
    }

    /// The sub-command: the first operand, after options and their values.
    pub(crate) fn command(&self, with_value: &[&str]) -> Option<String> {
        let mut args = self.args.iter();
        while let Some(arg) = args.next() {
            match arg.as_deref() {
                Some(text) if with_value.contains(&text) => {
                    args.next();
                }
                Some(text) if text.len() > 1 && text.starts_with('-') => {}
                _ => return arg.clone(),
            }
        }
        None
    }

    /// The operands after the sub-command, without the values of options that take one.
    pub(crate) fn operands_after(&self, with_value: &[&str]) -> Vec<Option<String>> {
        let mut operands = Vec::new();
        let mut args = self.args.iter();
        while let Some(arg) = args.next() {
            match arg.as_deref() {
                Some(text) if with_value.contains(&text) => {
                    args.next();
                }
                Some(text) if text.len() > 1 && text.starts_with('-') => {}
                _ => operands.push(arg.clone()),
            }
        }
        if !operands.is_empty() {
            operands.remove(0);
        }
        operands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(args: &[&str]) -> Invocation {
        Invocation {
            program: "x".into(),
            program_path: "x".into(),
            args: args.iter().map(|arg| Some((*arg).to_owned())).collect(),
            text: String::new(),
            index: 0,
        }
    }

    #[test]
    fn options_in_every_spelling() {
        let call = invocation(&[
            "install",
            "-rreq.txt",
            "--target=/t",
            "-c",
            "c.txt",
            "--no-cache-dir",
            "-qU",
            "flask",
        ]);
        assert_eq!(call.options(&["-r", "--requirement"]), ["req.txt"]);
        assert_eq!(call.option(&["--target"]).as_deref(), Some("/t"));
        assert_eq!(call.option(&["-c"]).as_deref(), Some("c.txt"));
        assert!(call.has(&["--no-cache-dir"]) && call.has(&["-U"]) && !call.has(&["--user"]));
        assert_eq!(call.operands_after(&["-c"]), [Some("flask".to_owned())]);
    }
}
