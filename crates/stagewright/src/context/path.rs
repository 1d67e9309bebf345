//! Slash-separated paths, cleaned as Go's `path` package does, because BuildKit's answers depend on its exact rules.

use std::borrow::Cow;

/// The shortest path that means the same by its words alone; `.` for nothing (Go's `path.Clean`).
pub(crate) fn clean(path: &str) -> Cow<'_, str> {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.last().is_some_and(|last| *last != "..") {
                    parts.pop();
                } else if !rooted {
                    parts.push("..");
                }
            }
            _ => parts.push(part),
        }
    }
    let cleaned = parts.join("/");
    match (rooted, cleaned.is_empty()) {
        (true, _) => Cow::Owned(format!("/{cleaned}")),
        (false, true) => Cow::Borrowed("."),
        (false, false) if cleaned == path => Cow::Borrowed(path),
        (false, false) => Cow::Owned(cleaned),
    }
}

/// A path under the root of the context: no leading `/`, no `.`, no `..`, no trailing `/`; empty for the root itself.
///
/// A path that climbs out of the root stays at the root, as it does in BuildKit.
pub(crate) fn rooted(path: &str) -> String {
    clean(&format!("/{path}"))[1..].to_owned()
}

/// How many folders a path names, the last part counted.
pub(crate) fn depth(path: &str) -> usize {
    path.split('/').filter(|part| !part.is_empty()).count()
}

/// Everything after the last `/`.
pub(crate) fn base(path: &str) -> &str {
    path.rfind('/').map_or(path, |at| &path[at + 1..])
}

/// A name under a directory; the root is the empty path.
pub(crate) fn join(directory: &str, name: &str) -> String {
    match (directory.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => directory.to_owned(),
        _ => format!("{directory}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_as_go_does() {
        for (path, cleaned) in [
            ("", "."),
            ("abc", "abc"),
            ("abc/", "abc"),
            ("./abc//def/.", "abc/def"),
            ("abc/../..", ".."),
            ("/..", "/"),
            ("/abc/../../def", "/def"),
            ("../../a", "../../a"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
        assert_eq!(rooted("../a/./b/"), "a/b");
        assert_eq!(rooted("/"), "");
    }
}
