//! What the files of a project say of its start besides its sources: start scripts, a `Procfile`, settings of gunicorn.

use stagewright_syntax::shell::Script;

use crate::context::Context;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Start {
    /// The command, where one of the files is plain about it, and that file.
    pub(super) command: Option<(Vec<String>, String)>,
    /// The port that the command or the settings name.
    pub(super) port: Option<u16>,
    /// Whether the command takes its port from the variable `PORT`.
    pub(super) reads_port: bool,
    /// What is left open.
    pub(super) questions: Vec<String>,
}

/// Scripts that people start an image by, and where they lie.
const SCRIPTS: [&str; 6] = [
    "start.sh",
    "entrypoint.sh",
    "docker-entrypoint.sh",
    "run.sh",
    "boot.sh",
    "prestart.sh",
];
const FOLDERS: [&str; 5] = ["", "bin/", "docker/", "scripts/", "deploy/"];

/// Programs that a script ends with when it starts an application.
const SERVERS: [&str; 12] = [
    "gunicorn",
    "uvicorn",
    "hypercorn",
    "daphne",
    "waitress-serve",
    "flask",
    "streamlit",
    "celery",
    "python",
    "python3",
    "node",
    "fastapi",
];

/// Programs that no last stage has, or that install what is installed already.
const NOT_HERE: [&str; 17] = [
    "apt-get", "apt", "apk", "pip", "pip3", "npm", "yarn", "pnpm", "npx", "poetry", "uv", "pipenv",
    "pdm", "conda", "sudo", "docker", ".",
];

/// Reads the files. A start script is taken for the command where it is plain, else the line `web` of a `Procfile`.
pub(super) fn read(context: &Context) -> Start {
    let mut found = Start::default();
    for folder in FOLDERS {
        for name in SCRIPTS {
            let path = format!("{folder}{name}");
            if let Some(text) = context.text(&path) {
                script(&path, text, &mut found);
            }
        }
    }
    if let Some(text) = context.text("Procfile") {
        procfile(text, &mut found);
    }
    if found.port.is_none() {
        found.port = context.text("gunicorn.conf.py").and_then(bind);
    }
    found
}

/// A file of variables that lies beside the sources and that they read: nobody can tell what in it is secret, and it is not copied.
pub(super) fn variables<'t>(
    context: &Context,
    folder: &str,
    mut texts: impl Iterator<Item = &'t str>,
) -> Option<String> {
    let file = match folder {
        "" => ".env".to_owned(),
        folder => format!("{folder}/.env"),
    };
    context.entry(&file)?;
    let readers = ["dotenv", "read_env", "env_file", "--env-file"];
    let read = texts.any(|text| readers.iter().any(|reader| text.contains(reader)));
    read.then(|| {
        format!("which variables does the application get when it starts? it reads `{file}`, which is not copied: it may hold secrets")
    })
}

/// A start script: plain where it reads no arguments, decides nothing, installs nothing and ends with a server.
fn script(path: &str, text: &str, found: &mut Start) {
    let script = Script::parse(text);
    let first = |words: &[stagewright_syntax::shell::Word<'_>]| {
        let mut words = words
            .iter()
            .filter_map(stagewright_syntax::shell::Word::literal);
        words
            .find(|word| word != "exec")
            .map(std::borrow::Cow::into_owned)
    };
    let programs: Vec<Option<String>> = script
        .commands
        .iter()
        .map(|command| first(&command.words))
        .collect();
    let ends_with_server = programs
        .last()
        .and_then(Option::as_deref)
        .is_some_and(|program| SERVERS.contains(&program));
    let plain = script.complete
        && script.constructs.is_empty()
        && ends_with_server
        && !["$1", "$@", "$*", "$#", "${1"]
            .iter()
            .any(|word| text.contains(word))
        && programs
            .iter()
            .flatten()
            .all(|program| !NOT_HERE.contains(&program.as_str()))
        && !default_ports(text).0.contains("$PORT");
    if !plain || found.command.is_some() || path.ends_with("prestart.sh") {
        found.questions.push(format!(
            "is `{path}` how the application is started, or does it do what has to come before? the image does not call it"
        ));
        return;
    }
    let shell = match text.lines().next() {
        Some(line) if line.starts_with("#!") && line.contains("bash") => "bash",
        _ => "sh",
    };
    let (text, reads_port) = default_ports(text);
    found.command = Some((vec![shell.to_owned(), path.to_owned()], path.to_owned()));
    found.port = port(&text);
    found.reads_port = reads_port;
}

/// `web: gunicorn app:app`; the other lines are for others to run.
fn procfile(text: &str, found: &mut Start) {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once(':'));
    for (name, command) in lines {
        let command = command.trim();
        if name != "web" {
            found.questions.push(format!(
                "who runs `{name}` of the `Procfile` (`{command}`)? the image starts `web` alone"
            ));
        } else if found.command.is_none() {
            match words(command) {
                Some((words, port)) => {
                    found.command = Some((words, "Procfile".into()));
                    found.port = port;
                }
                None => found.questions.push(format!(
                    "is `{command}`, the line `web` of the `Procfile`, how the application is started? the image does not call it"
                )),
            }
        }
    }
}

/// The words of one plain command, with the port where it has the variable `PORT`.
fn words(command: &str) -> Option<(Vec<String>, Option<u16>)> {
    let command = default_ports(command).0;
    let command = command.replace("${PORT}", "8000").replace("$PORT", "8000");
    let script = Script::parse(&command);
    let [one] = script.commands.as_slice() else {
        return None;
    };
    let plain = script.complete
        && script.constructs.is_empty()
        && one.redirects.is_empty()
        && one.assignments.is_empty()
        && !one.background;
    let words: Vec<String> = one
        .words
        .iter()
        .map(|word| word.literal().map(std::borrow::Cow::into_owned))
        .collect::<Option<_>>()?;
    let here = words
        .first()
        .is_some_and(|program| !NOT_HERE.contains(&program.as_str()));
    (plain && here).then(|| (words, port(&command)))
}

/// A text with the default in the place of `${PORT:-8000}`, and whether there was one.
fn default_ports(text: &str) -> (String, bool) {
    let mut whole = String::new();
    let (mut rest, mut any) = (text, false);
    while let Some((before, after)) = rest.split_once("${PORT:-") {
        let Some((default, behind)) = after.split_once('}') else {
            break;
        };
        whole.push_str(before);
        whole.push_str(default);
        (rest, any) = (behind, true);
    }
    whole.push_str(rest);
    (whole, any)
}

/// The port that a command is given.
fn port(text: &str) -> Option<u16> {
    let number = |rest: &str| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u16>().ok().filter(|port| *port > 0)
    };
    ["--port ", "--port=", "0.0.0.0:", "-p ", "--bind :", "-b :"]
        .iter()
        .find_map(|key| number(text.split_once(key)?.1))
}

/// The port in `bind = "0.0.0.0:5000"` of gunicorn's settings, which it reads by their name.
fn bind(text: &str) -> Option<u16> {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(name, _)| name.trim() == "bind")?;
    let value = value.trim().trim_matches(['"', '\'']);
    value.strip_prefix("0.0.0.0:")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Start {
        let mut context = Context::builder();
        for (path, text) in files {
            context = context.file(path, *text);
        }
        read(&context.build().unwrap())
    }

    #[test]
    fn a_plain_script_is_the_command() {
        let text = "#!/bin/sh\nset -e\nalembic upgrade head\nexec uvicorn a.main:app --host 0.0.0.0 --port ${PORT:-8080}\n";
        let start = of(&[("start.sh", text)]);
        let command = vec!["sh".to_owned(), "start.sh".to_owned()];
        assert_eq!(start.command, Some((command, "start.sh".to_owned())));
        assert_eq!((start.port, start.reads_port), (Some(8080), true));
        for text in [
            "case \"$1\" in\n web) exec gunicorn a:a ;;\nesac\n",
            "pip install -r requirements.txt\nexec gunicorn a:a\n",
            "alembic upgrade head\nexec \"$@\"\n",
            "exec uvicorn a:a --port $PORT\n",
        ] {
            let start = of(&[("entrypoint.sh", text)]);
            assert_eq!(start.command, None, "{text}");
            assert!(start.questions[0].contains("`entrypoint.sh`"), "{text}");
        }
    }

    #[test]
    fn a_procfile_and_settings() {
        let start = of(&[(
            "Procfile",
            "release: python manage.py migrate\nweb: gunicorn shop.wsgi --bind 0.0.0.0:$PORT\n",
        )]);
        let (command, _) = start.command.unwrap();
        assert_eq!(command.join(" "), "gunicorn shop.wsgi --bind 0.0.0.0:8000");
        assert!(start.questions[0].contains("`release`"));
        let settings = [("gunicorn.conf.py", "bind = \"0.0.0.0:5000\"\n")];
        assert_eq!(of(&settings).port, Some(5000));
    }
}
