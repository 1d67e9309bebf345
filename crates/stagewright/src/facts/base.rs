//! What a base image offers to the commands of a Dockerfile (`catalog/bases.toml`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

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

/// What is there before the first instruction of the Dockerfile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offers {
    /// The package manager.
    pub package_manager: PackageManager,
    /// Commands on the `PATH`.
    pub commands: BTreeSet<String>,
    /// Whether `commands` and `packages` hold all that matters: if not, what is not listed is unknown.
    pub complete: bool,
    /// Distribution packages beyond the minimal system, by the names asked for; what they need is there too.
    pub packages: Vec<String>,
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
        if self.commands.contains(name) {
            return Some(true);
        }
        self.complete.then_some(false)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bases {
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

static BASES: LazyLock<Bases> = LazyLock::new(|| {
    toml::from_str(include_str!("../../catalog/bases.toml")).expect("catalog/bases.toml is valid")
});

/// What the entry of a family says beyond its offers.
pub(crate) struct Entry {
    pub(crate) offers: Offers,
    pub(crate) path: &'static str,
    pub(crate) workdir: Option<&'static str>,
}

/// What an image of `family` with these variant words offers.
pub(crate) fn entry(family: &str, variant: &[&str], libc: Libc, distro: &Distro) -> Entry {
    let bases = &*BASES;
    let known = bases.base.iter().find(|base| {
        base.family == family
            && base
                .variant
                .iter()
                .all(|word| variant.contains(&word.as_str()))
    });
    let mut offers = Offers {
        complete: known.is_some(),
        ..Offers::default()
    };
    if let Some(base) = known {
        for name in &base.sets {
            add(&mut offers, &bases.set[name]);
        }
        extend(
            &mut offers,
            &base.commands,
            &base.packages,
            &base.apk_packages,
        );
    } else {
        let set = match (distro.id, libc) {
            (DistroId::Debian | DistroId::Ubuntu, _) => Some("debian"),
            (DistroId::Alpine, _) | (_, Libc::Musl) => Some("alpine"),
            (DistroId::Fedora | DistroId::Amazon, _) => Some("dnf"),
            _ => None,
        };
        if let Some(set) = set {
            add(&mut offers, &bases.set[set]);
        }
        if variant.contains(&"slim") && offers.package_manager == PackageManager::Apt {
            add(&mut offers, &bases.set["slim"]);
        }
    }
    Entry {
        offers,
        path: known
            .and_then(|base| base.path.as_deref())
            .unwrap_or(&bases.path),
        workdir: known.and_then(|base| base.workdir.as_deref()),
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
    offers
        .commands
        .extend(commands.split_whitespace().map(str::to_owned));
    let packages = packages
        .split_whitespace()
        .chain(apk_packages.split_whitespace());
    offers.packages.extend(packages.map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(family: &str, variant: &[&str], libc: Libc, distro: &str) -> Offers {
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
        assert!(full.packages.iter().any(|name| name == "libpq-dev"));
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
    fn every_entry_names_sets_that_exist() {
        for base in &BASES.base {
            for set in &base.sets {
                assert!(BASES.set.contains_key(set), "{}: {set}", base.family);
            }
        }
    }
}
