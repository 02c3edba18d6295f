//! What a perfect extractor would hold, row by row.

use crate::json::{self, Object};
use crate::moment::Moment;
use crate::world::World;
use crate::world::git::{Deployment, PullState};
use crate::world::jira::STATUSES;

/// One of the lists as NDJSON; `None` if there is no such list.
pub fn list(world: &World, name: &str) -> Option<Vec<u8>> {
    let mut rows = Rows(Vec::new());
    match name {
        "issues" => issues(world, &mut rows),
        "issue-changes" => issue_changes(world, &mut rows),
        "repositories" => repositories(world, &mut rows),
        "pull-requests" => pull_requests(world, &mut rows),
        "reviews" => reviews(world, &mut rows),
        "review-comments" => review_comments(world, &mut rows),
        "comments" => comments(world, &mut rows),
        "commits" => commits(world, &mut rows),
        "deployments" => deployments(world, &mut rows),
        _ => return None,
    }
    Some(rows.0)
}

struct Rows(Vec<u8>);

impl Rows {
    fn add(&mut self, write: impl FnOnce(&mut Object)) {
        json::object_into(&mut self.0, write);
        self.0.push(b'\n');
    }
}

fn issues(world: &World, rows: &mut Rows) {
    let jira = &world.jira;
    let person = |index: Option<usize>| index.map(|index| world.people[index].name.as_str());
    for issue in jira.live() {
        let status = &STATUSES[issue.status];
        let next_gen = jira.projects[issue.project].next_gen;
        let mut labels = issue.labels.clone();
        labels.sort_unstable();
        let sprints: Vec<&str> =
            issue.sprints.iter().map(|&at| jira.sprints[at].name.as_str()).collect();
        rows.add(|o| {
            o.put("external_id", &issue.id.to_string()).put("key", &jira.key(issue));
            o.put("project", &jira.projects[issue.project].key);
            o.put("type", issue.kind.name(next_gen));
            o.put("type_id", &issue.kind.id(next_gen).to_string());
            o.put("status", status.name);
            o.put("status_category", category(status.category.1));
            o.put("summary", &clean(&issue.summary));
            o.put("priority", &issue.priority.map(|at| crate::world::jira::PRIORITIES[at]));
            o.put("assignee", &person(issue.assignee)).put("creator", &person(issue.creator));
            o.put("parent_key", &issue.parent.map(|at| jira.key(&jira.issues[at])));
            o.put("labels", &labels).put("components", &jira.components(issue));
            o.put("story_points", &issue.points).put("sprints", &sprints);
            o.put("created_at", &issue.created.exact()).put("updated_at", &issue.updated.exact());
            o.put("resolved_at", &issue.resolved.map(Moment::exact));
        });
    }
}

fn category(key: &str) -> &'static str {
    match key {
        "indeterminate" => "IN_PROGRESS",
        "done" => "DONE",
        _ => "TO_DO",
    }
}

fn issue_changes(world: &World, rows: &mut Rows) {
    for issue in world.jira.live() {
        let key = world.jira.key(issue);
        for history in &issue.histories {
            let author = history.author.map(|index| world.people[index].name.as_str());
            for (index, item) in history.items.iter().enumerate() {
                let clean = |text: &Option<String>| text.as_deref().map(clean);
                rows.add(|o| {
                    o.put("issue_key", &key).put("change_id", &history.id.to_string());
                    o.put("item_index", &index).put("field", item.field.words().0);
                    o.put("from", &clean(&item.from)).put("from_string", &clean(&item.from_string));
                    o.put("to", &clean(&item.to)).put("to_string", &clean(&item.to_string));
                    o.put("author", &author).put("changed_at", &history.at.exact());
                });
            }
        }
    }
}

/// Without the NUL characters that Jira lets through and no database keeps.
fn clean(text: &str) -> String {
    text.replace('\0', "")
}

fn repositories(world: &World, rows: &mut Rows) {
    for repository in &world.repositories {
        rows.add(|o| {
            o.put("external_id", &repository.id.to_string());
            o.put("full_name", &format!("{}/{}", world.org, repository.name));
            o.put("default_branch", &(!repository.empty).then_some("main"));
            o.put("archived", &repository.retired.is_some());
        });
    }
}

fn pull_requests(world: &World, rows: &mut Rows) {
    for repository in &world.repositories {
        let full_name = format!("{}/{}", world.org, repository.name);
        for pull in &repository.pulls {
            let sha = |at: usize| repository.commits[at].sha.as_str();
            let first = pull.commits.iter().map(|&at| repository.commits[at].authored).min();
            let merged = pull.state == PullState::Merged;
            rows.add(|o| {
                o.put("repository", &full_name).put("number", &pull.number);
                o.put("external_id", &pull.id.to_string()).put("title", &pull.title);
                o.put("state", pull.state.word()).put("draft", &pull.draft);
                o.put("author", &world.login(pull.author));
                o.put("created_at", &pull.created.exact()).put("updated_at", &pull.updated.exact());
                o.put("merged_at", &pull.merged.map(Moment::exact));
                o.put("closed_at", &pull.closed.map(Moment::exact));
                o.put("merge_commit_sha", &pull.merge_sha.as_deref().filter(|_| merged));
                o.put("head_ref", &pull.head_ref).put("base_ref", pull.base_ref);
                o.put("head_sha", &pull.commits.last().map(|&at| sha(at)));
                o.put("additions", &pull.additions).put("deletions", &pull.deletions);
                o.put("changed_files", &pull.changed_files);
                o.put("commits", &pull.commits.len()).put("reviews", &pull.reviews.len());
                o.put("review_comments", &pull.remarks.len());
                o.put("comments", &pull.comments.len());
                o.put("first_commit_at", &first.map(Moment::exact));
                o.put("issue_keys", &world.issue_keys(repository, pull));
            });
        }
    }
}

fn reviews(world: &World, rows: &mut Rows) {
    for repository in &world.repositories {
        let full_name = format!("{}/{}", world.org, repository.name);
        for pull in &repository.pulls {
            for review in &pull.reviews {
                rows.add(|o| {
                    o.put("repository", &full_name).put("number", &pull.number);
                    o.put("external_id", &review.id.to_string());
                    o.put("author", &world.login(review.author)).put("state", review.state);
                    o.put("submitted_at", &review.submitted.map(Moment::exact));
                });
            }
        }
    }
}

fn review_comments(world: &World, rows: &mut Rows) {
    for repository in &world.repositories {
        let full_name = format!("{}/{}", world.org, repository.name);
        for pull in &repository.pulls {
            for remark in &pull.remarks {
                rows.add(|o| {
                    o.put("repository", &full_name).put("number", &pull.number);
                    o.put("external_id", &remark.id.to_string());
                    o.put("author", &world.login(remark.author));
                    o.put("created_at", &remark.created.exact());
                });
            }
        }
    }
}

fn comments(world: &World, rows: &mut Rows) {
    for repository in &world.repositories {
        let full_name = format!("{}/{}", world.org, repository.name);
        for pull in &repository.pulls {
            for comment in &pull.comments {
                rows.add(|o| {
                    o.put("repository", &full_name).put("number", &pull.number);
                    o.put("external_id", &comment.id.to_string());
                    o.put("author", &world.login(comment.author));
                    o.put("created_at", &comment.created.exact());
                });
            }
        }
    }
}

fn commits(world: &World, rows: &mut Rows) {
    for repository in &world.repositories {
        let full_name = format!("{}/{}", world.org, repository.name);
        for pull in &repository.pulls {
            for commit in pull.commits.iter().map(|&at| &repository.commits[at]) {
                let login = world.commit_login(commit.author);
                let author = login.unwrap_or_else(|| world.commit_name(commit.author));
                rows.add(|o| {
                    o.put("repository", &full_name).put("number", &pull.number);
                    o.put("sha", &commit.sha).put("author", author);
                    o.put("authored_at", &commit.authored.exact());
                    o.put("committed_at", &commit.committed.exact());
                    o.put("message", &commit.message);
                });
            }
        }
    }
}

fn deployments(world: &World, rows: &mut Rows) {
    for repository in &world.repositories {
        let full_name = format!("{}/{}", world.org, repository.name);
        for deployment in &repository.deployments {
            let (outcome, finished) = outcome(deployment);
            rows.add(|o| {
                o.put("repository", &full_name).put("external_id", &deployment.id.to_string());
                o.put("environment", deployment.environment.word());
                o.put("sha", &repository.commits[deployment.commit].sha);
                o.put("outcome", outcome).put("finished_at", &finished.map(Moment::exact));
                o.put("estimated", &false);
            });
        }
    }
}

/// The best state ever seen, and when it was reached.
fn outcome(deployment: &Deployment) -> (&'static str, Option<Moment>) {
    let mut steps = deployment.statuses.iter();
    if let Some(success) = steps.find(|status| status.state == "success") {
        return ("SUCCESS", Some(success.at));
    }
    let failed = |state: &str| matches!(state, "failure" | "error");
    match deployment.statuses.iter().rfind(|status| failed(status.state)) {
        Some(failure) => ("FAILURE", Some(failure.at)),
        None => ("PENDING", None),
    }
}
