//! Environment markers (PEP 508): whether a requirement applies to one Python on Linux x86-64.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifier};

/// The interpreter that markers are evaluated for: `CPython` on Linux x86-64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interpreter {
    pub(crate) python: (u32, u32),
}

/// Parentheses nest no deeper in a marker that a person or a tool wrote.
const DEPTH: usize = 64;

/// Whether the marker holds; `Err` says what cannot be read.
pub(crate) fn applies(marker: &str, interpreter: Interpreter) -> Result<bool, String> {
    applies_to_extra(marker, interpreter, "")
}

/// As [`applies`], where the package is wanted with an extra.
pub(crate) fn applies_to_extra(
    marker: &str,
    interpreter: Interpreter,
    extra: &str,
) -> Result<bool, String> {
    let tokens = tokens(marker)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        interpreter,
        extra,
    };
    let value = parser.any_of(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(value),
        Some(token) => Err(format!("`{}` is out of place in the marker", token.text())),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'m> {
    Open,
    Close,
    Text(&'m str),
    Word(&'m str),
    Operator(&'m str),
}

impl<'m> Token<'m> {
    fn text(self) -> &'m str {
        match self {
            Self::Open => "(",
            Self::Close => ")",
            Self::Text(text) | Self::Word(text) | Self::Operator(text) => text,
        }
    }
}

fn tokens(marker: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '\'' => {
                let end = rest[1..]
                    .find(first)
                    .ok_or("a quoted text in the marker has no end")?;
                (Token::Text(&rest[1..=end]), end + 2)
            }
            '<' | '>' | '=' | '!' | '~' => {
                let end = rest.find(|c| !"<>=!~".contains(c)).unwrap_or(rest.len());
                (Token::Operator(&rest[..end]), end)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
                let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
                (Token::Word(&rest[..end]), end)
            }
            other => return Err(format!("`{other}` is out of place in the marker")),
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'t, 'm> {
    tokens: &'t [Token<'m>],
    at: usize,
    interpreter: Interpreter,
    extra: &'t str,
}

impl<'m> Parser<'_, 'm> {
    fn next(&mut self) -> Result<Token<'m>, String> {
        let token = self
            .tokens
            .get(self.at)
            .copied()
            .ok_or("the marker ends too soon")?;
        self.at += 1;
        Ok(token)
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Word(word));
        self.at += usize::from(found);
        found
    }

    fn any_of(&mut self, depth: usize) -> Result<bool, String> {
        let mut value = self.all_of(depth)?;
        while self.takes("or") {
            value |= self.all_of(depth)?;
        }
        Ok(value)
    }

    fn all_of(&mut self, depth: usize) -> Result<bool, String> {
        let mut value = self.one(depth)?;
        while self.takes("and") {
            value &= self.one(depth)?;
        }
        Ok(value)
    }

    fn one(&mut self, depth: usize) -> Result<bool, String> {
        if self.tokens.get(self.at) == Some(&Token::Open) {
            if depth == DEPTH {
                return Err("the marker nests too deep".to_owned());
            }
            self.at += 1;
            let value = self.any_of(depth + 1)?;
            return match self.next()? {
                Token::Close => Ok(value),
                other => Err(format!(
                    "`{}` stands where `)` should in the marker",
                    other.text()
                )),
            };
        }
        let left = self.value()?;
        let operator = match self.next()? {
            Token::Operator(operator) => operator,
            Token::Word("in") => "in",
            Token::Word("not") if self.takes("in") => "not in",
            other => return Err(format!("`{}` is no comparison in the marker", other.text())),
        };
        let right = self.value()?;
        compare(&left, operator, &right)
    }

    fn value(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Text(text) => Ok(text.to_owned()),
            Token::Word(name) => self.variable(name),
            other => Err(format!("`{}` is no value in the marker", other.text())),
        }
    }

    /// What the variables hold on Linux x86-64. The kernel's release and version are not known: empty.
    fn variable(&self, name: &str) -> Result<String, String> {
        let (major, minor) = self.interpreter.python;
        Ok(match name {
            "python_version" => format!("{major}.{minor}"),
            "python_full_version" | "implementation_version" => format!("{major}.{minor}.0"),
            "os_name" | "os.name" => "posix".to_owned(),
            "sys_platform" | "sys.platform" => "linux".to_owned(),
            "platform_system" => "Linux".to_owned(),
            "platform_machine" | "platform.machine" => "x86_64".to_owned(),
            "platform_python_implementation"
            | "platform.python_implementation"
            | "python_implementation" => "CPython".to_owned(),
            "implementation_name" => "cpython".to_owned(),
            "extra" => self.extra.to_owned(),
            "platform_release" | "platform_version" | "platform.version" => String::new(),
            _ => return Err(format!("`{name}` is no variable of markers")),
        })
    }
}

/// As pip compares: as versions where both sides are such, as texts otherwise.
fn compare(left: &str, operator: &str, right: &str) -> Result<bool, String> {
    match operator {
        "in" => return Ok(right.contains(left)),
        "not in" => return Ok(!right.contains(left)),
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "~=" | "===" => {}
        _ => return Err(format!("`{operator}` is no comparison in the marker")),
    }
    let specifier = VersionSpecifier::from_str(&format!("{operator}{right}"));
    if let (Ok(specifier), Ok(version)) = (specifier, Version::from_str(left)) {
        return Ok(specifier.contains(&version));
    }
    Ok(match operator {
        "==" | "===" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        ">=" => left >= right,
        _ => return Err(format!("`~= {right}` needs a version in the marker")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_312(marker: &str) -> Result<bool, String> {
        applies(marker, Interpreter { python: (3, 12) })
    }

    #[test]
    fn markers_of_real_files() {
        let holds = [
            "python_version >= '3.8'",
            "python_version >= \"3.10\"",
            "sys_platform != 'win32'",
            "platform_python_implementation == 'CPython' and sys_platform == \"linux\"",
            "(os_name == 'nt' or sys_platform == 'linux') and python_version<'4'",
            "python_full_version ~= '3.12.0'",
            "'linux' in sys_platform",
            "platform_machine not in 'arm64 aarch64'",
            "python_version in '3.11 3.12'",
        ];
        for marker in holds {
            assert_eq!(on_312(marker), Ok(true), "{marker}");
        }
        let fails = [
            "python_version < '3.9'",
            "python_version == '2.7'",
            "extra == 'dev'",
            "sys_platform == 'darwin'",
            "implementation_name == 'pypy'",
        ];
        for marker in fails {
            assert_eq!(on_312(marker), Ok(false), "{marker}");
        }
        let interpreter = Interpreter { python: (3, 12) };
        let of_extra = |extra| applies_to_extra("extra == 'dev'", interpreter, extra);
        assert_eq!((of_extra("dev"), of_extra("doc")), (Ok(true), Ok(false)));
    }

    #[test]
    fn broken_markers_are_errors() {
        for marker in [
            "",
            "python_version",
            "python_version >=",
            "python_version >= '3",
            "spam == '1'",
            "(python_version > '3'",
            "python_version > '3')",
            "python_version => '3'",
            "&& || ;",
            "not python_version > '3'",
            "\u{feff}",
        ] {
            assert!(on_312(marker).is_err(), "{marker}");
        }
        let deep = format!(
            "{}os_name == 'posix'{}",
            "(".repeat(100_000),
            ")".repeat(100_000)
        );
        assert!(on_312(&deep).expect_err("too deep").contains("deep"));
    }
}
