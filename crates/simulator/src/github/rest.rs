//! The REST API.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::links::{paged, window, with_links};
use super::{refusal, write};
use crate::company::Company;
use crate::json;
use crate::moment::{DAY, Moment};
use crate::request::{Answer, Request, Verb};
use crate::state::State;
use crate::world::World;
use crate::world::git::*;

const PULL_COMMITS_MAX: usize = 250;
const FILTERED_RUNS_MAX: usize = 1_000;

/// A repository with what is needed to speak of it.
struct Desk<'a> {
    world: &'a World,
    repository: &'a Repository,
    /// The address of the API, without the repository.
    api: String,
}

impl Desk<'_> {
    /// Where lists of this repository are paged.
    fn by_id(&self, rest: &str) -> String {
        format!("{}/repositories/{}/{rest}", self.api, self.repository.id)
    }

    /// The address of the repository by its name.
    fn by_name(&self) -> String {
        format!("{}/repos/{}/{}", self.api, self.world.org, self.repository.name)
    }
}

/// Answers a call; the path starts behind `/github`.
pub fn answer(state: &State, company: &Company, request: &Request) -> Answer {
    let world = &company.world;
    let api = format!("{}/github", state.url);
    let path: Vec<&str> = request.path.iter().map(|part| &**part).collect();
    if request.verb != Verb::Get {
        return nothing_here();
    }
    match path.as_slice() {
        ["user"] => {
            let body = json::object(|o| {
                o.put("login", "pulse-etl").put("id", &501).put("type", "User");
            });
            Answer::json("user", 200, body)
        }
        ["meta"] => {
            let body = json::object(|o| {
                o.put("verifiable_password_authentication", &false);
            });
            Answer::json("meta", 200, body)
        }
        ["user", "repos"] => repositories(world, request, &format!("{api}/user/repos")),
        ["orgs", org, "repos"] if org.eq_ignore_ascii_case(&world.org) => {
            repositories(world, request, &format!("{api}/orgs/{org}/repos"))
        }
        ["repositories", id, rest @ ..] => {
            match world.repositories.iter().find(|repository| repository.id.to_string() == *id) {
                Some(repository) => in_repository(Desk { world, repository, api }, request, rest),
                None => nothing_here(),
            }
        }
        ["repos", owner, name, rest @ ..] => match world.repository(owner, name) {
            Some((index, false)) => {
                let repository = &world.repositories[index];
                in_repository(Desk { world, repository, api }, request, rest)
            }
            Some((index, true)) => moved(&api, &world.repositories[index], request, rest),
            None => nothing_here(),
        },
        _ => nothing_here(),
    }
}

fn nothing_here() -> Answer {
    refusal("elsewhere in github", 404, "Not Found")
}

fn moved(api: &str, repository: &Repository, request: &Request, rest: &[&str]) -> Answer {
    let mut url = format!("{api}/repositories/{}", repository.id);
    for part in rest {
        url.push('/');
        url.push_str(part);
    }
    if !request.raw_query.is_empty() {
        url = format!("{url}?{}", request.raw_query);
    }
    let body = json::object(|o| {
        o.put("message", "Moved Permanently").put("url", &url);
        o.put("documentation_url", "https://docs.github.com/rest");
    });
    Answer::json("renamed repository", 301, body).with("location", url)
}

fn repositories(world: &World, request: &Request, path: &str) -> Answer {
    let all: Vec<&Repository> = world.repositories.iter().collect();
    paged("repositories", request, path, &all, |o, repository| {
        write::repository(o, world, repository);
    })
}

fn in_repository(desk: Desk, request: &Request, rest: &[&str]) -> Answer {
    let Desk { world, repository, .. } = desk;
    match rest {
        [] => {
            let body = json::object(|o| write::repository(o, world, repository));
            Answer::json("repos/{r}", 200, body)
        }
        ["pulls"] => pulls(&desk, request),
        ["pulls", "comments"] => remarks(&desk, request, None),
        ["pulls", number, rest @ ..] => {
            match number.parse().ok().and_then(|number| repository.pull(number)) {
                Some(pull) => in_pull(&desk, request, pull, rest),
                None => nothing_here(),
            }
        }
        ["issues", "comments"] => comments(&desk, request, None),
        ["issues", number, "comments"] => match number.parse() {
            Ok(number) => comments(&desk, request, Some(number)),
            Err(_) => nothing_here(),
        },
        ["commits", ..] | ["compare", ..] if repository.empty => {
            refusal("repos/{r}/commits empty", 409, "Git Repository is empty.")
        }
        ["commits"] => commits(&desk, request),
        ["commits", sha] => match commit_at(repository, sha) {
            Some(at) => {
                let body = json::object(|o| write::commit(o, world, repository, at));
                Answer::json("repos/{r}/commits/{sha}", 200, body)
            }
            None => {
                refusal("repos/{r}/commits/{sha}", 422, &format!("No commit found for SHA: {sha}"))
            }
        },
        ["commits", sha, "pulls"] => pulls_of_commit(&desk, request, sha),
        ["compare", span] => compare(&desk, request, span),
        ["releases"] => {
            let newest: Vec<&Release> = repository.releases.iter().rev().collect();
            paged("repos/{r}/releases", request, &desk.by_id("releases"), &newest, |o, release| {
                write::release(o, world, release);
            })
        }
        ["git", "ref" | "refs", "tags", tag] => tag_ref(repository, tag),
        ["deployments"] => deployments(&desk, request),
        ["deployments", id] => match deployment_at(repository, id) {
            Some(found) => {
                let body = json::object(|o| write::deployment(o, world, repository, found));
                Answer::json("repos/{r}/deployments/{id}", 200, body)
            }
            None => nothing_here(),
        },
        ["deployments", id, "statuses"] => statuses(&desk, request, id),
        ["actions", "runs"] => runs(&desk, request),
        _ => nothing_here(),
    }
}

fn pulls(desk: &Desk, request: &Request) -> Answer {
    let Desk { world, repository, .. } = desk;
    let state = request.asked("state").unwrap_or("open");
    let mut shown: Vec<&Pull> = repository
        .pulls
        .iter()
        .filter(|pull| match state {
            "all" => true,
            "closed" => pull.state != PullState::Open,
            _ => pull.state == PullState::Open,
        })
        .filter(|pull| request.asked("head").is_none_or(|head| head.ends_with(&pull.head_ref)))
        .collect();
    let by_update = request.asked("sort") == Some("updated");
    if by_update {
        shown.sort_by_key(|pull| (pull.updated, pull.number));
    }
    let usual = if by_update { "asc" } else { "desc" };
    if request.asked("direction").unwrap_or(usual) == "desc" {
        shown.reverse();
    }
    paged("repos/{r}/pulls", request, &desk.by_id("pulls"), &shown, |o, pull| {
        write::pull(o, world, repository, pull, false);
    })
}

fn in_pull(desk: &Desk, request: &Request, pull: &Pull, rest: &[&str]) -> Answer {
    let Desk { world, repository, .. } = desk;
    let place = |last: &str| desk.by_id(&format!("pulls/{}/{last}", pull.number));
    match rest {
        [] => {
            let body = json::object(|o| write::pull(o, world, repository, pull, true));
            Answer::json("repos/{r}/pulls/{n}", 200, body)
        }
        ["reviews"] => {
            let route = "repos/{r}/pulls/{n}/reviews";
            paged(route, request, &place("reviews"), &pull.reviews, |o, review| {
                write::review(o, world, repository, review);
            })
        }
        ["comments"] => remarks(desk, request, Some(pull)),
        ["commits"] => {
            let route = "repos/{r}/pulls/{n}/commits";
            let shown = &pull.commits[..pull.commits.len().min(PULL_COMMITS_MAX)];
            paged(route, request, &place("commits"), shown, |o, &at| {
                write::commit(o, world, repository, at);
            })
        }
        _ => nothing_here(),
    }
}

fn since(request: &Request, key: &str) -> Option<Moment> {
    request.asked(key)?.parse::<DateTime<Utc>>().ok().map(Moment::from)
}

fn remarks(desk: &Desk, request: &Request, only: Option<&Pull>) -> Answer {
    let Desk { world, repository, .. } = desk;
    let since = since(request, "since");
    let pulls = repository.pulls.iter().filter(|pull| only.is_none_or(|only| only.id == pull.id));
    let mut shown: Vec<(&Pull, &Remark)> = pulls
        .flat_map(|pull| pull.remarks.iter().map(move |remark| (pull, remark)))
        .filter(|(_, remark)| since.is_none_or(|since| remark.created >= since))
        .collect();
    shown.sort_by_key(|(_, remark)| (remark.created, remark.id));
    if request.asked("direction") == Some("desc") {
        shown.reverse();
    }
    let (route, place) = match only {
        Some(pull) => ("repos/{r}/pulls/{n}/comments", format!("pulls/{}/comments", pull.number)),
        None => ("repos/{r}/pulls/comments", "pulls/comments".to_owned()),
    };
    let url = desk.by_name();
    paged(route, request, &desk.by_id(&place), &shown, |o, (pull, remark)| {
        write::remark(o, world, &url, pull, remark);
    })
}

fn comments(desk: &Desk, request: &Request, only: Option<u32>) -> Answer {
    let Desk { world, repository, .. } = desk;
    let since = since(request, "since");
    let on_pulls = repository
        .pulls
        .iter()
        .flat_map(|pull| pull.comments.iter().map(move |comment| ((pull.number, true), comment)));
    let plain =
        repository.plain_comments.iter().map(|(number, comment)| ((*number, false), comment));
    let mut shown: Vec<((u32, bool), &Comment)> = on_pulls
        .chain(plain)
        .filter(|((number, _), _)| only.is_none_or(|only| only == *number))
        .filter(|(_, comment)| since.is_none_or(|since| comment.created >= since))
        .collect();
    shown.sort_by_key(|(_, comment)| (comment.created, comment.id));
    if request.asked("direction") == Some("desc") {
        shown.reverse();
    }
    let (route, place) = match only {
        Some(number) => ("repos/{r}/issues/{n}/comments", format!("issues/{number}/comments")),
        None => ("repos/{r}/issues/comments", "issues/comments".to_owned()),
    };
    let url = desk.by_name();
    paged(route, request, &desk.by_id(&place), &shown, |o, (owner, comment)| {
        write::comment(o, world, repository, &url, *owner, comment);
    })
}

/// The commit behind a sha or the name of the default branch.
fn commit_at(repository: &Repository, name: &str) -> Option<usize> {
    match name {
        "main" | "HEAD" => repository.head,
        sha => repository.shas.get(sha).copied(),
    }
}

fn commits(desk: &Desk, request: &Request) -> Answer {
    let Desk { world, repository, .. } = desk;
    let route = "repos/{r}/commits";
    let (since, until) = (since(request, "since"), since(request, "until"));
    let mut all = match request.asked("sha").unwrap_or("main") {
        "main" => repository.main.clone(),
        name => {
            let Some(at) = commit_at(repository, name) else { return nothing_here() };
            let mut reachable: Vec<usize> = repository.reachable(at).into_iter().collect();
            reachable.sort_by_key(|&at| (repository.commits[at].committed, at));
            reachable
        }
    };
    all.reverse();
    all.retain(|&at| {
        let committed = repository.commits[at].committed;
        since.is_none_or(|since| committed >= since) && until.is_none_or(|until| committed <= until)
    });
    paged(route, request, &desk.by_id("commits"), &all, |o, &at| {
        write::commit(o, world, repository, at);
    })
}

fn pulls_of_commit(desk: &Desk, request: &Request, sha: &str) -> Answer {
    let Desk { world, repository, .. } = desk;
    let route = "repos/{r}/commits/{sha}/pulls";
    let Some(at) = commit_at(repository, sha) else {
        return refusal(route, 422, &format!("No commit found for SHA: {sha}"));
    };
    let holds = |pull: &&Pull| {
        pull.commits.contains(&at)
            || (pull.merged.is_some() && pull.merge_sha.as_deref() == Some(sha))
    };
    let shown: Vec<&Pull> = repository.pulls.iter().filter(holds).collect();
    paged(route, request, &desk.by_id(&format!("commits/{sha}/pulls")), &shown, |o, pull| {
        write::pull(o, world, repository, pull, false);
    })
}

fn compare(desk: &Desk, request: &Request, span: &str) -> Answer {
    let Desk { world, repository, .. } = desk;
    let route = "repos/{r}/compare";
    let Some((base, head)) = span.split_once("...") else { return nothing_here() };
    let (Some(base), Some(head)) = (commit_at(repository, base), commit_at(repository, head))
    else {
        return nothing_here();
    };
    let (behind, ahead) = (repository.reachable(base), repository.reachable(head));
    let only_in = |one: &HashSet<usize>, other: &HashSet<usize>| {
        let mut only: Vec<usize> = one.difference(other).copied().collect();
        only.sort_by_key(|&at| (repository.commits[at].committed, at));
        only
    };
    let (ahead_by, behind_by) = (only_in(&ahead, &behind), only_in(&behind, &ahead));
    let status = match (ahead_by.is_empty(), behind_by.is_empty()) {
        (true, true) => "identical",
        (false, true) => "ahead",
        (true, false) => "behind",
        (false, false) => "diverged",
    };
    let (page, size) = window(request);
    let body = json::object(|o| {
        o.put("status", status).put("ahead_by", &ahead_by.len());
        o.put("behind_by", &behind_by.len()).put("total_commits", &ahead_by.len());
        o.list("commits", |l| {
            for &at in ahead_by.iter().skip((page - 1) * size).take(size) {
                l.object(|o| write::commit(o, world, repository, at));
            }
        });
    });
    let place = desk.by_id(&format!("compare/{span}"));
    with_links(Answer::json(route, 200, body), request, &place, ahead_by.len())
}

fn tag_ref(repository: &Repository, tag: &str) -> Answer {
    let Some(release) = repository.releases.iter().find(|release| release.tag == tag) else {
        return nothing_here();
    };
    let body = json::object(|o| {
        o.put("ref", &format!("refs/tags/{tag}"));
        o.object("object", |o| {
            o.put("type", "commit").put("sha", &repository.commits[release.commit].sha);
        });
    });
    Answer::json("repos/{r}/git/ref/tags/{tag}", 200, body)
}

fn deployments(desk: &Desk, request: &Request) -> Answer {
    let Desk { world, repository, .. } = desk;
    let fits = |deployment: &&Deployment| {
        let sha = &repository.commits[deployment.commit].sha;
        request.asked("environment").is_none_or(|wanted| wanted == deployment.environment.word())
            && request.asked("sha").is_none_or(|wanted| wanted == sha)
    };
    let newest: Vec<&Deployment> = repository.deployments.iter().rev().filter(fits).collect();
    paged("repos/{r}/deployments", request, &desk.by_id("deployments"), &newest, |o, deployment| {
        write::deployment(o, world, repository, deployment);
    })
}

fn deployment_at<'a>(repository: &'a Repository, id: &str) -> Option<&'a Deployment> {
    repository.deployments.iter().find(|deployment| deployment.id.to_string() == id)
}

fn statuses(desk: &Desk, request: &Request, id: &str) -> Answer {
    let Desk { world, repository, .. } = desk;
    let Some(deployment) = deployment_at(repository, id) else { return nothing_here() };
    let newest: Vec<&DeploymentStatus> = deployment.statuses.iter().rev().collect();
    let place = desk.by_id(&format!("deployments/{id}/statuses"));
    paged("repos/{r}/deployments/{id}/statuses", request, &place, &newest, |o, status| {
        o.put("id", &status.id).put("state", status.state);
        o.put("environment", deployment.environment.word());
        write::actor(o, "creator", world, Actor::Bot(Bot::Releaser));
        o.put("created_at", &status.at.github()).put("updated_at", &status.at.github());
    })
}

fn runs(desk: &Desk, request: &Request) -> Answer {
    let Desk { world, repository, .. } = desk;
    let span = request.asked("created").map(span);
    let filtered = ["created", "branch", "status", "event", "head_sha"]
        .iter()
        .any(|key| request.asked(key).is_some());
    let fits = |run: &&Run| {
        let status = request.asked("status");
        span.is_none_or(|(from, to)| from <= run.created && run.created <= to)
            && status.is_none_or(|status| status == "completed" || status == run.conclusion)
            && request.asked("branch").is_none_or(|branch| branch == "main")
            && request.asked("event").is_none_or(|event| event == "push")
            && request.asked("head_sha").is_none_or(|sha| repository.commits[run.commit].sha == sha)
    };
    let mut newest: Vec<&Run> = repository.runs.iter().filter(fits).collect();
    newest.sort_by_key(|run| std::cmp::Reverse((run.created, run.id)));
    let total = newest.len();
    if filtered {
        newest.truncate(FILTERED_RUNS_MAX);
    }
    let (page, size) = window(request);
    let body = json::object(|o| {
        o.put("total_count", &total);
        o.list("workflow_runs", |l| {
            for run in newest.iter().skip((page - 1) * size).take(size) {
                l.object(|o| write::run(o, world, repository, run));
            }
        });
    });
    let place = desk.by_id("actions/runs");
    with_links(Answer::json("repos/{r}/actions/runs", 200, body), request, &place, newest.len())
}

/// `2026-10-01..2026-10-02`, `>=2026-10-01`, `<=…`, or one day.
fn span(text: &str) -> (Moment, Moment) {
    let (ever, never) = (Moment(i64::MIN), Moment(i64::MAX));
    let ends = |text: &str, last: bool| -> Option<Moment> {
        if let Ok(time) = text.parse::<DateTime<Utc>>() {
            return Some(Moment::from(time));
        }
        let day = text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc();
        Some(if last { Moment::from(day) + (DAY - 1) } else { Moment::from(day) })
    };
    if let Some((from, to)) = text.split_once("..") {
        return (ends(from, false).unwrap_or(ever), ends(to, true).unwrap_or(never));
    }
    if let Some(from) = text.strip_prefix(">=").or_else(|| text.strip_prefix('>')) {
        return (ends(from, false).unwrap_or(ever), never);
    }
    if let Some(to) = text.strip_prefix("<=").or_else(|| text.strip_prefix('<')) {
        return (ever, ends(to, true).unwrap_or(never));
    }
    (ends(text, false).unwrap_or(ever), ends(text, true).unwrap_or(never))
}
