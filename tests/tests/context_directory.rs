//! Contexts read from folders, well and badly made.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stagewright::context::{DirectoryOptions, IgnoreFile, Sources};
use stagewright::{
    Analysis, BuildFiles, Change, Context, Dockerfile, FileChange, FilesOptions, Options, Snapshot,
};

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Waits until the times of files and folders can be relied on.
fn settle() {
    std::thread::sleep(Duration::from_millis(2_500));
}

#[test]
fn a_folder_equals_the_same_tree_made_in_memory() {
    let folder = folder("equal");
    fs::create_dir_all(folder.join("src/deep")).unwrap();
    fs::create_dir_all(folder.join("node_modules/left-pad")).unwrap();
    let files = [
        ("src/main.py", "print(1)\n"),
        ("src/deep/data.bin", "\u{1}\u{2}"),
        ("node_modules/left-pad/index.js", "x"),
        (".dockerignore", "node_modules\n"),
    ];
    let mut builder = Context::builder();
    for (path, text) in files {
        fs::write(folder.join(path), text).unwrap();
        builder = builder.file(path, text);
    }
    let made = builder.build().unwrap();
    settle();
    let read = Context::directory(&folder).unwrap();
    assert_eq!(read.ignored(), ["node_modules"]);
    assert_eq!(read.size(), made.size());
    assert_eq!(read.text("src/main.py"), Some("print(1)\n"));
    assert!(!read.digest().exact, "the binary file was not read");
    let hashed = read.hashed().unwrap();
    assert_eq!(hashed.digest(), made.digest());
    assert!(hashed.digest().exact);
    assert!(made.differences(&hashed).is_empty());

    // What was not touched is not read again.
    let again =
        Context::directory_with(&folder, &DirectoryOptions::default().since(hashed)).unwrap();
    assert_eq!(again.digest(), made.digest());
}

#[test]
fn a_reading_since_another_is_as_one_from_nothing() {
    let folder = folder("since");
    for one in 0..30 {
        let below = folder.join(format!("d{one}/below"));
        fs::create_dir_all(&below).unwrap();
        for file in 0..5 {
            fs::write(below.join(format!("f{file}.txt")), format!("{one} {file}")).unwrap();
        }
    }
    settle();
    let read = |since: Option<&Context>| hashed(&folder, since);
    let mut last = read(None);
    let changes: [(&str, &dyn Fn()); 7] = [
        ("nothing", &|| ()),
        ("edited", &|| {
            fs::write(folder.join("d7/below/f2.txt"), "other").unwrap();
        }),
        ("permissions", &|| {
            let mut permissions = fs::metadata(folder.join("d3")).unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(folder.join("d3"), permissions).unwrap();
        }),
        ("a folder renamed", &|| {
            fs::rename(folder.join("d5/below"), folder.join("d5/above")).unwrap();
        }),
        ("removed", &|| {
            fs::remove_file(folder.join("d8/below/f0.txt")).unwrap();
        }),
        ("added", &|| {
            fs::write(folder.join("d9/new.txt"), "new").unwrap();
        }),
        ("a folder in the place of a file", &|| {
            fs::remove_file(folder.join("d1/below/f1.txt")).unwrap();
            fs::create_dir(folder.join("d1/below/f1.txt")).unwrap();
        }),
    ];
    for (name, change) in changes {
        change();
        let (since, anew) = (read(Some(&last)), read(None));
        assert_eq!(since.digest(), anew.digest(), "{name}");
        assert!(since.digest().exact, "{name}");
        assert_eq!(since.differences(&anew), [], "{name}");
        assert_eq!(since.text("d9/new.txt"), anew.text("d9/new.txt"), "{name}");
        assert_eq!(since.digest() == last.digest(), name == "nothing", "{name}");
        last = since;
    }
}

/// A file that is written again so soon, and as long as before, that its times may be the same.
#[test]
fn what_was_just_written_is_read_again() {
    let folder = folder("young");
    let mut last = None;
    for round in 0..300 {
        let text = format!("{round:04}");
        fs::write(folder.join("data.bin"), &text).unwrap();
        let made = Context::builder().file("data.bin", &text).build().unwrap();
        let read = hashed(&folder, last.as_ref());
        assert_eq!(read.digest(), made.digest(), "round {round}");
        last = Some(read);
    }
}

#[test]
fn a_dockerfile_outside_has_its_own_ignore_file() {
    let folder = folder("outside");
    fs::create_dir_all(folder.join("context")).unwrap();
    fs::create_dir_all(folder.join("docker")).unwrap();
    let write = |path: &str, text: &str| fs::write(folder.join(path), text).unwrap();
    write("docker/Dockerfile", "FROM scratch\nCOPY . /\n");
    for file in ["a.txt", "b.txt", "c.txt"] {
        write(&format!("context/{file}"), "");
    }
    // That of a Dockerfile in the context, which is none of this build.
    write("context/Dockerfile.dockerignore", "c.txt\n");
    write("context/.dockerignore", "a.txt\n");
    let options = FilesOptions {
        file: Some(folder.join("docker/Dockerfile")),
        hash: true,
        ..FilesOptions::default()
    };
    let open = || BuildFiles::open_with(folder.join("context"), &options).unwrap();
    let files = open();
    assert_eq!(files.context.dockerfile_name(), "");
    assert_eq!(files.context.ignored(), ["a.txt"]);

    write("docker/Dockerfile.dockerignore", "b.txt\n");
    let files = open();
    assert_eq!(files.context.ignored(), ["b.txt"]);
    assert_eq!(
        files.context.ignore_file().map(IgnoreFile::name),
        Some("Dockerfile.dockerignore")
    );
    // It holds after a change, whatever the change is, and in a snapshot.
    let change = Change::none().file(".dockerignore", FileChange::Written(b"c.txt\n".into()));
    let changed = files.context.with_change(&change).unwrap();
    assert_eq!(changed.ignored(), ["b.txt"]);
    let file = Dockerfile::parse(&files.text);
    let analysis = Analysis::new(&file, &files.context, &Options::default()).unwrap();
    let saved = Snapshot::of(&analysis).unwrap().to_json();
    let read = Snapshot::parse(&saved).unwrap().analyze().unwrap();
    assert!(analysis.since(&read).is_cached());
    let change = Change::files(["b.txt"]);
    assert!(read.after(&change).unwrap().is_cached());
    let change = Change::files(["c.txt"]);
    assert!(!read.after(&change).unwrap().is_cached());

    write("docker/Dockerfile.dockerignore", "[\n");
    let error = BuildFiles::open_with(folder.join("context"), &options).unwrap_err();
    assert_eq!(error.code(), "ignore-bad-pattern");
}

/// A context as it is read with digests.
fn hashed(folder: &Path, since: Option<&Context>) -> Context {
    let options = DirectoryOptions::default().hash(true);
    let options = match since {
        Some(since) => options.since(since.clone()),
        None => options,
    };
    Context::directory_with(folder, &options).unwrap()
}

#[test]
fn changes_show_without_reading_anything() {
    let context = Context::builder()
        .sized_file("big.bin", 1 << 30)
        .file("src/a.py", "1")
        .build()
        .unwrap();
    let changed = context.with_change(&Change::files(["big.bin"])).unwrap();
    let shown: Vec<String> = context
        .differences(&changed)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["`big.bin` changed"]);
    let copied = Sources::new(["src"]);
    assert_eq!(
        context.content_digest(&copied).unwrap(),
        changed.content_digest(&copied).unwrap()
    );

    let removed = context
        .with_change(&Change::none().file("src/a.py", FileChange::Removed))
        .unwrap();
    assert_ne!(
        context.content_digest(&copied).unwrap(),
        removed.content_digest(&copied).unwrap()
    );
    let same = removed
        .with_change(&Change::none().file("src/a.py", FileChange::Written(b"1".into())))
        .unwrap();
    assert_eq!(
        context.content_digest(&copied).unwrap(),
        same.content_digest(&copied).unwrap()
    );
    assert!(context.differences(&same).is_empty());
}

#[test]
fn an_ignore_file_that_changes_is_read_again() {
    let context = Context::builder()
        .file("a.md", "")
        .file("b.txt", "")
        .ignore("*.md\n")
        .build()
        .unwrap();
    let changed = context.with_ignore("*.txt\n").unwrap();
    assert_eq!(changed.ignored(), ["b.txt"]);
    assert_eq!(
        context.with_ignore("!\n").unwrap_err().code(),
        "ignore-bad-pattern"
    );
}

#[test]
fn what_is_wrong_is_named() {
    let folder = folder("wrong");
    let missing = Context::directory(folder.join("nowhere")).unwrap_err();
    assert_eq!(missing.code(), "context-missing");
    assert!(missing.to_string().contains("nowhere"));
    fs::write(folder.join("file"), "x").unwrap();
    assert_eq!(
        Context::directory(folder.join("file")).unwrap_err().code(),
        "context-not-a-folder"
    );
}

#[cfg(unix)]
#[test]
fn links_pipes_and_strange_names() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    let folder = folder("strange");
    symlink("nowhere", folder.join("broken")).unwrap();
    symlink("loop-b", folder.join("loop-a")).unwrap();
    symlink("loop-a", folder.join("loop-b")).unwrap();
    symlink(".", folder.join("self")).unwrap();
    let _socket = UnixListener::bind(folder.join("socket")).unwrap();
    let context = Context::directory(&folder).unwrap().hashed().unwrap();
    assert!(context.digest().exact);
    assert_eq!(context.entries().len(), 5);
    let error = context
        .content_digest(&Sources::new(["loop-a"]))
        .unwrap_err();
    assert_eq!(error.code(), "source-too-many-links");
    let error = context
        .content_digest(&Sources::new(["broken"]))
        .unwrap_err();
    assert_eq!(error.code(), "source-missing");

    fs::write(folder.join(OsStr::from_bytes(b"caf\xe9.txt")), "").unwrap();
    let error = Context::directory(&folder).unwrap_err();
    assert_eq!(error.code(), "context-name-not-utf8");
    assert!(error.to_string().contains("caf"));
    fs::write(folder.join(".dockerignore"), "*.txt\n").unwrap();
    assert!(
        Context::directory(&folder).is_ok(),
        "a name that is ignored does not matter"
    );
}

#[cfg(unix)]
#[test]
fn a_file_that_changes_after_the_folder_was_read() {
    let folder = folder("changing");
    fs::write(folder.join("data.bin"), "before").unwrap();
    let context = Context::directory(&folder).unwrap();
    fs::write(folder.join("data.bin"), "after that").unwrap();
    let error = context.hashed().unwrap_err();
    assert_eq!(error.code(), "context-changed");
    assert!(error.to_string().contains("data.bin"));
    fs::remove_file(folder.join("data.bin")).unwrap();
    assert_eq!(context.hashed().unwrap_err().code(), "context-unreadable");
}

/// As root everything can be read: then the test starts itself as somebody else.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let place = std::env::var_os("STAGEWRIGHT_TEST_UNREADABLE").map_or_else(
        || {
            let folder = folder("unreadable");
            for name in ["secret.bin", "plain.bin"] {
                fs::write(folder.join(name), "x").unwrap();
            }
            fs::create_dir(folder.join("closed")).unwrap();
            for name in ["secret.bin", "closed"] {
                let nothing = fs::Permissions::from_mode(0o000);
                fs::set_permissions(folder.join(name), nothing).unwrap();
            }
            folder
        },
        PathBuf::from,
    );
    if fs::read(place.join("secret.bin")).is_ok() {
        let started = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_file_that_may_not_be_read"])
            .env("STAGEWRIGHT_TEST_UNREADABLE", &place)
            .uid(65_534)
            .output();
        match started {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(error) => eprintln!("skipped: nobody else may start this test: {error}"),
        }
        return;
    }
    let error = Context::directory(&place).unwrap_err();
    assert_eq!(error.code(), "context-unreadable");
    assert!(error.to_string().contains("closed"), "{error}");
    let ignoring = |text: &str| {
        let ignore = IgnoreFile::named("Dockerfile.dockerignore", text).unwrap();
        let options = DirectoryOptions::default().dockerfile_outside(Some(ignore));
        Context::directory_with(&place, &options).unwrap()
    };
    let error = ignoring("closed\n").hashed().unwrap_err();
    assert_eq!(error.code(), "context-unreadable");
    assert!(error.to_string().contains("secret.bin"), "{error}");
    // What is left out does not matter.
    assert!(ignoring("closed\nsecret.bin\n").hashed().is_ok());
}

#[test]
fn folders_within_folders_without_end() {
    let folder = folder("deep");
    let path = |depth: usize| format!("{}/f.bin", vec!["d"; depth].join("/"));
    fs::create_dir_all(folder.join(path(400)).parent().unwrap()).unwrap();
    fs::write(folder.join(path(400)), "x").unwrap();
    let read = Context::directory(&folder).unwrap().hashed().unwrap();
    let made = Context::builder().file(&path(400), "x").build().unwrap();
    assert_eq!(read.digest(), made.digest());
    let edited = made.with_change(&Change::files(["d"])).unwrap();
    assert_eq!(made.differences(&edited).len(), 1);

    fs::create_dir_all(folder.join(path(1_500))).unwrap();
    assert_eq!(
        Context::directory(&folder).unwrap_err().code(),
        "context-too-deep"
    );
    let error = Context::builder()
        .file(&path(100_000), "x")
        .build()
        .unwrap_err();
    assert_eq!(error.code(), "context-too-deep");
    let error = made
        .with_change(&Change::files([path(100_000)]))
        .unwrap_err();
    assert_eq!(error.code(), "context-too-deep");
    fs::remove_dir_all(&folder).unwrap();
}
