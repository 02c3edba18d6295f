//! Things as the REST API writes them.

use crate::json::Object;
use crate::moment::Moment;
use crate::world::World;
use crate::world::git::*;

/// A user or a bot, or null for somebody deleted.
pub fn actor(o: &mut Object, key: &str, world: &World, actor: Actor) {
    match actor {
        Actor::Ghost => {
            o.put(key, &());
        }
        Actor::Person(index) => {
            o.object(key, |o| {
                let person = &world.people[index];
                o.put("login", &person.login).put("id", &person.github_id).put("type", "User");
            });
        }
        Actor::Bot(bot) => {
            o.object(key, |o| {
                o.put("login", &format!("{}[bot]", bot.login()))
                    .put("id", &bot.id())
                    .put("type", "Bot");
            });
        }
    }
}

/// A repository.
pub fn repository(o: &mut Object, world: &World, repository: &Repository) {
    let full_name = format!("{}/{}", world.org, repository.name);
    o.put("id", &repository.id).put("node_id", &format!("R_kw{}", repository.id));
    o.put("name", &repository.name).put("full_name", &full_name);
    o.object("owner", |o| {
        o.put("login", &world.org).put("id", &77).put("type", "Organization");
    });
    o.put("html_url", &format!("https://github.com/{full_name}"));
    o.put("private", &true).put("archived", &repository.retired.is_some()).put("fork", &false);
    o.put("default_branch", "main").put("has_issues", &true).put("has_pull_requests", &true);
    o.put("created_at", &repository.created.github());
    o.put("updated_at", &repository.pushed.github());
    o.put("pushed_at", &repository.pushed.github());
}

/// A pull request, with the counts that only the detail has.
pub fn pull(o: &mut Object, world: &World, repository: &Repository, pull: &Pull, detail: bool) {
    let full_name = format!("{}/{}", world.org, repository.name);
    let sha = |at: Option<&usize>| at.map(|&at| repository.commits[at].sha.as_str());
    o.put("id", &pull.id).put("node_id", &format!("PR_kw{}n{}", repository.id, pull.number));
    o.put("html_url", &format!("https://github.com/{full_name}/pull/{}", pull.number));
    o.put("number", &pull.number);
    o.put("state", if pull.state == PullState::Open { "open" } else { "closed" });
    o.put("draft", &pull.draft).put("title", &pull.title).put("body", &pull.body);
    actor(o, "user", world, pull.author);
    o.put("created_at", &pull.created.github()).put("updated_at", &pull.updated.github());
    o.put("closed_at", &pull.closed.map(Moment::github));
    o.put("merged_at", &pull.merged.map(Moment::github));
    o.put("merge_commit_sha", &pull.merge_sha);
    o.object("head", |o| {
        o.put("ref", &pull.head_ref).put("sha", &sha(pull.commits.last()));
        o.maybe("repo", (!pull.from_lost_fork).then_some(repository), |o, repository| {
            o.put("id", &repository.id).put("full_name", &full_name);
        });
    });
    o.object("base", |o| {
        o.put("ref", pull.base_ref).put("sha", &sha(pull.base.as_ref()));
        o.object("repo", |o| {
            o.put("id", &repository.id).put("full_name", &full_name);
        });
    });
    o.list("labels", |l| {
        for label in &pull.labels {
            l.object(|o| {
                o.put("name", label);
            });
        }
    });
    if detail {
        o.put("merged", &(pull.state == PullState::Merged));
        match pull.merged_by {
            Some(merger) => actor(o, "merged_by", world, merger),
            None => {
                o.put("merged_by", &());
            }
        }
        o.put("comments", &pull.comments.len()).put("review_comments", &pull.remarks.len());
        o.put("commits", &pull.commits.len()).put("additions", &pull.additions);
        o.put("deletions", &pull.deletions).put("changed_files", &pull.changed_files);
    }
}

/// A review; pending ones have no time.
pub fn review(o: &mut Object, world: &World, repository: &Repository, review: &Review) {
    o.put("id", &review.id);
    actor(o, "user", world, review.author);
    o.put("state", review.state).put("body", "");
    if let Some(submitted) = review.submitted {
        o.put("submitted_at", &submitted.github());
    }
    o.put("commit_id", &repository.commits[review.commit].sha);
}

/// A comment on a diff.
pub fn remark(o: &mut Object, world: &World, url: &str, pull: &Pull, remark: &Remark) {
    o.put("id", &remark.id);
    o.put("pull_request_review_id", &pull.reviews[remark.review].id);
    if let Some(answered) = remark.answers {
        o.put("in_reply_to_id", &pull.remarks[answered].id);
    }
    actor(o, "user", world, remark.author);
    o.put("body", &remark.text).put("created_at", &remark.created.github());
    o.put("updated_at", &remark.created.github());
    o.put("pull_request_url", &format!("{url}/pulls/{}", pull.number));
}

/// A comment in a conversation, of a pull request or of a plain issue.
pub fn comment(
    o: &mut Object,
    world: &World,
    repository: &Repository,
    url: &str,
    (number, of_pull): (u32, bool),
    comment: &Comment,
) {
    let place = if of_pull { "pull" } else { "issues" };
    let full_name = format!("{}/{}", world.org, repository.name);
    o.put("id", &comment.id);
    actor(o, "user", world, comment.author);
    let id = comment.id;
    o.put(
        "html_url",
        &format!("https://github.com/{full_name}/{place}/{number}#issuecomment-{id}"),
    );
    o.put("issue_url", &format!("{url}/issues/{number}")).put("body", &comment.text);
    o.put("created_at", &comment.created.github()).put("updated_at", &comment.created.github());
}

/// A commit.
pub fn commit(o: &mut Object, world: &World, repository: &Repository, index: usize) {
    let commit = &repository.commits[index];
    let name = world.commit_name(commit.author);
    let email = world.commit_email(commit.author);
    o.put("sha", &commit.sha);
    o.object("commit", |o| {
        for (role, at) in [("author", commit.authored), ("committer", commit.committed)] {
            o.object(role, |o| {
                o.put("name", name).put("email", &email).put("date", &at.github());
            });
        }
        o.put("message", &commit.message);
    });
    for role in ["author", "committer"] {
        match world.commit_login(commit.author) {
            Some(_) => actor(o, role, world, commit.author),
            None => {
                o.put(role, &());
            }
        }
    }
    o.list("parents", |l| {
        for &parent in &commit.parents {
            l.object(|o| {
                o.put("sha", &repository.commits[parent].sha);
            });
        }
    });
}

/// A deployment, without its statuses.
pub fn deployment(o: &mut Object, world: &World, repository: &Repository, deployment: &Deployment) {
    o.put("id", &deployment.id).put("sha", &repository.commits[deployment.commit].sha);
    o.put("ref", "main").put("task", "deploy");
    o.put("environment", deployment.environment.word());
    o.put("original_environment", deployment.environment.word());
    let production = deployment.environment == Environment::Production;
    o.put("production_environment", &production);
    // An object or a string, as it comes.
    if deployment.id.is_multiple_of(2) {
        o.object("payload", |_| {});
    } else {
        o.put("payload", "");
    }
    actor(o, "creator", world, Actor::Bot(Bot::Releaser));
    o.put("created_at", &deployment.created.github());
    o.put("updated_at", &deployment.updated.github());
}

/// A release; drafts were not published.
pub fn release(o: &mut Object, world: &World, release: &Release) {
    o.put("id", &release.id).put("tag_name", &release.tag).put("name", &release.tag);
    o.put("target_commitish", "main").put("draft", &release.published.is_none());
    o.put("prerelease", &false);
    actor(o, "author", world, Actor::Bot(Bot::Releaser));
    o.put("created_at", &release.created.github());
    o.put("published_at", &release.published.map(Moment::github));
}

/// A run of a workflow.
pub fn run(o: &mut Object, world: &World, repository: &Repository, run: &Run) {
    o.put("id", &run.id).put("name", run.workflow);
    o.put("path", &format!(".github/workflows/{}.yml", run.workflow));
    o.put("head_branch", "main").put("head_sha", &repository.commits[run.commit].sha);
    o.put("event", "push").put("status", "completed").put("conclusion", run.conclusion);
    o.put("run_attempt", &run.attempt).put("run_number", &run.id);
    actor(o, "actor", world, Actor::Bot(Bot::Releaser));
    o.put("created_at", &run.created.github()).put("updated_at", &run.updated.github());
    o.put("run_started_at", &run.started.github());
    o.list("pull_requests", |_| {});
}
