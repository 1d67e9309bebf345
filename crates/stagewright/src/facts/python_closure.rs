//! What pip installs for a requirement file: the packages listed and those they need.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::python::{self, PackageFacts};
use super::python_table::{PythonTable, same};
use super::requirement::Requirement;
use super::requirements::Requirements;
use super::wheel::WheelPlatform;
use crate::size::Size;

/// The packages that an installation brings.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PythonClosure {
    /// Listed packages first, in the order of the file, then what they need, breadth first.
    pub packages: Vec<InstalledPackage>,
    /// Entries that no table can speak of: folders, repositories, URLs without a name. As written, with their line.
    pub elsewhere: Vec<Requirement>,
    /// Whether the needs of every package are known; if not, more may be installed.
    pub complete: bool,
    /// How many of the listed packages there are whose needs nobody knows and that the file does not list either.
    pub unknown_needs: usize,
}

/// One package of a [`PythonClosure`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct InstalledPackage {
    /// The package.
    pub facts: PackageFacts,
    /// The version asked for or chosen; `None` where no table knows one.
    pub version: Option<String>,
    /// The line of the file that lists it; `None` where another package needs it.
    pub line: Option<u32>,
    /// Whether the version is the only one allowed.
    pub pinned: bool,
}

impl InstalledPackage {
    /// A package that a lock file lists.
    pub(crate) fn locked(facts: PackageFacts, version: String) -> Self {
        Self {
            facts,
            version: Some(version),
            line: None,
            pinned: true,
        }
    }
}

impl PythonClosure {
    /// Bytes in site-packages without byte code.
    pub fn installed(&self) -> Size {
        Size::sum(self.packages.iter().map(|package| package.facts.installed))
    }

    /// Bytes of byte code.
    pub fn byte_code(&self) -> Size {
        Size::sum(self.packages.iter().map(|package| package.facts.byte_code))
    }

    /// Bytes of the files that pip downloads.
    pub fn download(&self) -> Size {
        Size::sum(self.packages.iter().map(|package| package.facts.download))
    }
}

/// Packages that an installation is allowed to add, against tables that lead in circles of renamed packages.
const MOST: usize = 5_000;

/// See [`Catalog::python_closure`](super::Catalog::python_closure).
pub(crate) fn close(
    table: &PythonTable,
    requirements: &Requirements,
    python: (u32, u32),
    platform: WheelPlatform,
) -> PythonClosure {
    let mut limits: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
    for entry in requirements
        .constraints
        .iter()
        .filter(|entry| entry.applies)
        .chain(requirements.applying())
    {
        limits.entry(&entry.name).or_default().push(entry);
    }
    let choose = |name: &str| -> (Option<String>, bool) {
        let limits = limits.get(name).map_or(&[][..], Vec::as_slice);
        if let Some(version) = limits.iter().find_map(|limit| limit.version.clone()) {
            return (Some(version), true);
        }
        let allows = |version: &str| {
            limits
                .iter()
                .all(|limit| limit.versions.is_empty() || limit.allows(version))
        };
        (table.newest(name, python, allows), false)
    };
    let mut closure = PythonClosure {
        packages: Vec::new(),
        elsewhere: Vec::new(),
        complete: true,
        unknown_needs: 0,
    };
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in requirements.applying() {
        let extras = entry.extras.iter();
        let named = extras.map(|extra| format!("{}[{extra}]", entry.name));
        asked.entry(entry.name.clone()).or_default().extend(named);
    }
    let mut seen = BTreeSet::new();
    let mut open: VecDeque<(String, Option<u32>)> = VecDeque::new();
    for entry in requirements.applying() {
        if entry.name.is_empty()
            || entry.editable
            || (entry.source.is_some() && entry.version.is_none())
        {
            closure.elsewhere.push(entry.clone());
            seen.insert(entry.name.clone());
        } else if seen.insert(entry.name.clone()) {
            open.push_back((entry.name.clone(), Some(entry.line)));
        }
    }
    // With hashes pip takes nothing that is not listed.
    let follow = !requirements.has_hashes();
    let frozen = requirements.is_pinned() && is_freeze(table, requirements, python, platform);
    while let Some((name, line)) = open.pop_front() {
        let (version, pinned) = choose(&name);
        let mut facts = python::find(table, &name, version.as_deref(), python, platform);
        if !pinned && facts.version.is_some() {
            // Which version pip takes is a matter of the day, and of the limits that the packages set each other.
            facts.widen(table.ratios.limits.unpinned);
        }
        let exact = match (&facts.version, &version) {
            (Some(found), Some(wanted)) => same(found, wanted),
            _ => false,
        };
        match &facts.dependencies {
            // The needs of another version than the one pinned would add what is not installed.
            Some(_) if frozen && !exact => closure.complete = false,
            Some(needs) if follow => {
                for need in needs
                    .iter()
                    .chain(table.ratios.needs_of_extras(asked.remove(&name)))
                {
                    if seen.len() < MOST && seen.insert(need.clone()) {
                        open.push_back((need.clone(), None));
                    }
                }
            }
            Some(_) => {}
            None => {
                closure.complete &= !follow;
                closure.unknown_needs += usize::from(follow && !frozen && line.is_some());
            }
        }
        closure.packages.push(InstalledPackage {
            facts,
            version,
            line,
            pinned,
        });
    }
    closure
}

/// Whether a pinned file lists what its packages need, as `pip freeze` and the compilers of such files write it: at least four of five
/// needs, for those of another version than the one pinned are not quite the same. A file that pins only what it names itself is none.
fn is_freeze(
    table: &PythonTable,
    requirements: &Requirements,
    python: (u32, u32),
    platform: WheelPlatform,
) -> bool {
    let listed: BTreeSet<&str> = requirements.applying().map(|entry| &*entry.name).collect();
    let (mut inside, mut all) = (0, 0);
    for entry in requirements.applying() {
        let facts = python::find(
            table,
            &entry.name,
            entry.version.as_deref(),
            python,
            platform,
        );
        for need in facts.dependencies.iter().flatten() {
            all += 1;
            inside += usize::from(listed.contains(&**need));
        }
    }
    inside * 5 >= all * 4
}
