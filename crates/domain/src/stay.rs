//! Where an issue was all its life.

use crate::Moment;

/// A stretch of time in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay<P> {
    /// Since when.
    pub at: Moment,
    /// Until when; the last one goes on.
    pub until: Option<Moment>,
    /// Where.
    pub place: P,
}

/// Where an issue was all its life, without gap or overlap. The first stay begins when it was made,
/// in the place that the first change leaves; every change ends one and begins the next, in the
/// order given. A change that is dated before the issue was made moves the beginning there.
pub fn stays<P: Clone>(created_at: Moment, now: P, changes: &[(Moment, P, P)]) -> Vec<Stay<P>> {
    let mut stays = Vec::with_capacity(changes.len() + 1);
    let Some((first_at, first_from, _)) = changes.first() else {
        return vec![Stay { at: created_at, until: None, place: now }];
    };
    let mut at = created_at.min(*first_at);
    let mut place = first_from.clone();
    for (when, _, to) in changes {
        stays.push(Stay { at, until: Some(*when), place });
        at = *when;
        place = to.clone();
    }
    stays.push(Stay { at, until: None, place });
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Moment {
        Moment::from_timestamp(1_770_000_000 + hour * 3_600, 0).unwrap()
    }

    #[test]
    fn the_first_stay_begins_in_what_the_first_change_leaves() {
        let unchanged = stays(at(0), 'x', &[]);
        assert_eq!(unchanged, [Stay { at: at(0), until: None, place: 'x' }]);
        let changed = stays(at(0), 'c', &[(at(2), 'a', 'b'), (at(3), 'b', 'c')]);
        let expected = [
            Stay { at: at(0), until: Some(at(2)), place: 'a' },
            Stay { at: at(2), until: Some(at(3)), place: 'b' },
            Stay { at: at(3), until: None, place: 'c' },
        ];
        assert_eq!(changed, expected);
        // Imported with a history that is older than itself.
        let imported = stays(at(5), 'b', &[(at(2), 'a', 'b')]);
        assert_eq!((imported[0].at, imported[0].until), (at(2), Some(at(2))));
    }
}
