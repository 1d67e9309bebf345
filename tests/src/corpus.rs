//! Real Dockerfiles, which are no part of the project: the folder that `STAGEWRIGHT_CORPUS` names.

use std::fs;
use std::path::{Path, PathBuf};

/// The variable that names the folder.
pub const VARIABLE: &str = "STAGEWRIGHT_CORPUS";

/// Every Dockerfile below a folder that is UTF-8, sorted by path, with its text; a file stands for itself.
pub fn read(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    files
}

fn collect(path: &Path, files: &mut Vec<(PathBuf, String)>) {
    if path.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        for entry in entries {
            collect(&entry.path(), files);
        }
    } else if let Ok(text) = fs::read_to_string(path) {
        files.push((path.to_owned(), text));
    }
}

/// The corpus, or nothing, said once on standard error, if the variable is not set.
pub fn from_environment() -> Option<Vec<(PathBuf, String)>> {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return Some(read(Path::new(&folder)));
    }
    eprintln!("skipped: {VARIABLE} names no folder of Dockerfiles");
    None
}
