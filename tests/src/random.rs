//! Made-up projects and changes, and what BuildKit did with them: the data under `tests/real/random`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scenario::{Edit, Entry, Project};

/// What BuildKit did with one pair: a line of a file that has the seed for its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The number of the pair.
    pub pair: u64,
    /// For each step as BuildKit names it, whether it was cached.
    pub steps: serde_json::Map<String, serde_json::Value>,
}

/// The pair with this number: a project, and a change of it of which no answer is known yet. The same seed makes up the same pairs.
#[must_use]
pub fn pair(seed: u64, index: u64) -> (Project, Edit) {
    let mut dice = Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(index));
    let project = project(&mut dice);
    let edit = edit(&mut dice, &project);
    (project, edit)
}

/// A small generator of numbers (splitmix64).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap_or_default()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn of<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }
}

fn project(dice: &mut Dice) -> Project {
    let mut files = BTreeMap::new();
    for path in [
        "a.txt",
        "b.txt",
        "req.txt",
        "src/a.py",
        "src/b.py",
        "src/lib/c.py",
        "src/lib/d.md",
        "docs/x.md",
    ] {
        files.insert(
            path.to_owned(),
            Entry::Text(format!("{path} {}\n", dice.below(3))),
        );
    }
    if dice.chance(30) {
        files.insert(
            "link".to_owned(),
            Entry::Link {
                link: "src/a.py".to_owned(),
            },
        );
    }
    if dice.chance(40) {
        let ignore = dice.of(&[
            "docs\n",
            "*.md\n!docs/x.md\n",
            "**/*.md\n",
            "src/lib\n!src/lib/c.py\n",
            "Dockerfile\n.dockerignore\n",
        ]);
        files.insert(
            ".dockerignore".to_owned(),
            Entry::Text((*ignore).to_owned()),
        );
    }
    let mut args = BTreeMap::new();
    for name in ["X", "Y"] {
        if dice.chance(40) {
            args.insert(name.to_owned(), format!("{}", dice.below(3)));
        }
    }
    Project {
        dockerfile: dockerfile(dice),
        files,
        args,
        ..Project::default()
    }
}

/// What is known of a stage while it is written.
#[derive(Clone, Default)]
struct Written {
    name: String,
    /// Paths that are certainly there.
    paths: Vec<String>,
    has_shell: bool,
    user: bool,
}

fn dockerfile(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.chance(20) {
        text += "ARG BASE=busybox\n";
    }
    let global = !text.is_empty();
    let mut stages: Vec<Written> = Vec::new();
    let count = 1 + dice.below(3);
    for index in 0..count {
        let mut stage = Written {
            name: format!("s{index}"),
            has_shell: true,
            ..Written::default()
        };
        let base = if !stages.is_empty() && dice.chance(30) {
            let base = dice.of(&stages).clone();
            stage = Written {
                name: stage.name,
                ..base.clone()
            };
            base.name
        } else if dice.chance(12) {
            stage.has_shell = false;
            "scratch".to_owned()
        } else if global && dice.chance(50) {
            "$BASE".to_owned()
        } else {
            "busybox".to_owned()
        };
        text.extend(["FROM ", &base, " AS ", &stage.name, "\n"]);
        for _ in 0..2 + dice.below(5) {
            text += &instruction(dice, &mut stage, &stages);
            text.push('\n');
        }
        // Every stage must leave something.
        text += "COPY a.txt /last\n";
        stage.paths.push("/last".to_owned());
        stages.push(stage);
    }
    text
}

fn instruction(dice: &mut Dice, stage: &mut Written, stages: &[Written]) -> String {
    let number = dice.below(4);
    let run = |command: String, stage: &Written| {
        if stage.has_shell {
            command
        } else {
            "LABEL a=1".to_owned()
        }
    };
    let mut put = |path: &str, line: String| {
        stage.paths.push(path.to_owned());
        line
    };
    match dice.below(30) {
        0 | 1 => run(format!("RUN echo {number}"), stage),
        2 => run(format!("RUN echo {number} $X $HOME"), stage),
        3 if stage.has_shell && !stage.user => {
            put("/out", format!("RUN mkdir -p /out; echo {number} > /out/x"))
        }
        4 => run(
            "RUN --mount=type=bind,source=src,target=/m ls /m".to_owned(),
            stage,
        ),
        5 => run(
            format!("RUN --mount=type=cache,target=/c{number} echo c"),
            stage,
        ),
        6 => run(
            format!("RUN --mount=type=tmpfs,target=/t echo {number}"),
            stage,
        ),
        7 if stage.has_shell && !stages.is_empty() => {
            let from = dice.of(stages);
            format!(
                "RUN --mount=type=bind,from={},source=/last,target=/f{number} cat /f{number}",
                from.name
            )
        }
        8 => put("/f", "COPY a.txt /f".to_owned()),
        9 => put("/s", "COPY src /s".to_owned()),
        10 => put("/all", "COPY . /all".to_owned()),
        11 => put("/t", "COPY *.txt /t/".to_owned()),
        12 => put("/l", "COPY --link src /l".to_owned()),
        13 => put("/l2/req.txt", "COPY --link req.txt /l2/".to_owned()),
        14 => put("/o", "COPY --chown=1:1 a.txt /o".to_owned()),
        15 => put("/m", "COPY --chmod=755 b.txt /m".to_owned()),
        16 => put("/e", "COPY --exclude=**/*.md . /e".to_owned()),
        17 => put(
            "/p/src/lib/c.py",
            "COPY --parents src/lib/c.py /p/".to_owned(),
        ),
        18 => put("/h", format!("COPY <<EOF /h\n{number}\nEOF")),
        19 => put("/add", "ADD a.txt b.txt /add/".to_owned()),
        20 => put("/w", "COPY src/lib/*.py src/a.py /w/".to_owned()),
        21 => format!("WORKDIR /w{number}"),
        22 => format!("ENV E{number}={}", dice.below(3)),
        23 => format!("ARG X={}", dice.below(2)),
        24 => "ARG Y".to_owned(),
        25 => {
            stage.user = number < 2;
            format!("USER {}", if stage.user { "1000" } else { "0" })
        }
        26 => format!("LABEL l={number}"),
        _ if !stages.is_empty() => {
            let from = dice.of(stages).clone();
            let path = dice.of(&from.paths).clone();
            let link = if dice.chance(30) { "--link " } else { "" };
            let to = format!("/from{}", dice.below(3));
            stage.paths.push(to.clone());
            format!("COPY {link}--from={} {path} {to}", from.name)
        }
        _ => format!("CMD [\"{number}\"]"),
    }
}

fn edit(dice: &mut Dice, project: &Project) -> Edit {
    let mut edit = Edit::default();
    let mut names = Vec::new();
    for _ in 0..=usize::from(dice.chance(15)) {
        names.push(one_edit(dice, project, &mut edit));
    }
    if dice.chance(25) {
        edit.imported = Some((*dice.of(&["min", "max", "inline"])).to_owned());
        names.extend(edit.imported.clone());
    }
    if dice.chance(8) {
        let stages = dice.of(&["", "s0", "s1"]).split_whitespace();
        edit.no_cache = Some(stages.map(str::to_owned).collect());
        names.push("without cache".to_owned());
    }
    edit.name = names.join(", ");
    edit
}

fn one_edit(dice: &mut Dice, project: &Project, edit: &mut Edit) -> String {
    if dice.chance(55) {
        edit_files(dice, project, edit)
    } else if dice.chance(12) {
        let name = *dice.of(&["X", "Y", "UNKNOWN", "SOURCE_DATE_EPOCH"]);
        edit.args.insert(name.to_owned(), Some("9".to_owned()));
        format!("argument {name}")
    } else {
        let current = edit
            .dockerfile
            .clone()
            .unwrap_or_else(|| project.dockerfile.clone());
        edit.dockerfile = Some(edit_dockerfile(dice, &current));
        "the Dockerfile edited".to_owned()
    }
}

fn edit_files(dice: &mut Dice, project: &Project, edit: &mut Edit) -> String {
    let named = |path: &&String| *path != "link" && !path.starts_with('.');
    let files: Vec<String> = project.files.keys().filter(named).cloned().collect();
    let mut put = |path: &str, entry: Option<Entry>| edit.files.insert(path.to_owned(), entry);
    let path = dice.of(&files).clone();
    match dice.below(10) {
        0..=4 => {
            put(&path, Some(Entry::Text(format!("{path} changed\n"))));
            format!("{path} edited")
        }
        5 => {
            let text = match &project.files[&path] {
                Entry::Text(text) => text.clone(),
                _ => String::new(),
            };
            put(&path, Some(Entry::File { text, mode: 0o755 }));
            format!("{path} made executable")
        }
        6 => {
            let folder = *dice.of(&["src", "src/lib", "docs"]);
            put(folder, Some(Entry::Folder { folder: 0o700 }));
            format!("{folder} with other permissions")
        }
        7 => {
            let path = *dice.of(&["src/new.py", "new.txt", "docs/new.md", "other/new"]);
            put(path, Some(Entry::Text("new\n".to_owned())));
            format!("{path} added")
        }
        8 => {
            put("docs/x.md", None);
            "docs/x.md removed".to_owned()
        }
        _ => {
            put(
                ".dockerignore",
                Some(Entry::Text("docs\nsrc/b.py\n".to_owned())),
            );
            "another ignore file".to_owned()
        }
    }
}

fn edit_dockerfile(dice: &mut Dice, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let starts = |line: &str, words: &[&str]| words.iter().any(|word| line.starts_with(word));
    let mut place = |lines: &[String], words: &[&str]| {
        let places: Vec<usize> = (0..lines.len())
            .filter(|at| starts(&lines[*at], words))
            .collect();
        if places.is_empty() {
            None
        } else {
            Some(*dice.of(&places))
        }
    };
    let steps = [
        "COPY --", "COPY a", "COPY s", "COPY .", "RUN", "LABEL", "ENV",
    ];
    let extra = place(&lines, &steps);
    let gone = place(
        &lines,
        &["LABEL", "ENV", "RUN echo", "ARG Y", "WORKDIR", "USER"],
    );
    let run = place(&lines, &["RUN"]);
    let value = place(&lines, &["ENV", "ARG X"]);
    match (dice.below(5), extra, gone, run, value) {
        (0, Some(at), ..) => {
            let new = [
                "LABEL new=1",
                "ENV NEW=1",
                "WORKDIR /new",
                "ARG NEW=1",
                "USER 7",
                "COPY b.txt /new2",
                "# a comment",
            ];
            lines.insert(at, (*dice.of(&new)).to_owned());
        }
        (1, _, Some(at), ..) => {
            lines.remove(at);
        }
        (2, _, _, Some(at), _) => lines[at] += " ; true",
        (3, .., Some(at)) => lines[at] += "7",
        _ => {
            for line in &mut lines {
                let other = line.replacen("RUN echo", "run  echo", 1);
                *line = other.replacen("COPY src /s", "COPY ./src/ /s", 1);
            }
        }
    }
    lines.join("\n") + "\n"
}
