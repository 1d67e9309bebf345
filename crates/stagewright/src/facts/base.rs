//! What a base image offers to the commands of a Dockerfile (`catalog/bases.toml`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, OnceLock};

use serde::{Deserialize, Serialize};

use super::distro::{Distro, DistroId, Libc};

/// The package manager of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PackageManager {
    /// Debian, Ubuntu.
    Apt,
    /// Alpine.
    Apk,
    /// Fedora, Amazon Linux.
    Dnf,
    /// None: distroless, `scratch`, `busybox`.
    #[default]
    None,
}

/// Names of packages, shared by all who ask about one image.
pub(crate) type Names = Arc<Vec<Arc<str>>>;

/// What is there before the first instruction of the Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offers {
    /// The package manager.
    pub package_manager: PackageManager,
    /// Commands on the `PATH`, besides those that have the name of their package.
    pub commands: Arc<BTreeSet<String>>,
    /// Whether `commands` and `packages` hold all that matters: if not, what is not listed is unknown.
    pub complete: bool,
    /// Distribution packages beyond the minimal system, by the names asked for; what they need is there too.
    pub packages: Names,
    /// Users that exist besides root and the distribution's own.
    pub users: Vec<String>,
    /// dpkg drops documentation, manuals and translations of later installs (the rule of the `-slim` images).
    pub path_exclude: bool,
    /// apt removes downloaded packages by itself (`docker-clean`).
    pub docker_clean: bool,
}

impl Offers {
    /// Whether a command is there: `None` where nobody knows.
    pub fn command(&self, name: &str) -> Option<bool> {
        if self.commands.contains(name) || self.packages.iter().any(|package| **package == *name) {
            return Some(true);
        }
        self.complete.then_some(false)
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: String,
    set: BTreeMap<String, Set>,
    base: Vec<Base>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Set {
    package_manager: Option<PackageManager>,
    commands: String,
    packages: String,
    apk_packages: String,
    user_exists: Vec<String>,
    path_exclude: bool,
    docker_clean: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base {
    family: String,
    #[serde(default)]
    variant: Vec<String>,
    sets: Vec<String>,
    #[serde(default)]
    commands: String,
    #[serde(default)]
    packages: String,
    #[serde(default)]
    apk_packages: String,
    path: Option<String>,
    workdir: Option<String>,
}

/// The file; the sets of an entry are put together once, when somebody asks for it.
struct Bases {
    path: String,
    sets: BTreeMap<String, Set>,
    known: Vec<(Base, OnceLock<Offers>)>,
    /// What a distribution offers, for families without an entry; `debian-slim` under the rule of the slim images.
    unlisted: BTreeMap<&'static str, Offers>,
}

impl Bases {
    /// What the sets offer together.
    fn with<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Offers {
        let mut offers = Offers::default();
        for name in names {
            add(&mut offers, &self.sets[name]);
        }
        offers
    }

    /// What an entry offers.
    fn offers<'s>(&self, (base, offers): &'s (Base, OnceLock<Offers>)) -> &'s Offers {
        offers.get_or_init(|| {
            let mut offers = self.with(base.sets.iter().map(String::as_str));
            offers.complete = true;
            extend(
                &mut offers,
                &base.commands,
                &base.packages,
                &base.apk_packages,
            );
            offers
        })
    }
}

static BASES: LazyLock<Bases> = LazyLock::new(|| {
    let written: Written = toml::from_str(include_str!("../../catalog/bases.toml"))
        .expect("catalog/bases.toml is valid");
    let known = written.base.into_iter();
    let mut bases = Bases {
        path: written.path,
        sets: written.set,
        known: known.map(|base| (base, OnceLock::new())).collect(),
        unlisted: BTreeMap::new(),
    };
    bases.unlisted = BTreeMap::from([
        ("debian", bases.with(["debian"])),
        ("debian-slim", bases.with(["debian", "slim"])),
        ("alpine", bases.with(["alpine"])),
        ("dnf", bases.with(["dnf"])),
        ("none", Offers::default()),
    ]);
    bases
});

/// What the entry of a family says.
pub(crate) struct Entry {
    pub(crate) offers: Cow<'static, Offers>,
    pub(crate) path: &'static str,
    pub(crate) workdir: Option<&'static str>,
}

/// What an image of `family` with these variant words offers.
pub(crate) fn entry(family: &str, variant: &[&str], libc: Libc, distro: &Distro) -> Entry {
    let bases = &*BASES;
    let known = bases.known.iter().find(|(base, _)| {
        base.family == family
            && base
                .variant
                .iter()
                .all(|word| variant.contains(&word.as_str()))
    });
    if let Some(known) = known {
        let base = &known.0;
        return Entry {
            offers: Cow::Borrowed(bases.offers(known)),
            path: base.path.as_deref().unwrap_or(&bases.path),
            workdir: base.workdir.as_deref(),
        };
    }
    let name = match (distro.id, libc) {
        (DistroId::Debian | DistroId::Ubuntu, _) if variant.contains(&"slim") => "debian-slim",
        (DistroId::Debian | DistroId::Ubuntu, _) => "debian",
        (DistroId::Alpine, _) | (_, Libc::Musl) => "alpine",
        (DistroId::Fedora | DistroId::Amazon, _) => "dnf",
        _ => "none",
    };
    Entry {
        offers: Cow::Borrowed(&bases.unlisted[name]),
        path: &bases.path,
        workdir: None,
    }
}

fn add(offers: &mut Offers, set: &Set) {
    if let Some(manager) = set.package_manager {
        offers.package_manager = manager;
    }
    offers.path_exclude |= set.path_exclude;
    offers.docker_clean |= set.docker_clean;
    offers.users.extend_from_slice(&set.user_exists);
    extend(offers, &set.commands, &set.packages, &set.apk_packages);
}

fn extend(offers: &mut Offers, commands: &str, packages: &str, apk_packages: &str) {
    Arc::make_mut(&mut offers.commands).extend(commands.split_whitespace().map(str::to_owned));
    let packages = packages
        .split_whitespace()
        .chain(apk_packages.split_whitespace());
    Arc::make_mut(&mut offers.packages).extend(packages.map(Arc::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(family: &str, variant: &[&str], libc: Libc, distro: &str) -> Cow<'static, Offers> {
        entry(family, variant, libc, &Distro::parse(distro)).offers
    }

    #[test]
    fn slim_images_lack_what_full_ones_have() {
        let full = offers("python", &[], Libc::Glibc, "debian 12");
        let slim = offers("python", &["slim"], Libc::Glibc, "debian 12");
        let alpine = offers("python", &["alpine"], Libc::Musl, "alpine 3.20");
        assert_eq!(full.command("gcc"), Some(true));
        assert_eq!(slim.command("gcc"), Some(false));
        assert_eq!(slim.command("bash"), Some(true));
        assert_eq!(alpine.command("bash"), Some(false));
        assert_eq!(alpine.command("useradd"), Some(false));
        assert_eq!(alpine.package_manager, PackageManager::Apk);
        assert!(slim.path_exclude && !full.path_exclude);
        assert!(full.packages.iter().any(|name| &**name == "libpq-dev"));
        assert!(slim.docker_clean);
    }

    #[test]
    fn what_is_not_listed_of_an_unlisted_family_is_unknown() {
        let tomcat = offers("tomcat", &["slim"], Libc::Glibc, "debian 12");
        assert_eq!(tomcat.command("bash"), Some(true));
        assert_eq!(tomcat.command("java"), None);
        assert!(tomcat.path_exclude);
    }

    #[test]
    fn every_entry_is_put_together() {
        assert!(BASES.known.len() > 20);
        for known in &BASES.known {
            let (base, offers) = (&known.0, BASES.offers(known));
            let distroless = base.family.starts_with("gcr.io/distroless");
            assert_eq!(
                offers.package_manager == PackageManager::None,
                distroless,
                "{}",
                base.family
            );
        }
    }
}
