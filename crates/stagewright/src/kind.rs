//! What a file is made of, by its name.

use crate::size::Kind;

/// The kind of a file's bytes, by its extension.
pub(crate) fn of_path(path: &str) -> Kind {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "py" | "pyi" => Kind::PythonSource,
        "pyc" | "pyo" => Kind::ByteCode,
        "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" | "map" => Kind::JavaScript,
        "css" | "html" | "htm" | "svg" | "ttf" | "scss" | "less" => Kind::WebAssets,
        "mo" | "po" => Kind::Locale,
        "so" | "a" | "o" | "node" | "exe" | "dll" | "dylib" | "bin" => Kind::Binary,
        "gz" | "tgz" | "xz" | "bz2" | "zip" | "whl" | "jar" | "zst" | "png" | "jpg" | "jpeg"
        | "gif" | "webp" | "woff" | "woff2" | "mp4" | "mp3" | "pdf" => Kind::Archive,
        _ => Kind::Text,
    }
}

/// Whether ADD unpacks a file of this name. `BuildKit` looks at the content (`DetectCompression` of its archive package and the tar
/// header); the names of archives say the same.
pub(crate) fn is_tar(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    [
        ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst",
    ]
    .iter()
    .any(|suffix| lower.ends_with(suffix))
}
