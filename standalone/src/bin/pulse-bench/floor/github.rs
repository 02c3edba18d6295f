//! GitHub's pages, as the product asks for them, straight into rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context;
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::http::{page, read};
use super::queries;
use super::rows::{At, Batch, Place, Value};
use super::sink::{Lane, Sink};
use super::{LANES, Order};

/// Rests of nested lists per query.
const RESTS_AT_ONCE: usize = 50;

/// Reads everything that the job's steps read.
pub async fn load(order: &Order, sink: &Sink) -> anyhow::Result<()> {
    let hub = Arc::new(Hub {
        http: Client::builder().user_agent("pulse-bench").build()?,
        base: order.base_url.clone(),
        token: order.secret.clone(),
    });
    let mut first = Batch::new();
    let repositories = hub.repositories(&order.scopes, &mut first).await?;
    // Every lane must find these, whichever connection it writes over.
    sink.write_first(first).await?;

    let free = Arc::new(Semaphore::new(LANES));
    let mut lanes = JoinSet::new();
    for (number, repository) in repositories.into_iter().enumerate() {
        let (hub, free, lane) = (hub.clone(), free.clone(), sink.lane(number));
        lanes.spawn(async move {
            let _turn = free.acquire_owned().await?;
            hub.read(&repository, &lane).await
        });
    }
    while let Some(ended) = lanes.join_next().await {
        ended??;
    }
    Ok(())
}

struct Hub {
    http: Client,
    base: String,
    token: String,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Repository {
    database_id: i64,
    name_with_owner: String,
    is_archived: bool,
    default_branch_ref: Option<RefName>,
}

#[derive(Deserialize)]
struct RefName {
    name: String,
}

#[derive(Deserialize)]
struct OfRepository<T> {
    repository: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pulls {
    pull_requests: Connection<Pull>,
}

#[derive(Deserialize)]
struct Deployments {
    deployments: Connection<Deployment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefaultBranch {
    default_branch_ref: Option<Branch>,
}

#[derive(Deserialize)]
struct Branch {
    target: Target,
}

#[derive(Deserialize)]
struct Target {
    history: Connection<Commit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection<T> {
    page_info: PageInfo,
    nodes: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl PageInfo {
    fn next(&self) -> Option<String> {
        self.end_cursor.clone().filter(|_| self.has_next_page)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pull {
    id: String,
    full_database_id: String,
    number: i64,
    state: String,
    is_draft: bool,
    title: String,
    created_at: At,
    updated_at: At,
    closed_at: Option<At>,
    merged_at: Option<At>,
    additions: i64,
    deletions: i64,
    changed_files: i64,
    head_ref_name: String,
    head_ref_oid: String,
    base_ref_name: String,
    merge_commit: Option<Oid>,
    author: Option<Actor>,
    commits: Connection<PullCommit>,
    reviews: Connection<Review>,
    comments: Connection<Comment>,
    timeline_items: Connection<Event>,
}

/// More of one nested list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rest {
    commits: Option<Connection<PullCommit>>,
    reviews: Option<Connection<Review>>,
    comments: Option<Connection<Comment>>,
    timeline_items: Option<Connection<Event>>,
}

#[derive(Deserialize)]
struct Oid {
    oid: String,
}

#[derive(Deserialize)]
struct Actor {
    #[serde(rename = "__typename")]
    kind: String,
    login: String,
}

#[derive(Deserialize)]
struct PullCommit {
    commit: Commit,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commit {
    oid: String,
    message: String,
    authored_date: At,
    committed_date: At,
    author: Option<GitActor>,
    parents: Option<Parents>,
}

#[derive(Deserialize)]
struct Parents {
    nodes: Vec<Oid>,
}

#[derive(Deserialize)]
struct GitActor {
    name: Option<String>,
    user: Option<Login>,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    full_database_id: String,
    state: String,
    submitted_at: Option<At>,
    author: Option<Actor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    full_database_id: String,
    created_at: At,
    author: Option<Actor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    created_at: Option<At>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deployment {
    database_id: i64,
    commit_oid: String,
    environment: Option<String>,
    state: Option<String>,
    created_at: At,
    updated_at: At,
    statuses: Statuses,
}

#[derive(Deserialize)]
struct Statuses {
    nodes: Vec<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: String,
    created_at: At,
}

#[derive(Deserialize)]
struct Remark {
    id: i64,
    user: Option<User>,
    created_at: At,
    pull_request_url: String,
}

#[derive(Deserialize)]
struct User {
    login: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The variables of a paged query.
#[derive(Serialize)]
struct PageOf<'a> {
    o: &'a str,
    r: &'a str,
    p: usize,
    after: Option<&'a str>,
}

/// A nested list that goes on.
struct Unfinished {
    pull: String,
    number: i64,
    list: &'static str,
    after: String,
    /// Entries that came already.
    known: usize,
}

/// What a lane knows of its repository.
struct Reading<'a> {
    id: i64,
    owner: &'a str,
    name: &'a str,
    /// Commits that are sent: pull requests share them with each other and with the branch.
    seen: HashSet<String>,
}

impl Hub {
    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(&self.token).header("Accept", "application/vnd.github+json")
    }

    async fn query<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: impl Serialize,
    ) -> anyhow::Result<T> {
        let body = json!({ "query": query, "variables": variables });
        let request = self.http.post(format!("{}/graphql", self.base)).json(&body);
        let answer: Answer<T> = read(self.signed(request)).await?;
        Ok(answer.data)
    }

    async fn repositories(
        &self,
        names: &[String],
        to: &mut Batch,
    ) -> anyhow::Result<Vec<(i64, String)>> {
        let query = queries::repositories(names);
        let found: HashMap<String, serde_json::Value> = self.query(&query, json!({})).await?;
        let mut ids = Vec::new();
        for at in 0..names.len() {
            let found = found.get(&format!("r{at}")).context("a repository is missing")?;
            let found = Repository::deserialize(found)?;
            to.add(
                Place::Repositories,
                [
                    found.database_id.into(),
                    found.name_with_owner.as_str().into(),
                    found.default_branch_ref.map(|branch| branch.name).into(),
                    found.is_archived.into(),
                    true.into(),
                ],
            );
            ids.push((found.database_id, found.name_with_owner));
        }
        Ok(ids)
    }

    /// Everything of one repository.
    async fn read(&self, repository: &(i64, String), to: &Lane) -> anyhow::Result<()> {
        let (id, full_name) = repository;
        let (owner, name) = full_name.split_once('/').context("a repository has an owner")?;
        let mut reading = Reading { id: *id, owner, name, seen: HashSet::new() };
        // The branch knows the parents of its commits, so its version of them is the one to keep.
        self.history(&mut reading, to).await?;
        self.pulls(&mut reading, to).await?;
        self.remarks(&reading, to).await?;
        self.deployments(&reading, to).await
    }

    async fn history(&self, of: &mut Reading<'_>, to: &Lane) -> anyhow::Result<()> {
        let query = queries::history();
        let mut after = None;
        loop {
            let found: OfRepository<DefaultBranch> =
                self.query(&query, of.page(100, after.as_deref())).await?;
            let Some(branch) = found.repository.default_branch_ref else { return Ok(()) };
            let history = branch.target.history;
            after = history.page_info.next();
            let mut batch = Batch::new();
            for commit in history.nodes {
                of.add_commit(&mut batch, commit)?;
            }
            to.send(batch).await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn pulls(&self, of: &mut Reading<'_>, to: &Lane) -> anyhow::Result<()> {
        let query = queries::pull_requests();
        let mut after = None;
        loop {
            let found: OfRepository<Pulls> =
                self.query(&query, of.page(100, after.as_deref())).await?;
            let pulls = found.repository.pull_requests;
            after = pulls.page_info.next();
            let mut batch = Batch::new();
            let mut unfinished = Vec::new();
            for pull in pulls.nodes {
                of.add_pull(&mut batch, pull, &mut unfinished)?;
            }
            self.finish(of, unfinished, &mut batch).await?;
            to.send(batch).await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads the rests of nested lists.
    async fn finish(
        &self,
        of: &mut Reading<'_>,
        mut unfinished: Vec<Unfinished>,
        to: &mut Batch,
    ) -> anyhow::Result<()> {
        while !unfinished.is_empty() {
            let now = unfinished.split_off(unfinished.len().saturating_sub(RESTS_AT_ONCE));
            let lists = now.iter().map(|list| (&*list.pull, list.list, &*list.after));
            let query = queries::rest_of(lists);
            let found: HashMap<String, serde_json::Value> = self.query(&query, json!({})).await?;
            for (at, list) in now.into_iter().enumerate() {
                let rest = found.get(&format!("a{at}")).context("a list is missing")?;
                unfinished.extend(of.add_rest(to, Rest::deserialize(rest)?, list)?);
            }
        }
        Ok(())
    }

    async fn remarks(&self, of: &Reading<'_>, to: &Lane) -> anyhow::Result<()> {
        let mut next = Some(format!(
            "{}/repos/{}/{}/pulls/comments?sort=updated&direction=asc&per_page=100",
            self.base, of.owner, of.name
        ));
        while let Some(url) = next {
            let (remarks, link): (Vec<Remark>, _) = page(self.signed(self.http.get(url))).await?;
            next = link;
            let mut batch = Batch::new();
            for remark in remarks {
                let number = remark.pull_request_url.rsplit('/').next().unwrap_or_default();
                let number: i64 = number.parse()?;
                let (author, bot) =
                    author(remark.user.map(|User { login, kind }| Actor { kind, login }));
                batch.add(
                    Place::ReviewComments,
                    [
                        of.id.into(),
                        number.into(),
                        remark.id.into(),
                        author,
                        bot,
                        remark.created_at.into(),
                    ],
                );
            }
            to.send(batch).await?;
        }
        Ok(())
    }

    async fn deployments(&self, of: &Reading<'_>, to: &Lane) -> anyhow::Result<()> {
        let query = queries::deployments();
        let mut after = None;
        loop {
            let found: OfRepository<Deployments> =
                self.query(&query, of.page(100, after.as_deref())).await?;
            let deployments = found.repository.deployments;
            after = deployments.page_info.next();
            let mut batch = Batch::new();
            for deployment in deployments.nodes {
                of.add_deployment(&mut batch, deployment);
            }
            to.send(batch).await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

impl<'a> Reading<'a> {
    fn page<'b>(&'b self, size: usize, after: Option<&'b str>) -> PageOf<'b> {
        PageOf { o: self.owner, r: self.name, p: size, after }
    }

    fn add_commit(&mut self, to: &mut Batch, commit: Commit) -> anyhow::Result<()> {
        if !self.seen.insert(commit.oid.clone()) {
            return Ok(());
        }
        let author = commit.author.and_then(|author| match author.user {
            Some(user) => Some(user.login),
            None => author.name,
        });
        let parents = commit.parents.map(|parents| {
            let shas: Vec<String> = parents.nodes.into_iter().map(|parent| parent.oid).collect();
            serde_json::to_string(&shas)
        });
        to.add(
            Place::Commits,
            [
                self.id.into(),
                commit.oid.into(),
                author.into(),
                commit.authored_date.into(),
                commit.committed_date.into(),
                commit.message.into(),
                parents.transpose()?.into(),
            ],
        );
        Ok(())
    }

    fn add_pull(
        &mut self,
        to: &mut Batch,
        pull: Pull,
        unfinished: &mut Vec<Unfinished>,
    ) -> anyhow::Result<()> {
        let Pull { id, number, commits, reviews, comments, timeline_items, .. } = pull;
        let ready_at = timeline_items.nodes.iter().filter_map(|event| event.created_at).max();
        let (login, bot) = author(pull.author);
        let merge_commit = pull.merge_commit.map(|commit| commit.oid);
        to.add(
            Place::PullRequests,
            [
                self.id.into(),
                number.into(),
                pull.full_database_id.parse::<i64>()?.into(),
                pull.title.into(),
                pull.state.into(),
                pull.is_draft.into(),
                login,
                bot,
                pull.created_at.into(),
                pull.updated_at.into(),
                pull.merged_at.into(),
                pull.closed_at.into(),
                ready_at.into(),
                merge_commit.filter(|_| pull.merged_at.is_some()).into(),
                pull.head_ref_name.into(),
                pull.base_ref_name.into(),
                pull.head_ref_oid.into(),
                pull.additions.into(),
                pull.deletions.into(),
                pull.changed_files.into(),
            ],
        );
        let lists = [
            ("commits", &commits.page_info, commits.nodes.len()),
            ("reviews", &reviews.page_info, reviews.nodes.len()),
            ("comments", &comments.page_info, comments.nodes.len()),
        ];
        for (list, info, known) in lists {
            if let Some(after) = info.next() {
                unfinished.push(Unfinished { pull: id.clone(), number, list, after, known });
            }
        }
        self.add_lists(to, number, 0, (commits.nodes, reviews.nodes, comments.nodes))
    }

    fn add_rest(
        &mut self,
        to: &mut Batch,
        rest: Rest,
        list: Unfinished,
    ) -> anyhow::Result<Option<Unfinished>> {
        let infos = [
            rest.commits.as_ref().map(|list| &list.page_info),
            rest.reviews.as_ref().map(|list| &list.page_info),
            rest.comments.as_ref().map(|list| &list.page_info),
            rest.timeline_items.as_ref().map(|list| &list.page_info),
        ];
        let after = infos.into_iter().flatten().find_map(PageInfo::next);
        let lists = (nodes(rest.commits), nodes(rest.reviews), nodes(rest.comments));
        let known = list.known + lists.0.len();
        self.add_lists(to, list.number, list.known, lists)?;
        Ok(after.map(|after| Unfinished { after, known, ..list }))
    }

    fn add_lists(
        &mut self,
        to: &mut Batch,
        number: i64,
        known_commits: usize,
        (commits, reviews, comments): (Vec<PullCommit>, Vec<Review>, Vec<Comment>),
    ) -> anyhow::Result<()> {
        for (entry, position) in commits.into_iter().zip(known_commits..) {
            let sha = entry.commit.oid.as_str().into();
            let position = i64::try_from(position)?.into();
            to.add(Place::PullRequestCommits, [self.id.into(), number.into(), sha, position]);
            self.add_commit(to, entry.commit)?;
        }
        for review in reviews {
            let (login, bot) = author(review.author);
            to.add(
                Place::Reviews,
                [
                    self.id.into(),
                    number.into(),
                    review.full_database_id.parse::<i64>()?.into(),
                    login,
                    bot,
                    review.state.into(),
                    review.submitted_at.into(),
                ],
            );
        }
        for comment in comments {
            let (login, bot) = author(comment.author);
            to.add(
                Place::Comments,
                [
                    self.id.into(),
                    number.into(),
                    comment.full_database_id.parse::<i64>()?.into(),
                    login,
                    bot,
                    comment.created_at.into(),
                ],
            );
        }
        Ok(())
    }

    fn add_deployment(&self, to: &mut Batch, deployment: Deployment) {
        let when = |states: &'static [&str]| {
            let statuses = deployment.statuses.nodes.iter();
            let hits = statuses.filter(move |status| states.contains(&status.state.as_str()));
            hits.map(|status| status.created_at)
        };
        let told = match (when(&["SUCCESS"]).min(), when(&["FAILURE", "ERROR"]).max()) {
            (Some(first), _) => ("SUCCESS", Some(first)),
            (None, Some(last)) => ("FAILURE", Some(last)),
            (None, None) => ("PENDING", None),
        };
        let guess = match (deployment.statuses.nodes.is_empty(), deployment.state.as_deref()) {
            (true, Some("ACTIVE" | "INACTIVE" | "SUCCESS")) => Some("SUCCESS"),
            (true, Some("ERROR" | "FAILURE")) => Some("FAILURE"),
            _ => None,
        };
        let (outcome, finished_at) =
            guess.map_or(told, |outcome| (outcome, Some(deployment.updated_at)));
        to.add(
            Place::Deployments,
            [
                self.id.into(),
                deployment.database_id.to_string().into(),
                deployment.environment.unwrap_or_default().into(),
                deployment.commit_oid.into(),
                outcome.into(),
                deployment.created_at.into(),
                finished_at.into(),
                guess.is_some().into(),
            ],
        );
    }
}

fn nodes<T>(list: Option<Connection<T>>) -> Vec<T> {
    list.map(|list| list.nodes).unwrap_or_default()
}

/// The login and whether it is a bot's. Nobody is no bot.
fn author(actor: Option<Actor>) -> (Value, Value) {
    let Some(Actor { kind, login }) = actor else { return (Value::Null, false.into()) };
    match login.strip_suffix("[bot]") {
        Some(name) => (name.into(), true.into()),
        None => (login.into(), (kind == "Bot").into()),
    }
}
