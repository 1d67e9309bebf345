//! What `BuildKit` itself would say, in its own forms.

use crate::error::SyntaxError;
use crate::file::{Dockerfile, Instruction};
use crate::go;
use crate::instruction::Keyword;
use crate::logical::Logical;
use crate::parts::{self, Fault, Head};
use crate::word;

/// Whether `BuildKit` accepts a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Accepted,
    /// It does not.
    Rejected {
        /// The whole message.
        message: String,
        /// The line it reports, from 1; 0 where it counts one too few.
        line: u32,
    },
}

impl Dockerfile<'_> {
    /// The tree as `BuildKit` dumps it (`Node.Dump` in `parser/parser.go`), or nothing if its parser rejects the file.
    pub fn buildkit_dump(&self) -> Option<String> {
        if self.errors().iter().any(|error| error.kind().is_early()) {
            return None;
        }
        let mut out = String::with_capacity(2 * self.text().len());
        for instruction in self.instructions() {
            out.push('(');
            out.push_str(&instruction.dump()?);
            out.push_str(")\n");
        }
        out.pop();
        Some(out)
    }

    /// Whether `BuildKit` accepts the file (`parser.Parse`, then `instructions.Parse`), and what it says if not. It reports
    /// one fault only: the first that hinders splitting the file, or else the first of an instruction.
    pub fn buildkit_verdict(&self) -> Verdict {
        let early = self.errors().iter().find(|error| error.kind().is_early());
        match early.or_else(|| self.errors().first()) {
            None => Verdict::Accepted,
            Some(error) => Verdict::Rejected {
                message: error.buildkit_message(),
                line: SyntaxError::line(error),
            },
        }
    }
}

impl Instruction<'_> {
    /// The instruction as `BuildKit` dumps it, or nothing if its parser rejects it.
    pub(crate) fn dump(&self) -> Option<String> {
        let mut out = String::new();
        let line = self.logical();
        let mut head = Head::new(self.keyword(), self.escape());
        head.read(&line);
        dump_chain(&mut out, &line, head).ok()?;
        Some(out)
    }
}

fn dump(out: &mut String, line: &Logical<'_>, head: &Head<'_>) -> Result<(), Fault> {
    let name = &line.text()[head.name.clone()];
    out.push_str(&go::lower(name));
    if !head.flags.is_empty() {
        out.push_str(" [");
        for (index, flag) in head.flags.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            go::quote_into(out, &flag.word());
        }
        out.push(']');
    }
    let args = head.args.clone();
    let mut push = |value: &str| {
        out.push(' ');
        go::quote_into(out, value);
    };
    match head.keyword {
        // An unknown instruction has one empty child. One without a name (a continuation with nothing in it) begins with
        // a space, which is trimmed.
        Keyword::Unknown if name.is_empty() => out.push_str("\"\""),
        Keyword::Unknown => push(""),
        _ if args.is_empty() => {}
        Keyword::Run
        | Keyword::Cmd
        | Keyword::Entrypoint
        | Keyword::Shell
        | Keyword::Copy
        | Keyword::Add
        | Keyword::Volume => match parts::json(line, args.clone())? {
            Some(words) => words.iter().for_each(|word| push(word)),
            None if matches!(head.keyword, Keyword::Copy | Keyword::Add | Keyword::Volume) => {
                word::list(line.text(), args).for_each(|word| push(&line.text()[word]));
            }
            None => push(&line.text()[args]),
        },
        Keyword::From | Keyword::Expose => {
            word::list(line.text(), args).for_each(|word| push(&line.text()[word]));
        }
        Keyword::Env | Keyword::Label => {
            let found = parts::pairs(line, args, head.escape, head.keyword.as_str())?;
            let legacy = found.as_ref().is_some_and(|found| found.legacy);
            for pair in found.iter().flat_map(|found| &found.pairs) {
                push(&pair.key);
                push(&pair.value);
                push(if legacy { "" } else { "=" });
            }
        }
        Keyword::Arg => {
            word::words(line.text(), args, head.escape).for_each(|word| push(&line.text()[word]));
        }
        Keyword::Healthcheck => {
            let (kind, rest) = parts::health(line, args);
            push(&line.text()[kind]);
            match parts::json(line, rest.clone())? {
                Some(words) => words.iter().for_each(|word| push(word)),
                None if rest.is_empty() => {}
                None => push(&line.text()[rest]),
            }
        }
        Keyword::Workdir
        | Keyword::User
        | Keyword::Stopsignal
        | Keyword::Maintainer
        | Keyword::Onbuild => {
            push(&line.text()[args]);
        }
    }
    Ok(())
}

/// An instruction with what it holds, should it be `ONBUILD`: a line may have a million of them, so there is no recursion.
fn dump_chain<'t>(out: &mut String, line: &Logical<'t>, mut head: Head<'t>) -> Result<(), Fault> {
    let mut depth = 0;
    while head.keyword == Keyword::Onbuild && !head.args.is_empty() {
        let inner = Head::within(line, head.args.clone(), head.escape);
        head.args = head.args.end..head.args.end;
        dump(out, line, &head)?;
        out.push_str(" (");
        depth += 1;
        head = inner;
    }
    dump(out, line, &head)?;
    out.extend(std::iter::repeat_n(')', depth));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_like_buildkit() {
        let dump = |text: &str| Dockerfile::parse(text).buildkit_dump().unwrap();
        assert_eq!(
            dump("FROM a AS b\nRUN x \\\n y\n"),
            "(from \"a\" \"AS\" \"b\")\n(run \"x  y\")"
        );
        assert_eq!(
            dump("COPY --from=a b c"),
            "(copy [\"--from=a\"] \"b\" \"c\")"
        );
        assert_eq!(dump("ONBUILD RUN [\"a\"]"), "(onbuild (run \"a\"))");
        assert_eq!(
            dump("ENV a=b c=\"d\""),
            "(env \"a\" \"b\" \"=\" \"c\" \"\\\"d\\\"\" \"=\")"
        );
        assert_eq!(dump("ENV a b c"), "(env \"a\" \"b c\" \"\")");
        assert_eq!(dump("FOO a"), "(foo \"\")");
        assert_eq!(
            dump("ONBUILD ONBUILD --x RUN a"),
            "(onbuild (onbuild [\"--x\"] (run \"a\")))"
        );
        assert_eq!(dump("HEALTHCHECK CMD a b"), "(healthcheck \"CMD\" \"a b\")");
        assert_eq!(dump("ONBUILD"), "(onbuild)");
        assert_eq!(dump("FROM a\n\\\n"), "(from \"a\")\n(\"\")");
    }

    #[test]
    fn an_early_fault_is_reported_first() {
        let file = Dockerfile::parse("FORM a\nRUN b\nENV c\n");
        let Verdict::Rejected { message, line } = file.buildkit_verdict() else {
            panic!()
        };
        assert_eq!((message.as_str(), line), ("ENV must have two arguments", 3));
        assert_eq!(file.errors().len(), 3);
        assert_eq!(file.buildkit_dump(), None);
    }
}
