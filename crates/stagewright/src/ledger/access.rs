//! To whom files belong and what may be done with them: a layer stores a file again where a command changes that, and not where it only
//! says again what holds already (`sameDirent` in `util/overlay/overlay_linux.go`, v0.32.2).

use std::sync::Arc;

/// Owner and permissions of a file, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The user as the Dockerfile names it; empty for root.
    user: Arc<str>,
    /// The group, likewise.
    group: Arc<str>,
    /// Permissions; `None` for the usual ones, 0644, and 0755 of programs.
    mode: Option<u32>,
}

/// The usual permissions of files: of those that are read, and of those that are run.
const USUAL: [u32; 2] = [0o644, 0o755];

impl Access {
    /// Files of somebody, as USER and `--chown` name him; without a group it is the user's own.
    pub(crate) fn of(owner: &str) -> Self {
        let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
        Self {
            user: known(user),
            group: known(group),
            mode: None,
        }
    }

    /// The same with permissions.
    #[must_use]
    pub(crate) fn with_mode(self, mode: Option<u32>) -> Self {
        Self { mode, ..self }
    }

    /// Its permissions; `None` for the usual ones.
    pub(crate) const fn mode(&self) -> Option<u32> {
        self.mode
    }

    /// After `chown OWNER`: what it does not name stays.
    #[must_use]
    pub(crate) fn owned(&self, owner: &str) -> Self {
        let (user, group) = match owner.split_once([':', '.']) {
            Some((user, "")) => (user, Some(user)),
            Some((user, group)) => (user, Some(group)),
            None => (owner, None),
        };
        Self {
            user: if user.is_empty() {
                Arc::clone(&self.user)
            } else {
                known(user)
            },
            group: group.map_or_else(|| Arc::clone(&self.group), known),
            mode: self.mode,
        }
    }

    /// After `chmod MODE` of a file; `None` where nobody can say what becomes of it.
    pub(crate) fn changed(&self, words: &str) -> Option<Self> {
        let mode = match self.mode {
            Some(mode) => Some(changed(words, mode)?),
            None => match USUAL.map(|mode| changed(words, mode)) {
                [Some(0o644), Some(0o755)] => None,
                [read, run] if read == run => Some(read?),
                _ => return None,
            },
        };
        Some(self.clone().with_mode(mode))
    }
}

fn known(name: &str) -> Arc<str> {
    if matches!(name, "" | "root" | "0") {
        Arc::default()
    } else {
        Arc::from(name)
    }
}

/// The permissions of a file after `chmod`, octal or symbolic (POSIX `chmod`, umask 022); `None` for what it would refuse or what is about
/// more than permissions to read, write and execute.
fn changed(words: &str, mode: u32) -> Option<u32> {
    if words.bytes().all(|byte| byte.is_ascii_digit()) {
        let octal = u32::from_str_radix(words, 8).ok();
        return octal.filter(|mode| *mode <= 0o7777);
    }
    words.split(',').try_fold(mode, clause)
}

/// One clause: whose bits, an operation, its permissions, and further operations.
fn clause(mut mode: u32, text: &str) -> Option<u32> {
    let operations = text.trim_start_matches(['u', 'g', 'o', 'a']);
    let who = &text[..text.len() - operations.len()];
    let mut mask = who.chars().fold(0, |mask, one| {
        mask | match one {
            'u' => 0o700,
            'g' => 0o070,
            'o' => 0o007,
            _ => 0o777,
        }
    });
    if who.is_empty() {
        // Nobody is named: everybody, but for what the umask takes.
        mask = 0o755;
    }
    let mut rest = operations;
    while let Some(operation) = rest.chars().next() {
        if !matches!(operation, '+' | '-' | '=') {
            return None;
        }
        let end = rest[1..]
            .find(['+', '-', '='])
            .map_or(rest.len(), |at| at + 1);
        let bits = rest.get(1..end)?.chars().try_fold(0, |bits, one| {
            Some(
                bits | match one {
                    'r' => 0o444,
                    'w' => 0o222,
                    'x' => 0o111,
                    'X' if mode & 0o111 != 0 => 0o111,
                    'X' => 0,
                    _ => return None,
                },
            )
        })? & mask;
        mode = match operation {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => mode & !mask | bits,
        };
        rest = &rest[end..];
    }
    (!operations.is_empty()).then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: GNU chmod 9.1 under umask 022.
    #[test]
    fn modes() {
        for (words, before, after) in [
            ("755", 0o644, Some(0o755)),
            ("0644", 0o755, Some(0o644)),
            ("+x", 0o644, Some(0o755)),
            ("a+rX", 0o644, Some(0o644)),
            ("a+rX", 0o700, Some(0o755)),
            ("u=rwX,go=rX", 0o755, Some(0o755)),
            ("u=rwX,go=rX", 0o664, Some(0o644)),
            ("g=u", 0o640, None),
            ("go-w", 0o666, Some(0o644)),
            ("u+x-w", 0o644, Some(0o544)),
            ("o=", 0o755, Some(0o750)),
            ("+t", 0o755, None),
            ("9", 0o755, None),
            ("a", 0o755, None),
            ("+\u{e9}", 0o755, None),
            ("\u{e9}", 0o755, None),
            ("", 0o755, None),
        ] {
            assert_eq!(changed(words, before), after, "{words} of {before:o}");
        }
    }

    #[test]
    fn what_is_said_again_is_no_change() {
        let root = Access::default();
        assert_eq!(root.owned("root:root"), root);
        assert_eq!(root.owned("0"), root);
        let app = Access::of("app");
        assert_eq!(app.owned("app:app"), app);
        assert_eq!(app.owned("app"), app);
        assert_ne!(root.owned("app"), app, "the group is still root's");
        assert_eq!(root.changed("a+rX"), Some(root.clone()));
        assert_eq!(root.changed("+x").and_then(|one| one.mode), Some(0o755));
        assert_eq!(root.changed("go-x"), None);
    }
}
