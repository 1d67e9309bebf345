//! What runs in a container: the programs that its start, its health check, the scripts behind them and the application's sources call.

use stagewright_syntax::shell::Script;

use super::Analysis;

/// What a source that starts other programs names.
pub(crate) const STARTERS: [&str; 11] = [
    "subprocess",
    "os.system",
    "popen",
    "shutil.which",
    "child_process",
    "execa",
    "cross-spawn",
    "shelljs",
    "tinyexec",
    "'zx'",
    "\"zx\"",
];

/// Packages that call a program by themselves.
const CALLERS: [(&str, &str); 3] = [
    ("git", "gitpython"),
    ("ffmpeg", "pydub"),
    ("ffmpeg", "ffmpeg-python"),
];

/// What is known of what runs in a container, worked out once: passes ask for many programs.
#[derive(Debug)]
pub(super) struct Called {
    /// The words that may be programs.
    words: Vec<String>,
    /// The paths of the sources that start other programs.
    starters: Vec<String>,
}

impl Analysis {
    /// Whether anything that runs in the container calls a program by its name.
    pub(crate) fn uses(&self, program: &str) -> bool {
        self.called().iter().any(|name| name == program)
            || self.sources_name(program)
            || CALLERS
                .iter()
                .any(|(called, package)| *called == program && self.installs(package))
    }

    fn installs(&self, package: &str) -> bool {
        let layers = self.record().stages.iter().flat_map(|stage| &stage.layers);
        let mut packages = layers
            .flat_map(|layer| &layer.facts.installs)
            .flat_map(|install| &install.packages);
        packages.any(|(name, _)| name == package)
    }

    /// The programs that the start, the health check, and the scripts of the context behind them call.
    pub(crate) fn called(&self) -> &[String] {
        &self.what_is_called().words
    }

    fn what_is_called(&self) -> &Called {
        self.inner.called.get_or_init(|| Called {
            words: self.find_called(),
            starters: self
                .source_files()
                .filter(|(_, text)| STARTERS.iter().any(|starter| text.contains(starter)))
                .map(|(path, _)| path)
                .collect(),
        })
    }

    fn find_called(&self) -> Vec<String> {
        let config = &self.graph().target_stage().end.config;
        // The command is an argument of the entry point, which may start it.
        let started = [&config.entrypoint, &config.cmd].into_iter().flatten();
        let started: Vec<&str> = started.flatten().map(String::as_str).collect();
        let check = config.healthcheck.iter().flatten();
        let check: Vec<&str> = check.map(String::as_str).collect();
        let mut words = programs(&started);
        words.extend(match check.as_slice() {
            ["CMD-SHELL", script] => called_by(script),
            ["CMD", command @ ..] | command => programs(command),
        });
        // Scripts call scripts; each is read once.
        let mut at = 0;
        while at < words.len() {
            for text in self.scripts(&words[at]) {
                for word in called_by(text) {
                    if !words.contains(&word) {
                        words.push(word);
                    }
                }
            }
            at += 1;
        }
        words
    }

    /// Shell scripts of the context that go by a name.
    fn scripts(&self, name: &str) -> Vec<&str> {
        let context = self.context();
        context
            .files()
            .filter(|entry| name_of(&entry.path) == name)
            .filter_map(|entry| context.text(&entry.path))
            .filter(|text| {
                let first = text.lines().next().unwrap_or_default();
                name.ends_with(".sh") || first.starts_with("#!") && first.ends_with("sh")
            })
            .collect()
    }

    /// Whether a source that starts other programs names one.
    fn sources_name(&self, program: &str) -> bool {
        let starters = self.what_is_called().starters.iter();
        let mut texts = starters.filter_map(|path| self.context().text(path));
        texts.any(|text| quotes(text, program))
    }

    /// The texts of the application's sources, and of those of its tests.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &str> {
        self.source_files().map(|(_, text)| text)
    }

    fn source_files(&self) -> impl Iterator<Item = (String, &str)> {
        let context = self.context();
        let source = |path: &str| {
            [
                ".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx",
            ]
            .iter()
            .any(|end| path.ends_with(end))
        };
        context
            .files()
            .filter(move |entry| source(&entry.path))
            .filter_map(|entry| {
                let text = context.text(&entry.path)?;
                Some((entry.path, text))
            })
    }
}

/// The words of a command that may be programs, a shell's script read.
fn programs(command: &[&str]) -> Vec<String> {
    let is_shell = |pair: &[&str]| pair[0].ends_with("sh") && pair[1] == "-c";
    let script = command.windows(2).position(is_shell).map(|at| at + 2);
    let all = command.iter().enumerate();
    all.flat_map(|(at, word)| {
        if Some(at) == script {
            called_by(word)
        } else {
            vec![name_of(word).to_owned()]
        }
    })
    .collect()
}

/// Whether a source starts other programs and names this one.
pub(crate) fn starts(text: &str, program: &str) -> bool {
    STARTERS.iter().any(|starter| text.contains(starter)) && quotes(text, program)
}

/// Whether a text has `"git"` or `"git log`, in quotes of any kind.
fn quotes(text: &str, program: &str) -> bool {
    ['"', '\'', '`'].iter().any(|quote| {
        let start = format!("{quote}{program}");
        text.match_indices(&start)
            .any(|(at, _)| text[at + start.len()..].starts_with([*quote, ' ']))
    })
}

/// The words of a script that may be programs: the first of each command, and every argument, which `exec`, `env` and their like start.
fn called_by(script: &str) -> Vec<String> {
    let parsed = Script::parse(script);
    let words = parsed.commands.iter().flat_map(|command| &command.words);
    words
        .filter_map(|word| Some(name_of(&word.literal()?).to_owned()))
        .collect()
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_in_scripts_and_sources() {
        let words = called_by("set -e\npython -m shop.check\nexec /usr/bin/gunicorn main:app");
        for program in ["python", "gunicorn", "main:app"] {
            assert!(words.iter().any(|word| word == program), "{program}");
        }
        assert!(quotes("subprocess.run(['git', 'log'])", "git"));
        assert!(quotes("os.system(\"git log\")", "git"));
        assert!(!quotes("'github'", "git"));
    }
}
