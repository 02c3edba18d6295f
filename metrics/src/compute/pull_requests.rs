//! What we make of a pull request: its stages, and the attention that it got.

use std::collections::{HashMap, HashSet};

use domain::Moment;
use domain::pull_request::reverted_title;
use store::metrics::{PullRequestFact, PullRequestLife, Repository, ReviewAt, Said};

#[cfg(test)]
mod tests;

/// What there is around a pull request that decides about it.
#[derive(Debug, Default)]
pub struct Around<'a> {
    /// Its reviews and comments on its diff.
    pub reviews: &'a [ReviewAt],
    /// How many comments of people are in its conversation.
    pub comments: i64,
    /// Its number and when each of its commits came about, in order; only needed where somebody
    /// requested changes.
    pub commits: &'a [(i64, Moment)],
    /// A later one took it back.
    pub reverted: bool,
    /// The first successful production deployment that contains it, and when that finished.
    pub deployment: Option<(String, Moment)>,
}

/// What we make of it.
pub fn fact(repository: &Repository, read: PullRequestLife, around: Around<'_>) -> PullRequestFact {
    let author = read.author.as_deref();
    let others: Vec<&ReviewAt> = by_others(author, around.reviews).collect();
    let is_verdict = |review: &&&ReviewAt| review.said != Said::Remark;
    let reviewers: HashSet<Option<&str>> =
        others.iter().map(|review| review.author.as_deref()).collect();
    let is_remark = |review: &&ReviewAt| review.said == Said::Remark && !review.bot;
    let remarks = around.reviews.iter().filter(is_remark).count();
    let (deployment, deployed_at) = around.deployment.unzip();
    let life = Life {
        first_commit_at: read.first_commit_at,
        open_at: Some(read.ready_at.unwrap_or(read.created_at)),
        first_review_at: others.iter().filter_map(|review| review.at).min(),
        merged_at: read.merged_at,
        deployed_at,
    };
    let stages = life.stages();
    PullRequestFact {
        integration: repository.integration,
        repository: repository.id,
        number: read.number,
        first_commit_at: life.first_commit_at,
        first_review_at: life.first_review_at,
        coding_seconds: stages.coding,
        pickup_seconds: stages.pickup,
        review_seconds: stages.review,
        deploy_seconds: stages.deploy,
        lead_seconds: stages.lead,
        deployment,
        deployed_at,
        author_is_bot: read.author_is_bot,
        is_open: read.is_open,
        draft: read.draft,
        opened_at: read.ready_at.unwrap_or(read.created_at),
        merged_at: read.merged_at,
        lines: read.lines,
        files: read.files,
        reviews: count(others.iter().filter(is_verdict).count()),
        reviewers: count(reviewers.len()),
        comments: around.comments + count(remarks),
        review_rounds: review_rounds(&others, around.commits),
        reverted: around.reverted,
    }
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).expect("fewer than 2^63 rows")
}

/// What was said by people other than the author; a review that was not given says nothing.
fn by_others<'a>(
    author: Option<&str>,
    reviews: &'a [ReviewAt],
) -> impl Iterator<Item = &'a ReviewAt> {
    reviews
        .iter()
        .filter(move |review| !review.bot && review.author.as_deref() != author)
        .filter(|review| review.at.is_some())
}

/// How often somebody requested changes and commits followed. Requests without commits between them
/// are one round.
fn review_rounds(others: &[&ReviewAt], commits: &[(i64, Moment)]) -> i64 {
    let requests = others.iter().filter(|review| review.said == Said::ChangesRequested);
    let mut requests: Vec<Moment> = requests.filter_map(|review| review.at).collect();
    requests.sort_unstable();
    let mut rounds = 0;
    let mut answered: Option<Moment> = None;
    for request in requests {
        if answered.is_some_and(|at| request < at) {
            continue;
        }
        // Commits are in order.
        let Some((_, next)) = commits.iter().find(|(_, at)| *at > request) else { break };
        answered = Some(*next);
        rounds += 1;
    }
    rounds
}

/// Numbers of merged reverts, each with that of the pull request which it took back: of several with the
/// title that it quotes, the last that was merged before it was opened.
pub fn taken_back(lives: &[PullRequestLife]) -> HashMap<i64, i64> {
    let mut merged: HashMap<&str, Vec<(Moment, i64)>> = HashMap::new();
    for life in lives {
        if let Some(at) = life.merged_at {
            merged.entry(&life.title).or_default().push((at, life.number));
        }
    }
    let original = |revert: &PullRequestLife| {
        let of_title = merged.get(reverted_title(&revert.title)?)?;
        let before = of_title.iter().filter(|(at, _)| *at <= revert.created_at);
        before.max().map(|(_, number)| (revert.number, *number))
    };
    lives.iter().filter(|life| life.merged_at.is_some()).filter_map(original).collect()
}

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
