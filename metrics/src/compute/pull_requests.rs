//! The stages of a pull request: coding, pickup, review, deploy, and the whole lead time.

use domain::Moment;

/// The moments of a pull request's life that stages are cut at.
#[derive(Debug, Clone, Default)]
pub struct Life {
    /// The earliest authored date of its commits.
    pub first_commit_at: Option<Moment>,
    /// When it was opened, or last became ready for review.
    pub open_at: Option<Moment>,
    /// The first review or review comment of another human.
    pub first_review_at: Option<Moment>,
    /// When it was merged.
    pub merged_at: Option<Moment>,
    /// The finish of the first successful production deployment that contains it.
    pub deployed_at: Option<Moment>,
}

/// Lengths in seconds; a stage without both ends, or one that would be negative, has none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stages {
    /// First commit to open.
    pub coding: Option<f64>,
    /// Open to first review.
    pub pickup: Option<f64>,
    /// First review to merge.
    pub review: Option<f64>,
    /// Merge to deployment.
    pub deploy: Option<f64>,
    /// First commit to deployment.
    pub lead: Option<f64>,
}

impl Life {
    /// Cuts the stages.
    pub fn stages(&self) -> Stages {
        Stages {
            coding: seconds(self.first_commit_at, self.open_at),
            pickup: seconds(self.open_at, self.first_review_at),
            review: seconds(self.first_review_at, self.merged_at),
            deploy: seconds(self.merged_at, self.deployed_at),
            lead: seconds(self.first_commit_at, self.deployed_at),
        }
    }
}

fn seconds(from: Option<Moment>, to: Option<Moment>) -> Option<f64> {
    let length = (to? - from?).as_seconds_f64();
    (length >= 0.0).then_some(length)
}

/// A verdict or a comment on a diff.
#[derive(Debug, Clone)]
pub struct Reviewed<'a> {
    /// Who; a deleted user has no name.
    pub author: Option<&'a str>,
    /// A machine.
    pub bot: bool,
    /// When; a pending review has none.
    pub at: Option<Moment>,
}

/// When another human than the author first reviewed.
pub fn first_review<'a>(
    author: Option<&str>,
    reviews: impl IntoIterator<Item = Reviewed<'a>>,
) -> Option<Moment> {
    reviews
        .into_iter()
        .filter(|review| !review.bot && review.author != author)
        .filter_map(|review| review.at)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Option<Moment> {
        Moment::from_timestamp(1_770_000_000 + hour * 3_600, 0)
    }

    const HOUR: f64 = 3_600.0;

    #[test]
    fn stages_add_up_to_the_whole() {
        let life = Life {
            first_commit_at: at(0),
            open_at: at(5),
            first_review_at: at(7),
            merged_at: at(8),
            deployed_at: at(20),
        };
        let stages = life.stages();
        assert_eq!(
            stages,
            Stages {
                coding: Some(5.0 * HOUR),
                pickup: Some(2.0 * HOUR),
                review: Some(HOUR),
                deploy: Some(12.0 * HOUR),
                lead: Some(20.0 * HOUR),
            }
        );
    }

    #[test]
    fn a_negative_stage_is_none_and_never_zero() {
        let committed_later = Life { first_commit_at: at(6), open_at: at(5), ..Life::default() };
        assert_eq!(committed_later.stages().coding, None);
        let at_once = Life { first_commit_at: at(5), open_at: at(5), ..Life::default() };
        assert_eq!(at_once.stages().coding, Some(0.0));
    }

    #[test]
    fn only_another_human_reviews() {
        let review = |author, bot, hour| Reviewed { author, bot, at: at(hour) };
        let cases = [
            (vec![review(Some("ada"), false, 1), review(Some("bob"), false, 3)], at(3)),
            (vec![review(Some("scanner"), true, 1), review(Some("bob"), false, 2)], at(2)),
            (vec![review(None, false, 4)], at(4)),
            (vec![Reviewed { author: Some("bob"), bot: false, at: None }], None),
            (vec![], None),
        ];
        for (reviews, expected) in cases {
            assert_eq!(first_review(Some("ada"), reviews.clone()), expected, "{reviews:?}");
        }
    }
}
