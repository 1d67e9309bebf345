//! How a Node application is started, on which port, and which of its files it needs for that.

use super::Delivery;
use super::manifest::{Manifest, inside, words};
use super::site::Site;
use super::sources::is_unneeded_folder;
use crate::context::Context;

/// Files that are started where neither a script nor `main` says.
const ENTRIES: [&str; 8] = [
    "server.js",
    "index.js",
    "app.js",
    "src/server.js",
    "src/index.js",
    "src/app.js",
    "server.mjs",
    "index.mjs",
];

/// Programs that only developers start.
const WATCHERS: [&str; 6] = [
    "nodemon",
    "tsx",
    "ts-node",
    "ts-node-dev",
    "babel-node",
    "pm2",
];

/// The words that start the application in the folder of its package, or why they are not known.
pub(super) fn command(
    context: &Context,
    own: &Manifest,
    delivery: &Delivery,
    site: Option<&Site>,
) -> Result<Vec<String>, String> {
    let of = |words: &[&str]| Ok(words.iter().map(|word| (*word).to_owned()).collect());
    match delivery {
        Delivery::Static { .. } => return Ok(Vec::new()),
        Delivery::Standalone => return of(&["node", "server.js"]),
        Delivery::Built { .. } | Delivery::Sources => {}
    }
    if prestart(own).is_some() {
        // The manager runs it before `start`, each time.
        return of(&["npm", "start"]);
    }
    let script = own
        .script("start:prod")
        .or_else(|| own.script("start"))
        .map(|script| words(script).ok_or(script));
    match script.clone() {
        Some(Ok(found)) if found[0] == "node" && entry_word(&found).is_some() => return Ok(found),
        Some(Ok(found)) if found[0] == "nest" => {
            return of(&["node", &inside(&folder_of(delivery), "main.js")]);
        }
        Some(Ok(found)) => {
            let package = package_of(&found[0]);
            if own.needs(package) && !WATCHERS.contains(&found[0].as_str()) {
                let mut words = found;
                words[0] = format!("node_modules/.bin/{}", words[0]);
                return Ok(words);
            }
            // Another program than what starts sources while they are written: it is not for anybody to say that `node` does the same.
            if !WATCHERS.contains(&found[0].as_str())
                && !super::MANAGERS.contains(&package)
                && site.is_none()
            {
                return Err(format!("`start` in `package.json` calls `{package}`"));
            }
        }
        Some(Err(_)) | None => {}
    }
    if let Some(site) = site {
        return site.command.clone();
    }
    let is_file = |path: &str| context.entry(&inside(&own.folder, path)).is_some();
    if let Some(main) = own.text(&["main"]) {
        let main = main.trim_start_matches("./");
        let built = matches!(delivery, Delivery::Built { output } if main.starts_with(&format!("{output}/")));
        if built || is_file(main) {
            return of(&["node", main]);
        }
    }
    if let Delivery::Built { output } = delivery {
        let sources = ["main", "server", "index", "app"];
        let built = sources
            .iter()
            .find(|name| is_file(&format!("src/{name}.ts")) || is_file(&format!("src/{name}.js")));
        if let Some(name) = built {
            return of(&["node", &format!("{output}/{name}.js")]);
        }
    } else if let Some(entry) = ENTRIES.iter().find(|entry| is_file(entry)) {
        return of(&["node", entry]);
    }
    Err(match script {
        Some(Err(script)) => {
            format!("`start` in `package.json` is a script for a shell: `{script}`")
        }
        Some(Ok(found)) => format!("`start` in `package.json` calls `{}`", found[0]),
        None => "`package.json` has neither a `start` script nor a `main` that is there".into(),
    })
}

/// The script `prestart`, where `npm start` runs it before the application: nothing where it does no more than to build, or where another
/// script starts the application.
pub(super) fn prestart(own: &Manifest) -> Option<&str> {
    let started = own.script("start").is_some() && own.script("start:prod").is_none();
    let script = own.script("prestart").filter(|_| started)?;
    let build = own.script("build");
    let words: Vec<&str> = script.split_ascii_whitespace().collect();
    let builds = matches!(
        words.as_slice(),
        ["npm" | "pnpm" | "yarn", "run", "build"] | ["pnpm" | "yarn", "build"]
    );
    (!builds && build != Some(script)).then_some(script)
}

/// The folders that a script makes (`mkdir -p uploads`).
pub(super) fn makes(script: &str) -> Vec<String> {
    let words: Vec<&str> = script.split_ascii_whitespace().collect();
    let plain = |word: &&str| {
        let of_name = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        !word.starts_with(['-', '/']) && !word.contains("..") && word.chars().all(of_name)
    };
    let mut found = Vec::new();
    for (at, _) in words
        .iter()
        .enumerate()
        .filter(|(_, word)| **word == "mkdir")
    {
        let behind = words[at + 1..].iter().copied();
        let named = behind.skip_while(|word| *word == "-p").take_while(plain);
        found.extend(named.map(|word| {
            word.trim_start_matches("./")
                .trim_end_matches('/')
                .to_owned()
        }));
    }
    found
}

/// The package that a program comes with.
fn package_of(program: &str) -> &str {
    match program {
        "fastify" => "fastify-cli",
        "pm2-runtime" => "pm2",
        "remix-serve" => "@remix-run/serve",
        "react-router-serve" => "@react-router/serve",
        other => other,
    }
}

/// Whether the `start` script starts a file that lies among the sources.
pub(super) fn starts_source(context: &Context, own: &Manifest) -> bool {
    let words = own.script("start").and_then(words);
    let words = words.filter(|words| words[0] == "node");
    let file = words.as_deref().and_then(entry_word);
    file.is_some_and(|file| {
        let path = inside(&own.folder, file.trim_start_matches("./"));
        ["", ".js", "/index.js"]
            .iter()
            .any(|end| context.text(&format!("{path}{end}")).is_some())
    })
}

/// The scripts that an install runs, where each is one command that needs nothing but the sources and the packages of production; nothing
/// where one of them needs more, or has to come before the install.
pub(super) fn own_scripts(context: &Context, own: &Manifest) -> Vec<&'static str> {
    let scripts = own.lifecycle();
    let fits = |name: &str| {
        let Some(words) = own.script(name).and_then(words) else {
            return false;
        };
        match words[0].as_str() {
            "node" => entry_word(&words).is_some_and(|file| {
                let file = file.trim_start_matches("./");
                context.entry(file).is_some() || context.entry(&format!("{file}.js")).is_some()
            }),
            program => own.needs(program),
        }
    };
    let all = scripts
        .iter()
        .all(|name| *name != "preinstall" && fits(name));
    if all { scripts } else { Vec::new() }
}

fn folder_of(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Built { output } => output.clone(),
        _ => "dist".into(),
    }
}

/// The file that `node` is given, without what only developers want.
fn entry_word(words: &[String]) -> Option<&str> {
    if words.iter().any(|word| {
        word.starts_with("--watch") || word.contains("ts-node") || word.starts_with("--inspect")
    }) {
        return None;
    }
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-r" | "--require" | "--import" | "--loader" => {
                rest.next();
            }
            option if option.starts_with('-') => {}
            file => return Some(file),
        }
    }
    None
}

/// The folder that the build writes: the one that the start command looks into, else the compiler's setting. `None` where what is started
/// lies among the sources.
pub(super) fn output(context: &Context, own: &Manifest) -> Option<String> {
    let is_file = |path: &str| {
        let path = inside(&own.folder, path);
        [String::new(), ".js".into(), "/index.js".into()]
            .iter()
            .any(|end| {
                context
                    .entry(&format!("{path}{end}"))
                    .is_some_and(|entry| !entry.path.is_empty())
            })
    };
    let started = ["start:prod", "start"].iter().find_map(|name| {
        let words = words(own.script(name)?)?;
        (words[0] == "node").then(|| entry_word(&words).map(str::to_owned))?
    });
    let started = started.or_else(|| own.text(&["main"]).map(str::to_owned));
    let started = started
        .map(|path| path.trim_start_matches("./").to_owned())
        .filter(|path| path != ".");
    if let Some(path) = &started {
        if is_file(path) {
            return None;
        }
        if let Some((folder, _)) = path.split_once('/') {
            return Some(folder.to_owned());
        }
    }
    let told = ["tsconfig.build.json", "tsconfig.json"]
        .iter()
        .find_map(|file| quoted_after(context.text(&inside(&own.folder, file))?, "outDir"));
    Some(told.unwrap_or_else(|| "dist".into()))
}

/// The string after a key, `"outDir": "./dist"` or `output: 'standalone'`: without `./` and a closing slash.
pub(super) fn quoted_after(text: &str, key: &str) -> Option<String> {
    let mut rest = text;
    while let Some(at) = rest.find(key) {
        rest = &rest[at + key.len()..];
        let after = rest.trim_start_matches(['"', '\'', ' ', '\t']);
        let Some(value) = after.strip_prefix(':').map(str::trim_start) else {
            continue;
        };
        let quote = value
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\'' | '`'));
        if let Some((found, _)) = quote.and_then(|quote| value[1..].split_once(quote)) {
            let found = found.trim_start_matches("./").trim_end_matches('/');
            return (!found.is_empty()).then(|| found.to_owned());
        }
    }
    None
}

/// The application's own scripts with their texts.
pub(super) fn texts<'c>(context: &'c Context, folder: &str) -> Vec<(String, &'c str)> {
    let mut paths: Vec<String> = context
        .files()
        .map(|entry| entry.path)
        .filter(|path| folder.is_empty() || path.starts_with(&format!("{folder}/")))
        .filter(|path| {
            // The generator of Express calls its start file so.
            [".js", ".mjs", ".cjs", ".ts", "bin/www"]
                .iter()
                .any(|end| path.ends_with(end))
                && !path.contains(".test.")
                && !path.contains(".spec.")
                && !path.contains(".config.")
                && !path.split('/').any(is_unneeded_folder)
        })
        .collect();
    paths.sort_by_key(|path| (path.matches('/').count(), path.clone()));
    paths
        .into_iter()
        .filter_map(|path| Some((path.clone(), context.text(&path)?)))
        .collect()
}

/// Whether a script names a package as one that it loads. Types are gone when the application runs.
pub(super) fn imports(text: &str, package: &str) -> bool {
    ['\'', '"'].iter().any(|quote| {
        let named = |end: &str| {
            let name = format!("{quote}{package}{end}");
            text.lines()
                .any(|line| line.contains(&name) && !line.trim_start().starts_with("import type"))
        };
        named(&quote.to_string()) || named("/")
    })
}

/// The port that a script listens on: the default beside `process.env.PORT`, else the number that `listen` is given.
pub(super) fn port(text: &str) -> Option<u16> {
    let number = |rest: &str, within: usize| {
        let rest = rest.split('\n').next().unwrap_or_default();
        let start = rest.find(|c: char| c.is_ascii_digit())?;
        if start > within || rest[..start].contains(';') {
            return None;
        }
        let digits: String = rest[start..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse::<u16>().ok().filter(|port| *port > 0)
    };
    let after = |key: &str| text.split_once(key).map(|(_, rest)| rest);
    after("process.env.PORT")
        .filter(|rest| {
            let rest = rest.trim_start_matches([')', ' ', '!']);
            rest.starts_with("||") || rest.starts_with("??") || rest.starts_with(',')
        })
        .and_then(|rest| number(rest, 6))
        .or_else(|| number(after(".listen(")?, 10))
        .or_else(|| number(after("const PORT =").or_else(|| after("const port ="))?, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        assert_eq!(port("app.listen(process.env.PORT || 3000)"), Some(3000));
        assert_eq!(
            port("const port = Number(process.env.PORT) || 8081;\n"),
            Some(8081)
        );
        assert_eq!(port("parseInt(process.env.PORT ?? '4000', 10)"), Some(4000));
        assert_eq!(port("await app.listen({ port: 5000, host })"), Some(5000));
        assert_eq!(port("const port = 80\n"), Some(80));
        for odd in [
            "app.listen(port)",
            "",
            "listen",
            "process.env.PORT;\nconst x = 12",
        ] {
            assert_eq!(port(odd), None, "{odd}");
        }
    }

    #[test]
    fn settings_in_quotes() {
        assert_eq!(
            quoted_after(
                "{ // \"outDir\" of old\n \"outDir\": \"./out/\" }",
                "outDir"
            )
            .as_deref(),
            Some("out")
        );
        assert_eq!(
            quoted_after("module.exports = { output: 'standalone' }", "output").as_deref(),
            Some("standalone")
        );
        assert_eq!(quoted_after("output: process.env.X", "output"), None);
    }
}
