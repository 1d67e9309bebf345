use super::*;

const GLIBC: WheelPlatform = WheelPlatform::x86_64(Libc::Glibc);
const MUSL: WheelPlatform = WheelPlatform::x86_64(Libc::Musl);

fn names(lock: &PythonLock, wanted: &Wanted) -> Vec<String> {
    lock.select(wanted, (3, 12))
        .filter(|one| !one.local)
        .map(|one| one.name.clone())
        .collect()
}

fn development() -> Wanted {
    Wanted {
        development: true,
        ..Wanted::default()
    }
}

const UV: &str = r#"
version = 1
[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "Flask", extra = ["dotenv"] }, { name = "win", marker = "sys_platform == 'win32'" }]
[package.optional-dependencies]
big = [{ name = "numpy" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
[[package]]
name = "flask"
version = "3.1.0"
source = { registry = "https://index.invalid/simple" }
dependencies = [{ name = "click" }]
wheels = [{ url = "https://files.invalid/flask-3.1.0-py3-none-any.whl", hash = "sha256:x", size = 102979 }]
[package.optional-dependencies]
dotenv = [{ name = "python-dotenv" }]
[[package]]
name = "click"
version = "8.1.8"
[[package]]
name = "python-dotenv"
version = "1.0.1"
[[package]]
name = "win"
version = "1"
[[package]]
name = "pytest"
version = "8.0.0"
[[package]]
name = "numpy"
version = "2.2.1"
sdist = { url = "https://files.invalid/numpy-2.2.1.tar.gz", size = 20 }
wheels = [
  { url = "https://files.invalid/numpy-2.2.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", size = 16 },
  { url = "https://files.invalid/numpy-2.2.1-cp312-cp312-musllinux_1_2_x86_64.whl", size = 18 },
  { url = "https://files.invalid/numpy-2.2.1-cp313-cp313t-manylinux_2_17_x86_64.whl", size = 99 },
  { url = "https://files.invalid/numpy-2.2.1-cp312-cp312-macosx_10_13_x86_64.whl", size = 21 },
]
"#;

#[test]
fn uv_tells_groups_by_what_needs_what() {
    let lock = PythonLock::read("uv.lock", UV, None).expect("valid");
    assert_eq!(
        names(&lock, &Wanted::default()),
        ["flask", "click", "python-dotenv"]
    );
    assert_eq!(
        names(&lock, &development()),
        ["flask", "click", "python-dotenv", "pytest"]
    );
    let big = Wanted {
        groups: vec!["big".into()],
        ..Wanted::default()
    };
    assert!(names(&lock, &big).contains(&"numpy".to_owned()));
    let numpy = lock
        .packages
        .iter()
        .find(|one| one.name == "numpy")
        .expect("listed");
    assert_eq!(numpy.download((3, 12), GLIBC), Some((16, FileKind::Native)));
    assert_eq!(numpy.download((3, 12), MUSL), Some((18, FileKind::Native)));
    assert_eq!(numpy.download((3, 9), GLIBC), Some((20, FileKind::Source)));
}

#[test]
fn the_other_tools() {
    let poetry = "[[package]]\nname='a'\nversion='1'\ngroups=['main']\nfiles=[{file='a-1-py3-none-any.whl',hash='x'}]\n[[package]]\nname='b'\nversion='2'\ngroups=['dev']\n[metadata]\nlock-version='2.1'\n";
    let lock = PythonLock::read("poetry.lock", poetry, None).expect("valid");
    assert_eq!(
        (
            names(&lock, &Wanted::default()),
            names(&lock, &development()).len()
        ),
        (vec!["a".to_owned()], 2)
    );
    let old = "[[package]]\nname='a'\nversion='1'\n[package.dependencies]\nc='*'\n[[package]]\nname='b'\nversion='2'\n[[package]]\nname='c'\nversion='3'\n[metadata]\nlock-version='2.0'\n";
    let manifest = "[tool.poetry.dependencies]\npython='^3.12'\nA='^1'\n[tool.poetry.group.dev.dependencies]\nb='*'\n";
    let lock = PythonLock::read("poetry.lock", old, Some(manifest)).expect("valid");
    assert_eq!(names(&lock, &Wanted::default()), ["a", "c"]);
    let pdm = "[metadata]\nlock_version='4.5.0'\n[[package]]\nname='a'\nversion='1'\ngroups=['default']\nmarker='python_version < \"3\"'\n[[package]]\nname='b'\nversion='1'\ngroups=['dev']\n";
    let lock = PythonLock::read("pdm.lock", pdm, None).expect("valid");
    assert_eq!(
        (
            names(&lock, &Wanted::default()).len(),
            names(&lock, &development())
        ),
        (0, vec!["b".to_owned()])
    );
    let pipfile = r#"{"_meta":{"pipfile-spec":6},"default":{"A.b":{"version":"==1.0"}},"develop":{"c":{"version":"==2"}}}"#;
    let lock = PythonLock::read("Pipfile.lock", pipfile, None).expect("valid");
    assert_eq!(names(&lock, &Wanted::default()), ["a-b"]);
    let pylock = "lock-version='1.0'\n[[packages]]\nname='a'\nversion='1'\nwheels=[{url='https://files.invalid/a-1-py3-none-any.whl',size=7}]\n";
    let lock = PythonLock::read("pylock.toml", pylock, None).expect("valid");
    assert_eq!(
        lock.packages[0].download((3, 12), GLIBC),
        Some((7, FileKind::Pure))
    );
}

#[test]
fn versions_to_come_and_broken_files_are_errors() {
    for (name, text) in [
        ("uv.lock", "version = 2\n"),
        ("pylock.toml", "lock-version = '2.0'\n"),
        ("poetry.lock", "[metadata]\nlock-version = '3.0'\n"),
        ("pdm.lock", "[metadata]\nlock_version = '5.0'\n"),
        ("Pipfile.lock", "{\"_meta\":{\"pipfile-spec\":7}}"),
        ("uv.lock", ""),
    ] {
        let error = PythonLock::read(name, text, None).expect_err("another version");
        assert_eq!(error.code(), "unknown-lock-file-version", "{name}");
    }
    for (name, text) in [
        ("uv.lock", "version = "),
        ("Pipfile.lock", "{"),
        ("poetry.lock", "[[package]\n"),
    ] {
        let error = PythonLock::read(name, text, None).expect_err("broken");
        assert_eq!(error.code(), "malformed-lock-file", "{name}");
    }
    let circle = "version = 1\n[[package]]\nname='r'\nsource={virtual='.'}\ndependencies=[{name='a'}]\n[[package]]\nname='a'\nversion='1'\ndependencies=[{name='a'},{name='b'}]\n[[package]]\nname='b'\nversion='1'\ndependencies=[{name='a'}]\n";
    assert_eq!(
        PythonLock::read("uv.lock", circle, None)
            .expect("valid")
            .packages
            .len(),
        2
    );
    assert!(PythonLock::read("uv.lock", &"[".repeat(100_000), None).is_err());
}
