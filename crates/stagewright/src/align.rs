//! What two lists have in common.

/// The most cells of a table of comparisons.
const CELLS: usize = 4_000_000;

/// How far the next equal item is looked for in lists that are too long for a table.
const AHEAD: usize = 64;

/// The places of equal items in both lists, in the order of both: their longest common subsequence. Lists that are too long to find it
/// are walked together, each item to the next one near that equals it.
pub(crate) fn common<T, U>(
    was: &[T],
    is: &[U],
    same: impl Fn(&T, &U) -> bool,
) -> Vec<(usize, usize)> {
    let head = was
        .iter()
        .zip(is)
        .take_while(|(one, two)| same(one, two))
        .count();
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|at| (at, at)).collect();
    let width = is.len() - head + 1;
    let (mut i, mut j) = (head, head);
    if (was.len() - head + 1).saturating_mul(width) > CELLS {
        while i < was.len() && j < is.len() {
            let ahead = &was[i..was.len().min(i + AHEAD)];
            if let Some(skipped) = ahead.iter().position(|one| same(one, &is[j])) {
                pairs.push((i + skipped, j));
                i += skipped + 1;
            }
            j += 1;
        }
        return pairs;
    }
    // The longest from each place to the end, from the end.
    let mut longest = vec![0_u32; (was.len() - head + 1) * width];
    let at = |i: usize, j: usize| (i - head) * width + (j - head);
    for i in (head..was.len()).rev() {
        for j in (head..is.len()).rev() {
            longest[at(i, j)] = if same(&was[i], &is[j]) {
                longest[at(i + 1, j + 1)] + 1
            } else {
                longest[at(i + 1, j)].max(longest[at(i, j + 1)])
            };
        }
    }
    while i < was.len() && j < is.len() {
        if same(&was[i], &is[j]) {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if longest[at(i + 1, j)] >= longest[at(i, j + 1)] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(was: &str, is: &str) -> Vec<(usize, usize)> {
        common(was.as_bytes(), is.as_bytes(), |one, two| one == two)
    }

    #[test]
    fn the_longest_common_subsequence_is_found() {
        assert_eq!(of("abc", "abc"), [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(of("abcd", "acbd"), [(0, 0), (2, 1), (3, 3)]);
        assert_eq!(of("xab", "ab"), [(1, 0), (2, 1)]);
        assert_eq!(of("", "ab"), []);
    }

    #[test]
    fn long_lists_are_walked_together() {
        let was: Vec<usize> = (0..5000).collect();
        let is: Vec<usize> = (1..5000).filter(|number| number % 7 != 0).collect();
        let pairs = common(&was, &is, |one, two| one == two);
        assert_eq!(pairs.len(), is.len());
        assert!(pairs.iter().all(|(i, j)| was[*i] == is[*j]));
    }
}
