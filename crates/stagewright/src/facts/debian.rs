//! Debian packages: what `apt-get install` adds, by the closure that apt computes.
//!
//! Depends and Pre-Depends first, breadth first, then Recommends; of alternatives the first that exists, unless one of them is there
//! already. Exact against apt for 21 of 21 sets without Recommends and 19 of 21 with them (at most 0.7 % off).

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::base::Names;
use super::distro::{Distro, DistroId};
use super::image::ImageFacts;
use super::memo::Memo;
use super::table::Table;
use crate::size::{Basis, Size, scaled};

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
    minimal_trixie: String,
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
    size_class: Vec<SizeClass>,
    database: u64,
    database_per_package_of_base: u64,
    database_per_package: u64,
    database_share: f64,
    log_per_removed_package: u64,
    byte_code_share: f64,
    byte_code_share_modules: f64,
    error: f64,
    error_slim: f64,
    error_removed: f64,
    error_other_release: f64,
    error_recommends: f64,
    source: String,
    date: Arc<str>,
}

impl Rules {
    /// Bytes that dpkg and apt write for themselves when packages come to those of the base, `sum` being their Installed-Size.
    fn database(&self, of_base: usize, new: usize, sum: u64) -> u64 {
        let count = |packages: usize| u64::try_from(packages).expect("a count fits 64 bits");
        let layer = &self.layer;
        layer.database
            + layer.database_per_package_of_base * count(of_base)
            + layer.database_per_package * count(new)
            + scaled(sum, layer.database_share)
    }
}

/// What becomes of packages below an Installed-Size, where their files were not added up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SizeClass {
    below: u64,
    files: f64,
    excluded: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Debconf {
    bytes: u64,
    packages: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    bytes: u64,
    error: f64,
    compression: f64,
    source: String,
    date: Arc<str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unknown {
    bytes: u64,
    low: u64,
    high: u64,
}

/// A row of one of the tables of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    table: u8,
    row: u32,
}

type Ids = BTreeSet<Id>;

/// The packages of Debian.
pub(crate) struct DebianTable {
    rules: Rules,
    /// Bytes of the files of some packages.
    files: OnceLock<Table>,
    bookworm: OnceLock<Release>,
    trixie: OnceLock<Release>,
    /// What an installation adds.
    found: Memo<Asked, Arc<SystemClosure>>,
}

/// What [`DebianTable::install`] answers: the names, whether with what they recommend, what is there already, whether dpkg leaves out
/// documentation, and the distribution.
type Asked = (Vec<String>, bool, Names, bool, Distro);

/// The packages of one release.
struct Release {
    /// Its code name.
    name: &'static str,
    /// Its packages, those that Dockerfiles install most first; the last table may be left out of the catalogue.
    tables: Vec<Table>,
    /// Whether the tables hold every package.
    whole: bool,
    minimal: Ids,
    /// What a base has, by the names of its packages.
    bases: Memo<Names, Arc<Ids>>,
}

/// What is new, what is unknown and what is there already.
struct Closed {
    packages: Vec<SystemPackage>,
    unknown: Vec<String>,
    there: Vec<String>,
}

impl DebianTable {
    /// The embedded tables; of each is unpacked what a base asks for.
    pub(crate) fn embedded() -> Self {
        Self {
            rules: toml::from_str(include_str!("../../catalog/debian.toml"))
                .expect("catalog/debian.toml is valid"),
            files: OnceLock::new(),
            bookworm: OnceLock::new(),
            trixie: OnceLock::new(),
            // Of some hundred packages each.
            found: Memo::of(1_000),
        }
    }

    fn bookworm(&self) -> &Release {
        self.bookworm.get_or_init(|| {
            let tables: [&[u8]; 3] = [
                include_bytes!("../../catalog/debian_bookworm_1.tsv.zst"),
                include_bytes!("../../catalog/debian_bookworm_2.tsv.zst"),
                include_bytes!("../../catalog/debian_bookworm_3.tsv.zst"),
            ];
            Release::new("bookworm", &tables, true, &self.rules.minimal)
        })
    }

    fn trixie(&self) -> &Release {
        self.trixie.get_or_init(|| {
            let tables: [&[u8]; 2] = [
                include_bytes!("../../catalog/debian_trixie_1.tsv.zst"),
                include_bytes!("../../catalog/debian_trixie_2.tsv.zst"),
            ];
            Release::new("trixie", &tables, false, &self.rules.minimal_trixie)
        })
    }

    /// The release whose packages a base takes: its own, or the nearest there is.
    fn release(&self, distro: &Distro) -> &Release {
        let newer = distro.id == DistroId::Debian
            && distro
                .version
                .as_deref()
                .and_then(|version| version.split('.').next()?.parse::<u32>().ok())
                .is_some_and(|version| version >= 13);
        if newer || matches!(distro.codename.as_deref(), Some("trixie" | "forky" | "sid")) {
            self.trixie()
        } else {
            self.bookworm()
        }
    }

    /// The packages that an installation brings. What the table of a release lacks is taken from bookworm, of which
    /// nearly everything is there.
    fn close(
        &self,
        release: &Release,
        names: &[&str],
        recommends: bool,
        offered: &Names,
    ) -> (Closed, bool) {
        let mut closed = release.closed(names, recommends, offered);
        if release.whole || closed.unknown.is_empty() {
            return (closed, false);
        }
        let missing = std::mem::take(&mut closed.unknown);
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        let rest = self.bookworm().closed(&missing, recommends, offered);
        let known: BTreeSet<String> = closed.packages.iter().map(|one| one.name.clone()).collect();
        let borrowed = !rest.packages.is_empty();
        closed.packages.extend(
            rest.packages
                .into_iter()
                .filter(|one| !known.contains(&one.name)),
        );
        closed.unknown = rest.unknown;
        closed.there.extend(rest.there);
        (closed, borrowed)
    }

    /// What `apt-get install` of these names adds to an image.
    pub(crate) fn install(
        &self,
        names: &[&str],
        recommends: bool,
        base: &ImageFacts,
    ) -> Arc<SystemClosure> {
        let asked = (
            names.iter().map(|name| (*name).to_owned()).collect(),
            recommends,
            Arc::clone(&base.offers.packages),
            base.offers.path_exclude,
            base.distro.clone(),
        );
        self.found.get(asked, |asked| Arc::new(self.add(asked)))
    }

    fn add(&self, (names, recommends, offered, path_exclude, distro): &Asked) -> SystemClosure {
        let (recommends, path_exclude) = (*recommends, *path_exclude);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let release = self.release(distro);
        let (closed, borrowed) = self.close(release, &names, recommends, offered);
        let Closed {
            packages,
            mut unknown,
            there,
        } = closed;
        unknown.sort_unstable();
        unknown.dedup();
        let layer = &self.rules.layer;

        let sum: u64 = packages.iter().map(|package| package.installed).sum();
        let files = packages
            .iter()
            .map(|package| self.files(package, path_exclude));
        let files = Size::exact(files.sum());
        let byte_code = packages.iter().map(|package| {
            let share = match python_source(&package.name) {
                Some(PythonSource::Interpreter) => layer.byte_code_share,
                Some(PythonSource::Modules) => layer.byte_code_share_modules,
                None => 0.0,
            };
            scaled(package.installed, share)
        });
        let byte_code = Size::exact(byte_code.sum());
        let mut error = if path_exclude {
            layer.error_slim
        } else {
            layer.error
        };
        if recommends {
            error += layer.error_recommends;
        }
        let same = distro.codename.as_deref() == Some(release.name) && !borrowed;
        if !same {
            error += layer.error_other_release;
        }
        let database = if packages.is_empty() {
            0
        } else {
            let of_base = release.present(offered).len();
            self.rules.database(of_base, packages.len(), sum)
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
        let download_error = if same {
            0.01
        } else {
            layer.error_other_release
        };

        let mut source = format!("{}; {}", release.tables[0].basis().source, layer.source);
        if !same {
            source = match distro.id {
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
            basis: Basis::dated(source, Arc::clone(&layer.date)),
        }
    }

    /// Bytes of dpkg's database and logs after so many packages came and went again.
    pub(crate) fn database(&self, base: &ImageFacts, removed: usize) -> Size {
        let layer = &self.rules.layer;
        let removed = u64::try_from(removed).expect("a count fits 64 bits");
        let logs = layer.log_per_removed_package * removed;
        let offered = &base.offers.packages;
        let of_base = self.release(&base.distro).present(offered).len();
        Size::within(
            self.rules.database(of_base, 0, 0) + logs,
            layer.error_removed,
            layer.error_removed,
        )
    }

    /// Bytes of a package's files; under the rule of the slim images without documentation, manuals and translations. Another version
    /// has more or less of everything.
    fn files(&self, package: &SystemPackage, slim: bool) -> u64 {
        let files = self
            .files
            .get_or_init(|| Table::embedded(include_bytes!("../../catalog/debian_files.tsv.zst")));
        if let Some(row) = files.find(&package.name).next() {
            let mut columns = files.line(row).split('\t').skip(1);
            let mut kib = || columns.next().and_then(|text| text.parse::<u64>().ok());
            if let (Some(files), Some(excluded), Some(installed)) = (kib(), kib(), kib()) {
                let bytes = (files - if slim { excluded.min(files) } else { 0 }) * 1024;
                return bytes * package.installed / (installed * 1024).max(1);
            }
        }
        let classes = &self.rules.layer.size_class;
        let class = classes
            .iter()
            .find(|class| package.installed < class.below)
            .or(classes.last())
            .expect("catalog/debian.toml has classes");
        let share = class.files - if slim { class.excluded } else { 0.0 };
        scaled(package.installed, share)
    }

    /// Bytes of the package lists that stay where nobody removes them, and how far they compress.
    pub(crate) fn lists(&self) -> (Size, Basis) {
        let lists = &self.rules.lists;
        let basis = Basis::dated(
            format!("{}; compress {:.2} times", lists.source, lists.compression),
            Arc::clone(&lists.date),
        );
        (Size::within(lists.bytes, lists.error, lists.error), basis)
    }
}

impl Release {
    fn new(name: &'static str, tables: &[&'static [u8]], whole: bool, minimal: &str) -> Self {
        let tables = tables.iter().map(|packed| Table::embedded(packed));
        let mut release = Self {
            name,
            tables: tables.collect(),
            whole,
            minimal: Ids::new(),
            bases: Memo::new(),
        };
        let minimal = minimal.split_whitespace();
        release.minimal = minimal.filter_map(|name| release.find(name)).collect();
        release
    }

    /// What is new when these names are installed beside what a base offers.
    fn closed(&self, names: &[&str], recommends: bool, offered: &Names) -> Closed {
        let present = self.present(offered);
        let (ids, unknown, there) = self.close(names, recommends, &present);
        Closed {
            packages: ids.iter().map(|id| self.package(*id)).collect(),
            unknown,
            there,
        }
    }

    /// What an image has whose Dockerfile installed `names`.
    fn present(&self, names: &Names) -> Arc<Ids> {
        self.bases.get(Arc::clone(names), |names| {
            let asked: Vec<&str> = names.iter().map(|name| &**name).collect();
            let (ids, _, _) = self.close(&asked, false, &self.minimal);
            Arc::new(self.minimal.iter().copied().chain(ids).collect())
        })
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
        (0_u8..)
            .zip(&self.tables)
            .find_map(|(number, table)| row(table, name, number))
    }

    fn line(&self, id: Id) -> &str {
        self.tables[usize::from(id.table)].line(id.row as usize)
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

/// A reference to a row: `12` in the first table, `+12` in the second, `++12` in the third.
fn number(text: &str) -> Option<Id> {
    let digits = text.trim_start_matches('+');
    Some(Id {
        table: u8::try_from(text.len() - digits.len()).ok()?,
        row: digits.parse().ok()?,
    })
}

/// The row of a package, or of the one that alone provides the virtual package of this name.
fn row(table: &Table, name: &str, number_of_table: u8) -> Option<Id> {
    let Some(row) = table.find(name).next() else {
        let alias = table.find(&format!("~{name}")).next()?;
        return number(table.line(alias).split_once('\t')?.1);
    };
    Some(Id {
        table: number_of_table,
        row: u32::try_from(row).ok()?,
    })
}

/// Python source that a package's scripts compile on installation.
enum PythonSource {
    /// The interpreter and its standard library, with binaries among them.
    Interpreter,
    /// Nothing but modules.
    Modules,
}

fn python_source(package: &str) -> Option<PythonSource> {
    let rest = package
        .strip_prefix("libpython3")
        .or_else(|| package.strip_prefix("python3"))?;
    match rest.strip_prefix('-') {
        // Wheels for new virtual environments stay packed.
        Some(module) if module.ends_with("-whl") => None,
        Some("minimal" | "stdlib" | "dev") | None => Some(PythonSource::Interpreter),
        Some(_) => Some(PythonSource::Modules),
    }
}
