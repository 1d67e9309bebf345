//! Debian packages: what `apt-get install` adds, by the closure that apt computes.
//!
//! Depends and Pre-Depends first, breadth first, then Recommends; of alternatives the first that exists, unless one of them is there
//! already. Exact against apt for 21 of 21 sets without Recommends and 19 of 21 with them (at most 0.7 % off).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use super::distro::DistroId;
use super::image::ImageFacts;
use super::table::Table;
use crate::size::{Basis, Size};

/// What the installation of distribution packages adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SystemClosure {
    /// The packages that are new, those asked for first.
    pub packages: Vec<SystemPackage>,
    /// Bytes that the layer gains: files of the packages, what their scripts make, and the package database.
    pub installed: Size,
    /// Bytes that the package manager downloads.
    pub download: Size,
    /// Names asked for that the tables do not have; each is counted with a wide range.
    pub unknown: Vec<String>,
    /// Names asked for that the base has already.
    pub present: Vec<String>,
    /// Source and date.
    pub basis: Basis,
}

/// One distribution package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SystemPackage {
    /// Its name.
    pub name: String,
    /// Bytes of its archive.
    pub download: u64,
    /// Bytes as its own metadata gives them (`Installed-Size`), rounded up to KiB.
    pub installed: u64,
}

/// `catalog/debian.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    minimal: String,
    #[expect(dead_code, reason = "for the generator of the tables")]
    common: String,
    layer: Layer,
    debconf: Debconf,
    lists: Lists,
    unknown: Unknown,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    installed_share: f64,
    slim_share: f64,
    slim_share_toolchain: f64,
    toolchain: Vec<String>,
    database: u64,
    database_per_package: u64,
    byte_code_share: f64,
    error: f64,
    error_slim: f64,
    error_other_release: f64,
    error_recommends: f64,
    source: String,
    date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Debconf {
    bytes: u64,
    packages: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    bytes: u64,
    error: f64,
    compression: f64,
    source: String,
    date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unknown {
    bytes: u64,
    low: u64,
    high: u64,
}

/// A row of one of the two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    more: bool,
    row: u32,
}

type Ids = BTreeSet<Id>;

/// The packages of bookworm.
pub(crate) struct DebianTable {
    rules: Rules,
    common: Table,
    more: OnceLock<Table>,
    minimal: Ids,
    /// What a base has, by the names of its packages: asked again and again for the same few bases.
    bases: Mutex<BTreeMap<Vec<String>, Arc<Ids>>>,
}

impl DebianTable {
    /// The embedded tables.
    pub(crate) fn embedded() -> Self {
        let rules: Rules = toml::from_str(include_str!("../../catalog/debian.toml"))
            .expect("catalog/debian.toml is valid");
        let common = Table::unpack(include_bytes!("../../catalog/debian_bookworm.tsv.zst"));
        let mut table = Self {
            rules,
            common,
            more: OnceLock::new(),
            minimal: Ids::new(),
            bases: Mutex::default(),
        };
        let minimal = table.rules.minimal.split_whitespace();
        table.minimal = minimal
            .filter_map(|name| row(&table.common, name, false))
            .collect();
        table
    }

    /// What `apt-get install` of these names adds to an image.
    pub(crate) fn install(
        &self,
        names: &[&str],
        recommends: bool,
        base: &ImageFacts,
    ) -> SystemClosure {
        let present = self.present(&base.offers.packages);
        let (ids, mut unknown, there) = self.close(names, recommends, &present);
        let packages: Vec<SystemPackage> = ids.iter().map(|id| self.package(*id)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let layer = &self.rules.layer;

        let sum: u64 = packages.iter().map(|package| package.installed).sum();
        let python: u64 = packages
            .iter()
            .filter(|package| is_python(&package.name))
            .map(|package| package.installed)
            .sum();
        let slim = match base.offers.path_exclude {
            false => 1.0,
            true if packages
                .iter()
                .any(|package| layer.toolchain.contains(&package.name)) =>
            {
                layer.slim_share_toolchain
            }
            true => layer.slim_share,
        };
        let mut error = if base.offers.path_exclude {
            layer.error_slim
        } else {
            layer.error
        };
        if recommends {
            error += layer.error_recommends;
        }
        let bookworm = base.distro.codename.as_deref() == Some("bookworm");
        if !bookworm {
            error += layer.error_other_release;
        }
        let files = Size::exact(sum).scale(layer.installed_share * slim);
        let byte_code = Size::exact(python).scale(layer.byte_code_share);
        let count = u64::try_from(packages.len()).expect("a count fits 64 bits");
        let database = if packages.is_empty() {
            0
        } else {
            layer.database + layer.database_per_package * count
        };
        let asks = packages
            .iter()
            .any(|package| self.rules.debconf.packages.contains(&package.name));
        let database = database + if asks { self.rules.debconf.bytes } else { 0 };
        let certain = files.plus(byte_code).plus(Size::exact(database)).expected;
        let one = &self.rules.unknown;
        let unknowns = unknown
            .iter()
            .map(|_| Size::range(one.low, one.bytes, one.high));
        let guessed: Vec<Size> = unknowns.collect();
        let download: u64 = packages.iter().map(|package| package.download).sum();
        let download_error = if bookworm {
            0.01
        } else {
            layer.error_other_release
        };

        let mut source = format!("{}; {}", self.common.basis().source, layer.source);
        if !bookworm {
            source = match base.distro.id {
                DistroId::Debian | DistroId::Ubuntu => {
                    format!("{source}; another release than the base's")
                }
                _ => format!("{source}; the base is no Debian"),
            };
        }
        let expected = Size::within(certain, error, error);
        SystemClosure {
            installed: Size::sum(std::iter::once(expected).chain(guessed.iter().copied())),
            download: Size::sum(
                std::iter::once(Size::within(download, download_error, download_error))
                    .chain(guessed.iter().map(|size| size.scale(0.3))),
            ),
            unknown,
            present: there,
            packages,
            basis: Basis::dated(source, layer.date.clone()),
        }
    }

    /// Bytes of the package lists that stay where nobody removes them, and how far they compress.
    pub(crate) fn lists(&self) -> (Size, Basis) {
        let lists = &self.rules.lists;
        let basis = Basis::dated(
            format!("{}; compress {:.2} times", lists.source, lists.compression),
            lists.date.clone(),
        );
        (Size::within(lists.bytes, lists.error, lists.error), basis)
    }

    /// What an image has whose Dockerfile installed `names`.
    fn present(&self, names: &[String]) -> Arc<Ids> {
        let lock = || self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(names) {
            return Arc::clone(known);
        }
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let (ids, _, _) = self.close(&asked, false, &self.minimal);
        let all: Arc<Ids> = Arc::new(self.minimal.iter().copied().chain(ids).collect());
        lock().insert(names.to_vec(), Arc::clone(&all));
        all
    }

    /// The rows that are new, the names that no row has, and those that are there already.
    fn close(
        &self,
        names: &[&str],
        recommends: bool,
        present: &Ids,
    ) -> (Vec<Id>, Vec<String>, Vec<String>) {
        let mut order: Vec<Id> = Vec::new();
        let mut chosen = present.clone();
        let (mut unknown, mut there) = (Vec::new(), Vec::new());
        for name in names {
            match self.find(name) {
                Some(id) if present.contains(&id) => there.push((*name).to_owned()),
                Some(id) => {
                    if chosen.insert(id) {
                        order.push(id);
                    }
                }
                None => unknown.push((*name).to_owned()),
            }
        }
        // Every dependency of what is chosen comes before the first recommendation, as apt resolves them.
        let (mut next, mut next_recommended) = (0, 0);
        loop {
            if let Some(id) = order.get(next).copied() {
                next += 1;
                self.follow(id, 3, &mut chosen, &mut order);
            } else if recommends && next_recommended < order.len() {
                let id = order[next_recommended];
                next_recommended += 1;
                self.follow(id, 4, &mut chosen, &mut order);
            } else {
                return (order, unknown, there);
            }
        }
    }

    /// Chooses for each group of alternatives in a column of a row.
    fn follow(&self, id: Id, column: usize, chosen: &mut Ids, order: &mut Vec<Id>) {
        let groups = self.line(id).split('\t').nth(column).unwrap_or_default();
        for group in groups.split(' ').filter(|group| !group.is_empty()) {
            let choices = || group.split('|').filter_map(number);
            if choices().any(|choice| chosen.contains(&choice)) {
                continue;
            }
            if let Some(first) = choices().next() {
                chosen.insert(first);
                order.push(first);
            }
        }
    }

    fn find(&self, name: &str) -> Option<Id> {
        // `apt-get install name=version`, `name:arch`, `name/suite`
        let name = name.split(['=', ':', '/']).next().unwrap_or_default();
        row(&self.common, name, false).or_else(|| row(self.more(), name, true))
    }

    fn more(&self) -> &Table {
        self.more.get_or_init(|| {
            Table::unpack(include_bytes!("../../catalog/debian_bookworm_more.tsv.zst"))
        })
    }

    fn line(&self, id: Id) -> &str {
        let table = if id.more { self.more() } else { &self.common };
        table.line(id.row as usize)
    }

    fn package(&self, id: Id) -> SystemPackage {
        let mut columns = self.line(id).split('\t');
        let name = columns.next().unwrap_or_default().to_owned();
        let mut number = || {
            columns
                .next()
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or_default()
        };
        SystemPackage {
            name,
            download: number(),
            installed: number() * 1024,
        }
    }
}

/// A reference to a row: `12` in the table of common packages, `+12` in the other.
fn number(text: &str) -> Option<Id> {
    let (more, digits) = match text.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    Some(Id {
        more,
        row: digits.parse().ok()?,
    })
}

/// The row of a package, or of the one that alone provides the virtual package of this name.
fn row(table: &Table, name: &str, more: bool) -> Option<Id> {
    let Some(row) = table.find(name).next() else {
        let alias = table.find(&format!("~{name}")).next()?;
        return number(table.line(alias).split_once('\t')?.1);
    };
    Some(Id {
        more,
        row: u32::try_from(row).ok()?,
    })
}

/// Whether the package's scripts compile Python sources on installation.
fn is_python(name: &str) -> bool {
    name.starts_with("python3") || name.starts_with("libpython3")
}
