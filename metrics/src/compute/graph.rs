//! The commits of a repository and who descends from whom.

use std::collections::HashMap;

/// A commit graph. Commits are numbered in the order given.
#[derive(Debug, Default)]
pub struct Graph {
    numbers: HashMap<String, u32>,
    parents: Vec<Vec<u32>>,
}

impl Graph {
    /// From commits with their parents. A parent that is not a commit itself ends the walk there.
    pub fn new(commits: Vec<(String, Vec<String>)>) -> Graph {
        let mut numbers = HashMap::with_capacity(commits.len());
        for (number, (sha, _)) in (0_u32..).zip(&commits) {
            numbers.insert(sha.clone(), number);
        }
        let known =
            |shas: &[String]| shas.iter().filter_map(|sha| numbers.get(sha).copied()).collect();
        let parents = commits.iter().map(|(_, shas)| known(shas)).collect();
        Graph { numbers, parents }
    }

    /// The number of the commit, if it is in the graph.
    pub fn number(&self, sha: &str) -> Option<u32> {
        self.numbers.get(sha).copied()
    }

    /// Marks `from` and everything it descends from in `seen`, and calls `visit` for each commit
    /// that was not marked before.
    pub fn mark(&self, from: u32, seen: &mut Seen, mut visit: impl FnMut(u32)) {
        let mut open = vec![from];
        while let Some(commit) = open.pop() {
            if !seen.mark(commit) {
                continue;
            }
            visit(commit);
            open.extend(&self.parents[commit as usize]);
        }
    }

    /// Whether `ancestor` is an ancestor of `commit`, and not `commit` itself.
    pub fn is_ancestor(&self, ancestor: u32, commit: u32) -> bool {
        if ancestor == commit {
            return false;
        }
        let mut found = false;
        self.mark(commit, &mut self.nothing_seen(), |seen| found |= seen == ancestor);
        found
    }

    /// A set of commits with nothing in it.
    pub fn nothing_seen(&self) -> Seen {
        Seen(vec![false; self.parents.len()])
    }
}

/// A set of commits of one graph.
#[derive(Debug)]
pub struct Seen(Vec<bool>);

impl Seen {
    /// Whether the commit is in the set.
    pub fn contains(&self, commit: u32) -> bool {
        self.0[commit as usize]
    }

    /// Adds the commit, and tells whether it is new.
    fn mark(&mut self, commit: u32) -> bool {
        !std::mem::replace(&mut self.0[commit as usize], true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a ← b ← d ← e` with a branch `b ← c ← d`.
    fn diamond() -> Graph {
        let commit = |sha: &str, parents: &[&str]| {
            (sha.to_owned(), parents.iter().map(|parent| (*parent).to_owned()).collect())
        };
        Graph::new(vec![
            commit("a", &["before-our-time"]),
            commit("b", &["a"]),
            commit("c", &["b"]),
            commit("d", &["b", "c"]),
            commit("e", &["d"]),
        ])
    }

    #[test]
    fn a_walk_stops_where_an_earlier_one_has_been() {
        let graph = diamond();
        let number = |sha| graph.number(sha).unwrap();
        let mut seen = graph.nothing_seen();
        graph.mark(number("b"), &mut seen, |_| ());
        let mut fresh = Vec::new();
        graph.mark(number("e"), &mut seen, |commit| fresh.push(commit));
        fresh.sort_unstable();
        assert_eq!(fresh, [number("c"), number("d"), number("e")]);
    }

    #[test]
    fn ancestry_is_strict_and_one_way() {
        let graph = diamond();
        let number = |sha| graph.number(sha).unwrap();
        assert!(graph.is_ancestor(number("c"), number("e")));
        assert!(!graph.is_ancestor(number("e"), number("c")));
        assert!(!graph.is_ancestor(number("c"), number("c")));
    }
}
