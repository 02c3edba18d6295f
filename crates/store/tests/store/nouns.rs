//! Invented facts, each as plain as it can be; a test changes what it is about.

use chrono::Duration;
use domain::Moment;
use domain::deployment::{Deployment, DeploymentOutcome};
use domain::facts::Facts as Page;
use domain::issue::{Change, Issue};
use domain::project::{IssueType, Project, Status, StatusCategory};
use domain::pull_request::{Actor, Comment, PullRequest, PullRequestState, Review, ReviewComment};
use domain::repository::{Commit, Repository};
use domain::sprint::Sprint;

pub const PROJECT: i64 = 10_001;
pub const REPOSITORY: i64 = 501;

/// The moment `seconds` into our little history.
pub fn at(seconds: i64) -> Moment {
    Moment::from_timestamp(1_772_000_000, 0).unwrap() + Duration::seconds(seconds)
}

/// A page with one project, and nothing on it yet.
pub fn jira_page() -> Page {
    Page { projects: vec![project(PROJECT, "PAY")], ..Page::default() }
}

/// A page with one repository, and nothing in it yet.
pub fn github_page() -> Page {
    Page {
        repositories: vec![repository(REPOSITORY, "acme/payments")],
        repository_id: REPOSITORY,
        ..Page::default()
    }
}

/// One or more of everything that Jira has.
pub fn all_of_jira() -> Page {
    Page {
        issue_types: vec![issue_type("Story")],
        statuses: vec![status("Done")],
        sprints: vec![sprint(7)],
        issues: vec![issue(1), issue(2)],
        changes: vec![change(1, 100, 0), change(1, 100, 1), change(2, 101, 0)],
        ..jira_page()
    }
}

/// One or more of everything that GitHub has.
pub fn all_of_github() -> Page {
    Page {
        pull_requests: vec![pull_request(1), pull_request(2)],
        review_comments: vec![review_comment(1, 31), review_comment(2, 32)],
        commits: vec![Commit { parents: Some(vec![sha(9)]), ..commit(8) }],
        deployments: vec![deployment("d1"), deployment("d2")],
        ..github_page()
    }
}

pub fn project(external_id: i64, key: &str) -> Project {
    Project {
        external_id,
        key: key.to_owned(),
        name: format!("{key} project"),
        kind: "software".to_owned(),
        former_keys: vec!["OLD".to_owned()],
    }
}

pub fn issue_type(name: &str) -> IssueType {
    IssueType { external_id: 10, name: name.to_owned(), hierarchy_level: 0 }
}

pub fn status(name: &str) -> Status {
    Status { external_id: 3, name: name.to_owned(), category: StatusCategory::Done }
}

pub fn sprint(external_id: i64) -> Sprint {
    Sprint {
        external_id,
        board_id: 1,
        name: format!("Sprint {external_id}"),
        state: "active".to_owned(),
        started_at: Some(at(0)),
        ends_at: None,
        completed_at: None,
    }
}

pub fn issue(external_id: i64) -> Issue {
    Issue {
        external_id,
        project_id: PROJECT,
        key: format!("PAY-{external_id}"),
        issue_type: issue_type("Story"),
        status: status("Done"),
        summary: "Retry a card capture".to_owned(),
        priority: None,
        assignee: Some("Ada".to_owned()),
        creator: None,
        parent_id: None,
        parent_key: None,
        labels: vec!["checkout".to_owned(), "über \"quoted\"".to_owned()],
        components: vec!["Payments API".to_owned()],
        moments: vec![("customfield_10060".to_owned(), at(500))],
        mentions: vec![("customfield_10070".to_owned(), "v1.8.0".to_owned())],
        story_points: Some(3.5),
        sprints: vec!["Sprint 7".to_owned()],
        created_at: at(external_id),
        updated_at: at(1_000),
        resolved_at: None,
        changelog_complete: true,
    }
}

pub fn change(issue_id: i64, change_id: i64, item_index: i32) -> Change {
    Change {
        issue_id,
        change_id,
        item_index,
        field: "status".to_owned(),
        from_value: Some("1".to_owned()),
        from_string: Some("To Do".to_owned()),
        to_value: Some("3".to_owned()),
        to_string: Some("Done".to_owned()),
        author: None,
        changed_at: at(500),
    }
}

pub fn repository(external_id: i64, full_name: &str) -> Repository {
    Repository {
        external_id,
        full_name: full_name.to_owned(),
        default_branch: Some("main".to_owned()),
        archived: false,
    }
}

/// A pull request with two commits of its own, one that all of them share, two reviews and a comment.
pub fn pull_request(number: i64) -> PullRequest {
    PullRequest {
        external_id: 9_000 + number,
        number,
        title: format!("PAY-{number} Retry a card capture"),
        state: PullRequestState::Merged,
        draft: false,
        author: Some(Actor::new("ada", false)),
        created_at: at(100),
        updated_at: at(1_000),
        merged_at: Some(at(900)),
        closed_at: Some(at(900)),
        ready_at: None,
        merge_commit_sha: Some(sha(number * 10)),
        head_ref: "feature/PAY-1".to_owned(),
        base_ref: "main".to_owned(),
        head_sha: sha(number * 10 + 2),
        additions: 10,
        deletions: 2,
        changed_files: 3,
        commits: vec![commit(7), commit(number * 10 + 1), commit(number * 10 + 2)],
        reviews: vec![review(number * 10 + 1), review(number * 10 + 2)],
        comments: vec![comment(number * 10 + 1)],
    }
}

pub fn sha(number: i64) -> String {
    format!("{number:040x}")
}

pub fn commit(number: i64) -> Commit {
    Commit {
        sha: sha(number),
        author: Some("ada".to_owned()),
        authored_at: at(number),
        committed_at: at(number + 1),
        message: "Retry a card capture\n\nRefs: PAY-1".to_owned(),
        parents: None,
    }
}

pub fn review(external_id: i64) -> Review {
    Review {
        external_id,
        author: Some(Actor::new("grace", false)),
        state: "APPROVED".to_owned(),
        submitted_at: Some(at(400)),
    }
}

pub fn comment(external_id: i64) -> Comment {
    Comment { external_id, author: Some(Actor::new("ci[bot]", true)), created_at: at(300) }
}

pub fn review_comment(number: i64, external_id: i64) -> ReviewComment {
    ReviewComment { external_id, number, author: None, created_at: at(350) }
}

pub fn deployment(external_id: &str) -> Deployment {
    Deployment {
        external_id: external_id.to_owned(),
        environment: "production".to_owned(),
        sha: sha(10),
        outcome: DeploymentOutcome::Success,
        created_at: at(950),
        finished_at: Some(at(960)),
        estimated: false,
    }
}
