//! The catalogue as a whole: its size, and that every table says where it comes from.

#![expect(
    clippy::disallowed_methods,
    reason = "a test looks at the files of its own crate"
)]

use std::path::Path;

#[test]
fn the_embedded_tables_stay_small() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let mut total = 0;
    for entry in std::fs::read_dir(folder).expect("the catalogue is part of the crate") {
        let entry = entry.expect("readable");
        total += entry.metadata().expect("readable").len();
    }
    assert!((1_000_000..2_000_000).contains(&total), "{total} bytes");
}

#[test]
fn every_written_table_names_its_source() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let mut tables = 0;
    for entry in std::fs::read_dir(folder).expect("the catalogue is part of the crate") {
        let path = entry.expect("readable").path();
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        if path.extension().is_some_and(|end| end == "toml") {
            let text = std::fs::read_to_string(&path)
                .expect("UTF-8")
                .to_lowercase();
            assert!(text.contains("source") || text.starts_with("20"), "{name}");
            tables += 1;
        }
    }
    assert!(tables >= 9, "{tables} tables");
}
