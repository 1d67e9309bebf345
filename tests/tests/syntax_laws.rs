//! Laws of the syntax crate over real files and what a mutator makes of them.
//!
//! Without `STAGEWRIGHT_CORPUS` they run over the Dockerfiles of the conformance cases only.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::expand::Expander;
use stagewright_syntax::instruction::{Command, Mount, Source};
use stagewright_syntax::shell::Script;
use stagewright_syntax::write::{self, Run};
use stagewright_syntax::{Dockerfile, Heredoc, Keyword, Span, Text, View};
use stagewright_tests::corpus;
use stagewright_tests::mutate::{Random, mutate};
use std::collections::HashSet;
use std::path::Path;

fn texts() -> Vec<String> {
    let cases = corpus::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/syntax"));
    let cases = cases
        .into_iter()
        .filter(|(path, _)| path.file_name().is_some_and(|name| name == "Dockerfile"));
    let mut texts: Vec<String> = cases.map(|(_, text)| text).collect();
    assert!(texts.len() >= 20, "the conformance cases are there");
    texts.extend(
        corpus::from_environment()
            .into_iter()
            .flatten()
            .map(|(_, text)| text),
    );
    texts
}

/// The real files, then mutants of them.
fn each(mutants: usize, mut check: impl FnMut(&str)) {
    let texts = texts();
    for text in &texts {
        check(text);
    }
    let small: Vec<&String> = texts.iter().filter(|text| text.len() < 8_000).collect();
    let mut random = Random::new(99);
    for _ in 0..mutants {
        let (text, other) = (*random.pick(&small), *random.pick(&small));
        check(&mutate(text, other, &mut random));
    }
}

/// Collects the spans of a view's parts, with the values where they must stand in the source as they are.
struct Parts<'t> {
    text: &'t str,
    spans: Vec<Span>,
}

impl Parts<'_> {
    fn add(&mut self, part: &Text<'_>) {
        let source = &self.text[part.span.range()];
        if part.span.len() as usize == part.value.len()
            && !source.contains(['\n', '\'', '"', '\\', '`'])
            && source.is_ascii()
        {
            assert_eq!(source, &*part.value, "a span holds its value");
        }
        self.spans.push(part.span);
    }

    fn all<'p>(&mut self, parts: impl IntoIterator<Item = &'p Text<'p>>) {
        parts.into_iter().for_each(|part| self.add(part));
    }

    fn command(&mut self, command: &Command<'_>) {
        match command {
            Command::Shell(text) => self.add(text),
            Command::Exec(words) => self.all(words),
        }
    }

    fn heredocs(&mut self, heredocs: &[Heredoc<'_>]) {
        for heredoc in heredocs {
            self.add(&heredoc.content);
            self.spans.extend([heredoc.name.span, heredoc.span]);
        }
    }

    fn mounts(&mut self, mounts: &[Mount<'_>]) {
        for option in mounts.iter().flat_map(|mount| &mount.options) {
            self.add(&option.key);
            self.all(&option.value);
        }
    }

    fn sources(&mut self, sources: &[Source<'_>]) {
        self.all(sources.iter().map(|source| &source.text));
    }

    fn view(&mut self, view: &View<'_>) {
        match view {
            View::From(from) => {
                self.add(&from.image);
                self.all(from.name.iter().chain(&from.platform).chain(&from.as_word));
            }
            View::Run(run) => {
                self.command(&run.command);
                self.heredocs(&run.heredocs);
                self.mounts(&run.mounts);
                self.all(run.network.iter().chain(&run.security).chain(&run.devices));
            }
            View::Copy(copy) => {
                self.sources(&copy.sources);
                self.add(&copy.destination);
                self.all(
                    copy.from
                        .iter()
                        .chain(&copy.chown)
                        .chain(&copy.chmod)
                        .chain(&copy.excludes),
                );
            }
            View::Add(add) => {
                self.sources(&add.sources);
                self.add(&add.destination);
                self.all(
                    add.chown
                        .iter()
                        .chain(&add.chmod)
                        .chain(&add.checksum)
                        .chain(&add.excludes),
                );
            }
            View::Env(env) => self.all(env.pairs.iter().flat_map(|pair| [&pair.key, &pair.value])),
            View::Label(label) => {
                self.all(label.pairs.iter().flat_map(|pair| [&pair.key, &pair.value]));
            }
            View::Arg(arg) => self.all(
                arg.args
                    .iter()
                    .flat_map(|arg| [&arg.key].into_iter().chain(&arg.value)),
            ),
            View::Workdir(workdir) => self.add(&workdir.value),
            View::User(user) => self.add(&user.value),
            View::Stopsignal(signal) => self.add(&signal.value),
            View::Maintainer(maintainer) => self.add(&maintainer.value),
            View::Cmd(cmd) => self.command(&cmd.command),
            View::Entrypoint(entrypoint) => self.command(&entrypoint.command),
            View::Expose(expose) => self.all(&expose.ports),
            View::Volume(volume) => self.all(&volume.paths),
            View::Shell(shell) => self.all(&shell.words),
            View::Healthcheck(check) => check
                .command()
                .iter()
                .for_each(|command| self.command(command)),
            View::Onbuild(onbuild) => {
                self.add(&onbuild.text);
                self.heredocs(&onbuild.heredocs);
                if let Ok(nested) = onbuild.nested() {
                    self.view(nested);
                }
            }
            View::Invalid(invalid) => self.spans.push(invalid.error.span()),
            _ => panic!("a kind of instruction without a law"),
        }
    }
}

#[test]
fn every_span_lies_in_its_instruction() {
    each(20_000, |text| {
        let file = Dockerfile::parse(text);
        assert_eq!(file.text(), text);
        let mut last = 0;
        for instruction in file.instructions() {
            let span = instruction.span();
            assert!(
                span.start >= last && span.end as usize <= text.len(),
                "instructions are in order and do not overlap"
            );
            last = span.end;
            let (first, end) = instruction.lines();
            assert!(first <= end && end <= file.line_index().line_count());
            let mut parts = Parts {
                text,
                spans: Vec::new(),
            };
            parts.add(&instruction.keyword_text());
            parts.view(&instruction.view());
            parts
                .spans
                .extend(instruction.flags().iter().map(|flag| flag.span));
            for part in parts.spans {
                // Of a source without a body the heredoc has no place.
                if part == Span::default() {
                    continue;
                }
                assert!(
                    span.start <= part.start && part.start <= part.end && part.end <= span.end,
                    "{part:?} lies in {span:?} of {text:?}"
                );
                assert!(
                    text.is_char_boundary(part.start as usize)
                        && text.is_char_boundary(part.end as usize)
                );
            }
        }
        let errors = file.errors();
        assert!(errors.is_sorted_by_key(stagewright_syntax::SyntaxError::span));
        for error in errors {
            assert!(text.get(error.span().range()).is_some(), "{error:?}");
        }
    });
}

#[test]
fn comments_and_instructions_cover_what_is_not_blank() {
    each(5_000, |text| {
        let file = Dockerfile::parse(text);
        if file
            .errors()
            .iter()
            .any(|error| error.code() == "line-too-long")
        {
            return;
        }
        let mut covered = vec![false; text.len()];
        let directives = file.directives().iter().map(|directive| directive.span);
        let outside = file
            .comments()
            .filter(|comment| comment.inside.is_none())
            .map(|comment| comment.span);
        let spans = file
            .instructions()
            .map(|instruction| instruction.span())
            .chain(directives)
            .chain(outside);
        for span in spans.collect::<Vec<_>>() {
            for place in &mut covered[span.range()] {
                assert!(!*place, "nothing is covered twice in {text:?}");
                *place = true;
            }
        }
        for (at, c) in text.char_indices() {
            assert!(
                covered[at] || c.is_whitespace() || c == '\u{feff}' || has_bad_directive(&file),
                "{c:?} at {at} belongs to something in {text:?}"
            );
        }
        for comment in file.comments() {
            assert!(text[comment.span.range()].starts_with('#'));
            if let Some(index) = comment.inside {
                let span = file.instruction(index).span();
                assert!(span.start < comment.span.start && comment.span.end <= span.end);
            }
        }
    });
}

/// A directive that is given twice is no comment and no directive.
fn has_bad_directive(file: &Dockerfile<'_>) -> bool {
    file.errors()
        .iter()
        .any(|error| error.code() == "duplicate-directive")
}

#[test]
fn an_edit_changes_only_its_bytes() {
    let mut random = Random::new(5);
    each(5_000, |text| {
        let file = Dockerfile::parse(text);
        if file.is_empty() {
            return;
        }
        let mut edits = EditSet::new();
        for _ in 0..3 {
            let instruction = file.instruction(random.below(file.len()));
            // Refused edits leave the set as it was.
            let _ = match random.below(6) {
                0 => edits.insert_before(&instruction, "RUN true"),
                1 => edits.insert_after(&instruction, "RUN true\n"),
                2 => edits.remove_instruction(&instruction, random.below(2) == 0),
                3 => edits.set_flag(&instruction, "network", Some("none")),
                4 => edits.replace_instruction(&instruction, "RUN true \\\n  && false"),
                _ => edits.replace_arguments(&instruction, "x"),
            };
        }
        let changed = edits.apply(text);
        let (mut old, mut new) = (0, 0);
        for edit in edits.edits() {
            let kept = edit.span.start as usize - old;
            assert_eq!(text[old..old + kept], changed[new..new + kept]);
            new += kept;
            assert_eq!(changed[new..new + edit.content.len()], edit.content);
            new += edit.content.len();
            old = edit.span.end as usize;
        }
        assert_eq!(text[old..], changed[new..]);
        if text.contains("\r\n") && !text.replace("\r\n", "").contains('\n') {
            assert!(
                !changed.replace("\r\n", "").contains('\n'),
                "CRLF in, CRLF out"
            );
        }
    });
}

#[test]
fn one_instruction_more_or_less_leaves_the_others_alone() {
    let mut random = Random::new(6);
    for text in texts() {
        let file = Dockerfile::parse(&text);
        if file.is_empty() || !file.errors().is_empty() {
            continue;
        }
        let originals: Vec<_> = file
            .instructions()
            .map(|instruction| instruction.original())
            .collect();
        let index = random.below(file.len());
        let instruction = file.instruction(index);
        for (step, expected) in [("before", index), ("after", index + 1)] {
            let mut edits = EditSet::new();
            let line = "LABEL added=yes";
            match step {
                "before" => edits.insert_before(&instruction, line),
                _ => edits.insert_after(&instruction, line),
            }
            .expect("one edit cannot overlap another");
            let changed = edits.apply(&text);
            let mut wanted = originals.clone();
            // At the end of a continuation that the file ends in, the new line would belong to it.
            if text[instruction.span().range()]
                .trim_end()
                .ends_with(file.escape())
            {
                continue;
            }
            wanted.insert(expected, line.into());
            let found = Dockerfile::parse(&changed);
            assert!(
                found
                    .instructions()
                    .map(|instruction| instruction.original())
                    .eq(wanted),
                "{step} {index} of {text:?}"
            );
        }
        let mut edits = EditSet::new();
        edits
            .remove_instruction(&instruction, false)
            .expect("one edit cannot overlap another");
        let mut wanted = originals;
        wanted.remove(index);
        let changed = edits.apply(&text);
        let found = Dockerfile::parse(&changed);
        assert!(
            found
                .instructions()
                .map(|instruction| instruction.original())
                .eq(wanted),
            "without {index} of {text:?}"
        );
    }
}

#[test]
fn scripts_lead_back_to_their_source() {
    let (mut read, mut complete, mut known) = (0, 0, HashSet::new());
    known.extend(texts());
    each(5_000, |text| {
        let file = Dockerfile::parse(text);
        for instruction in file.instructions() {
            let View::Run(run) = instruction.view() else {
                continue;
            };
            let Some(source) = run.script() else { continue };
            let script = Script::parse(&source.text);
            let unterminated = file
                .errors()
                .iter()
                .any(|error| error.code() == "unterminated-heredoc");
            // A mutation may leave a quote open; people do not.
            if known.contains(text) {
                read += 1;
                complete += usize::from(script.complete);
            }
            for word in script.commands.iter().flat_map(|command| &command.words) {
                assert_eq!(&source.text[word.span.range()], word.raw);
                let place = source.source_span(word.span);
                let written = &text[place.range()];
                if !written.contains('\n') && !unterminated {
                    assert_eq!(
                        written,
                        word.raw,
                        "in {:?}",
                        &text[instruction.span().range()]
                    );
                }
            }
        }
    });
    // The cases of this repository, and what becomes of them, are odder than what people write.
    let share = if std::env::var_os(corpus::VARIABLE).is_some() {
        95
    } else {
        80
    };
    assert!(
        complete * 100 >= read * share,
        "{complete} of {read} scripts are understood"
    );
}

#[test]
fn expansion_never_panics_and_ends() {
    each(3_000, |text| {
        let file = Dockerfile::parse(text);
        let expander = Expander::new(file.escape());
        let env = [("A", "x y"), ("PATH", "/bin:$A")];
        for instruction in file.instructions() {
            let arguments = instruction.arguments();
            let _ = expander.word(&arguments, env.as_slice());
            let _ = expander.words(&arguments, env.as_slice());
            if instruction.keyword() != Keyword::Unknown {
                let _ = stagewright_syntax::image::ImageRef::parse(&arguments);
            }
        }
    });
}

#[test]
fn formatting_changes_nothing_that_buildkit_reads() {
    let mut changed = 0;
    each(5_000, |text| {
        let file = Dockerfile::parse(text);
        let formatted = stagewright_syntax::format::format(text);
        let again = Dockerfile::parse(&formatted);
        let lowered = |dump: Option<String>| {
            let as_words = ["\"AS\"", "\"As\"", "\"aS\""];
            dump.map(|dump| {
                as_words
                    .iter()
                    .fold(dump, |dump, word| dump.replace(word, "\"as\""))
            })
        };
        assert_eq!(
            lowered(file.buildkit_dump()),
            lowered(again.buildkit_dump()),
            "{text:?}"
        );
        let twice = stagewright_syntax::format::format(&formatted);
        let differs = twice
            .bytes()
            .zip(formatted.bytes())
            .position(|(a, b)| a != b);
        let near = differs.map(|at| {
            String::from_utf8_lossy(&formatted.as_bytes()[at.saturating_sub(60)..])
                .chars()
                .take(120)
                .collect::<String>()
        });
        assert!(twice == formatted, "twice changes nothing, but at {near:?}");
        changed += usize::from(formatted != text);
    });
    assert!(changed > 10, "{changed} texts were formatted");
}

/// Every change that is read back, tried on one instruction.
fn changes(file: &Dockerfile<'_>, at: usize) -> Vec<Result<String, EditError>> {
    let heredoc = Run::script("set -e\nEOF");
    let mount = write::Mount::cache("/c");
    vec![
        file.insert_before(at, "RUN x \\\n  y"),
        file.insert_after(at, &heredoc),
        file.replace(at, "# note\nUSER a"),
        file.remove(at, false),
        file.set_flag(at, "link", None),
        file.set_flag(at, "platform", Some("a b")),
        file.add_flag(at, "exclude", Some("*")),
        file.remove_flag(at, "from"),
        file.add_mount(at, &mount),
        file.set_mount_option(at, 0, "target", Some("/d,e")),
        file.remove_mount_option(at, 0, "id"),
        file.remove_mount(at, 0),
        file.set_value(at, "A", "$B c"),
        file.set_literal(at, "PATH", "$B \"c\""),
        file.remove_value(at, "PATH"),
        file.set_image(at, "a:1"),
        file.set_tag(at, Some("2")),
        file.set_tag(at, None),
        file.set_digest(at, Some("sha256:0")),
        file.set_stage_name(at, Some("z")),
        file.set_stage_name(at, None),
        file.set_arguments(at, "a b"),
    ]
}

#[test]
fn a_change_keeps_the_bytes_of_all_other_instructions() {
    let (mut made, mut refused) = (0, 0);
    let mut random = Random::new(7);
    each(2_000, |text| {
        let file = Dockerfile::parse(text);
        if file.is_empty() || text.len() > 20_000 {
            return;
        }
        let at = random.below(file.len());
        let before = match at.checked_sub(1) {
            Some(before) => &text[..file.instruction(before).span().end as usize],
            None => "",
        };
        let after = if at + 1 < file.len() {
            &text[file.instruction(at + 1).span().start as usize..]
        } else {
            ""
        };
        for (change, changed) in changes(&file, at).into_iter().enumerate() {
            let Ok(changed) = changed else {
                refused += 1;
                continue;
            };
            made += 1;
            assert!(
                changed.starts_with(before) && changed.ends_with(after),
                "change {change} of instruction {at}: {text:?} became {changed:?}"
            );
            let again = Dockerfile::parse(&changed);
            assert!(again.len() + 1 >= file.len() && again.len() <= file.len() + 1);
        }
    });
    assert!(
        made > 1_000 && refused > 1_000,
        "{made} made, {refused} refused"
    );
}
