//! What `BuildKit` itself would say, in its own forms.

use crate::error::SyntaxError;
use crate::file::Dockerfile;
use crate::go;
use crate::instruction::Flag;
use crate::node::{Args, Node};
use crate::text::Text;

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
            let node = instruction.node().ok()?;
            out.push('(');
            dump(&mut out, &node);
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

fn dump(out: &mut String, node: &Node<'_>) {
    head(out, &node.name, &node.flags);
    match &node.args {
        Args::None => {}
        // An unknown instruction has one empty child. One without a name (a continuation with nothing in it) begins with
        // a space, which is trimmed.
        Args::Ignored(_) => out.push_str(if node.name.is_empty() {
            "\"\""
        } else {
            " \"\""
        }),
        Args::Trigger(trigger) => {
            out.push_str(" (");
            for (name, flags) in &trigger.chain {
                head(out, name, flags);
                out.push_str(" (");
            }
            dump(out, &trigger.node);
            for _ in &trigger.chain {
                out.push(')');
            }
            out.push(')');
        }
        args => values(out, args),
    }
}

fn head(out: &mut String, name: &Text<'_>, flags: &[Flag<'_>]) {
    out.push_str(&go::lower(name));
    if !flags.is_empty() {
        out.push_str(" [");
        for (index, flag) in flags.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            go::quote_into(out, &flag.word());
        }
        out.push(']');
    }
}

fn values(out: &mut String, args: &Args<'_>) {
    let mut push = |value: &str| {
        out.push(' ');
        go::quote_into(out, value);
    };
    match args {
        Args::Whole(text, _) => push(text),
        Args::List(texts) => texts.iter().for_each(|text| push(text)),
        Args::Json(texts) => texts.iter().for_each(|text| push(text)),
        Args::Pairs { pairs, legacy } => {
            for pair in pairs {
                push(&pair.key);
                push(&pair.value);
                push(if *legacy { "" } else { "=" });
            }
        }
        Args::Arguments(args) => {
            for arg in args {
                match &arg.value {
                    None => push(&arg.key),
                    Some(value) => push(&format!("{}={value}", arg.key)),
                }
            }
        }
        Args::Health { kind, rest } => {
            push(kind);
            values(out, rest);
        }
        Args::None | Args::Ignored(_) | Args::Trigger(_) => {}
    }
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
