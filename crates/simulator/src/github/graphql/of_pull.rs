//! The fields of a pull request and of everything that hangs on it.

use super::Refusal;
use super::node::{Node, Reached};
use super::page::page;
use super::query::Arguments;
use super::schema::{Schema, at, maybe, maybe_at, value};
use crate::world::git::*;

impl<'w> Schema<'w> {
    pub(super) fn pull(
        &self,
        repository: &'w Repository,
        pull: &'w Pull,
        field: &str,
        given: &Arguments,
    ) -> Result<Option<Reached<'w>>, Refusal> {
        let name = format!("{}n{}", repository.id, pull.number);
        let sha = |at: Option<usize>| at.map(|at| repository.commits[at].sha.clone());
        Ok(Some(match field {
            "id" => value(format!("PR_kw{name}")),
            "fullDatabaseId" => value(pull.id.to_string()),
            "databaseId" => value(pull.id),
            "number" => value(pull.number),
            "state" => value(pull.state.word()),
            "isDraft" => value(pull.draft),
            "title" => value(pull.title.as_str()),
            "body" | "bodyText" => value(pull.body.as_str()),
            "url" | "permalink" => {
                let full_name = format!("{}/{}", self.world.org, repository.name);
                value(format!("https://github.com/{full_name}/pull/{}", pull.number))
            }
            "createdAt" => at(pull.created),
            "updatedAt" => at(pull.updated),
            "closedAt" => maybe_at(pull.closed),
            "mergedAt" => maybe_at(pull.merged),
            "closed" => value(pull.state != PullState::Open),
            "merged" => value(pull.state == PullState::Merged),
            "additions" => value(pull.additions),
            "deletions" => value(pull.deletions),
            "changedFiles" => value(pull.changed_files),
            "headRefName" => value(pull.head_ref.as_str()),
            "headRefOid" => value(sha(pull.commits.last().copied())),
            "baseRefName" => value(pull.base_ref),
            "baseRefOid" => value(sha(pull.base)),
            "headRepository" => {
                maybe((!pull.from_lost_fork).then_some(Node::Repository(repository)))
            }
            "isCrossRepository" => value(pull.from_lost_fork),
            "mergeCommit" => {
                let merged = pull.merge_sha.as_ref().filter(|_| pull.merged.is_some());
                let index = merged.and_then(|sha| repository.shas.get(sha));
                maybe(index.map(|&index| Node::Commit(repository, index)))
            }
            "author" => self.author(pull.author),
            "mergedBy" => pull.merged_by.map_or(Reached::Nothing, |merger| self.author(merger)),
            "repository" => Reached::Node(Node::Repository(repository)),
            "labels" => {
                let nodes = pull.labels.iter();
                let nodes = nodes.map(|label| ((*label).to_owned(), Node::Label(label))).collect();
                page("LabelConnection", &format!("labels/{name}"), nodes, given)?
            }
            "commits" => {
                let nodes = pull.commits.iter();
                let nodes =
                    nodes.map(|&at| (at.to_string(), Node::PullCommit(repository, at))).collect();
                page("PullRequestCommitConnection", &format!("commits/{name}"), nodes, given)?
            }
            "reviews" => {
                let nodes = (0..pull.reviews.len())
                    .map(|at| (at.to_string(), Node::Review(repository, pull, at)))
                    .collect();
                page("PullRequestReviewConnection", &format!("reviews/{name}"), nodes, given)?
            }
            "comments" => {
                let nodes = pull.comments.iter();
                let nodes = nodes.map(|c| (c.id.to_string(), Node::Comment(c))).collect();
                page("IssueCommentConnection", &format!("comments/{name}"), nodes, given)?
            }
            "reviewThreads" => {
                let nodes = (0..pull.remarks.len())
                    .filter(|&at| pull.remarks[at].answers.is_none())
                    .map(|at| (at.to_string(), Node::Thread(repository, pull, at)))
                    .collect();
                page("PullRequestReviewThreadConnection", &format!("threads/{name}"), nodes, given)?
            }
            "timelineItems" => {
                let wanted = given.texts("itemTypes");
                let fits = |node: &Node| {
                    wanted.as_ref().is_none_or(|wanted| wanted.contains(&&*item_type(node.kind())))
                };
                let nodes = pull
                    .timeline
                    .iter()
                    .enumerate()
                    .map(|(at, happening)| (at.to_string(), Node::Happening(repository, happening)))
                    .filter(|(_, node)| fits(node))
                    .collect();
                page(
                    "PullRequestTimelineItemsConnection",
                    &format!("timeline/{name}"),
                    nodes,
                    given,
                )?
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn review(
        &self,
        repository: &'w Repository,
        pull: &'w Pull,
        index: usize,
        field: &str,
        given: &Arguments,
    ) -> Result<Option<Reached<'w>>, Refusal> {
        let review = &pull.reviews[index];
        let name = format!("{}n{}i{index}", repository.id, pull.number);
        Ok(Some(match field {
            "id" => value(format!("PRR_kw{name}")),
            "fullDatabaseId" => value(review.id.to_string()),
            "databaseId" => value(review.id),
            "state" => value(review.state),
            "submittedAt" => maybe_at(review.submitted),
            "createdAt" | "updatedAt" => at(review.created),
            "author" => self.author(review.author),
            "body" => value(""),
            "commit" => Reached::Node(Node::Commit(repository, review.commit)),
            "pullRequest" => Reached::Node(Node::Pull(repository, pull)),
            "comments" => {
                let remarks = pull.remarks.iter().enumerate();
                let nodes = remarks
                    .filter(|(_, remark)| remark.review == index)
                    .map(|(at, _)| (at.to_string(), Node::Remark(repository, pull, at)))
                    .collect();
                page("PullRequestReviewCommentConnection", &format!("review/{name}"), nodes, given)?
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn remark(
        &self,
        repository: &'w Repository,
        pull: &'w Pull,
        index: usize,
        field: &str,
    ) -> Option<Reached<'w>> {
        let remark = &pull.remarks[index];
        Some(match field {
            "id" => value(format!("PRRC_kw{}", remark.id)),
            "fullDatabaseId" => value(remark.id.to_string()),
            "databaseId" => value(remark.id),
            "createdAt" | "updatedAt" => at(remark.created),
            "author" => self.author(remark.author),
            "body" => value(remark.text.as_str()),
            "replyTo" => maybe(remark.answers.map(|at| Node::Remark(repository, pull, at))),
            "pullRequestReview" => Reached::Node(Node::Review(repository, pull, remark.review)),
            _ => return None,
        })
    }

    pub(super) fn thread(
        &self,
        repository: &'w Repository,
        pull: &'w Pull,
        index: usize,
        field: &str,
        given: &Arguments,
    ) -> Result<Option<Reached<'w>>, Refusal> {
        let name = format!("{}n{}i{index}", repository.id, pull.number);
        Ok(Some(match field {
            "id" => value(format!("PRRT_kw{name}")),
            "isResolved" | "isOutdated" => value(false),
            "comments" => {
                let nodes = (0..pull.remarks.len())
                    .filter(|&at| at == index || pull.remarks[at].answers == Some(index))
                    .map(|at| (at.to_string(), Node::Remark(repository, pull, at)))
                    .collect();
                page("PullRequestReviewCommentConnection", &format!("thread/{name}"), nodes, given)?
            }
            _ => return Ok(None),
        }))
    }
}

/// `ReadyForReviewEvent` as `READY_FOR_REVIEW_EVENT`.
fn item_type(kind: &str) -> String {
    let mut name = String::new();
    for c in kind.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}
