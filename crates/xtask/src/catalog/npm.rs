//! npm packages: unpacked sizes read from a committed package cache.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Failure, head, read};

/// One row a version.
pub(super) fn table(folder: &Path) -> Result<String, Failure> {
    let text = read(folder, "npm_from_yarn_cache.tsv")?;
    let mut rows = BTreeSet::new();
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [
            name,
            version,
            unpacked,
            files,
            deflated,
            _zip,
            native,
            dependencies,
            optional,
            _os,
        ] = columns.as_slice()
        else {
            return Err(format!("npm_from_yarn_cache.tsv: {line}").into());
        };
        rows.insert(format!("{name}\t{version}\t{unpacked}\t{files}\t{deflated}\t{native}\t{dependencies}\t{optional}\n"));
    }
    let columns = [
        "name",
        "version",
        "unpacked",
        "files",
        "deflated",
        "native",
        "dependencies",
        "optional",
    ];
    let source = "the package cache committed in toss/slash, 2022-2023";
    Ok(head("2023-12-01", source, &columns) + &rows.into_iter().collect::<String>())
}
