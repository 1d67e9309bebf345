//! What a stored file is made of, by its place, its name and its first bytes.

use crate::kind;
use crate::size::Kind;

/// The kind of a file's bytes. Its place says more than its name, and its first bytes more than an ending that says nothing.
pub(crate) fn of_file(path: &str, start: &[u8]) -> Kind {
    let under = |folder: &str| path.starts_with(folder);
    if under("var/lib/dpkg/") || under("lib/apk/db/") || under("var/lib/rpm/") {
        return Kind::PackageDatabase;
    }
    if under("var/lib/apt/lists/") || under("var/cache/apk/") {
        return Kind::PackageLists;
    }
    if under("usr/share/doc/") || under("usr/share/man/") || under("usr/share/info/") {
        return Kind::Docs;
    }
    if start == b"\x7fELF" {
        let wheel = path.contains("/site-packages/") || path.contains("/dist-packages/");
        return if wheel {
            Kind::NativeWheel
        } else {
            Kind::Binary
        };
    }
    kind::of_path(path)
}
