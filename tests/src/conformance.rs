//! The cases that every face must answer alike: `tests/conformance/<area>/<case>`.
//!
//! `project/` is the folder that is asked about, `after/` the next state of it where two are compared, `against.json` a saved report. `case.json` says what is asked
//! (`build`, `change`, `plan`, `generate`, `measure`), what the case shows (`about`), and `claims`: what must hold of the answer, by JSON pointer,
//! reasoned by hand and never rewritten. `expected.json` is the whole answer to the byte; `UPDATE_EXPECT=1` writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// What is asked, and what must hold of the answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Where the case is.
    #[serde(skip)]
    pub folder: PathBuf,
    /// What it shows, and why the answer is right.
    pub about: String,
    /// How the build is called.
    #[serde(default)]
    pub build: Build,
    /// What changes.
    #[serde(default)]
    pub change: Changed,
    /// What the plan may do.
    pub plan: Option<Planned>,
    /// What the recipe is told.
    pub generate: Option<Recipe>,
    /// Which image is measured.
    pub measure: Option<Measured>,
    /// What is compared, and what else is asked of it.
    pub cache: Option<Compared>,
    /// Which commits a forecast is made from.
    pub history: Option<Forecasted>,
    /// What is asked of a comparison of two builds.
    #[serde(default)]
    pub diff: Differed,
    /// What must hold of the answer.
    pub claims: BTreeMap<String, Claim>,
}

/// How the build is called.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Build {
    /// The stage to build.
    pub target: Option<String>,
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// The platform.
    pub platform: Option<String>,
    /// The day of the catalogue.
    pub as_of: Option<String>,
    /// Digests of base images.
    pub bases: BTreeMap<String, String>,
    /// Named contexts.
    pub build_contexts: BTreeMap<String, String>,
    /// The builder.
    pub builder: Option<String>,
    /// The network of commands.
    pub network: Option<String>,
    /// Names that commands find without a server.
    pub add_hosts: Vec<String>,
    /// The size of `/dev/shm`.
    pub shm_size: Option<String>,
    /// Limits of commands.
    pub ulimits: Vec<String>,
    /// The control group that commands run below.
    pub cgroup_parent: Option<String>,
}

/// What is different in the next build.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Changed {
    /// Paths.
    pub files: Vec<String>,
    /// Build arguments with their new values.
    pub build_args: BTreeMap<String, String>,
    /// Base images with their new digests.
    pub bases: BTreeMap<String, String>,
}

/// What is compared, and what else is asked of it. Files lie in the folder of the case.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Compared {
    /// The snapshot of the build before, in the place of `project/`.
    pub snapshot: Option<String>,
    /// What holds for the build before alone.
    pub before: Side,
    /// What holds for the build after alone.
    pub after: Side,
    /// A trace of the build.
    pub trace: Option<String>,
    /// Seconds of steps.
    pub durations: Option<String>,
    /// Words that pick steps which must be cached.
    pub cached: Vec<String>,
    /// Words that pick steps which must run again.
    pub rerun: Vec<String>,
    /// Whether no step may come from the cache.
    pub no_cache: bool,
    /// The stages of which no step may come from the cache.
    pub no_cache_filter: Vec<String>,
    /// How the cache was exported that a fresh builder imports.
    pub imported: Option<String>,
}

/// What holds for one of two builds alone.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Side {
    /// Build arguments.
    pub build_args: BTreeMap<String, String>,
    /// Digests of base images.
    pub bases: BTreeMap<String, String>,
}

/// Which commits a forecast is made from. Files lie in the folder of the case.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Forecasted {
    /// The list of commits.
    pub commits: String,
    /// A trace of a build.
    pub trace: Option<String>,
    /// Seconds of steps.
    pub durations: Option<String>,
}

/// What is asked of a comparison of two builds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Differed {
    /// The source file whose edit is played through.
    pub change: Option<String>,
}

/// What a plan may do and for what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// What to minimise.
    pub objective: String,
    /// The most that a rewrite may risk.
    pub applicability: String,
    /// What to minimise where it is several things.
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
    /// The least that a rewrite must win.
    pub threshold: Option<f64>,
    /// How many rewrites are made.
    pub until: Option<usize>,
    /// The source file whose edit is measured.
    pub change: Option<String>,
    /// Passes to leave out.
    #[serde(default)]
    pub skip: Vec<String>,
    /// Passes to use.
    #[serde(default)]
    pub only: Vec<String>,
}

/// What a recipe is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The port.
    pub port: Option<u16>,
    /// The base image.
    pub base: Option<String>,
    /// The folder of the application's package.
    pub package: Option<String>,
    /// The command.
    pub command: Option<Vec<String>>,
}

/// Which image is measured, and how.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The file or folder, in the project.
    pub image: String,
    /// Which image of it.
    pub image_name: Option<String>,
    /// The platform.
    pub platform: Option<String>,
    /// Whether every layer is held against its digest.
    #[serde(default)]
    pub verify: bool,
}

/// What must hold of one place of the answer.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Claim {
    /// A number lies between two, both included.
    Between {
        /// The least.
        from: u64,
        /// The most.
        to: u64,
    },
    /// A text holds another.
    Contains {
        /// The other.
        contains: String,
    },
    /// A text does not hold another.
    Lacks {
        /// The other.
        lacks: String,
    },
    /// It is this.
    Is(Value),
}

impl Case {
    /// The cases of an area, in the order of their names.
    pub fn all(area: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("conformance")
            .join(area);
        let entries =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut folders: Vec<PathBuf> = entries
            .map(|entry| entry.expect("the folder can be listed").path())
            .collect();
        folders.sort();
        folders.into_iter().map(Self::read).collect()
    }

    fn read(folder: PathBuf) -> Self {
        let path = folder.join("case.json");
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let case: Self = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(
            !case.claims.is_empty(),
            "{}: a case claims something",
            path.display()
        );
        Self { folder, ..case }
    }

    /// The folder that is asked about.
    pub fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// The saved report that the size is held against, where there is one.
    pub fn against(&self) -> Option<String> {
        fs::read_to_string(self.folder.join("against.json")).ok()
    }

    /// The next state of it, where two are compared.
    pub fn after(&self) -> Option<PathBuf> {
        let folder = self.folder.join("after");
        folder.is_dir().then_some(folder)
    }

    /// Holds an answer against the claims and against the recorded answer, in which `$PROJECT` stands for the project's path.
    pub fn check(&self, answer: &str) {
        let name = self.folder.display();
        let answer = answer.replace(
            self.project().to_str().expect("paths of cases are UTF-8"),
            "$PROJECT",
        );
        let value: Value =
            serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (place, claim) in &self.claims {
            let found = value
                .pointer(place)
                .unwrap_or_else(|| panic!("{name}: {place} is missing in {answer}"));
            let holds = match claim {
                Claim::Between { from, to } => found
                    .as_u64()
                    .is_some_and(|number| (*from..=*to).contains(&number)),
                Claim::Contains { contains } => {
                    found.as_str().is_some_and(|text| text.contains(contains))
                }
                Claim::Lacks { lacks } => found.as_str().is_some_and(|text| !text.contains(lacks)),
                Claim::Is(value) => found == value,
            };
            assert!(
                holds,
                "{name} ({}): {place} is {found}, not {claim:?}",
                self.about
            );
        }
        let path = self.folder.join("expected.json");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &answer).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        let expected = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; UPDATE_EXPECT=1 writes it", path.display())
        });
        assert!(
            answer == expected,
            "{name}: the answer differs from expected.json (UPDATE_EXPECT=1 writes it anew):\n{answer}"
        );
    }
}
