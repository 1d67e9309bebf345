//! Which packages a project needs for what, where the lock file only tells what each package asks for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::LockedPython;

/// What one package asks for.
pub(super) struct Needs<'t> {
    pub(super) root: bool,
    pub(super) main: Vec<Need<'t>>,
    pub(super) extras: BTreeMap<&'t str, Vec<Need<'t>>>,
    pub(super) groups: BTreeMap<&'t str, Vec<Need<'t>>>,
}

pub(super) struct Need<'t> {
    pub(super) name: String,
    pub(super) marker: Option<&'t str>,
    pub(super) extras: Vec<&'t str>,
}

/// Marks each package with the groups that lead to it; what nothing leads to is left out. Markers are those of the first way there.
pub(super) fn reach(packages: &mut Vec<LockedPython>, needs: &[Needs<'_>]) {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, package) in packages.iter().enumerate() {
        by_name.entry(package.name.clone()).or_default().push(at);
    }
    // `None` is the application itself.
    let mut found: BTreeMap<usize, BTreeSet<Option<String>>> = BTreeMap::new();
    let mut markers: BTreeMap<usize, Option<String>> = BTreeMap::new();
    let mut groups: Vec<Option<&str>> = vec![None];
    for need in needs.iter().filter(|need| need.root) {
        groups.extend(
            need.groups
                .keys()
                .chain(need.extras.keys())
                .map(|name| Some(*name)),
        );
    }
    groups.sort_unstable();
    groups.dedup();
    for group in groups {
        let mut open: VecDeque<(&Need<'_>, Option<&str>)> = VecDeque::new();
        for need in needs.iter().filter(|need| need.root) {
            let lists = match group {
                None => [Some(&need.main), None],
                Some(group) => [need.groups.get(group), need.extras.get(group)],
            };
            open.extend(lists.into_iter().flatten().flatten().map(|one| (one, None)));
        }
        let mut seen: BTreeSet<(usize, Vec<&str>)> = BTreeSet::new();
        while let Some((need, outer)) = open.pop_front() {
            let marker = need.marker.or(outer);
            for &at in by_name.get(&need.name).into_iter().flatten() {
                let mut extras = need.extras.clone();
                extras.sort_unstable();
                if !seen.insert((at, extras.clone())) {
                    continue;
                }
                found
                    .entry(at)
                    .or_default()
                    .insert(group.map(str::to_owned));
                let known = markers
                    .entry(at)
                    .or_insert_with(|| marker.map(str::to_owned));
                if marker.is_none() {
                    *known = None;
                }
                open.extend(needs[at].main.iter().map(|one| (one, marker)));
                for extra in extras {
                    let list = needs[at].extras.get(extra);
                    open.extend(list.into_iter().flatten().map(|one| (one, marker)));
                }
            }
        }
    }
    let mut at = 0;
    packages.retain_mut(|package| {
        let groups = found.remove(&at);
        let marker = markers.remove(&at).flatten();
        at += 1;
        let Some(groups) = groups else { return false };
        if !groups.contains(&None) {
            package.groups = groups.into_iter().flatten().collect();
        }
        package.marker = marker;
        true
    });
}
