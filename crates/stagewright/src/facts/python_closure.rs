//! What pip installs for a requirement file: the packages listed and those they need.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use super::Catalog;
use super::marker::{self, Interpreter};
use super::packages::{MeasuredPython, PythonNeed};
use super::python::{self, PackageFacts};
use super::python_table::{PythonTable, same};
use super::requirement::{self, Requirement};
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
    pub facts: Arc<PackageFacts>,
    /// The version asked for or chosen; `None` where no table knows one.
    pub version: Option<String>,
    /// The line of the file that lists it; `None` where another package needs it.
    pub line: Option<u32>,
    /// Whether the version is the only one allowed.
    pub pinned: bool,
}

impl InstalledPackage {
    /// A package that a lock file lists.
    pub(crate) fn locked(facts: Arc<PackageFacts>, version: String) -> Self {
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
    catalog: &Catalog,
    requirements: &Requirements,
    python: (u32, u32),
    platform: WheelPlatform,
) -> PythonClosure {
    let frozen =
        requirements.is_pinned() && is_freeze(catalog.python(), requirements, python, platform);
    let mut known = Limits::new();
    loop {
        let mut learned = known.clone();
        let closure = walk(
            catalog,
            requirements,
            python,
            platform,
            frozen,
            &mut learned,
        );
        let more = learned.values().map(BTreeSet::len).sum::<usize>();
        // What a package demands of one that was chosen before it holds in the next walk. Limits only grow, and there are no more of
        // them than packages demand; a bound all the same, against packages that demand more in each of their versions.
        if more == known.values().map(BTreeSet::len).sum::<usize>() || more > MOST {
            return closure;
        }
        known = learned;
    }
}

/// Versions that measured packages demand of each other, by name.
type Limits = BTreeMap<String, BTreeSet<String>>;

/// The way from the listed packages to those that they need.
struct Walk<'w> {
    catalog: &'w Catalog,
    python: (u32, u32),
    platform: WheelPlatform,
    /// What the files say of versions, by name.
    limits: BTreeMap<&'w str, Vec<&'w Requirement>>,
    learned: &'w mut Limits,
    /// The day after which no version fits a pinned package that needs it, by name.
    until: BTreeMap<String, String>,
    /// Extras that are wanted, each as `name[extra]`, by name.
    asked: BTreeMap<String, Vec<String>>,
    seen: BTreeSet<String>,
    /// Extras that were followed, each as `name[extra]`.
    extras: BTreeSet<String>,
    open: VecDeque<(String, Option<u32>)>,
    /// With hashes pip takes nothing that is not listed.
    follow: bool,
    /// The file lists what its packages need.
    frozen: bool,
    closure: PythonClosure,
}

fn walk(
    catalog: &Catalog,
    requirements: &Requirements,
    python: (u32, u32),
    platform: WheelPlatform,
    frozen: bool,
    learned: &mut Limits,
) -> PythonClosure {
    let mut walk = Walk {
        catalog,
        python,
        platform,
        limits: BTreeMap::new(),
        learned,
        until: BTreeMap::new(),
        asked: BTreeMap::new(),
        seen: BTreeSet::new(),
        extras: BTreeSet::new(),
        open: VecDeque::new(),
        follow: !requirements.has_hashes(),
        frozen,
        closure: PythonClosure {
            packages: Vec::new(),
            elsewhere: Vec::new(),
            complete: true,
            unknown_needs: 0,
        },
    };
    for entry in requirements
        .constraints
        .iter()
        .filter(|entry| entry.applies)
        .chain(requirements.applying())
    {
        walk.limits.entry(&entry.name).or_default().push(entry);
    }
    for entry in requirements.applying() {
        walk.wants(&entry.name, &entry.extras);
    }
    for entry in requirements.applying() {
        if entry.name.is_empty()
            || entry.editable
            || (entry.source.is_some() && entry.version.is_none())
        {
            walk.closure.elsewhere.push(entry.clone());
            walk.seen.insert(entry.name.clone());
        } else if walk.seen.insert(entry.name.clone()) {
            walk.open.push_back((entry.name.clone(), Some(entry.line)));
        }
    }
    while let Some((name, line)) = walk.open.pop_front() {
        let package = walk.measured(&name, line);
        let package = package.unwrap_or_else(|| walk.tabled(&name, line));
        walk.closure.packages.push(package);
    }
    walk.closure
}

impl Walk<'_> {
    fn wants(&mut self, name: &str, extras: &[String]) {
        let named = extras.iter().map(|extra| format!("{name}[{extra}]"));
        self.asked.entry(name.to_owned()).or_default().extend(named);
    }

    fn needs(&mut self, name: String) {
        if self.seen.len() < MOST && self.seen.insert(name.clone()) {
            self.open.push_back((name, None));
        }
    }

    /// The one version that the files allow.
    fn pinned(&self, name: &str) -> Option<String> {
        let limits = self.limits.get(name)?;
        limits.iter().find_map(|limit| limit.version.clone())
    }

    /// A package that was measured, with what its own metadata says that it needs.
    fn measured(&mut self, name: &str, line: Option<u32>) -> Option<InstalledPackage> {
        if self.catalog.is_plain() {
            return None;
        }
        let pinned = self.pinned(name);
        let exact = pinned.as_ref().map(|version| format!("=={version}"));
        let listed = self.limits.get(name).into_iter().flatten();
        let learned = self.learned.get(name).into_iter().flatten();
        let all = listed
            .map(|limit| &*limit.versions)
            .chain(learned.map(|one| &**one));
        let versions: BTreeSet<&str> = match &exact {
            Some(exact) => [&**exact].into(),
            None => all.filter(|versions| !versions.is_empty()).collect(),
        };
        let need = PythonNeed::new(name, &versions, self.python, self.platform);
        let (measured, mut facts) = self.catalog.measured_python(need)?;
        let extras = self.asked.remove(name).unwrap_or_default();
        if let Some(needs) = needs_of(measured, &extras, self.python) {
            Arc::make_mut(&mut facts).dependencies =
                Some(needs.iter().map(|need| need.name.clone()).collect());
            let follow = self.follow;
            for need in needs.into_iter().filter(|_| follow) {
                if !need.versions.is_empty() {
                    let demands = self.learned.entry(need.name.clone()).or_default();
                    demands.insert(need.versions.clone());
                }
                self.wants(&need.name, &need.extras);
                self.needs(need.name);
            }
        } else {
            self.closure.complete &= !self.follow;
            self.closure.unknown_needs += usize::from(self.follow && line.is_some());
        }
        Some(InstalledPackage {
            version: Some(measured.version.clone()),
            facts,
            line,
            pinned: pinned.is_some(),
        })
    }

    /// Notes what a version of a package takes of its own time alone.
    fn hold_back(&mut self, name: &str, version: Option<&str>) {
        let table = self.catalog.python();
        let followers = table.ratios.followers(name);
        if followers.is_empty() {
            return;
        }
        let Some(day) = version.and_then(|version| table.day(name, version)) else {
            return;
        };
        for follower in followers {
            let until = self.until.entry(follower.clone()).or_insert(day.clone());
            if day < *until {
                until.clone_from(&day);
            }
        }
    }

    /// A package as the tables have it.
    fn tabled(&mut self, name: &str, line: Option<u32>) -> InstalledPackage {
        let table = self.catalog.python();
        let pinned = self.pinned(name);
        let limits = self.limits.get(name).map_or(&[][..], Vec::as_slice);
        let allows = |version: &str| {
            limits
                .iter()
                .all(|limit| limit.versions.is_empty() || limit.allows(version))
        };
        let is_pinned = pinned.is_some();
        let free = limits.iter().all(|limit| limit.versions.is_empty());
        let until = self.until.get(name).map(String::as_str);
        let newest = || {
            let old = until.and_then(|_| table.newest_of(name, self.python, until, allows));
            old.or_else(|| {
                if free {
                    table.newest(name, self.python)
                } else {
                    table.newest_of(name, self.python, None, allows)
                }
            })
        };
        let version = pinned.or_else(newest);
        let of_a_day = is_pinned || until.is_some();
        self.hold_back(name, version.as_deref().filter(|_| of_a_day));
        let mut facts = python::find(table, name, version.as_deref(), self.python, self.platform);
        if !is_pinned && facts.version.is_some() {
            // Which version pip takes is a matter of the day, and of the limits that the packages set each other.
            Arc::make_mut(&mut facts).widen(table.ratios.limits.unpinned);
        }
        let exact = match (&facts.version, &version) {
            (Some(found), Some(wanted)) => same(found, wanted),
            _ => false,
        };
        match &facts.dependencies {
            // The needs of another version than the one pinned would add what is not installed.
            Some(_) if self.frozen && !exact => self.closure.complete = false,
            Some(needs) if self.follow => {
                for need in needs {
                    self.needs(need.clone());
                }
            }
            Some(_) => {}
            None => {
                self.closure.complete &= !self.follow;
                self.closure.unknown_needs +=
                    usize::from(self.follow && !self.frozen && line.is_some());
            }
        }
        for extra in self.asked.remove(name).unwrap_or_default() {
            self.needs_of_extra(&extra);
        }
        InstalledPackage {
            facts,
            version,
            line,
            pinned: is_pinned,
        }
    }

    /// What an extra brings along, given as `name[extra]`, and the extras that it wants of others.
    fn needs_of_extra(&mut self, extra: &str) {
        if !self.follow || !self.extras.insert(extra.to_owned()) {
            return;
        }
        let Some(needs) = self.catalog.python().needs_of_extra(extra) else {
            self.closure.complete = false;
            self.closure.unknown_needs += usize::from(!self.frozen);
            return;
        };
        for need in needs {
            let Some((name, _)) = need.split_once('[') else {
                self.needs(need.to_owned());
                continue;
            };
            let waits = self.open.iter().any(|(open, _)| open == name);
            if self.seen.contains(name) && !waits {
                self.needs_of_extra(need);
            } else {
                let asked = self.asked.entry(name.to_owned()).or_default();
                asked.push(need.to_owned());
                self.needs(name.to_owned());
            }
        }
    }
}

/// What a measured package needs with some extras (`name[extra]`), as its metadata says it; nothing where that was not read.
fn needs_of(
    measured: &MeasuredPython,
    extras: &[String],
    python: (u32, u32),
) -> Option<Vec<Requirement>> {
    let interpreter = Interpreter { python };
    let extra_holds = |marker: &str, extra: &String| {
        let extra = extra.split_once('[').map_or("", |(_, extra)| extra);
        marker::applies_to_extra(marker, interpreter, extra.trim_end_matches(']')) == Ok(true)
    };
    let lines = measured.requires.as_ref()?.iter();
    // What cannot be read, pip would not install either.
    let needs = lines.filter_map(|line| requirement::read(line, interpreter).ok());
    let applies = |need: &Requirement| {
        let marker = need.marker.as_deref().unwrap_or_default();
        need.applies || extras.iter().any(|extra| extra_holds(marker, extra))
    };
    Some(
        needs
            .filter(|need| applies(need) && !need.name.is_empty())
            .collect(),
    )
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
