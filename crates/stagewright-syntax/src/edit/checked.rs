//! Changes of one thing, named after it, that are read back before they are handed out.
//!
//! ```
//! use stagewright_syntax::Dockerfile;
//! use stagewright_syntax::write::{Mount, Run};
//!
//! let file = Dockerfile::parse("FROM python:3.12\n# what is needed\nRUN pip install flask\n");
//! let text = file.add_mount(1, &Mount::cache("/root/.cache/pip")).unwrap();
//! let text = Dockerfile::parse(&text).set_tag(0, Some("3.12-slim")).unwrap();
//! let text = Dockerfile::parse(&text).insert_after(1, &Run::shell("flask --version")).unwrap();
//! assert_eq!(
//!     text,
//!     "FROM python:3.12-slim\n# what is needed\n\
//!      RUN --mount=type=cache,target=/root/.cache/pip pip install flask\nRUN flask --version\n"
//! );
//! assert_eq!(file.insert_before(1, "RUN x \\").unwrap_err().code(), "not-as-meant");
//! ```

use super::read_back::{Lines, Named, fault_of, flags_of, heredocs_of, prefix};
use super::{EditError, EditSet, line_ending};
use crate::file::{Dockerfile, Instruction};
use crate::image::ImageRef;
use crate::instruction::{From, Run, View};
use crate::text::{Span, Text};
use crate::write::{self, Mount, Print};

/// Changes of the text, one at a time. Each gives the new text, in which every other byte is as it was; instructions are
/// counted from 0 in the text that is changed.
///
/// The new text is read back. An edit is refused with [`EditError::NotAsMeant`] if it would change another instruction, or
/// be read as something else, and with [`EditError::Invalid`] if `BuildKit` would reject the instruction.
impl Dockerfile<'_> {
    /// Inserts instructions before one, indented like it. Comments above that one stay above the new lines.
    pub fn insert_before<P: Print + ?Sized>(
        &self,
        index: usize,
        lines: &P,
    ) -> Result<String, EditError> {
        self.insert(index, index, lines, EditSet::insert_before)
    }

    /// Inserts instructions after one and its heredocs, indented like it.
    pub fn insert_after<P: Print + ?Sized>(
        &self,
        index: usize,
        lines: &P,
    ) -> Result<String, EditError> {
        self.insert(index, index + 1, lines, EditSet::insert_after)
    }

    /// Adds instructions at the end of the file.
    pub fn append<P: Print + ?Sized>(&self, lines: &P) -> Result<String, EditError> {
        let lines = Lines::read(self, lines)?;
        let text = self.text();
        let ending = line_ending(text);
        let mut out = text.to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            out.push_str(ending);
        }
        for line in lines
            .text
            .strip_suffix('\n')
            .unwrap_or(&lines.text)
            .split('\n')
        {
            out.push_str(line.strip_suffix('\r').unwrap_or(line));
            out.push_str(ending);
        }
        self.check(&out, self.len(), 0, lines.count, |new, at| {
            lines.are(new, at)
        })?;
        Ok(out)
    }

    /// Puts instructions in the place of one and its heredocs. Its indentation, and the comments above it, stay.
    pub fn replace<P: Print + ?Sized>(&self, index: usize, lines: &P) -> Result<String, EditError> {
        let old = self.at(index)?;
        let lines = Lines::read(self, lines)?;
        let mut edits = EditSet::new();
        edits.replace_instruction(&old, &lines.text)?;
        self.finish(&edits, index, 1, lines.count, |new, at| lines.are(new, at))
    }

    /// Removes an instruction with its heredocs, and with the comment lines directly above it if `with_comments`.
    pub fn remove(&self, index: usize, with_comments: bool) -> Result<String, EditError> {
        let mut edits = EditSet::new();
        edits.remove_instruction(&self.at(index)?, with_comments)?;
        self.finish(&edits, index, 1, 0, |_, _| true)
    }

    /// Sets a flag: its value if it stands there, behind the other flags if not. Without a value it is a plain `--name`.
    pub fn set_flag(
        &self,
        index: usize,
        name: &str,
        value: Option<&str>,
    ) -> Result<String, EditError> {
        let old = self.at(index)?;
        let mut edits = EditSet::new();
        edits.set_flag(&old, name, value)?;
        let flag = (name.to_owned(), value.map(str::to_owned));
        let mut flags = flags_of(&old);
        match flags.iter_mut().find(|flag| flag.0 == name) {
            Some(found) => *found = flag,
            None => flags.push(flag),
        }
        self.finish_flags(&edits, index, &flags)
    }

    /// Adds a flag behind the others, also where one of that name stands there (`--exclude`).
    pub fn add_flag(
        &self,
        index: usize,
        name: &str,
        value: Option<&str>,
    ) -> Result<String, EditError> {
        let old = self.at(index)?;
        let mut edits = EditSet::new();
        edits.add_flag(&old, name, value)?;
        let mut flags = flags_of(&old);
        flags.push((name.to_owned(), value.map(str::to_owned)));
        self.finish_flags(&edits, index, &flags)
    }

    /// Removes every flag of that name.
    pub fn remove_flag(&self, index: usize, name: &str) -> Result<String, EditError> {
        let old = self.at(index)?;
        let mut flags = flags_of(&old);
        let before = flags.len();
        flags.retain(|flag| flag.0 != name);
        if flags.len() == before {
            return Err(no_part(&old, format!("flag `--{name}`")));
        }
        let mut edits = EditSet::new();
        edits.remove_flag(&old, name)?;
        self.finish_flags(&edits, index, &flags)
    }

    /// Adds a mount to a `RUN`, behind its other flags.
    pub fn add_mount(&self, index: usize, mount: &Mount) -> Result<String, EditError> {
        let old = self.at(index)?;
        run_of(&old)?;
        self.add_flag(index, "mount", Some(&mount.value()))
    }

    /// Sets an option of a mount, in the place of the one of that name or behind the others. Mounts are counted from 0.
    /// Without a value it is a plain `name`, such as `readonly`.
    pub fn set_mount_option(
        &self,
        index: usize,
        mount: usize,
        name: &str,
        value: Option<&str>,
    ) -> Result<String, EditError> {
        let old = self.at(index)?;
        let run = run_of(&old)?;
        let found = mount_of(&old, &run, mount)?;
        let mut changed = Mount::new();
        let mut written = false;
        for option in &found.options {
            let is_it = option.key.eq_ignore_ascii_case(name);
            // A key that stands twice is set once: the last one counts (`parseMount` in `instructions/commands_runmount.go`).
            match (is_it, written) {
                (true, true) => {}
                (true, false) => {
                    changed = changed.with(&*option.key, value);
                    written = true;
                }
                (false, _) => changed = changed.with(&*option.key, option.value.as_deref()),
            }
        }
        if !written {
            changed = changed.with(name, value);
        }
        self.finish_mount(&old, mount, Some(&changed))
    }

    /// Removes an option of a mount.
    pub fn remove_mount_option(
        &self,
        index: usize,
        mount: usize,
        name: &str,
    ) -> Result<String, EditError> {
        let old = self.at(index)?;
        let run = run_of(&old)?;
        let found = mount_of(&old, &run, mount)?;
        let mut changed = Mount::new();
        let mut kept = 0;
        for option in &found.options {
            if !option.key.eq_ignore_ascii_case(name) {
                changed = changed.with(&*option.key, option.value.as_deref());
                kept += 1;
            }
        }
        if kept == found.options.len() {
            return Err(no_part(&old, format!("option `{name}` in mount {mount}")));
        }
        self.finish_mount(&old, mount, Some(&changed))
    }

    /// Removes a mount.
    pub fn remove_mount(&self, index: usize, mount: usize) -> Result<String, EditError> {
        let old = self.at(index)?;
        mount_of(&old, &run_of(&old)?, mount)?;
        self.finish_mount(&old, mount, None)
    }

    /// Sets a variable of `ENV`, a key of `LABEL`, or the default of an `ARG`: in its place, or behind the others. Variables
    /// in the value are expanded, as in `$HOME/bin`.
    pub fn set_value(&self, index: usize, key: &str, value: &str) -> Result<String, EditError> {
        let quoted = write::value(value, self.escape())?;
        self.set_pair(index, key, &quoted)
    }

    /// As [`set_value`](Self::set_value), for exactly this text: a dollar sign stays one.
    pub fn set_literal(&self, index: usize, key: &str, value: &str) -> Result<String, EditError> {
        let quoted = write::literal(value, self.escape())?;
        self.set_pair(index, key, &quoted)
    }

    /// Removes a variable of `ENV`, a key of `LABEL` or an argument of `ARG`. The only one goes with its instruction, by
    /// [`remove`](Self::remove).
    pub fn remove_value(&self, index: usize, key: &str) -> Result<String, EditError> {
        let old = self.at(index)?;
        let pairs = pairs_of(&old)?;
        let spans: Vec<Span> = pairs.iter().map(|pair| pair.span).collect();
        let mut edits = EditSet::new();
        for (at, _) in pairs.iter().enumerate().filter(|(_, pair)| pair.key == key) {
            edits.remove_part(&old, &spans, at)?;
        }
        if edits.is_empty() {
            return Err(no_part(&old, format!("key `{key}`")));
        }
        let left: Vec<Named> = pairs
            .iter()
            .filter(|pair| pair.key != key)
            .map(Pair::named)
            .collect();
        self.finish_pairs(&edits, index, &left)
    }

    /// Sets the image, or the stage, that a `FROM` builds on.
    pub fn set_image(&self, index: usize, image: &str) -> Result<String, EditError> {
        let old = self.at(index)?;
        let from = from_of(&old)?;
        let mut edits = EditSet::new();
        edits.replace(from.image.span, image)?;
        self.finish_from(&edits, index, |new| {
            new.image == image && same_but_image(new, &from)
        })
    }

    /// Sets, or removes, the tag of the image of a `FROM`. A digest stays; it wins over the tag.
    pub fn set_tag(&self, index: usize, tag: Option<&str>) -> Result<String, EditError> {
        let old = self.at(index)?;
        let from = from_of(&old)?;
        let image = image_of(&old, &from)?;
        let mut changed = from.image.to_string();
        match (&image.tag_range, tag) {
            (Some(range), Some(tag)) => changed.replace_range(range.clone(), tag),
            (Some(range), None) => changed.replace_range(range.start - 1..range.end, ""),
            (None, Some(tag)) => changed.insert_str(image.path_range.end, &format!(":{tag}")),
            (None, None) => return Err(no_part(&old, "tag".to_owned())),
        }
        self.finish_image(&old, &from, &changed, |new| {
            new.tag.as_deref() == tag && new.digest == image.digest
        })
    }

    /// Sets, or removes, the digest of the image of a `FROM`, with its algorithm: `sha256:…`.
    pub fn set_digest(&self, index: usize, digest: Option<&str>) -> Result<String, EditError> {
        let old = self.at(index)?;
        let from = from_of(&old)?;
        let image = image_of(&old, &from)?;
        let mut changed = from.image.to_string();
        match (&image.digest_range, digest) {
            (Some(range), Some(digest)) => changed.replace_range(range.clone(), digest),
            (Some(range), None) => changed.replace_range(range.start - 1..range.end, ""),
            (None, Some(digest)) => changed.push_str(&format!("@{digest}")),
            (None, None) => return Err(no_part(&old, "digest".to_owned())),
        }
        self.finish_image(&old, &from, &changed, |new| {
            new.digest.as_deref() == digest && new.tag == image.tag
        })
    }

    /// Names a stage, or takes its name away.
    pub fn set_stage_name(&self, index: usize, name: Option<&str>) -> Result<String, EditError> {
        let old = self.at(index)?;
        let from = from_of(&old)?;
        let mut edits = EditSet::new();
        match (&from.name, name) {
            (Some(old), Some(name)) => edits.replace(old.span, name)?,
            (Some(old), None) => {
                edits.delete(Span::new(from.image.span.end, old.span.end))?;
            }
            (None, Some(name)) => edits.insert(from.image.span.end, format!(" AS {name}"))?,
            (None, None) => return Err(no_part(&old, "stage name".to_owned())),
        }
        self.finish_from(&edits, index, |new| {
            new.name.as_deref() == name
                && *new.image == *from.image
                && new.platform.as_deref() == from.platform.as_deref()
        })
    }

    /// Replaces everything behind the name and the flags of an instruction by a text that is written as it is. Heredocs stay,
    /// and so must their names in the new text.
    pub fn set_arguments(&self, index: usize, content: &str) -> Result<String, EditError> {
        let old = self.at(index)?;
        let mut edits = EditSet::new();
        edits.replace_arguments(&old, content)?;
        let name = old.keyword_text();
        let alone = format!("{}{} {content}\n", prefix(self.escape()), &*name);
        let alone = Dockerfile::parse(&alone);
        if alone.len() < 2 {
            return Err(EditError::Unwritable {
                value: content.to_owned(),
            });
        }
        let wanted = alone.instruction(1).arguments();
        self.finish_one(&edits, index, |new| {
            alone.len() == 2
                && flags_of(new) == flags_of(&old)
                && new.arguments().value == wanted.value
                && heredocs_of(new) == heredocs_of(&old)
        })
    }

    /// Replaces bytes inside one instruction, such as a word whose span a view gives, by a text that is written as it is. The
    /// name of the instruction stays.
    pub fn replace_span(&self, span: Span, content: &str) -> Result<String, EditError> {
        let text = self.text();
        let instruction = self
            .instruction_at(span.start)
            .filter(|found| span.start <= span.end && span.end <= found.span().end)
            .filter(|_| text.get(span.range()).is_some())
            .ok_or(EditError::NoSpan { span })?;
        let mut edits = EditSet::new();
        edits.replace(span, content)?;
        self.finish_one(&edits, instruction.index(), |_| true)
    }

    fn at(&self, index: usize) -> Result<Instruction<'_>, EditError> {
        if index < self.len() {
            Ok(self.instruction(index))
        } else {
            Err(EditError::NoInstruction {
                index,
                count: self.len(),
            })
        }
    }

    fn insert<P: Print + ?Sized>(
        &self,
        index: usize,
        place: usize,
        lines: &P,
        write: impl Fn(&mut EditSet, &Instruction<'_>, &str) -> Result<(), EditError>,
    ) -> Result<String, EditError> {
        let old = self.at(index)?;
        let lines = Lines::read(self, lines)?;
        let mut edits = EditSet::new();
        write(&mut edits, &old, &lines.text)?;
        self.finish(&edits, place, 0, lines.count, |new, at| lines.are(new, at))
    }

    fn set_pair(&self, index: usize, key: &str, quoted: &str) -> Result<String, EditError> {
        let old = self.at(index)?;
        let pairs = pairs_of(&old)?;
        let mut wanted: Vec<Named> = pairs.iter().map(Pair::named).collect();
        let value = Some(quoted.to_owned());
        let mut edits = EditSet::new();
        // Of several of one name the last counts.
        match pairs.iter().rposition(|pair| pair.key == key) {
            Some(_) if is_legacy(&old) => {
                edits.replace_arguments(&old, &format!("{key}={quoted}"))?;
                wanted[0].1 = value;
            }
            Some(at) => {
                let pair = &pairs[at];
                let rest = Span::new(pair.key_span.end, pair.span.end);
                edits.replace(rest, format!("={quoted}"))?;
                wanted[at].1 = value;
            }
            None => {
                let end = pairs.last().map_or(old.span().end, |pair| pair.span.end);
                edits.insert(end, format!(" {key}={quoted}"))?;
                wanted.push((key.to_owned(), value));
            }
        }
        self.finish_pairs(&edits, index, &wanted)
    }

    fn finish_pairs(
        &self,
        edits: &EditSet,
        index: usize,
        wanted: &[Named],
    ) -> Result<String, EditError> {
        self.finish_one(edits, index, |new| {
            pairs_of(new)
                .is_ok_and(|pairs| pairs.iter().map(Pair::named).eq(wanted.iter().cloned()))
        })
    }

    fn finish_flags(
        &self,
        edits: &EditSet,
        index: usize,
        wanted: &[Named],
    ) -> Result<String, EditError> {
        let old = self.instruction(index);
        self.finish_one(edits, index, |new| {
            flags_of(new) == *wanted
                && new.arguments().value == old.arguments().value
                && heredocs_of(new) == heredocs_of(&old)
        })
    }

    fn finish_mount(
        &self,
        old: &Instruction<'_>,
        mount: usize,
        changed: Option<&Mount>,
    ) -> Result<String, EditError> {
        let flags = old.flags();
        let spans: Vec<Span> = flags.iter().map(|flag| flag.span).collect();
        let at = (0..flags.len())
            .filter(|at| flags[*at].name == "mount")
            .nth(mount)
            .expect("each mount is the value of a flag");
        let mut wanted = flags_of(old);
        let mut edits = EditSet::new();
        if let Some(mount) = changed {
            let value = mount.value();
            let content = write::flag("mount", Some(&value), self.escape())?;
            edits.replace(spans[at], content)?;
            wanted[at].1 = Some(value);
        } else {
            edits.remove_part(old, &spans, at)?;
            wanted.remove(at);
        }
        self.finish_flags(&edits, old.index(), &wanted)
    }

    fn finish_image(
        &self,
        old: &Instruction<'_>,
        from: &From<'_>,
        changed: &str,
        is_meant: impl Fn(&ImageRef) -> bool,
    ) -> Result<String, EditError> {
        let mut edits = EditSet::new();
        edits.replace(from.image.span, changed)?;
        self.finish_from(&edits, old.index(), |new| {
            ImageRef::parse(&new.image).is_ok_and(|image| is_meant(&image))
                && same_but_image(new, from)
        })
    }

    fn finish_from(
        &self,
        edits: &EditSet,
        index: usize,
        is_meant: impl Fn(&From<'_>) -> bool,
    ) -> Result<String, EditError> {
        self.finish_one(edits, index, |new| match new.view() {
            View::From(from) => is_meant(&from),
            _ => false,
        })
    }

    /// The new text, if the instruction is of the same kind, without a new fault, and as it is meant.
    fn finish_one(
        &self,
        edits: &EditSet,
        index: usize,
        is_meant: impl Fn(&Instruction<'_>) -> bool,
    ) -> Result<String, EditError> {
        let old = self.instruction(index);
        let text = edits.apply(self.text());
        let mut fault = None;
        self.check(&text, index, 1, 1, |new, at| {
            let new = new.instruction(at);
            fault = fault_of(&new).filter(|_| fault_of(&old).is_none());
            new.keyword_text().value == old.keyword_text().value && is_meant(&new)
        })
        .map_err(|error| fault.unwrap_or(error))?;
        if let Some(fault) = fault_of(&Dockerfile::parse(&text).instruction(index))
            && fault_of(&old).is_none()
        {
            return Err(fault);
        }
        Ok(text)
    }

    fn finish(
        &self,
        edits: &EditSet,
        place: usize,
        removed: usize,
        added: usize,
        is_meant: impl FnMut(&Dockerfile<'_>, usize) -> bool,
    ) -> Result<String, EditError> {
        let text = edits.apply(self.text());
        self.check(&text, place, removed, added, is_meant)?;
        Ok(text)
    }
}

/// A key with its value as written.
struct Pair {
    key: String,
    value: Option<String>,
    key_span: Span,
    span: Span,
}

impl Pair {
    fn new(key: &Text<'_>, value: Option<&Text<'_>>, span: Span) -> Self {
        Self {
            key: key.to_string(),
            value: value.map(ToString::to_string),
            key_span: key.span,
            span,
        }
    }

    fn named(&self) -> Named {
        (self.key.clone(), self.value.clone())
    }
}

fn pairs_of(instruction: &Instruction<'_>) -> Result<Vec<Pair>, EditError> {
    let values = |pairs: Vec<crate::instruction::Pair<'_>>| {
        let pairs = pairs.iter();
        pairs
            .map(|pair| Pair::new(&pair.key, Some(&pair.value), pair.span()))
            .collect()
    };
    match instruction.view() {
        View::Env(env) => Ok(values(env.pairs)),
        View::Label(label) => Ok(values(label.pairs)),
        View::Arg(arg) => Ok(arg
            .args
            .iter()
            .map(|pair| Pair::new(&pair.key, pair.value.as_ref(), pair.span()))
            .collect()),
        _ => Err(wrong(instruction, "values")),
    }
}

/// Whether an `ENV` or `LABEL` is in the form without an equals sign, which holds one key.
fn is_legacy(instruction: &Instruction<'_>) -> bool {
    match instruction.view() {
        View::Env(env) => env.legacy,
        View::Label(label) => label.legacy,
        _ => false,
    }
}

fn from_of<'t>(instruction: &Instruction<'t>) -> Result<From<'t>, EditError> {
    match instruction.view() {
        View::From(from) => Ok(from),
        _ => Err(wrong(instruction, "image")),
    }
}

fn same_but_image(new: &From<'_>, old: &From<'_>) -> bool {
    new.name.as_deref() == old.name.as_deref() && new.platform.as_deref() == old.platform.as_deref()
}

fn image_of(instruction: &Instruction<'_>, from: &From<'_>) -> Result<ImageRef, EditError> {
    let reference = ImageRef::parse(&from.image);
    reference.map_err(|_| {
        no_part(
            instruction,
            format!("plain image reference in `{}`", from.image),
        )
    })
}

fn run_of<'t>(instruction: &Instruction<'t>) -> Result<Run<'t>, EditError> {
    match instruction.view() {
        View::Run(run) => Ok(run),
        _ => Err(wrong(instruction, "mounts")),
    }
}

fn mount_of<'r, 't>(
    instruction: &Instruction<'_>,
    run: &'r Run<'t>,
    mount: usize,
) -> Result<&'r crate::instruction::Mount<'t>, EditError> {
    let found = run.mounts.get(mount);
    found.ok_or_else(|| no_part(instruction, format!("mount {mount}")))
}

fn no_part(instruction: &Instruction<'_>, part: String) -> EditError {
    EditError::NoPart {
        line: instruction.lines().0,
        part,
    }
}

/// What keeps a part from being there: a fault of the instruction, or its kind.
fn wrong(instruction: &Instruction<'_>, part: &'static str) -> EditError {
    fault_of(instruction).unwrap_or(EditError::WrongInstruction {
        line: instruction.lines().0,
        keyword: instruction.keyword(),
        part,
    })
}
