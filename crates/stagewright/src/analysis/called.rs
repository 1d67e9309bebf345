//! What runs in a container: the programs that its start, its health check, the scripts behind them and the application's sources call.

use std::collections::BTreeSet;

use stagewright_syntax::shell::Script;

use super::Analysis;
use crate::facts::tools::Needs;
use crate::project::node::MANAGERS;

/// What a source that starts other programs names.
pub(crate) const STARTERS: [&str; 18] = [
    "subprocess",
    "os.system",
    "os.exec",
    "os.spawn",
    "posix_spawn",
    "pexpect",
    "plumbum",
    "import sh\n",
    "from sh import",
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

/// Packages with which programs are called as if they were functions: a source names them without quotes.
const AS_FUNCTIONS: [&str; 3] = ["plumbum", "import sh\n", "from sh import"];

/// What is known of what runs in a container, worked out once: passes ask for many programs.
#[derive(Debug)]
pub(super) struct Called {
    /// The words that may be programs.
    words: Vec<String>,
    /// The paths of the sources that start other programs.
    starters: Vec<String>,
    /// What installed packages need beside what they and others bring.
    needs: Vec<&'static Needs>,
}

impl Analysis {
    /// Whether anything that runs in the container calls a program by its name.
    pub(crate) fn uses(&self, program: &str) -> bool {
        self.called().iter().any(|name| name == program)
            || self.sources_name(program)
            || self
                .unmet_needs()
                .iter()
                .any(|needs| needs.programs.iter().any(|called| called == program))
    }

    /// What installed packages need beside what they and others bring.
    pub(crate) fn unmet_needs(&self) -> &[&'static Needs] {
        &self.what_is_called().needs
    }

    fn find_needs(&self) -> Vec<&'static Needs> {
        let layers = self.record().stages.iter().flat_map(|stage| &stage.layers);
        let packages = layers
            .flat_map(|layer| &layer.facts.installs)
            .flat_map(|install| &install.packages);
        let installed: BTreeSet<&str> = packages.map(|(name, _)| name.as_str()).collect();
        let has = |name: &String| installed.contains(name.as_str());
        let unmet = |needs: &&Needs| needs.names.iter().any(has) && !needs.without.iter().any(has);
        self.catalog()
            .tools()
            .needs()
            .iter()
            .filter(unmet)
            .collect()
    }

    /// The programs that the start, the health check, and the scripts of the context behind them call.
    pub(crate) fn called(&self) -> &[String] {
        &self.what_is_called().words
    }

    fn what_is_called(&self) -> &Called {
        self.inner.called.get_or_init(|| {
            let starters = self
                .source_files()
                .filter(|(_, text)| STARTERS.iter().any(|starter| text.contains(starter)));
            let (starters, texts): (Vec<String>, Vec<&str>) = starters.unzip();
            Called {
                words: self.find_called(&texts),
                starters,
                needs: self.find_needs(),
            }
        })
    }

    /// `starters`: the texts of the sources that start other programs.
    fn find_called(&self, starters: &[&str]) -> Vec<String> {
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
        words.extend(self.scripts_of(starters));
        let manifest = self.context().text("package.json");
        let manifest: Option<serde_json::Value> =
            manifest.and_then(|text| serde_json::from_str(text).ok());
        let managed = |words: &[String]| words.iter().any(|word| MANAGERS.contains(&&**word));
        let mut at = 0;
        while at < words.len() {
            let mut more: Vec<String> = Vec::new();
            for text in self.scripts(&words[at]) {
                more.extend(called_by(text));
            }
            if let Some(manifest) = manifest.as_ref().filter(|_| managed(&words)) {
                for stage in ["pre", "", "post"] {
                    let script = &manifest["scripts"][format!("{stage}{}", words[at])];
                    more.extend(script.as_str().into_iter().flat_map(called_by));
                }
            }
            for word in more {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            at += 1;
        }
        words
    }

    /// The names of the shell scripts of the context that texts name.
    fn scripts_of(&self, texts: &[&str]) -> Vec<String> {
        let names = self
            .context()
            .files()
            .map(|entry| name_of(&entry.path).to_owned());
        names
            .filter(|name| name.ends_with(".sh") && texts.iter().any(|text| text.contains(name)))
            .collect()
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
        context
            .files()
            .filter(|entry| is_source(&entry.path))
            .filter_map(|entry| {
                let text = context.text(&entry.path)?;
                Some((entry.path, text))
            })
    }
}

/// Whether a file is a source of Python or JavaScript.
pub(crate) fn is_source(path: &str) -> bool {
    [
        ".py", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx",
    ]
    .iter()
    .any(|end| path.ends_with(end))
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

/// Whether a text has a program where a string or the line of a script begins, behind a path, or as a function of a package that makes
/// programs ones: `"git"`, `'git log`, `/usr/bin/git`, `cd a && git pull`, `sh.git(`.
fn quotes(text: &str, program: &str) -> bool {
    let functions = AS_FUNCTIONS.iter().any(|package| text.contains(package));
    text.match_indices(program).any(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let after = rest[program.len()..].chars().next();
        if functions && begins_name(before) && !after.is_some_and(is_name) {
            return true;
        }
        let ends = after.is_none_or(|c| c.is_whitespace() || is_quote(c));
        let line = before.trim_end_matches([' ', '\t']);
        ends && (before.ends_with(|c| is_quote(c) || c == '/')
            || line.ends_with(['&', '|', ';', '\n']) && has_argument(&rest[program.len()..])
            || before.ends_with("$("))
    })
}

/// Whether what follows a word reads like its arguments in a shell, and not like the rest of a line of Python or JavaScript.
fn has_argument(rest: &str) -> bool {
    let word = rest.trim_start_matches(' ');
    word.len() < rest.len() && word.starts_with(|c: char| c.is_alphanumeric() || "-/.$".contains(c))
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn begins_name(before: &str) -> bool {
    !before.ends_with(|c| is_name(c) || c == '-')
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
        for (text, named) in [
            ("run(['/usr/bin/git', 'pull'])", true),
            ("run('cd repo && git pull', shell=True)", true),
            ("run(\"\"\"\n  git log\n\"\"\")", true),
            ("exec(`echo $(git rev-parse HEAD)`)", true),
            ("import sh\nsh.git('pull')", true),
            ("from plumbum.cmd import git", true),
            ("from plumbum.cmd import legit", false),
            ("# as git does", false),
            ("git = 1", false),
            ("x.git.y", false),
        ] {
            assert_eq!(quotes(text, "git"), named, "{text}");
        }
    }
}
