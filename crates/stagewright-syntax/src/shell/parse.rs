//! From words to commands: keywords, lists, here-documents.

use super::lex::{Lexer, is_name};
use super::word::Word;
use super::{Assignment, Construct, ConstructKind, Join, Place, Redirect, Script, SimpleCommand};
use crate::text::{Span, offset};

/// A construct that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// The condition of `if` or `elif`; true after the first one.
    If(bool),
    /// A branch of `if`.
    Then,
    /// The condition of `while` or `until`.
    While,
    /// The body of a loop; true if it may not run at all.
    Do(bool),
    /// Between `for … in …` and `do`.
    For,
    /// A branch of `case`.
    Case,
    /// Between `case … in` or `;;` and the `)` of the next pattern.
    Pattern,
    /// `{ … }`; true for the body of a function.
    Brace(bool),
    /// `( … )`, with its number; true for the body of a function.
    Subshell(usize, bool),
}

/// How deep constructs may nest: each command lists those it stands in.
const MAX_DEPTH: usize = 256;

struct Parser<'s> {
    lexer: Lexer<'s>,
    /// The constructs that are open, each with its part that is being read.
    frames: Vec<(Frame, Place)>,
    constructs: Vec<Construct<'s>>,
    subshells: usize,
    commands: Vec<SimpleCommand<'s>>,
    join: Join,
    negated: bool,
    /// Here-documents whose lines follow the next line break: command, redirect.
    pending: Vec<(usize, usize)>,
    /// The name, between `name()` and the body.
    function: Option<&'s str>,
}

pub(super) fn script(text: &str) -> Script<'_> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        frames: Vec::new(),
        constructs: Vec::new(),
        subshells: 0,
        commands: Vec::new(),
        join: Join::Sequence,
        negated: false,
        pending: Vec::new(),
        function: None,
    };
    let understood = parser.run();
    Script {
        complete: understood && parser.frames.is_empty() && !parser.lexer.broken,
        commands: parser.commands,
        constructs: parser.constructs,
    }
}

impl<'s> Parser<'s> {
    /// Reads to the end; false where something was not understood.
    fn run(&mut self) -> bool {
        loop {
            self.lexer.skip_blanks();
            let rest = self.lexer.rest();
            if rest.is_empty() {
                return true;
            }
            if self.frames.len() > MAX_DEPTH {
                return false;
            }
            if rest.starts_with('\n') {
                self.line_break();
                continue;
            }
            if self.top() == Some(Frame::Pattern) {
                if !self.pattern() {
                    return false;
                }
                continue;
            }
            if rest.starts_with("((") {
                // An arithmetic command.
                self.lexer.at += 1;
                self.lexer.balanced(b'(', b')');
                continue;
            }
            let redirect = rest.starts_with(['<', '>']) || rest.starts_with("&>");
            match self.lexer.operator().filter(|_| !redirect) {
                Some(operator) => {
                    if !self.operator(operator) {
                        return false;
                    }
                }
                None => {
                    if !self.command() {
                        return false;
                    }
                }
            }
        }
    }

    fn line_break(&mut self) {
        self.lexer.at += 1;
        for (command, redirect) in std::mem::take(&mut self.pending) {
            let redirect = &mut self.commands[command].redirects[redirect];
            let name = redirect.target.literal().unwrap_or_default().into_owned();
            let start = self.lexer.at;
            let mut end = start;
            let mut found = false;
            for line in self.lexer.text[start..].split_inclusive('\n') {
                let bare = line.trim_end_matches(['\n', '\r']);
                let bare = if redirect.operator == "<<-" {
                    bare.trim_start_matches('\t')
                } else {
                    bare
                };
                if bare == name {
                    redirect.body = Some(&self.lexer.text[start..end]);
                    self.lexer.at = end + line.len();
                    found = true;
                    break;
                }
                end += line.len();
            }
            if !found {
                redirect.body = Some(&self.lexer.text[start..]);
                self.lexer.at = self.lexer.text.len();
            }
        }
        // `&&` and `|` go on over line breaks.
        if !matches!(self.join, Join::And | Join::Or | Join::Pipe) {
            self.join = Join::Sequence;
        }
    }

    fn operator(&mut self, operator: &str) -> bool {
        self.lexer.at += operator.len();
        match operator {
            "&&" => self.join = Join::And,
            "||" => self.join = Join::Or,
            "|" | "|&" => self.join = Join::Pipe,
            ";" => self.join = Join::Sequence,
            "&" => {
                if let Some(command) = self.commands.last_mut() {
                    command.background = true;
                }
                self.join = Join::Sequence;
            }
            ";;" | ";&" | ";;&" => {
                if !self.turn(&[Frame::Case], Frame::Pattern, 1) {
                    return false;
                }
                self.join = Join::Sequence;
            }
            "(" => {
                self.subshells += 1;
                let function = self.function.take();
                let kind = function.map_or(ConstructKind::Subshell, ConstructKind::Function);
                let join = self.join;
                self.open(Frame::Subshell(self.subshells, function.is_some()), kind);
                // The first command inside follows what stands before the parenthesis.
                self.join = join;
            }
            ")" => {
                if !matches!(self.top(), Some(Frame::Subshell(..))) {
                    return false;
                }
                self.frames.pop();
                self.after_compound();
            }
            _ => return false,
        }
        true
    }

    /// Redirects behind `fi`, `done`, `}` and `)` belong to the whole construct; they are read and left out.
    fn after_compound(&mut self) {
        self.join = Join::Sequence;
        loop {
            self.lexer.skip_blanks();
            let rest = self.lexer.rest();
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if !rest[digits..].starts_with(['<', '>']) {
                return;
            }
            self.lexer.at += digits;
            let length = self.lexer.operator().map_or(0, str::len);
            self.lexer.at += length;
            self.lexer.skip_blanks();
            if self.lexer.word().is_none() {
                return;
            }
        }
    }

    /// A pattern of `case` up to its `)`, or `esac`.
    fn pattern(&mut self) -> bool {
        if self.lexer.rest().starts_with('(') {
            self.lexer.at += 1;
        }
        let mut patterns = Vec::new();
        loop {
            self.lexer.skip_blanks();
            match self.lexer.rest().as_bytes().first() {
                Some(b'\n' | b'|') => self.lexer.at += 1,
                Some(b')') => {
                    self.lexer.at += 1;
                    self.arm(patterns);
                    return self.turn(&[Frame::Pattern], Frame::Case, 0);
                }
                _ => match self.lexer.word() {
                    Some(word) if word.raw == "esac" => {
                        self.frames.pop();
                        self.after_compound();
                        return true;
                    }
                    Some(word) => patterns.push(word),
                    None => return false,
                },
            }
        }
    }

    /// Adds the patterns of an arm to the open `case`.
    fn arm(&mut self, patterns: Vec<Word<'s>>) {
        if let Some((_, place)) = self.frames.last()
            && let ConstructKind::Case { arms, .. } = &mut self.constructs[place.construct].kind
        {
            arms.push(patterns);
        }
    }

    /// A simple command, or the keyword that stands in its place.
    fn command(&mut self) -> bool {
        let start = self.lexer.at;
        let mut command = SimpleCommand {
            words: Vec::new(),
            assignments: Vec::new(),
            redirects: Vec::new(),
            span: Span::new(offset(start), offset(start)),
            join: self.join,
            conditional: false,
            looped: false,
            subshells: Vec::new(),
            within: Vec::new(),
            background: false,
            negated: self.negated,
        };
        let mut end = start;
        loop {
            self.lexer.skip_blanks();
            if let Some(redirect) = self.redirect() {
                match redirect {
                    Some(redirect) => command.redirects.push(redirect),
                    None => return false,
                }
                end = self.lexer.at;
                continue;
            }
            let Some(word) = self.lexer.word() else { break };
            let first = command.words.is_empty()
                && command.assignments.is_empty()
                && command.redirects.is_empty();
            if first && let Some(understood) = self.keyword(&word) {
                return understood;
            }
            end = self.lexer.at;
            if command.words.is_empty()
                && let Some(assignment) = assignment(&word)
            {
                // `A=(1 2)`: an array, which no model reads.
                if self.lexer.rest().starts_with('(') && assignment.value.parts.is_empty() {
                    self.lexer.at += 1;
                    self.lexer.balanced(b'(', b')');
                    end = self.lexer.at;
                }
                command.assignments.push(assignment);
                continue;
            }
            if command.words.is_empty()
                && self.lexer.rest().starts_with("()")
                && is_function_name(word.raw)
            {
                self.lexer.at += 2;
                self.function = Some(word.raw);
                return true;
            }
            let test = command.words.is_empty() && word.raw == "[[";
            command.words.push(word);
            if test {
                if !self.double_bracket(&mut command.words) {
                    return false;
                }
                end = self.lexer.at;
            }
        }
        if end == start {
            return false;
        }
        command.span = Span::new(offset(start), offset(end));
        for (frame, place) in &self.frames {
            command.within.push(*place);
            match *frame {
                Frame::If(again) => command.conditional |= again,
                Frame::Then | Frame::Case | Frame::Brace(true) => command.conditional = true,
                Frame::Do(uncertain) => {
                    command.conditional |= uncertain;
                    command.looped = true;
                }
                Frame::Subshell(number, function) => {
                    command.conditional |= function;
                    command.subshells.push(number);
                }
                _ => {}
            }
        }
        let at = self.commands.len();
        for (index, redirect) in command.redirects.iter().enumerate() {
            if matches!(redirect.operator, "<<" | "<<-") {
                self.pending.push((at, index));
            }
        }
        self.commands.push(command);
        self.join = Join::Sequence;
        self.negated = false;
        true
    }

    /// A redirect at this place: `Some(None)` if it has no target.
    #[expect(
        clippy::option_option,
        reason = "no redirect here, a broken one, a good one"
    )]
    fn redirect(&mut self) -> Option<Option<Redirect<'s>>> {
        let rest = self.lexer.rest();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = &rest[digits..];
        let both = digits == 0 && after.starts_with("&>");
        if !both && !after.starts_with(['<', '>']) {
            return None;
        }
        // `<(…)` and `>(…)` are words.
        self.lexer.at += digits;
        let operator = self
            .lexer
            .operator()
            .expect("one of the operators was seen");
        self.lexer.at += operator.len();
        if self.lexer.rest().starts_with('(') {
            let start = self.lexer.at - operator.len();
            self.lexer.at += 1;
            let script = self.lexer.balanced(b'(', b')');
            let target = Word {
                raw: &self.lexer.text[start..self.lexer.at],
                span: Span::new(offset(start), offset(self.lexer.at)),
                parts: vec![super::Part::Substitution {
                    script,
                    quoted: true,
                }],
            };
            return Some(Some(Redirect {
                fd: None,
                operator,
                target,
                body: None,
            }));
        }
        self.lexer.skip_blanks();
        let target = self.lexer.word();
        Some(target.map(|target| Redirect {
            fd: rest[..digits].parse().ok(),
            operator,
            target,
            body: None,
        }))
    }

    /// `[[ … ]]`: operators inside are words.
    fn double_bracket(&mut self, words: &mut Vec<Word<'s>>) -> bool {
        loop {
            self.lexer.skip_blanks();
            let start = self.lexer.at;
            if let Some(word) = self.lexer.word() {
                let end = word.raw == "]]";
                words.push(word);
                if end {
                    return true;
                }
                continue;
            }
            let line_break = usize::from(self.lexer.rest().starts_with('\n'));
            let length = self.lexer.operator().map_or(line_break, str::len);
            if length == 0 {
                return false;
            }
            self.lexer.at += length;
            let raw = &self.lexer.text[start..self.lexer.at];
            words.push(Word {
                raw,
                span: Span::new(offset(start), offset(self.lexer.at)),
                parts: vec![super::Part::Literal(raw.into())],
            });
        }
    }

    /// A reserved word in the place of a command; `None` if it is none, `Some(false)` if it does not belong here.
    fn keyword(&mut self, word: &Word<'s>) -> Option<bool> {
        let understood = match word.raw {
            "if" => self.open(Frame::If(false), ConstructKind::If),
            "then" => self.turn(&[Frame::If(false), Frame::If(true)], Frame::Then, 1),
            "elif" => self.turn(&[Frame::Then], Frame::If(true), 1),
            "else" => self.turn(&[Frame::Then], Frame::Then, 2),
            "fi" => self.close(&[Frame::Then]),
            "while" | "until" => self.open(Frame::While, ConstructKind::While),
            "do" => match self.top() {
                Some(Frame::While) => self.turn(&[Frame::While], Frame::Do(true), 1),
                _ => self.turn(&[Frame::For], Frame::Do(false), 0),
            },
            "done" => self.close(&[Frame::Do(true), Frame::Do(false)]),
            "for" | "select" => self.for_head(),
            "case" => self.case_head(),
            "esac" => self.close(&[Frame::Case]),
            "{" => {
                let function = self.function.take();
                let kind = function.map_or(ConstructKind::Group, ConstructKind::Function);
                self.open(Frame::Brace(function.is_some()), kind)
            }
            "}" => self.close(&[Frame::Brace(true), Frame::Brace(false)]),
            "!" => {
                self.negated = true;
                true
            }
            "function" => {
                self.lexer.skip_blanks();
                let name = self.lexer.word().map(|name| name.raw);
                if self.lexer.rest().starts_with("()") {
                    self.lexer.at += 2;
                }
                self.function = name.or(Some(""));
                name.is_some()
            }
            _ => return None,
        };
        Some(understood)
    }

    fn top(&self) -> Option<Frame> {
        self.frames.last().map(|(frame, _)| *frame)
    }

    fn open(&mut self, frame: Frame, kind: ConstructKind<'s>) -> bool {
        let construct = self.constructs.len();
        self.constructs.push(Construct {
            join: self.join,
            kind,
        });
        self.frames.push((frame, Place { construct, part: 0 }));
        self.join = Join::Sequence;
        true
    }

    /// Goes on to another part of the innermost construct, `parts` further.
    fn turn(&mut self, from: &[Frame], to: Frame, parts: usize) -> bool {
        match self.frames.last_mut() {
            Some((frame, place)) if from.contains(frame) => {
                *frame = to;
                place.part += parts;
                self.join = Join::Sequence;
                true
            }
            _ => false,
        }
    }

    fn close(&mut self, from: &[Frame]) -> bool {
        if !self.top().is_some_and(|top| from.contains(&top)) {
            return false;
        }
        self.frames.pop();
        self.after_compound();
        true
    }

    /// `NAME in words` or `((…))`, up to the separator before `do`.
    fn for_head(&mut self) -> bool {
        let Some((variable, words)) = self.for_words() else {
            return false;
        };
        self.open(Frame::For, ConstructKind::For { variable, words })
    }

    fn for_words(&mut self) -> Option<(&'s str, Option<Vec<Word<'s>>>)> {
        self.lexer.skip_blanks();
        if self.lexer.rest().starts_with("((") {
            self.lexer.at += 1;
            self.lexer.balanced(b'(', b')');
            return Some(("", None));
        }
        let variable = self.lexer.word()?.raw;
        let mut words: Option<Vec<Word<'s>>> = None;
        loop {
            self.lexer.skip_blanks();
            if matches!(
                self.lexer.rest().as_bytes().first(),
                Some(b';' | b'\n') | None
            ) {
                return Some((variable, words));
            }
            let before = self.lexer.at;
            let word = self.lexer.word()?;
            match &mut words {
                // `for x do`: the positional parameters.
                None if word.raw == "do" => {
                    self.lexer.at = before;
                    return Some((variable, None));
                }
                None => words = (word.raw == "in").then(Vec::new),
                Some(words) => words.push(word),
            }
        }
    }

    /// `WORD in`.
    fn case_head(&mut self) -> bool {
        self.lexer.skip_blanks();
        let Some(word) = self.lexer.word() else {
            return false;
        };
        loop {
            self.lexer.skip_blanks();
            if self.lexer.rest().starts_with('\n') {
                self.lexer.at += 1;
                continue;
            }
            let is_in = self.lexer.word().is_some_and(|word| word.raw == "in");
            let arms = Vec::new();
            return self.open(Frame::Pattern, ConstructKind::Case { word, arms }) && is_in;
        }
    }
}

fn is_function_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
}

/// `name=value` and `name+=value`, where the name is plain text.
fn assignment<'s>(word: &Word<'s>) -> Option<Assignment<'s>> {
    let (name, _) = word.raw.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    if !is_name(name) {
        return None;
    }
    let skip = word.raw.find('=')? + 1;
    let mut lexer = Lexer::new(&word.raw[skip..]);
    let parts = lexer.word().map(|word| word.parts).unwrap_or_default();
    let start = word.span.start + offset(skip);
    Some(Assignment {
        name,
        value: Word {
            raw: &word.raw[skip..],
            span: Span::new(start, word.span.end),
            parts,
        },
    })
}
