//! What `# check=…` asks of `BuildKit`'s linter (`frontend/dockerfile/linter/linter.go`, `ParseLintOptions`, at v0.32.2).

use crate::go;

/// The settings of a file's `check` directive, read from [`crate::detect_check`]'s `reference`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckOptions {
    /// The rules that are left out.
    pub skip: CheckRules,
    /// The experimental rules that are looked at too.
    pub experimental: CheckRules,
    /// Whether a violation fails the build.
    pub error: bool,
}

/// Rules of the linter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckRules {
    /// `all`.
    All,
    /// These, by name.
    Named(Vec<String>),
}

impl Default for CheckRules {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl CheckRules {
    fn parse(list: &str) -> Self {
        match go::trim(list) {
            "all" => Self::All,
            list => Self::Named(list.split(',').map(|name| go::trim(name).into()).collect()),
        }
    }
}

impl CheckOptions {
    /// Reads `skip=…;experimental=…;error=…`; a setting given twice is the last one.
    ///
    /// # Errors
    /// `BuildKit`'s message. It fails the build before the file itself is read (`newRuleLinter` in `dockerfile2llb/convert.go`).
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let text = go::trim(text);
        if text.is_empty() {
            return Ok(options);
        }
        let invalid = |option| format!("invalid check option {}", go::quote(option));
        for option in text.splitn(3, ';') {
            let (key, value) = option.split_once('=').ok_or_else(|| invalid(option))?;
            match go::trim(key) {
                "skip" => options.skip = CheckRules::parse(value),
                "experimental" => options.experimental = CheckRules::parse(value),
                "error" => {
                    let value = go::trim(value);
                    options.error = go::parse_bool(value).ok_or_else(|| {
                        let (option, value) = (go::quote(option), go::quote(value));
                        format!(
                            "failed to parse check option {option}: strconv.ParseBool: parsing {value}: invalid syntax"
                        )
                    })?;
                }
                other => return Err(invalid(other)),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_settings() {
        let options = CheckOptions::parse("skip=A, B;error=TRUE;experimental=all").unwrap();
        assert_eq!(
            options.skip,
            CheckRules::Named(vec!["A".into(), "B".into()])
        );
        assert_eq!(options.experimental, CheckRules::All);
        assert!(options.error);
        assert_eq!(CheckOptions::parse(" "), Ok(CheckOptions::default()));
    }

    #[test]
    fn refuses_what_buildkit_refuses() {
        let error = |text| CheckOptions::parse(text).unwrap_err();
        assert_eq!(error("foo"), "invalid check option \"foo\"");
        assert_eq!(error("skip=a;Skip=b"), "invalid check option \"Skip\"");
        assert_eq!(
            error("error=yes"),
            "failed to parse check option \"error=yes\": strconv.ParseBool: parsing \"yes\": invalid syntax"
        );
        // Three settings at the most: the third takes the rest.
        assert_eq!(
            error("skip=a;error=1;error=1;skip=b"),
            "failed to parse check option \"error=1;skip=b\": strconv.ParseBool: parsing \"1;skip=b\": invalid syntax"
        );
    }
}
