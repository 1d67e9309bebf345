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

/// The first seed of which the projects hold more kinds of instructions and changes; earlier ones make up what they always made up.
const RICH: u64 = 100;

/// The pair with this number: a project, and a change of it of which no answer is known yet. The same seed makes up the same pairs.
#[must_use]
pub fn pair(seed: u64, index: u64) -> (Project, Edit) {
    let mut dice = Dice {
        state: seed.wrapping_mul(1_000_003).wrapping_add(index),
        rich: seed >= RICH,
    };
    let project = project(&mut dice);
    let edit = edit(&mut dice, &project);
    (project, edit)
}

/// A small generator of numbers (splitmix64).
struct Dice {
    state: u64,
    rich: bool,
}

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
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
    if dice.rich && dice.chance(50) {
        return rich_instruction(dice, stage, stages);
    }
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

fn rich_instruction(dice: &mut Dice, stage: &mut Written, stages: &[Written]) -> String {
    let number = dice.below(4);
    let kind = dice.below(28);
    if kind < 9 && !stage.has_shell {
        return format!("EXPOSE {}", 80 + number);
    }
    if kind >= 24
        && let Some(from) = (!stages.is_empty()).then(|| dice.of(stages))
    {
        let path = dice.of(&from.paths);
        let flags = *dice.of(&[
            "--chown=3:3 ",
            "--chmod=700 ",
            "--link --chown=4 ",
            "--exclude=*.md ",
        ]);
        return format!("COPY {flags}--from={} {path} /flagged{number}", from.name);
    }
    let mut put = |path: &str, line: &str| {
        stage.paths.push(path.to_owned());
        line.to_owned()
    };
    match kind {
        0 => "RUN --mount=type=bind,source=src,target=/m,rw ls /m".to_owned(),
        1 => "RUN --mount=type=bind,target=/ctx --mount=type=tmpfs,target=/t ls /ctx".to_owned(),
        2 => "RUN --mount=target=/r,source=req.txt --mount=type=cache,target=/c cat /r".to_owned(),
        3 => format!("RUN <<EOF\necho {number}\necho $X\nEOF"),
        4 => format!("RUN [\"echo\", \"{number}\"]"),
        5 => format!("RUN echo {number} \\\n    && echo more"),
        6 => "SHELL [\"/bin/sh\", \"-ec\"]".to_owned(),
        7 => "RUN --mount=type=bind,source=src/lib,target=/lib/m ls /lib/m".to_owned(),
        8 => format!("RUN --network=none echo {number}"),
        9 => put("/g", "COPY [a-b].t?t req* /g/"),
        10 => put("/py/src", "COPY --parents src/**/*.py ./docs /py/"),
        11 => put("/x", "COPY --exclude=lib src /x"),
        12 => put("/lc", "COPY --link --chown=2 src/lib /lc"),
        13 => put("/st", "COPY src/* /st/"),
        14 => put("/dirs", "COPY */ /dirs/"),
        15 => put("/var", &format!("COPY <<EOF /var\nx $X {number}\nEOF")),
        16 => put("/addd", "ADD src/lib docs /addd/"),
        17 => put(
            "/lh",
            &format!("COPY --link <<one <<two /lh/\n{number}\none\n2\ntwo"),
        ),
        18 => "WORKDIR sub".to_owned(),
        19 => "WORKDIR /w$X".to_owned(),
        20 => format!("ENV V{number}=$X"),
        21 => "ARG Z=$X".to_owned(),
        22 => "HEALTHCHECK CMD true".to_owned(),
        23 => format!("VOLUME /v{number}"),
        _ => put("/each", "COPY --parents a.txt src/./lib/c.py /each/"),
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
    if dice.rich && dice.chance(50) {
        let text = match &project.files[&path] {
            Entry::Text(text) => text.clone(),
            _ => String::new(),
        };
        return match dice.below(7) {
            0 => {
                let renamed = format!("{path}.new");
                put(&path, None);
                put(&renamed, Some(Entry::Text(text)));
                format!("{path} renamed")
            }
            1 => {
                put(&path, None);
                format!("{path} removed")
            }
            2 => {
                put("src/lib/deep/new.py", Some(Entry::Text("new\n".to_owned())));
                "a folder added".to_owned()
            }
            3 => {
                put("src/empty", Some(Entry::Folder { folder: 0o755 }));
                "an empty folder added".to_owned()
            }
            4 => {
                put(&path, Some(Entry::Text(text + "\n")));
                format!("{path} one byte longer")
            }
            5 => {
                let link = "a.txt".to_owned();
                put("src/link", Some(Entry::Link { link }));
                "a link added".to_owned()
            }
            _ => {
                put(".dockerignore", Some(Entry::Text("# nothing\n".to_owned())));
                "an ignore file without patterns".to_owned()
            }
        };
    }
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
    let rich = dice.rich && dice.chance(50);
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
    if rich {
        return rich_edit(dice, lines, extra);
    }
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

/// `at` is the line of an instruction that stands on one line.
fn rich_edit(dice: &mut Dice, mut lines: Vec<String>, at: Option<usize>) -> String {
    let Some(at) = at else {
        return lines.join("\n") + "\n# nothing\n";
    };
    match dice.below(6) {
        // A stage is split in two.
        0 => {
            let split = ["FROM s0 AS split", "LABEL split=1"].map(str::to_owned);
            if lines[..at]
                .iter()
                .filter(|line| line.starts_with("FROM "))
                .count()
                == 1
            {
                let rest = lines.split_off(at);
                lines.extend(split);
                lines.extend(rest);
            }
        }
        1 => {
            let line = lines[at].clone();
            lines.insert(at, line);
        }
        2 => {
            let line = lines[at].replacen("COPY ", "COPY --link ", 1);
            lines[at] = line;
        }
        3 => lines[at] = lines[at].replacen(' ', "   ", 1) + "  ",
        4 => {
            let (word, rest) = lines[at].split_once(' ').unwrap_or((&lines[at], ""));
            lines[at] = format!("{} \\\n  {rest}", word.to_lowercase());
        }
        _ => {
            let line = lines.remove(at);
            lines.insert(at - 1, line);
        }
    }
    lines.join("\n") + "\n"
}
