//! Debian bookworm and trixie: names, sizes and dependencies, with everything resolved that can be resolved beforehand.
//!
//! A dependency becomes a list of row numbers: the alternatives in order, a virtual package standing for its providers by name.
//! What the smallest system already has is left out. Three tables: the common packages of the hand-written files and all that these need;
//! those that several others need and all that these need, whose rows are numbered with a `+`; and the rest, with `++`, without what no
//! image installs. Of trixie there are the first two: what they lack is taken from bookworm.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Failure, head, unpack};

/// As many packages must need one for it to stand in the second table.
const NEEDED_BY: usize = 3;
/// Alternatives beyond these are never chosen in practice.
const ALTERNATIVES: usize = 8;
/// Sections of Debian whose packages stand in the rest only where another one brings them along.
const SECTIONS_LEFT_OUT: &str =
    "doc education games gnome gnustep hamradio kde kernel localization news sound tasks xfce";
/// What people do put into images of all that the rest leaves out.
const KEPT: &str = "icecast2 minetest-server mopidy mpd ruby-full shairport-sync snapserver";

#[derive(Deserialize)]
struct Names {
    minimal: String,
    minimal_trixie: String,
    common: String,
}

/// What base images have: it stands in the first table.
#[derive(Deserialize)]
struct Bases {
    set: BTreeMap<String, Packaged>,
    base: Vec<Packaged>,
}

#[derive(Deserialize)]
struct Packaged {
    #[serde(default)]
    packages: String,
}

struct Package<'t> {
    download: &'t str,
    kib: &'t str,
    depends: Vec<Vec<&'t str>>,
    recommends: Vec<Vec<&'t str>>,
}

type Packages<'t> = BTreeMap<&'t str, Package<'t>>;
/// Virtual packages that one package alone provides: apt installs that one.
type Alone<'t> = BTreeMap<&'t str, &'t str>;

/// The three tables of bookworm.
pub(super) fn bookworm(folder: &Path) -> Result<Vec<(&'static str, String)>, Failure> {
    let names = names()?;
    let bookworm = [
        "debian_bookworm_1.tsv.zst",
        "debian_bookworm_2.tsv.zst",
        "debian_bookworm_3.tsv.zst",
    ];
    let text = unpack(&folder.join("debian_bookworm_main_amd64.tsv.zst"))?;
    let sections = sections(folder, "bookworm")?;
    release(
        "bookworm",
        &text,
        &names.minimal,
        &names.common,
        &sections,
        &bookworm,
    )
}

/// The two tables of trixie.
pub(super) fn trixie(folder: &Path) -> Result<Vec<(&'static str, String)>, Failure> {
    let names = names()?;
    let trixie = ["debian_trixie_1.tsv.zst", "debian_trixie_2.tsv.zst"];
    let text = index(folder, "trixie")?;
    release(
        "trixie",
        &text,
        &names.minimal_trixie,
        &names.common,
        &BTreeMap::new(),
        &trixie,
    )
}

fn names() -> Result<Names, Failure> {
    let text = include_str!("../../../stagewright/catalog/debian.toml");
    Ok(toml::from_str(text)?)
}

/// The tables of a release, as many as there are files.
fn release(
    release: &str,
    text: &str,
    minimal: &str,
    common: &str,
    sections: &BTreeMap<String, String>,
    files: &[&'static str],
) -> Result<Vec<(&'static str, String)>, Failure> {
    let minimal: BTreeSet<&str> = minimal.split_whitespace().collect();
    let (packages, alone) = read(text, &minimal)?;
    let listed = listed(&packages, &minimal, common)?;
    let often = often(&packages);
    let mut parts = vec![
        with_all_they_need(&packages, listed.iter().copied()),
        with_all_they_need(&packages, listed.iter().chain(&often).copied()),
        with_all_they_need(
            &packages,
            packages
                .keys()
                .copied()
                .filter(|name| often_wanted(name, sections)),
        ),
    ];
    parts.truncate(files.len());
    let mut numbers = BTreeMap::new();
    for (part, names) in parts.iter_mut().enumerate() {
        names.retain(|name| !numbers.contains_key(name));
        numbers.extend(numbered(names, &"+".repeat(part)));
    }
    let about = format!("apt index of {release} main, updates and security, amd64");
    let written = parts
        .iter()
        .enumerate()
        .map(|(part, names)| write(&about, &packages, names, &numbers, &alone, part));
    Ok(files.iter().copied().zip(written).collect())
}

fn numbered<'t>(names: &BTreeSet<&'t str>, sign: &str) -> BTreeMap<&'t str, String> {
    names
        .iter()
        .enumerate()
        .map(|(row, name)| (*name, format!("{sign}{row}")))
        .collect()
}

/// What bases have and Dockerfiles install.
fn listed<'t>(
    packages: &Packages<'t>,
    minimal: &BTreeSet<&str>,
    common: &str,
) -> Result<Vec<&'t str>, Failure> {
    let bases: Bases = toml::from_str(include_str!("../../../stagewright/catalog/bases.toml"))?;
    let of_sets = bases.set.values().map(|one| one.packages.as_str());
    let of_bases = bases.base.iter().map(|one| one.packages.as_str());
    Ok(of_sets
        .chain(of_bases)
        .chain([common])
        .flat_map(str::split_whitespace)
        .chain(minimal.iter().copied())
        .filter_map(|name| packages.get_key_value(name).map(|(name, _)| *name))
        .collect())
}

/// What several others need.
fn often<'t>(packages: &Packages<'t>) -> Vec<&'t str> {
    let mut needed: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages.values() {
        for group in package.depends.iter().chain(&package.recommends) {
            *needed.entry(group[0]).or_default() += 1;
        }
    }
    needed.retain(|_, count| *count >= NEEDED_BY);
    needed
        .into_keys()
        .filter_map(|name| packages.get_key_value(name).map(|(name, _)| *name))
        .collect()
}

/// The lists that `apt-get update` leaves (`*_NAME*_Packages`): main, updates, security.
fn lists(folder: &Path, release: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.contains(&format!("_{release}")) && name.ends_with("_Packages")
        })
        .collect();
    files.sort_by_key(|path| {
        let name = path.to_string_lossy().into_owned();
        (name.contains("-security"), name.contains("-updates"), name)
    });
    if files.is_empty() {
        return Err(format!("{}: no *_{release}*_Packages", folder.display()).into());
    }
    Ok(files)
}

/// The section of each package, as those lists have it.
fn sections(folder: &Path, release: &str) -> Result<BTreeMap<String, String>, Failure> {
    let mut sections = BTreeMap::new();
    for path in lists(folder, release)? {
        let mut package = String::new();
        for line in std::fs::read_to_string(&path)?.lines() {
            if let Some(name) = line.strip_prefix("Package: ") {
                name.clone_into(&mut package);
            } else if let Some(section) = line.strip_prefix("Section: ") {
                sections.insert(package.clone(), section.to_owned());
            }
        }
    }
    Ok(sections)
}

/// The same lists in the columns of the source table. Of a package in several the one of security counts, then that of updates.
fn index(folder: &Path, release: &str) -> Result<String, Failure> {
    let mut rows: BTreeMap<String, String> = BTreeMap::new();
    for path in lists(folder, release)? {
        let text = std::fs::read_to_string(&path)?;
        for paragraph in text.split("\n\n") {
            let field = |name: &str| {
                paragraph
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                    .unwrap_or_default()
            };
            let name = field("Package");
            if name.is_empty() {
                continue;
            }
            let depends = format!("{}, {}", field("Pre-Depends"), field("Depends"));
            let row = format!(
                "{name}\t{}\t{}\t{}\t{}\t{}",
                field("Size"),
                field("Installed-Size"),
                plain(&depends),
                plain(field("Recommends")),
                plain(field("Provides"))
            );
            rows.insert(name.to_owned(), row);
        }
    }
    let rows: Vec<String> = rows.into_values().collect();
    Ok(format!("name\n{}\n", rows.join("\n")))
}

/// `a (>= 1) | b, c:any` as `a|b c`: versions and architectures are left out.
fn plain(list: &str) -> String {
    let one = |name: &str| {
        let end = name.trim().find([' ', '(', ':', '[']);
        let name = name.trim();
        end.map_or(name, |end| &name[..end]).to_owned()
    };
    let groups = list.split(',').filter(|group| !group.trim().is_empty());
    let groups: Vec<String> = groups
        .map(|group| group.split('|').map(one).collect::<Vec<_>>().join("|"))
        .collect();
    groups.join(" ")
}

fn read<'t>(text: &'t str, minimal: &BTreeSet<&str>) -> Result<(Packages<'t>, Alone<'t>), Failure> {
    let mut rows = Vec::new();
    let mut offered_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [name, download, kib, depends, recommends, provides] = columns.as_slice() else {
            return Err(format!("packages: {line}").into());
        };
        for provided in provides.split_whitespace() {
            offered_by.entry(provided).or_default().insert(name);
        }
        rows.push((*name, *download, *kib, *depends, *recommends));
    }
    let real: BTreeSet<&str> = rows.iter().map(|row| row.0).collect();
    let groups = |column: &'t str| {
        let mut groups: Vec<Vec<&'t str>> = Vec::new();
        for group in column.split_whitespace() {
            let mut choices = Vec::new();
            for name in group.split('|') {
                let itself = real.contains(name).then_some(name);
                for choice in itself
                    .into_iter()
                    .chain(offered_by.get(name).into_iter().flatten().copied())
                {
                    if !choices.contains(&choice) {
                        choices.push(choice);
                    }
                }
            }
            let had = choices.iter().any(|choice| minimal.contains(choice));
            choices.truncate(ALTERNATIVES);
            if !choices.is_empty() && !had && !groups.contains(&choices) {
                groups.push(choices);
            }
        }
        groups
    };
    let alone = offered_by
        .iter()
        .filter(|(name, by)| by.len() == 1 && !real.contains(*name) && is_asked_for(name))
        .filter_map(|(name, by)| Some((*name, *by.first()?)))
        .collect();
    let packages = rows
        .iter()
        .filter(|row| !left_out(row.0))
        .map(|&(name, download, kib, depends, recommends)| {
            let package = Package {
                download,
                kib,
                depends: groups(depends),
                recommends: groups(recommends),
            };
            (name, package)
        })
        .collect();
    Ok((packages, alone))
}

/// Virtual names that a person may write: not those that tie builds of one compiler or interpreter together.
fn is_asked_for(name: &str) -> bool {
    let tail = name.rsplit_once('-').map_or("", |(_, tail)| tail);
    let is_hash = tail.len() == 5 && tail.chars().any(|c| c.is_ascii_digit());
    !is_hash && !name.contains(['(', ':', '+']) && !name.contains("api-") && !name.contains("-abi-")
}

/// Libraries for building Debian packages from Rust, Go, Haskell and OCaml sources, and debug symbols: no image installs them.
fn left_out(name: &str) -> bool {
    name.starts_with("librust-")
        || name.starts_with("libghc-")
        || (name.starts_with("golang-") && name.ends_with("-dev"))
        || name.ends_with("-dbg")
        || name.ends_with("-dbgsym")
        || name.contains("ocaml")
}

/// What no image installs for itself is left out of the rest, unless another package brings it along: manuals, modes of Emacs,
/// dictionaries, some sections, and libraries of languages whose programs take theirs from a registry of their own.
fn often_wanted(name: &str, sections: &BTreeMap<String, String>) -> bool {
    let is = |list: &str, one: &str| list.split(' ').any(|listed| listed == one);
    let section = sections.get(name).map_or("", String::as_str);
    let starts = ["elpa-", "dict-", "node-", "libjs-", "ruby-"];
    let ends = ["-doc", "-cil", "-cil-dev"];
    is(KEPT, name)
        || !(is(SECTIONS_LEFT_OUT, section)
            || starts.iter().any(|start| name.starts_with(start))
            || ends.iter().any(|end| name.ends_with(end))
            || (name.starts_with("lib") && name.ends_with("-java")))
}

fn with_all_they_need<'t>(
    packages: &Packages<'t>,
    start: impl Iterator<Item = &'t str>,
) -> BTreeSet<&'t str> {
    let mut open: Vec<&str> = start.collect();
    let mut all: BTreeSet<&str> = open.iter().copied().collect();
    while let Some(name) = open.pop() {
        let Some(package) = packages.get(name) else {
            continue;
        };
        for group in package.depends.iter().chain(&package.recommends) {
            if packages.contains_key(group[0]) && all.insert(group[0]) {
                open.push(group[0]);
            }
        }
    }
    all.retain(|name| packages.contains_key(name));
    all
}

/// The first three digits of a number: of what is seldom installed the sizes are not needed to the byte.
fn rounded(number: &str) -> String {
    let exact: u64 = number.parse().unwrap_or_default();
    let unit = 10_u64.pow(exact.checked_ilog10().unwrap_or_default().saturating_sub(2));
    ((exact + unit / 2) / unit * unit).to_string()
}

fn write(
    about: &str,
    packages: &Packages,
    names: &BTreeSet<&str>,
    numbers: &BTreeMap<&str, String>,
    alone: &Alone,
    part: usize,
) -> String {
    let mut table = head(
        "2026-11-23",
        about,
        &["name", "download", "installed_kib", "depends", "recommends"],
    );
    let rounded_from = |first: usize, number: &str| {
        if part < first {
            number.to_owned()
        } else {
            rounded(number)
        }
    };
    let column = |groups: &[Vec<&str>]| {
        let groups: Vec<String> = groups
            .iter()
            .map(|group| {
                let rows: Vec<&str> = group
                    .iter()
                    .filter_map(|name| numbers.get(name).map(String::as_str))
                    .collect();
                rows.join("|")
            })
            .filter(|group| !group.is_empty())
            .collect();
        groups.join(" ")
    };
    // Virtual packages behind the others, so that these keep their numbers; `~` sorts after every name.
    for name in names {
        let package = &packages[name];
        let _ = writeln!(
            table,
            "{name}\t{}\t{}\t{}\t{}",
            rounded_from(1, package.download),
            rounded_from(2, package.kib),
            column(&package.depends),
            column(&package.recommends)
        );
    }
    for (name, by) in alone.iter().filter(|(_, by)| names.contains(*by)) {
        let _ = writeln!(table, "~{name}\t{}", numbers[by]);
    }
    table
}
