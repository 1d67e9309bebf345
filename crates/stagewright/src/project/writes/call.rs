//! Calls that write, line by line.

/// What a path is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The folder that the application runs in.
    Working,
    /// The folder of the source itself (`__dirname`).
    File,
    /// A name that is computed elsewhere.
    Unknown,
}

/// What a call writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) path: String,
    pub(super) anchor: Anchor,
    pub(super) is_folder: bool,
}

/// A call that writes, by what stands before its first argument, and whether that is a folder.
type Call = (&'static str, bool);

const PYTHON: [Call; 8] = [
    ("os.makedirs(", true),
    ("os.mkdir(", true),
    ("sqlite3.connect(", false),
    ("FileHandler(", false),
    ("basicConfig(filename=", false),
    ("UPLOAD_FOLDER = ", true),
    ("[\"UPLOAD_FOLDER\"] = ", true),
    ("['UPLOAD_FOLDER'] = ", true),
];

const NODE: [Call; 11] = [
    ("writeFileSync(", false),
    ("writeFile(", false),
    ("appendFileSync(", false),
    ("appendFile(", false),
    ("createWriteStream(", false),
    ("mkdirSync(", true),
    (".mkdir(", true),
    ("({ dest: ", true),
    ("({dest: ", true),
    ("new Database(", false),
    ("sqlite3.Database(", false),
];

/// Modes of Python's `open` that write.
const MODES: [&str; 13] = [
    "w", "a", "x", "wb", "ab", "xb", "wt", "at", "w+", "a+", "r+", "wb+", "ab+",
];

/// What the calls in a source write.
pub(super) fn targets(path: &str, text: &str) -> Vec<Target> {
    let python = path.ends_with(".py");
    let calls: &[Call] = if python { &PYTHON } else { &NODE };
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with(['#', '/', '*']) {
            continue;
        }
        for (call, is_folder) in calls {
            if let Some((_, rest)) = line.split_once(call) {
                found.extend(target(text, first_argument(rest), *is_folder));
            }
        }
        if python {
            found.extend(database(text, line));
            found.extend(opened(text, line));
            found.extend(of_path(line));
        }
    }
    if python && text.contains("os.makedirs(app.instance_path") {
        // Beside the package or the module that holds the application (Flask's `auto_find_instance_path`).
        let package = path.ends_with("/__init__.py");
        found.push(Target {
            path: if package { "../instance" } else { "instance" }.into(),
            anchor: Anchor::File,
            is_folder: true,
        });
    }
    found
}

/// `open(PATH, "w")`.
fn opened(text: &str, line: &str) -> Option<Target> {
    let at = line.match_indices("open(").map(|(at, _)| at).find(|at| {
        let before = line[..*at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.')
    })?;
    let rest = &line[at + "open(".len()..];
    let argument = first_argument(rest);
    let others = literals(&rest[argument.len()..]);
    let writes = others.iter().any(|mode| MODES.contains(&mode.as_str()));
    writes.then(|| target(text, argument, false))?
}

/// `sqlite:///app.db`: three slashes, then a path relative to where the application runs (`SQLAlchemy`), or to the instance folder
/// (Flask-SQLAlchemy 3).
fn database(text: &str, line: &str) -> Option<Target> {
    let (_, rest) = line.split_once("sqlite:///")?;
    let end = rest.find(['"', '\'', '`', '?', '{'])?;
    let path = rest[..end].trim_start_matches("./");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let relative = !path.is_empty() && !path.starts_with('/') && path.chars().all(plain);
    let flask = text.contains("SQLALCHEMY_DATABASE_URI");
    relative.then(|| Target {
        path: if flask {
            format!("instance/{path}")
        } else {
            path.to_owned()
        },
        anchor: Anchor::Working,
        is_folder: false,
    })
}

/// `(ROOT / "logs").mkdir(` and `Path("out.txt").write_text(`.
fn of_path(line: &str) -> Option<Target> {
    let calls = [
        (".mkdir(", true),
        (".write_text(", false),
        (".write_bytes(", false),
    ];
    calls.iter().find_map(|(call, is_folder)| {
        let before = line.split_once(call)?.0;
        let at = before.rfind("= ").map_or(0, |at| at + 2);
        target("", &before[at..], *is_folder)
    })
}

/// The first argument of a call, up to a comma or the end of the call.
fn first_argument(rest: &str) -> &str {
    let (mut depth, mut quote) = (0_i32, None);
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}' | ',' | ';') if depth == 0 => return &rest[..at],
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    rest
}

/// The path that an argument names: its strings, joined. A name alone is looked up among the assignments of the text.
fn target(text: &str, argument: &str, is_folder: bool) -> Option<Target> {
    let argument = argument.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let looked_up;
    let argument = if !argument.is_empty() && argument.chars().all(plain) {
        looked_up = assigned(text, argument)?;
        looked_up
    } else {
        argument
    };
    // A variable of the environment may name any place.
    if [
        "environ",
        "getenv",
        "process.env",
        "tempfile",
        "tmpdir",
        ":memory:",
        "://",
    ]
    .iter()
    .any(|word| argument.contains(word))
    {
        return None;
    }
    let literals = literals(argument);
    let path = literals.join("/");
    let fits = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let path = match path.find(['{', '$', '%']) {
        // Of a name that is put together, the folder before it.
        Some(at) => match path[..at].rfind('/') {
            Some(end) if !is_folder => path[..=end].to_owned() + "file",
            _ => return None,
        },
        None => path,
    };
    if path.is_empty() || !path.chars().all(fits) {
        return None;
    }
    Some(Target {
        path,
        anchor: anchor(argument),
        is_folder,
    })
}

/// The right side of `NAME = …` in a text.
fn assigned<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (left, right) = line.split_once('=')?;
        let left = left.trim();
        let left = ["const ", "let ", "var "]
            .iter()
            .find_map(|word| left.strip_prefix(word))
            .unwrap_or(left);
        (left == name && !right.starts_with('=')).then(|| right.trim())
    })
}

/// What the strings of an argument are joined to.
fn anchor(argument: &str) -> Anchor {
    if argument.contains("__dirname") {
        return Anchor::File;
    }
    let mut outside = String::new();
    let mut quote = None;
    for c in argument.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None => outside.push(c),
        }
    }
    let known = [
        "os", "path", "join", "resolve", "Path", "pathlib", "f", "r", "str", "process", "cwd",
    ];
    let mut words = outside
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty());
    if words.all(|word| known.contains(&word)) {
        Anchor::Working
    } else {
        Anchor::Unknown
    }
}

/// The strings in a piece of source.
fn literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'', '`']) {
        let quote = &rest[at..=at];
        let Some((literal, after)) = rest[at + 1..].split_once(quote) else {
            break;
        };
        found.push(literal.to_owned());
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Vec<(String, Anchor)> {
        let found = targets(path, text).into_iter();
        found.map(|target| (target.path, target.anchor)).collect()
    }

    #[test]
    fn calls_that_write() {
        let working = |path: &str| vec![(path.to_owned(), Anchor::Working)];
        for (line, path) in [
            ("with open(\"logs/x.log\", \"a\") as log:", "logs/x.log"),
            ("os.makedirs(\"uploads\", exist_ok=True)", "uploads"),
            ("db = sqlite3.connect('data/app.db')", "data/app.db"),
            ("Path(\"out\").mkdir(exist_ok=True)", "out"),
            ("URL = env.get(\"URL\", \"sqlite:///./x.db\")", "x.db"),
            (
                "app.config[\"SQLALCHEMY_DATABASE_URI\"] = \"sqlite:///x.db\"",
                "instance/x.db",
            ),
        ] {
            assert_eq!(of("app.py", line), working(path), "{line}");
        }
        for (line, path) in [
            ("fs.writeFileSync('uploads/a.txt', text);", "uploads/a.txt"),
            ("const upload = multer({ dest: 'uploads/' });", "uploads/"),
            ("const f = 'data/a';\nfs.appendFileSync(f, '');", "data/a"),
        ] {
            assert_eq!(of("app.js", line), working(path), "{line}");
        }
        assert_eq!(
            of(
                "bin/www.js",
                "fs.createWriteStream(path.join(__dirname, '..', 'logs', 'a.log'))"
            ),
            [("../logs/a.log".to_owned(), Anchor::File)]
        );
        assert_eq!(
            of("a.py", "open(ROOT / \"logs\" / \"a.log\", \"w\")"),
            [("logs/a.log".to_owned(), Anchor::Unknown)]
        );
    }

    #[test]
    fn calls_that_do_not() {
        for (path, line) in [
            ("a.py", "open(\"data/names.csv\")"),
            ("a.py", "open(\"data/names.csv\", \"rb\")"),
            ("a.py", "# os.makedirs(\"x\")"),
            ("a.py", "os.makedirs(os.environ[\"DIR\"])"),
            ("a.js", "fs.readFileSync('a')"),
            ("a.js", "fs.writeFileSync(target, text)"),
            ("a.js", "const db = new Database(':memory:')"),
        ] {
            assert!(of(path, line).is_empty(), "{line}");
        }
    }
}
