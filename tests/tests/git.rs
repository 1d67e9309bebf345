//! Builds at revisions of git, and histories read from it. The repositories are made here, with the `git` of the machine.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use stagewright::{
    Analysis, BuildFiles, Dockerfile, Durations, FilesOptions, GitError, HistoryOptions, Options,
    compare,
};

/// A repository in a folder that goes with it.
struct Repository(PathBuf);

impl Repository {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("stagewright-git-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let repository = Self(folder);
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    fn git(&self, words: &[&str]) -> String {
        let date = format!("{} +0000", 1_000_000_000 + self.commits() * 86_400);
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.0)
            .args(["-c", "user.name=n", "-c", "user.email=e@example.org"])
            .args([
                "-c",
                "protocol.file.allow=always",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(words)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {words:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// How many days have passed.
    fn commits(&self) -> u64 {
        fs::read_to_string(self.0.join(".git/days")).map_or(0, |text| text.parse().unwrap())
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        fs::write(self.0.join(".git/days"), (self.commits() + 1).to_string()).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a change"]);
    }

    fn open(&self, folder: &str) -> BuildFiles {
        let options = FilesOptions {
            hash: true,
            ..FilesOptions::default()
        };
        BuildFiles::open_with(self.0.join(folder), &options).unwrap()
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn analyze(files: &BuildFiles) -> Analysis {
    let file = Dockerfile::parse(&files.text);
    Analysis::new(&file, &files.context, &Options::default()).unwrap()
}

/// What runs again since a revision, each as a sentence.
fn reruns(files: &BuildFiles, revision: &str) -> Vec<String> {
    let before = files.at_revision(revision).unwrap();
    let prediction = compare(&analyze(&before), &analyze(files));
    prediction.reruns().map(ToString::to_string).collect()
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

const DOCKERFILE: &str = "FROM scratch\nCOPY requirements.txt /\nCOPY . /app\n";

fn project(name: &str) -> Repository {
    let repository = Repository::new(name);
    repository.write("app/Dockerfile", DOCKERFILE);
    repository.write("app/requirements.txt", "flask\n");
    repository.write("app/.dockerignore", "*.md\n");
    repository.write("app/ä b/main.py", "print(1)\n");
    repository.write("app/notes.md", "later\n");
    repository.write("README", "elsewhere\n");
    repository.commit();
    repository
}

#[test]
#[cfg(unix)]
fn what_git_does_not_track_of_permissions_makes_no_difference() {
    let repository = project("modes");
    set_mode(&repository.0.join("app/requirements.txt"), 0o600);
    set_mode(&repository.0.join("app/ä b"), 0o700);
    let files = repository.open("app");
    assert_eq!(reruns(&files, "HEAD"), [""; 0]);
    set_mode(&repository.0.join("app/requirements.txt"), 0o755);
    let said = reruns(&repository.open("app"), "HEAD");
    assert!(
        said[0].contains("`requirements.txt`, which has other permissions"),
        "{said:?}"
    );
}

#[test]
fn files_that_changed_came_or_went() {
    let repository = project("files");
    std::os::unix::fs::symlink("requirements.txt", repository.0.join("app/link")).unwrap();
    repository.commit();
    repository.write("app/ä b/main.py", "print(2)\n");
    let said = reruns(&repository.open("app"), "HEAD");
    assert_eq!(
        said,
        ["`COPY . /app` runs again because `COPY . /app` takes in `ä b/main.py`, which changed"]
    );
    repository.commit();
    let files = repository.open("app");
    assert_eq!(reruns(&files, "HEAD"), [""; 0]);
    let said = reruns(&files, "HEAD~2");
    assert!(
        said[0].ends_with("`link`, which was added, and one more"),
        "{said:?}"
    );
    // Neither what is ignored nor what lies elsewhere counts; what git does not track was not there.
    repository.write("app/notes.md", "now\n");
    repository.write("README", "other\n");
    assert_eq!(reruns(&repository.open("app"), "HEAD"), [""; 0]);
    repository.write("app/new.txt", "");
    let said = reruns(&repository.open("app"), "HEAD");
    assert!(said[0].contains("`new.txt`, which was added"), "{said:?}");
    fs::remove_file(repository.0.join("app/new.txt")).unwrap();
    fs::remove_file(repository.0.join("app/link")).unwrap();
    let said = reruns(&repository.open("app"), "HEAD");
    assert!(said[0].contains("`link`, which was removed"), "{said:?}");
}

#[test]
fn the_dockerfile_and_the_ignore_file_are_those_of_the_revision() {
    let repository = project("dockerfile");
    repository.write(
        "app/Dockerfile",
        "FROM scratch\nCOPY requirements.txt /etc/\nCOPY . /app\n",
    );
    repository.write("app/.dockerignore", "*.md\nDockerfile\n.dockerignore\n");
    let said = reruns(&repository.open("app"), "HEAD");
    assert!(
        said[0].contains("it read `COPY requirements.txt /` before"),
        "{said:?}"
    );
    assert_eq!(
        repository.open("app").at_revision("HEAD").unwrap().text,
        DOCKERFILE
    );
    let before = repository.open("app").at_revision("HEAD").unwrap();
    assert!(before.context.entry("Dockerfile").is_some());
}

#[test]
fn a_file_of_many_bytes_is_hashed_as_from_disk() {
    let repository = project("large");
    let large = "0123456789abcdef".repeat(200_000);
    repository.write("app/large.bin", &large);
    repository.commit();
    let files = repository.open("app");
    repository.write("app/large.bin", "small now");
    let now = repository.open("app");
    let before = now.at_revision("HEAD").unwrap();
    assert_eq!(before.context.digest(), files.context.digest());
    assert_ne!(before.context.digest(), now.context.digest());
}

#[test]
fn submodules_count_where_they_are_checked_out() {
    let library = Repository::new("library");
    library.write("code.py", "1\n");
    library.commit();
    let repository = project("outer");
    let place = library.0.to_str().unwrap();
    repository.git(&["submodule", "add", "-q", place, "app/lib"]);
    repository.commit();
    let files = repository.open("app");
    let before = files.at_revision("HEAD").unwrap();
    assert!(before.context.entry("lib/code.py").is_some());
    repository.git(&["submodule", "deinit", "-q", "-f", "app/lib"]);
    let before = repository.open("app").at_revision("HEAD").unwrap();
    assert!(before.context.entry("lib/code.py").is_none());
    assert!(before.context.entry("lib").is_some());
}

#[test]
fn wrong_calls_have_codes() {
    let repository = project("errors");
    repository.write("other/Dockerfile", DOCKERFILE);
    let code = |files: &BuildFiles, revision: &str| files.at_revision(revision).unwrap_err().code();
    let files = repository.open("app");
    for revision in [
        "nothing",
        "--help",
        "",
        "HEAD^{tree}",
        "HEAD~99",
        "HEAD\nHEAD",
    ] {
        assert_eq!(code(&files, revision), "git-bad-revision", "{revision}");
    }
    assert_eq!(code(&repository.open("other"), "HEAD"), "git-path-missing");
    let alone = std::env::temp_dir().join(format!("stagewright-alone-{}", std::process::id()));
    fs::create_dir_all(&alone).unwrap();
    fs::write(alone.join("Dockerfile"), DOCKERFILE).unwrap();
    let error = BuildFiles::open(&alone)
        .unwrap()
        .at_revision("HEAD")
        .unwrap_err();
    fs::remove_dir_all(&alone).unwrap();
    assert!(matches!(error, GitError::NoRepository { .. }), "{error:?}");
}

#[test]
fn a_history_is_read_along_the_first_parents() {
    let repository = project("history");
    for text in ["2", "3"] {
        repository.write("app/ä b/main.py", text);
        repository.commit();
    }
    repository.git(&["checkout", "-q", "-b", "side"]);
    for text in ["a", "b"] {
        repository.write("app/side.txt", text);
        repository.commit();
    }
    repository.git(&["checkout", "-q", "main"]);
    repository.write("README", "other\n");
    repository.commit();
    repository.git(&["merge", "-q", "--no-ff", "-m", "merged", "side"]);
    repository.write("app/Dockerfile", &format!("{DOCKERFILE}# end\n"));
    repository.commit();

    let files = repository.open("app");
    let history = files.history(&HistoryOptions::default()).unwrap();
    let paths: Vec<&[String]> = history.commits.iter().map(|one| &one.paths[..]).collect();
    // The first commit of all changed no build. The two commits of the branch came as one.
    assert_eq!(
        paths,
        [
            &["Dockerfile".to_owned()][..],
            &["side.txt".to_owned()],
            &[],
            &["ä b/main.py".to_owned()],
            &["ä b/main.py".to_owned()],
        ]
    );
    assert!(history.commits[0].dockerfile && !history.commits[1].dockerfile);
    assert!(!history.shallow);

    let forecast = analyze(&files)
        .forecast(&history, &Durations::default())
        .unwrap();
    let reruns: Vec<usize> = forecast.steps.iter().map(|step| step.reruns).collect();
    assert_eq!(reruns, [0, 4]);
    assert_eq!(forecast.dockerfile_commits, 1);
    assert_eq!(forecast.paths[0].path, "ä b/main.py");

    let window = |commits, since| HistoryOptions::from_words(commits, since).unwrap();
    let count = |options: &HistoryOptions| files.history(options).unwrap().commits.len();
    assert_eq!(count(&window(Some(2), None)), 2);
    assert_eq!(count(&window(None, Some("2d"))), 3);
    assert_eq!(count(&window(None, Some("2001-09-12"))), 4);

    // Of a shallow clone the oldest commit seems to be the first of all.
    let clone = std::env::temp_dir().join(format!("stagewright-clone-{}", std::process::id()));
    let url = format!("file://{}", repository.0.display());
    repository.git(&["clone", "-q", "--depth=3", &url, clone.to_str().unwrap()]);
    let shallow = BuildFiles::open(clone.join("app")).unwrap();
    let shallow = shallow.history(&HistoryOptions::default()).unwrap();
    fs::remove_dir_all(&clone).unwrap();
    assert!(shallow.shallow);
    assert_eq!(shallow.commits.len(), 2);
}
