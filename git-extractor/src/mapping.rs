//! Turns what GitHub writes into domain nouns. Pure: same page in, same facts out.

use domain::Moment;
use domain::deployment::{Deployment, DeploymentOutcome, Shipment};
use domain::pull_request::{Actor, Comment, PullRequest, PullRequestState, Review, ReviewComment};
use domain::repository::{Commit, Repository};
use domain::rules::Source;

use crate::wire;

/// A pull request with its nested lists as far as they came; `None` when GitHub leaves out an id, which its
/// schema allows.
pub fn pull_request(wire: wire::PullRequest) -> Option<PullRequest> {
    Some(PullRequest {
        external_id: wire.full_database_id?.0,
        number: wire.number,
        title: clean(wire.title),
        state: state(&wire.state),
        draft: wire.is_draft,
        author: actor(wire.author),
        created_at: wire.created_at,
        updated_at: wire.updated_at,
        merged_at: wire.merged_at,
        closed_at: wire.closed_at,
        ready_at: ready_at(present(wire.timeline_items.nodes)),
        merge_commit_sha: wire
            .merge_commit
            .map(|commit| commit.oid)
            .filter(|_| wire.merged_at.is_some()),
        head_ref: clean(wire.head_ref_name),
        base_ref: clean(wire.base_ref_name),
        head_sha: wire.head_ref_oid,
        additions: wire.additions,
        deletions: wire.deletions,
        changed_files: wire.changed_files,
        commits: present(wire.commits.nodes).map(|entry| commit(entry.commit)).collect(),
        reviews: present(wire.reviews.nodes).map(review).collect::<Option<_>>()?,
        comments: present(wire.comments.nodes).map(comment).collect::<Option<_>>()?,
    })
}

/// Adds more of a nested list to a pull request; `None` when an id is left out.
pub fn extend(pull_request: &mut PullRequest, rest: wire::Rest) -> Option<()> {
    let reviews: Option<Vec<_>> = listed(rest.reviews).map(review).collect();
    let comments: Option<Vec<_>> = listed(rest.comments).map(comment).collect();
    pull_request.commits.extend(listed(rest.commits).map(|entry| commit(entry.commit)));
    pull_request.reviews.extend(reviews?);
    pull_request.comments.extend(comments?);
    pull_request.ready_at = pull_request.ready_at.max(ready_at(listed(rest.timeline_items)));
    Some(())
}

/// A commit; of a pull request it has no parents.
pub fn commit(wire: wire::Commit) -> Commit {
    let author = wire.author.and_then(|author| match author.user {
        Some(user) => Some(user.login),
        None => author.name,
    });
    Commit {
        sha: wire.oid,
        author: author.map(clean),
        authored_at: wire.authored_date,
        committed_at: wire.committed_date,
        message: clean(wire.message),
        parents: wire.parents.map(|parents| present(parents.nodes).map(|p| p.oid).collect()),
    }
}

/// A deployment with the best state that it ever had.
pub fn deployment(wire: wire::Deployment) -> Deployment {
    let statuses = wire.statuses.map(|list| list.nodes).unwrap_or_default();
    let statuses: Vec<_> = present(statuses).collect();
    let (outcome, finished_at) = outcome(&statuses);
    let guess = match (statuses.is_empty(), wire.state.as_deref()) {
        (true, Some("ACTIVE" | "INACTIVE" | "SUCCESS")) => Some(DeploymentOutcome::Success),
        (true, Some("ERROR" | "FAILURE")) => Some(DeploymentOutcome::Failure),
        _ => None,
    };
    Deployment {
        external_id: number_or_id(wire.database_id, wire.id),
        environment: clean(wire.environment.unwrap_or_default()),
        sha: wire.commit_oid,
        outcome: guess.unwrap_or(outcome),
        created_at: wire.created_at,
        finished_at: guess.map(|_| wire.updated_at).or(finished_at),
        estimated: guess.is_some(),
    }
}

/// A release; `None` for a draft, and for one whose tag is gone.
pub fn release(wire: wire::Release) -> Option<Shipment> {
    let published_at = wire.published_at.filter(|_| !wire.is_draft)?;
    Some(Shipment {
        source: Source::Releases,
        external_id: number_or_id(wire.database_id, wire.id),
        name: clean(wire.tag_name),
        path: None,
        sha: wire.tag_commit?.oid,
        outcome: DeploymentOutcome::Success,
        created_at: wire.created_at,
        finished_at: Some(published_at),
    })
}

/// A run of a workflow, or the id of one that came to no result.
pub fn run(wire: wire::Run) -> Result<Shipment, String> {
    let external_id = wire.id.to_string();
    let outcome = match wire.conclusion.as_deref() {
        Some("success") => DeploymentOutcome::Success,
        Some("failure" | "cancelled" | "timed_out" | "startup_failure") => {
            DeploymentOutcome::Failure
        }
        None => DeploymentOutcome::Pending,
        Some(_) => return Err(external_id),
    };
    Ok(Shipment {
        source: Source::WorkflowRuns,
        external_id,
        name: clean(wire.name.unwrap_or_default()),
        path: Some(clean(wire.path)).filter(|path| !path.is_empty()),
        sha: wire.head_sha,
        outcome,
        created_at: wire.created_at,
        finished_at: (outcome != DeploymentOutcome::Pending).then_some(wire.updated_at),
    })
}

/// Success if any status ever was, at the first; else the last failure; else still going on. A
/// later success elsewhere makes this one inactive, which takes nothing away.
fn outcome(statuses: &[wire::DeploymentStatus]) -> (DeploymentOutcome, Option<Moment>) {
    let when = |states: &'static [&str]| {
        let hits = statuses.iter().filter(move |status| states.contains(&status.state.as_str()));
        hits.map(|status| status.created_at)
    };
    if let Some(first) = when(&["SUCCESS"]).min() {
        return (DeploymentOutcome::Success, Some(first));
    }
    match when(&["FAILURE", "ERROR"]).max() {
        Some(last) => (DeploymentOutcome::Failure, Some(last)),
        None => (DeploymentOutcome::Pending, None),
    }
}

/// A repository.
pub fn repository(wire: wire::Repository) -> Repository {
    Repository {
        external_id: wire.database_id,
        full_name: wire.name_with_owner,
        default_branch: wire.default_branch_ref.map(|branch| branch.name),
        archived: wire.is_archived,
    }
}

/// A comment on a diff; `None` when its pull request's number cannot be told.
pub fn review_comment(wire: wire::ReviewComment) -> Option<ReviewComment> {
    let number = wire.pull_request_url.rsplit('/').next()?.parse().ok()?;
    Some(ReviewComment {
        external_id: wire.id,
        number,
        author: wire.user.map(|user| Actor::new(&user.login, user.kind == "Bot")),
        created_at: wire.created_at,
    })
}

/// What people and the REST API call it by, or else GraphQL's own id.
fn number_or_id(number: Option<i64>, id: String) -> String {
    number.map_or(id, |number| number.to_string())
}

fn review(wire: wire::Review) -> Option<Review> {
    Some(Review {
        external_id: wire.full_database_id?.0,
        author: actor(wire.author),
        state: wire.state,
        submitted_at: wire.submitted_at,
    })
}

fn comment(wire: wire::Comment) -> Option<Comment> {
    Some(Comment {
        external_id: wire.full_database_id?.0,
        author: actor(wire.author),
        created_at: wire.created_at,
    })
}

fn actor(wire: Option<wire::Actor>) -> Option<Actor> {
    wire.map(|actor| Actor::new(&actor.login, actor.kind == "Bot"))
}

fn state(word: &str) -> PullRequestState {
    match word {
        "MERGED" => PullRequestState::Merged,
        "CLOSED" => PullRequestState::Closed,
        _ => PullRequestState::Open,
    }
}

fn ready_at(events: impl Iterator<Item = wire::TimelineItem>) -> Option<Moment> {
    events.filter(|event| event.kind == "ReadyForReviewEvent").filter_map(|e| e.created_at).max()
}

fn listed<T>(list: Option<wire::Connection<T>>) -> impl Iterator<Item = T> {
    list.into_iter().flat_map(|list| present(list.nodes))
}

fn present<T>(nodes: Vec<Option<T>>) -> impl Iterator<Item = T> {
    nodes.into_iter().flatten()
}

/// PostgreSQL refuses NUL in texts, and nobody misses it.
fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(minute: u32) -> String {
        format!("2026-10-01T09:{minute:02}:00Z")
    }

    fn moment(minute: u32) -> Moment {
        at(minute).parse().unwrap()
    }

    #[test]
    fn the_best_state_ever_seen_decides_a_deployment() {
        use DeploymentOutcome::{Failure, Pending, Success};
        let cases = [
            (
                vec![("QUEUED", 1), ("IN_PROGRESS", 2), ("SUCCESS", 3), ("INACTIVE", 9)],
                Success,
                Some(3),
            ),
            (vec![("SUCCESS", 5), ("SUCCESS", 3)], Success, Some(3)),
            (vec![("FAILURE", 3), ("SUCCESS", 4)], Success, Some(4)),
            (vec![("ERROR", 3), ("FAILURE", 4)], Failure, Some(4)),
            (vec![("QUEUED", 1)], Pending, None),
        ];
        for (statuses, expected, minute) in cases {
            let nodes: Vec<_> = statuses
                .iter()
                .map(|(state, minute)| json!({ "state": state, "createdAt": at(*minute) }))
                .collect();
            let wire = json!({
                "id": "DE_kwDO1", "databaseId": 3001, "commitOid": "9f3c", "environment": "production",
                "state": "INACTIVE", "createdAt": at(0), "updatedAt": at(10),
                "statuses": { "nodes": nodes },
            });
            let deployment = deployment(serde_json::from_value(wire).unwrap());
            assert_eq!(deployment.outcome, expected, "{statuses:?}");
            let finished = minute.map(|minute| at(minute).parse().unwrap());
            assert_eq!(
                (deployment.finished_at, deployment.estimated),
                (finished, false),
                "{statuses:?}"
            );
        }
    }

    #[test]
    fn without_statuses_the_last_update_is_a_guess() {
        let wire = json!({
            "id": "DE_kwDO1", "databaseId": 3001, "commitOid": "9f3c", "environment": "production",
            "state": "ACTIVE", "createdAt": at(0), "updatedAt": at(10), "statuses": { "nodes": [] },
        });
        let deployment = deployment(serde_json::from_value(wire).unwrap());
        assert_eq!(deployment.outcome, DeploymentOutcome::Success);
        assert_eq!((deployment.finished_at, deployment.estimated), (at(10).parse().ok(), true));
    }

    #[test]
    fn a_draft_is_opened_when_it_last_became_ready() {
        let event = |kind: &str, minute| json!({ "__typename": kind, "createdAt": at(minute) });
        let cases = [
            (vec![], None),
            (vec![("ConvertToDraftEvent", 9)], None),
            (vec![("ReadyForReviewEvent", 3)], Some(3)),
            (
                vec![
                    ("ReadyForReviewEvent", 3),
                    ("ConvertToDraftEvent", 5),
                    ("ReadyForReviewEvent", 7),
                    ("ConvertToDraftEvent", 9),
                ],
                Some(7),
            ),
            (vec![("ReadyForReviewEvent", 7), ("ReadyForReviewEvent", 3)], Some(7)),
        ];
        for (events, expected) in cases {
            let told = events.iter().map(|(kind, minute)| event(kind, *minute));
            let told = told.map(|event| serde_json::from_value(event).unwrap());
            assert_eq!(ready_at(told), expected.map(moment), "{events:?}");
        }
    }

    #[test]
    fn a_commit_is_by_its_user_or_else_by_the_name_in_it() {
        let author = |author: serde_json::Value| {
            let wire = json!({
                "oid": "aa", "message": "PAY-1\u{0}", "authoredDate": at(0), "committedDate": at(1),
                "author": author,
            });
            let commit = commit(serde_json::from_value(wire).unwrap());
            assert_eq!((commit.message.as_str(), commit.parents), ("PAY-1", None));
            commit.author
        };
        assert_eq!(
            author(json!({ "name": "Ada", "user": { "login": "ada" } })).as_deref(),
            Some("ada")
        );
        assert_eq!(author(json!({ "name": "Ada", "user": null })).as_deref(), Some("Ada"));
        assert_eq!(author(json!(null)), None);
        assert_eq!(author(json!({})), None);
    }

    #[test]
    fn only_conclusions_that_are_a_result_tell_how_a_run_went() {
        use DeploymentOutcome::{Failure, Pending, Success};
        let cases = [
            (json!("success"), Some(Success)),
            (json!("failure"), Some(Failure)),
            (json!("cancelled"), Some(Failure)),
            (json!("timed_out"), Some(Failure)),
            (json!("startup_failure"), Some(Failure)),
            (json!(null), Some(Pending)),
            (json!("neutral"), None),
            (json!("skipped"), None),
            (json!("stale"), None),
            (json!("action_required"), None),
        ];
        for (conclusion, expected) in cases {
            let wire = json!({
                "id": 5001, "name": "Deploy", "path": ".github/workflows/deploy.yml",
                "head_sha": "aa", "conclusion": conclusion, "created_at": at(0),
                "updated_at": at(9), "run_attempt": 2,
            });
            let run = run(serde_json::from_value(wire).unwrap());
            let outcome = run.as_ref().map(|run| run.outcome);
            assert_eq!(outcome, expected.ok_or(&"5001".to_owned()), "{conclusion}");
            let is_over = run.as_ref().is_ok_and(|run| run.finished_at == Some(moment(9)));
            assert_eq!(is_over, matches!(expected, Some(Success | Failure)), "{conclusion}");
        }
    }

    #[test]
    fn a_release_is_published_and_has_a_tag() {
        let read = |published: Option<String>, tag: serde_json::Value| {
            let wire = json!({
                "id": "RE_kwDO1", "databaseId": 6001, "tagName": "v1", "isDraft": published.is_none(),
                "createdAt": at(0), "publishedAt": published, "tagCommit": tag,
            });
            release(serde_json::from_value(wire).unwrap())
        };
        let found = read(Some(at(3)), json!({ "oid": "aa" })).unwrap();
        assert_eq!((found.name.as_str(), found.sha.as_str()), ("v1", "aa"));
        assert_eq!((found.created_at, found.finished_at), (moment(0), Some(moment(3))));
        assert_eq!(read(None, json!({ "oid": "aa" })), None);
        assert_eq!(read(Some(at(3)), json!(null)), None);
    }

    #[test]
    fn what_has_no_number_goes_by_its_id() {
        let wire = json!({
            "id": "DE_kwDO1", "databaseId": null, "commitOid": "9f3c", "environment": null,
            "state": null, "createdAt": at(0), "updatedAt": at(10), "statuses": null,
        });
        let deployment = deployment(serde_json::from_value(wire).unwrap());
        assert_eq!(deployment.external_id, "DE_kwDO1");
        let wire = json!({
            "id": "RE_kwDO1", "databaseId": null, "tagName": "v1", "isDraft": false,
            "createdAt": at(0), "publishedAt": at(3), "tagCommit": { "oid": "aa" },
        });
        let release = release(serde_json::from_value(wire).unwrap()).unwrap();
        assert_eq!(release.external_id, "RE_kwDO1");
    }

    #[test]
    fn a_pull_request_is_told_whole_or_not_at_all() {
        let read = |own: serde_json::Value, of_review: serde_json::Value| {
            let list = |nodes: serde_json::Value| {
                json!({ "nodes": nodes,
                "pageInfo": { "hasNextPage": false, "endCursor": null } })
            };
            let review = json!({ "fullDatabaseId": of_review, "state": "APPROVED",
                "submittedAt": at(3), "author": null });
            let wire = json!({
                "id": "PR_kwDO1", "fullDatabaseId": own, "number": 412, "state": "OPEN",
                "isDraft": false, "title": "t", "createdAt": at(0), "updatedAt": at(4),
                "additions": 1, "deletions": 0, "changedFiles": 1, "headRefName": "h",
                "headRefOid": "aa", "baseRefName": "main", "commits": list(json!([])),
                "reviews": list(json!([null, review])), "comments": list(json!([])),
                "timelineItems": list(json!([])),
            });
            pull_request(serde_json::from_value(wire).unwrap()).map(|pr| pr.reviews.len())
        };
        assert_eq!(read(json!("880011"), json!("7001")), Some(1));
        assert_eq!(read(json!(null), json!("7001")), None);
        assert_eq!(read(json!("880011"), json!(null)), None);
    }

    #[test]
    fn both_apis_name_a_bot_alike() {
        let rest = json!({
            "id": 8001, "created_at": at(0), "user": { "login": "dependabot[bot]", "type": "Bot" },
            "pull_request_url": "https://api.github.com/repos/acme/pay/pulls/412",
        });
        let comment = review_comment(serde_json::from_value(rest).unwrap()).unwrap();
        assert_eq!(comment.number, 412);
        assert_eq!(
            comment.author,
            actor(Some(wire::Actor { kind: "Bot".to_owned(), login: "dependabot".to_owned() }))
        );
    }

    #[test]
    fn big_integers_come_as_text_or_number() {
        let read = |value| serde_json::from_value::<wire::BigInt>(value).ok().map(|id| id.0);
        assert_eq!(read(json!("880011")), Some(880_011));
        assert_eq!(read(json!(880_011)), Some(880_011));
        assert_eq!(read(json!("many")), None);
    }
}
