//! Whether what a command starts is installed.

use crate::project::NodeProject;

/// What a command needs besides Node and the packages of production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Nothing,
    /// A package that is for developers by `package.json`.
    Development(String),
    /// A package that `npx` would load each time.
    Missing(String),
}

/// Programs that a package of another name brings.
const PROGRAMS: [(&str, &str); 4] = [
    ("ts-node-esm", "ts-node"),
    ("tsc", "typescript"),
    ("nest", "@nestjs/cli"),
    ("babel-node", "@babel/node"),
];

/// What the words of a command name: the program behind `npx` and its like or in `node_modules/.bin`, and what `node` is told to load first.
pub(super) fn needs(project: &NodeProject, command: &[String]) -> Needs {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let of_npx = |rest: &[&str]| {
        let mut words = rest.iter().copied();
        let found = words.find(|word| !word.starts_with('-'));
        found.map(str::to_owned)
    };
    let (named, by_npx) = match words.as_slice() {
        ["npx", rest @ ..] | ["npm" | "pnpm" | "yarn", "exec", rest @ ..] => (of_npx(rest), true),
        ["node", rest @ ..] => (loaded(rest), false),
        [program, ..] => (Some(program.trim_start_matches("./").to_owned()), false),
        [] => (None, false),
    };
    let Some(named) = named else {
        return Needs::Nothing;
    };
    let program = named.trim_start_matches("node_modules/.bin/");
    let known = PROGRAMS.iter().find(|(name, _)| *name == program);
    let package = known.map_or(program, |(_, package)| package);
    let is_package = |name: &String| *name == package || package.starts_with(&format!("{name}/"));
    if let Some(name) = project.development.iter().find(|name| is_package(name)) {
        return Needs::Development(name.clone());
    }
    let there = project.production.iter().any(is_package);
    if by_npx && !there && !project.production.is_empty() {
        return Needs::Missing(package.to_owned());
    }
    Needs::Nothing
}

/// What `node` loads before its file: `--import tsx`, `-r ts-node/register`.
fn loaded(words: &[&str]) -> Option<String> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = match *word {
            "-r" | "--require" | "--import" | "--loader" | "--experimental-loader" => {
                words.next().copied()
            }
            option if option.starts_with('-') => option
                .split_once('=')
                .filter(|(name, _)| matches!(*name, "--require" | "--import" | "--loader"))
                .map(|(_, value)| value),
            _ => return None,
        };
        if let Some(value) = value.filter(|value| !value.starts_with('.')) {
            return Some(value.to_owned());
        }
    }
    None
}

/// Says what a command needs, and what runs before it.
pub(super) fn say(
    project: &NodeProject,
    needs: &Needs,
    found: &mut Vec<String>,
    questions: &mut Vec<String>,
) {
    match needs {
        Needs::Nothing => {}
        Needs::Development(package) => {
            found.push(format!(
                "the command starts `{package}`, which is for developers by `package.json`: their packages are installed as well"
            ));
            questions.push(format!(
                "should `{package}` be among `dependencies`? the image holds every package of developers for it"
            ));
        }
        Needs::Missing(package) => questions.push(format!(
            "where does `{package}` come from? `package.json` does not list it, and `npx` loads it each time the application starts"
        )),
    }
    if let Some(script) = &project.prestart {
        questions.push(format!(
            "does `prestart` (`{script}`) have to run each time the application starts? `npm start` runs it"
        ));
    }
}
