//! Variables without which the settings of a Django project cannot be read.

use crate::context::Context;

/// A variable, and a value with which the settings can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) name: String,
    pub(super) value: &'static str,
}

/// How a variable is read, and a value that can be read so. What stands here raises an error where the variable is missing: `os.environ`,
/// django-environ, python-decouple, environs.
const READS: [(&str, &str); 15] = [
    ("environ[", "build"),
    ("env(", "build"),
    ("env.str(", "build"),
    ("env.list(", "build"),
    ("env.url(", "https://build.invalid"),
    ("env.bool(", "0"),
    ("env.int(", "0"),
    ("env.float(", "0"),
    ("env.db(", "sqlite:////tmp/build.db"),
    ("env.db_url(", "sqlite:////tmp/build.db"),
    ("env.dj_db_url(", "sqlite:////tmp/build.db"),
    ("env.cache(", "dummycache://"),
    ("env.cache_url(", "dummycache://"),
    ("env.email_url(", "consolemail://"),
    ("config(", "build"),
];

/// The variables that a file of settings, and those that it takes in or that are read before it, read without a default.
pub(super) fn needed(context: &Context, settings: &str) -> Vec<Needed> {
    let folder = settings.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = context.files().map(|entry| entry.path).filter(|path| {
        let of_folder = path.rsplit_once('/').map_or("", |(other, _)| other) == folder;
        // Settings for one place each, of which nobody knows here which is read: all that is common and the one for production.
        let name = path.rsplit('/').next().unwrap_or(path);
        let read = matches!(
            name,
            "__init__.py" | "base.py" | "common.py" | "production.py" | "prod.py"
        );
        of_folder && (path == settings || read)
    });
    let mut found: Vec<Needed> = Vec::new();
    for path in beside {
        let text = context.text(&path).unwrap_or_default();
        for one in of_text(text) {
            if !found.iter().any(|other| other.name == one.name) {
                found.push(one);
            }
        }
    }
    found
}

fn of_text(text: &str) -> Vec<Needed> {
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with('#') {
            continue;
        }
        for (call, value) in READS {
            for (at, _) in line.match_indices(call) {
                let before = line[..at].chars().next_back();
                let begins = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
                let begins = begins && (before != Some('.') || call.starts_with("environ"));
                let name = begins.then(|| name_of(call, &line[at + call.len()..]));
                let Some(name) = name.flatten() else {
                    continue;
                };
                // `env = Env(DEBUG=(bool, False))` gives a default.
                if text.contains(&format!("{name}=(")) {
                    continue;
                }
                let whole = line[..at].ends_with("int(os.")
                    || line.contains("cast=int")
                    || line.contains("cast=bool");
                found.push(Needed {
                    name,
                    value: if whole { "0" } else { value },
                });
            }
        }
    }
    found
}

/// The name that a call is given, or takes by itself (django-environ's `DEFAULT_DATABASE_ENV` and its like).
fn name_of(call: &str, rest: &str) -> Option<String> {
    if !rest.starts_with(')') {
        return without_default(rest);
    }
    match call {
        "env.db(" | "env.db_url(" => Some("DATABASE_URL".to_owned()),
        "env.cache(" | "env.cache_url(" => Some("CACHE_URL".to_owned()),
        _ => None,
    }
}

/// The name in `"SECRET_KEY")` and `"DEBUG", cast=bool)`, where no default follows it.
fn without_default(rest: &str) -> Option<String> {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, after) = rest[1..].split_once(quote)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let after = after.trim_start();
    let ends = after.starts_with([')', ']'])
        || after.starts_with(',') && after.contains("cast=") && !after.contains("default");
    (ends && !name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_without_a_default() {
        let names = |text: &str| {
            let found = of_text(text).into_iter();
            found
                .map(|one| format!("{}={}", one.name, one.value))
                .collect::<Vec<_>>()
        };
        for (text, one) in [
            (
                "SECRET_KEY = os.environ[\"SECRET_KEY\"]",
                "SECRET_KEY=build",
            ),
            ("SECRET_KEY = env('KEY')", "KEY=build"),
            ("DEBUG = env.bool(\"DEBUG\")", "DEBUG=0"),
            (
                "D = {'default': env.db(\"DATABASE_URL\")}",
                "DATABASE_URL=sqlite:////tmp/build.db",
            ),
            ("PORT = config('PORT', cast=int)", "PORT=0"),
            (
                "D = {'default': env.db()}",
                "DATABASE_URL=sqlite:////tmp/build.db",
            ),
        ] {
            assert_eq!(names(text), [one], "{text}");
        }
        for text in [
            "env = environ.Env(DEBUG=(bool, False))\nDEBUG = env(\"DEBUG\")",
            "KEY = env(\"KEY\", default=\"x\")",
            "KEY = os.environ.get(\"KEY\")",
            "KEY = config('KEY', default=1, cast=int)",
            "# KEY = os.environ[\"KEY\"]",
            "os.environ.setdefault(\"KEY\", \"x\")",
        ] {
            assert!(names(text).is_empty(), "{text}");
        }
    }
}
