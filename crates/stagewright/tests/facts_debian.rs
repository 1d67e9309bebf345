//! Debian packages against apt itself and against real installs.

use stagewright::facts::{Catalog, ImageFacts};

fn base(reference: &str) -> ImageFacts {
    Catalog::builtin().image(reference, None).expect("known")
}

// What apt said in a minimal bookworm root: packages, and the exact sum of their Installed-Size.
#[test]
fn closures_are_those_of_apt() {
    let base = base("debian:bookworm");
    let (mut exact, mut sets) = ([0, 0], [0, 0]);
    for line in include_str!("data/debian_closure.tsv").lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let recommends = columns[1] == "1";
        let (packages, sum): (usize, u64) = (
            columns[2].parse().expect("a number"),
            columns[4].parse().expect("a number"),
        );
        let closure = Catalog::builtin().debian_packages(&[columns[0]], recommends, &base);
        let installed: u64 = closure
            .packages
            .iter()
            .map(|package| package.installed)
            .sum();
        let download: u64 = closure
            .packages
            .iter()
            .map(|package| package.download)
            .sum();
        let said: u64 = columns[3].parse().expect("a number");
        sets[usize::from(recommends)] += 1;
        if installed == sum {
            assert_eq!(closure.packages.len(), packages, "{}", columns[0]);
            // In some of the sets apt fetched a newer perl-base too.
            assert!(
                download.abs_diff(said) <= said / 100 + 1_800_000,
                "{}: {download} for {said}",
                columns[0]
            );
            exact[usize::from(recommends)] += 1;
        } else {
            assert!(
                installed.abs_diff(sum) * 100 <= sum,
                "{}: {installed} for {sum}",
                columns[0]
            );
        }
        assert!(closure.unknown.is_empty());
    }
    assert_eq!(sets, [21, 21]);
    assert_eq!(exact[0], 21);
    assert!(exact[1] >= 19, "{} of 21 with Recommends", exact[1]);
}

// What `apt-get --simulate` installs anew beside the 78 packages of a minimal trixie root: packages, and the sum of their Installed-Size.
#[test]
fn closures_of_trixie_are_those_of_apt() {
    let base = base("debian:trixie");
    let (mut exact, mut sets) = ([0, 0], [0, 0]);
    for line in include_str!("data/debian_closure_trixie.tsv")
        .lines()
        .skip(1)
    {
        let columns: Vec<&str> = line.split('\t').collect();
        let recommends = columns[1] == "1";
        let sum: u64 = columns[3].parse().expect("a number");
        let closure = Catalog::builtin().debian_packages(&[columns[0]], recommends, &base);
        let installed: u64 = closure
            .packages
            .iter()
            .map(|package| package.installed)
            .sum();
        sets[usize::from(recommends)] += 1;
        exact[usize::from(recommends)] += usize::from(installed == sum);
        assert!(
            installed.abs_diff(sum) * 50 <= sum,
            "{}: {installed} for {sum}",
            columns[0]
        );
        assert!(closure.unknown.is_empty());
    }
    assert_eq!(sets, [21, 21]);
    assert_eq!(exact[0], 21);
    assert!(exact[1] >= 18, "{} of 21 with Recommends", exact[1]);
}

// Layers of real installs. An upgrade of perl-base that happened in some of them is no part of the sets: left out by what was rewritten
// beyond the databases (at most 2 MB elsewhere).
#[test]
fn layers_are_those_of_real_installs() {
    let mut rows = 0;
    for line in include_str!("data/apt_layer_measured.tsv").lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let names: Vec<&str> = columns[1].split(' ').collect();
        let number = |index: usize| columns[index].parse::<u64>().unwrap_or_default();
        let base = base(if columns[0].contains("slim") {
            "debian:bookworm-slim"
        } else {
            "debian:bookworm"
        });
        let closure = Catalog::builtin().debian_packages(&names, columns[2] == "yes", &base);
        let upgrade = if number(6) > 10_000_000 {
            11_400_000
        } else {
            0
        };
        let layer = number(5) - upgrade;
        let size = closure.installed;
        assert!(
            size.low <= layer && layer <= size.high,
            "{} on {}: {size:?} for {layer}",
            columns[1],
            columns[0]
        );
        rows += 1;
    }
    assert_eq!(rows, 15);
}

#[test]
fn what_the_base_has_is_not_installed_again() {
    let full = base("python:3.12-bookworm");
    let slim = base("python:3.12-slim-bookworm");
    let on = |base: &ImageFacts| {
        Catalog::builtin().debian_packages(&["gcc", "libpq-dev", "curl"], false, base)
    };
    let nothing = on(&full);
    assert_eq!((nothing.packages.len(), nothing.present.len()), (0, 3));
    assert_eq!(nothing.installed.expected, 0);
    let all = on(&slim);
    assert!(
        all.packages
            .iter()
            .any(|package| package.name == "libpq-dev")
    );
    assert!(
        !all.packages
            .iter()
            .any(|package| package.name == "ca-certificates"),
        "the slim image has it"
    );
    assert!(all.installed.expected > 180_000_000);
}

#[test]
fn unknown_names_and_other_releases_widen_the_range() {
    let bookworm = base("debian:bookworm-slim");
    let known = Catalog::builtin().debian_packages(&["curl"], false, &bookworm);
    let with_unknown =
        Catalog::builtin().debian_packages(&["curl", "no-such-package"], false, &bookworm);
    assert_eq!(with_unknown.unknown, ["no-such-package"]);
    assert!(with_unknown.installed.high > known.installed.high + 10_000_000);
    let older = Catalog::builtin().debian_packages(&["curl"], false, &base("debian:bullseye-slim"));
    assert!(
        older.installed.high - older.installed.low > known.installed.high - known.installed.low
    );
    assert!(older.basis.source.contains("another release"));
    // What the table of trixie lacks is taken from bookworm, and said.
    let rare =
        Catalog::builtin().debian_packages(&["warzone2100"], false, &base("debian:trixie-slim"));
    assert_eq!(rare.unknown, Vec::<String>::new());
    assert!(
        rare.basis.source.contains("another release"),
        "{}",
        rare.basis.source
    );
    let trixie = Catalog::builtin().debian_packages(&["curl"], false, &base("debian:trixie-slim"));
    assert!(!trixie.basis.source.contains("another release"));
    let none = Catalog::builtin().debian_packages(&[], true, &bookworm);
    assert_eq!(none.installed.high, 0);
    let pinned = Catalog::builtin().debian_packages(
        &["curl=7.88.1-10+deb12u8", "curl:amd64"],
        false,
        &bookworm,
    );
    assert_eq!(pinned.packages, known.packages);
    let virtual_name = Catalog::builtin().debian_packages(&["libxslt-dev"], false, &bookworm);
    assert_eq!(
        virtual_name.packages[0].name, "libxslt1-dev",
        "the one that provides it"
    );
}

#[test]
fn rare_packages_are_in_the_second_table() {
    let closure = Catalog::builtin().debian_packages(&["0ad"], false, &base("debian:bookworm"));
    assert!(closure.unknown.is_empty());
    assert!(closure.packages.len() > 20 && closure.installed.expected > 3_000_000_000);
    assert!(Catalog::builtin().debian_lists().0.expected > 19_000_000);
}
