//! The types of the schema and their fields.

use serde::Serialize;

use super::query::Arguments;
use super::{Refusal, cursor};
use crate::moment::Moment;
use crate::world::World;
use crate::world::git::*;

/// A step on the way to a part of the answer.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// Into a field.
    Field(String),
    /// To an element.
    Index(usize),
}

/// Something that has fields.
#[derive(Clone)]
pub enum Node<'w> {
    Root,
    Viewer,
    Organization,
    Owner,
    Repository(&'w Repository),
    Ref(&'w Repository),
    Commit(&'w Repository, usize),
    GitActor(&'w Commit, Moment),
    Pull(&'w Repository, &'w Pull),
    PullCommit(&'w Repository, usize),
    Actor(Actor),
    Review(&'w Repository, &'w Pull, usize),
    Remark(&'w Repository, &'w Pull, usize),
    Thread(&'w Repository, &'w Pull, usize),
    Comment(&'w Comment),
    Happening(&'w Repository, &'w Happening),
    Label(&'static str),
    Deployment(&'w Repository, &'w Deployment),
    DeploymentStatus(&'w DeploymentStatus),
    Release(&'w Repository, &'w Release),
    Connection(Box<Connection<'w>>),
    PageInfo(PageInfo),
}

/// One page of something that pages.
#[derive(Clone)]
pub struct Connection<'w> {
    kind: &'static str,
    total: usize,
    nodes: Vec<Node<'w>>,
    page: PageInfo,
    /// All of them are withheld, because the page is too much for GitHub.
    too_much: bool,
}

/// Where a page stands.
#[derive(Clone, Default)]
pub struct PageInfo {
    has_next: bool,
    has_previous: bool,
    start: Option<String>,
    end: Option<String>,
}

/// What a field holds.
pub enum Reached<'w> {
    Value(serde_json::Value),
    Nothing,
    Node(Node<'w>),
    Nodes(Vec<Result<Node<'w>, (&'static str, String)>>),
    Gap(&'static str, String),
}

/// The schema over a world.
pub struct Schema<'w> {
    pub world: &'w World,
    pub busy_page_max: Option<u64>,
}

/// A field that its type does not have.
pub fn unknown_field(field: &str, kind: &str) -> Refusal {
    Refusal::plain(format!("Field '{field}' doesn't exist on type '{kind}'"))
}

fn value<'w>(value: impl Into<serde_json::Value>) -> Reached<'w> {
    Reached::Value(value.into())
}

fn at<'w>(moment: Moment) -> Reached<'w> {
    value(moment.github())
}

fn maybe_at<'w>(moment: Option<Moment>) -> Reached<'w> {
    moment.map_or(Reached::Nothing, at)
}

fn maybe<'w>(node: Option<Node<'w>>) -> Reached<'w> {
    node.map_or(Reached::Nothing, Reached::Node)
}

impl Node<'_> {
    /// The name of its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Root => "Query",
            Node::Viewer | Node::Actor(Actor::Person(_) | Actor::Ghost) => "User",
            Node::Actor(Actor::Bot(_)) => "Bot",
            Node::Organization | Node::Owner => "Organization",
            Node::Repository(_) => "Repository",
            Node::Ref(_) => "Ref",
            Node::Commit(..) => "Commit",
            Node::GitActor(..) => "GitActor",
            Node::Pull(..) => "PullRequest",
            Node::PullCommit(..) => "PullRequestCommit",
            Node::Review(..) => "PullRequestReview",
            Node::Remark(..) => "PullRequestReviewComment",
            Node::Thread(..) => "PullRequestReviewThread",
            Node::Comment(_) => "IssueComment",
            Node::Happening(_, happening) => match happening.what {
                What::Ready => "ReadyForReviewEvent",
                What::Draft => "ConvertToDraftEvent",
                What::ReviewRequested => "ReviewRequestedEvent",
                What::ForcePushed { .. } => "HeadRefForcePushedEvent",
                What::Closed => "ClosedEvent",
                What::Reopened => "ReopenedEvent",
            },
            Node::Label(_) => "Label",
            Node::Deployment(..) => "Deployment",
            Node::DeploymentStatus(_) => "DeploymentStatus",
            Node::Release(..) => "Release",
            Node::Connection(connection) => connection.kind,
            Node::PageInfo(_) => "PageInfo",
        }
    }

    /// Whether a fragment on this type or interface applies.
    pub fn is(&self, name: &str) -> bool {
        let own = self.kind();
        let interfaces: &[&str] = match own {
            "User" | "Bot" => &["Actor", "Node"],
            "Organization" => &["Actor", "RepositoryOwner", "Node"],
            "Commit" => &["GitObject", "Node"],
            "PageInfo" | "GitActor" | "Query" => &[],
            "PullRequest" => &["Node", "Comment", "Closable"],
            name if name.ends_with("Event") => &["Node", "PullRequestTimelineItems"],
            _ => &["Node"],
        };
        own == name || interfaces.contains(&name)
    }
}

impl<'w> Schema<'w> {
    /// What a field of a node holds.
    pub fn reach(
        &self,
        node: &Node<'w>,
        field: &str,
        given: &Arguments,
    ) -> Result<Reached<'w>, Refusal> {
        if field == "__typename" {
            return Ok(value(node.kind()));
        }
        let reached = match node {
            Node::Root => self.root(field, given)?,
            Node::Viewer => match field {
                "login" => Some(value("pulse-etl")),
                "databaseId" => Some(value(501)),
                _ => None,
            },
            Node::Owner | Node::Organization => self.organization(field, given)?,
            Node::Repository(repository) => self.repository(repository, field, given)?,
            Node::Ref(repository) => match field {
                "name" => Some(value("main")),
                "target" => Some(maybe(repository.head.map(|head| Node::Commit(repository, head)))),
                _ => None,
            },
            Node::Commit(repository, index) => self.commit(repository, *index, field, given)?,
            Node::GitActor(commit, moment) => match field {
                "name" => Some(value(self.world.commit_name(commit.author))),
                "email" => Some(value(self.world.commit_email(commit.author))),
                "date" => Some(at(*moment)),
                "user" => Some(match self.world.commit_login(commit.author) {
                    Some(_) => Reached::Node(Node::Actor(commit.author)),
                    None => Reached::Nothing,
                }),
                _ => None,
            },
            Node::Pull(repository, pull) => self.pull(repository, pull, field, given)?,
            Node::PullCommit(repository, index) => match field {
                "commit" => Some(Reached::Node(Node::Commit(repository, *index))),
                "id" => Some(value(format!("PRC_kw{}c{index}", repository.id))),
                _ => None,
            },
            Node::Actor(actor) => self.actor(*actor, field),
            Node::Review(repository, pull, index) => {
                self.review(repository, pull, *index, field, given)?
            }
            Node::Remark(repository, pull, index) => self.remark(repository, pull, *index, field),
            Node::Thread(repository, pull, index) => {
                self.thread(repository, pull, *index, field, given)?
            }
            Node::Comment(comment) => match field {
                "id" => Some(value(format!("IC_kw{}", comment.id))),
                "databaseId" => Some(value(comment.id)),
                "fullDatabaseId" => Some(value(comment.id.to_string())),
                "createdAt" | "updatedAt" => Some(at(comment.created)),
                "body" | "bodyText" => Some(value(comment.text.as_str())),
                "author" => Some(self.author(comment.author)),
                _ => None,
            },
            Node::Happening(repository, happening) => match (field, happening.what) {
                ("createdAt", _) => Some(at(happening.at)),
                ("beforeCommit", What::ForcePushed { before, .. }) => {
                    Some(maybe(before.map(|before| Node::Commit(repository, before))))
                }
                ("afterCommit", What::ForcePushed { after, .. }) => {
                    Some(Reached::Node(Node::Commit(repository, after)))
                }
                _ => None,
            },
            Node::Label(name) => (field == "name").then(|| value(*name)),
            Node::Deployment(repository, deployment) => {
                self.deployment(repository, deployment, field, given)?
            }
            Node::DeploymentStatus(status) => match field {
                "id" => Some(value(format!("DES_kw{}", status.id))),
                "state" => Some(value(status.state.to_uppercase())),
                "createdAt" | "updatedAt" => Some(at(status.at)),
                _ => None,
            },
            Node::Release(repository, release) => match field {
                "id" => Some(value(format!("RE_kw{}", release.id))),
                "databaseId" => Some(value(release.id)),
                "tagName" | "name" => Some(value(release.tag.as_str())),
                "createdAt" => Some(at(release.created)),
                "publishedAt" => Some(maybe_at(release.published)),
                "isDraft" => Some(value(release.published.is_none())),
                "isPrerelease" => Some(value(false)),
                "tagCommit" => Some(Reached::Node(Node::Commit(repository, release.commit))),
                _ => None,
            },
            Node::Connection(connection) => self.connection(connection, field),
            Node::PageInfo(page) => match field {
                "hasNextPage" => Some(value(page.has_next)),
                "hasPreviousPage" => Some(value(page.has_previous)),
                "startCursor" => Some(value(page.start.clone())),
                "endCursor" => Some(value(page.end.clone())),
                _ => None,
            },
        };
        reached.ok_or_else(|| unknown_field(field, node.kind()))
    }

    fn root(&self, field: &str, given: &Arguments) -> Result<Option<Reached<'w>>, Refusal> {
        Ok(Some(match field {
            "viewer" => Reached::Node(Node::Viewer),
            "organization" | "repositoryOwner" => {
                let login = given.text("login").unwrap_or_default();
                if login.eq_ignore_ascii_case(&self.world.org) {
                    Reached::Node(Node::Organization)
                } else {
                    let text = format!(
                        "Could not resolve to an Organization with the login of '{login}'."
                    );
                    Reached::Gap("NOT_FOUND", text)
                }
            }
            "repository" => {
                let owner = given.text("owner").unwrap_or_default();
                let name = given.text("name").unwrap_or_default();
                // A former name leads to the repository, without a word about it.
                match self.world.repository(owner, name) {
                    Some((index, _)) => {
                        Reached::Node(Node::Repository(&self.world.repositories[index]))
                    }
                    None => Reached::Gap(
                        "NOT_FOUND",
                        format!(
                            "Could not resolve to a Repository with the name '{owner}/{name}'."
                        ),
                    ),
                }
            }
            "node" => match self.by_id(given.text("id").unwrap_or_default()) {
                Ok(node) => Reached::Node(node),
                Err((kind, text)) => Reached::Gap(kind, text),
            },
            "nodes" => {
                let ids = given.texts("ids").unwrap_or_default();
                if ids.len() > 100 {
                    let text = format!(
                        "You may not provide more than 100 node ids; you provided {}.",
                        ids.len()
                    );
                    return Err(Refusal::new("ARGUMENT_LIMIT", text));
                }
                Reached::Nodes(ids.into_iter().map(|id| self.by_id(id)).collect())
            }
            _ => return Ok(None),
        }))
    }

    /// Ids tell where things are: `PR_kw9001n412`, `PRR_kw9001n412i7`.
    fn by_id(&self, id: &str) -> Result<Node<'w>, (&'static str, String)> {
        let found = || {
            let (kind, rest) = id.split_once("_kw")?;
            let (repository, rest) = match rest.split_once('n') {
                Some((repository, rest)) => (repository, Some(rest)),
                None => (rest, None),
            };
            let repository: u64 = repository.parse().ok()?;
            let repository = self.world.repositories.iter().find(|r| r.id == repository)?;
            let Some(rest) = rest else {
                return (kind == "R").then_some(Node::Repository(repository));
            };
            let (number, index) = match rest.split_once('i') {
                Some((number, index)) => (number, index.parse::<usize>().ok()),
                None => (rest, None),
            };
            let pull = repository.pull(number.parse().ok()?)?;
            match (kind, index) {
                ("PR", None) => Some(Node::Pull(repository, pull)),
                ("PRR", Some(at)) if at < pull.reviews.len() => {
                    Some(Node::Review(repository, pull, at))
                }
                ("PRRT", Some(at)) if at < pull.remarks.len() => {
                    Some(Node::Thread(repository, pull, at))
                }
                _ => None,
            }
        };
        found().ok_or_else(|| {
            ("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'."))
        })
    }

    fn organization(&self, field: &str, given: &Arguments) -> Result<Option<Reached<'w>>, Refusal> {
        Ok(Some(match field {
            "login" | "name" => value(self.world.org.as_str()),
            "databaseId" => value(77),
            "repositories" => {
                let nodes = self.world.repositories.iter();
                let nodes = nodes.map(|r| (r.id.to_string(), Node::Repository(r))).collect();
                page("RepositoryConnection", "repositories", nodes, given)?
            }
            _ => return Ok(None),
        }))
    }

    fn repository(
        &self,
        repository: &'w Repository,
        field: &str,
        given: &Arguments,
    ) -> Result<Option<Reached<'w>>, Refusal> {
        let full_name = || format!("{}/{}", self.world.org, repository.name);
        let id = repository.id;
        Ok(Some(match field {
            "id" => value(format!("R_kw{id}")),
            "databaseId" => value(id),
            "name" => value(repository.name.as_str()),
            "nameWithOwner" => value(full_name()),
            "url" => value(format!("https://github.com/{}", full_name())),
            "owner" => Reached::Node(Node::Owner),
            "isEmpty" => value(repository.empty),
            "isArchived" => value(repository.retired.is_some()),
            "isFork" | "isDisabled" => value(false),
            "isPrivate" => value(true),
            "archivedAt" => maybe_at(repository.retired),
            "createdAt" => at(repository.created),
            "pushedAt" | "updatedAt" => at(repository.pushed),
            "defaultBranchRef" => maybe((!repository.empty).then_some(Node::Ref(repository))),
            "pullRequests" => self.pulls(repository, given)?,
            "pullRequest" => {
                let number = given.number("number").unwrap_or_default();
                match u32::try_from(number).ok().and_then(|number| repository.pull(number)) {
                    Some(pull) => Reached::Node(Node::Pull(repository, pull)),
                    None => Reached::Gap(
                        "NOT_FOUND",
                        format!("Could not resolve to a PullRequest with the number of {number}."),
                    ),
                }
            }
            "deployments" => {
                let wanted = given.texts("environments");
                let mut found: Vec<&Deployment> = repository
                    .deployments
                    .iter()
                    .filter(|d| wanted.as_ref().is_none_or(|w| w.contains(&d.environment.word())))
                    .collect();
                if given.within("orderBy", "direction") == Some("DESC") {
                    found.reverse();
                }
                let nodes = found.into_iter();
                let nodes =
                    nodes.map(|d| (d.id.to_string(), Node::Deployment(repository, d))).collect();
                page("DeploymentConnection", &format!("deployments/{id}"), nodes, given)?
            }
            "releases" => {
                let mut found: Vec<&Release> = repository.releases.iter().collect();
                if given.within("orderBy", "direction") == Some("DESC") {
                    found.reverse();
                }
                let nodes = found.into_iter();
                let nodes =
                    nodes.map(|r| (r.id.to_string(), Node::Release(repository, r))).collect();
                page("ReleaseConnection", &format!("releases/{id}"), nodes, given)?
            }
            "object" => {
                let name = given.text("oid").or(given.text("expression")).unwrap_or_default();
                let found = match name {
                    "main" | "HEAD" => repository.head,
                    sha => repository.shas.get(sha).copied(),
                };
                maybe(found.map(|index| Node::Commit(repository, index)))
            }
            _ => return Ok(None),
        }))
    }

    fn pulls(&self, repository: &'w Repository, given: &Arguments) -> Result<Reached<'w>, Refusal> {
        let states = given.texts("states");
        let by_update = given.within("orderBy", "field") == Some("UPDATED_AT");
        let down = given.within("orderBy", "direction") == Some("DESC");
        let place = |pull: &Pull| {
            let time = if by_update { pull.updated } else { pull.created };
            let place = (time.0, i64::from(pull.number));
            if down { (-place.0, -place.1) } else { place }
        };
        let mut found: Vec<&Pull> = repository
            .pulls
            .iter()
            .filter(|pull| states.as_ref().is_none_or(|states| states.contains(&pull.state.word())))
            .collect();
        found.sort_by_key(|pull| place(pull));
        let name = format!("pulls/{}", repository.id);
        // By value and not by position: whatever is edited in between moves without a gap.
        let mut begin = 0;
        if let Some(after) = given.text("after") {
            let item = cursor::from(&name, after)?;
            let last = item.split_once('.').and_then(|(time, number)| {
                Some((time.parse::<i64>().ok()?, number.parse::<i64>().ok()?))
            });
            begin = last.map_or(0, |last| found.partition_point(|pull| place(pull) <= last));
        }
        let size = given.number("first").or(given.number("last")).unwrap_or(0) as usize;
        let busy = self.world.repositories.first().is_some_and(|first| first.id == repository.id);
        let too_much = busy && self.busy_page_max.is_some_and(|most| size as u64 > most);
        let end = found.len().min(begin + size);
        let to = |pull: &Pull| {
            let (time, number) = place(pull);
            cursor::to(&name, &format!("{time}.{number}"))
        };
        let shown = &found[begin..end];
        Ok(Reached::Node(Node::Connection(Box::new(Connection {
            kind: "PullRequestConnection",
            total: found.len(),
            page: PageInfo {
                has_next: end < found.len(),
                has_previous: begin > 0,
                start: shown.first().map(|pull| to(pull)),
                end: shown.last().map(|pull| to(pull)),
            },
            nodes: shown.iter().map(|pull| Node::Pull(repository, pull)).collect(),
            too_much,
        }))))
    }

    fn commit(
        &self,
        repository: &'w Repository,
        index: usize,
        field: &str,
        given: &Arguments,
    ) -> Result<Option<Reached<'w>>, Refusal> {
        let commit = &repository.commits[index];
        Ok(Some(match field {
            "id" => value(format!("C_kw{}c{index}", repository.id)),
            "oid" => value(commit.sha.as_str()),
            "abbreviatedOid" => value(&commit.sha[..7]),
            "message" => value(commit.message.as_str()),
            "messageHeadline" => value(commit.message.lines().next().unwrap_or_default()),
            "authoredDate" => at(commit.authored),
            "committedDate" => at(commit.committed),
            "author" => Reached::Node(Node::GitActor(commit, commit.authored)),
            "committer" => Reached::Node(Node::GitActor(commit, commit.committed)),
            "parents" => {
                let nodes = commit.parents.iter();
                let nodes =
                    nodes.map(|&at| (at.to_string(), Node::Commit(repository, at))).collect();
                page("CommitConnection", &format!("parents/{}", commit.sha), nodes, given)?
            }
            "history" => {
                let time = |name: &str| {
                    let time = given.text(name)?.parse::<chrono::DateTime<chrono::Utc>>().ok()?;
                    Some(Moment::from(time))
                };
                let (since, until) = (time("since"), time("until"));
                let mut reachable = if repository.head == Some(index) {
                    repository.main.clone()
                } else {
                    let mut found: Vec<usize> = repository.reachable(index).into_iter().collect();
                    found.sort_by_key(|&at| (repository.commits[at].committed, at));
                    found
                };
                reachable.reverse();
                let within = |at: &usize| {
                    let committed = repository.commits[*at].committed;
                    since.is_none_or(|since| committed >= since)
                        && until.is_none_or(|until| committed <= until)
                };
                let nodes = reachable.into_iter().filter(within);
                let nodes =
                    nodes.map(|at| (at.to_string(), Node::Commit(repository, at))).collect();
                page(
                    "CommitHistoryConnection",
                    &format!("history/{}", repository.id),
                    nodes,
                    given,
                )?
            }
            _ => return Ok(None),
        }))
    }

    fn pull(
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
            "baseRefName" => value("main"),
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

    fn actor(&self, actor: Actor, field: &str) -> Option<Reached<'w>> {
        let (id, name) = match actor {
            Actor::Person(index) => {
                let person = &self.world.people[index];
                (person.github_id, person.name.as_str())
            }
            Actor::Bot(bot) => (bot.id(), bot.login()),
            Actor::Ghost => return None,
        };
        Some(match field {
            "login" => value(self.world.login(actor)?),
            "databaseId" => value(id),
            "id" => value(format!("U_kw{id}")),
            "name" => value(name),
            _ => return None,
        })
    }

    fn author(&self, actor: Actor) -> Reached<'w> {
        match actor {
            Actor::Ghost => Reached::Nothing,
            actor => Reached::Node(Node::Actor(actor)),
        }
    }

    fn review(
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

    fn remark(
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

    fn thread(
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

    fn deployment(
        &self,
        repository: &'w Repository,
        deployment: &'w Deployment,
        field: &str,
        given: &Arguments,
    ) -> Result<Option<Reached<'w>>, Refusal> {
        Ok(Some(match field {
            "id" => value(format!("DE_kw{}", deployment.id)),
            "databaseId" => value(deployment.id),
            "commitOid" => value(repository.commits[deployment.commit].sha.as_str()),
            "commit" => Reached::Node(Node::Commit(repository, deployment.commit)),
            "environment" | "originalEnvironment" | "latestEnvironment" => {
                value(deployment.environment.word())
            }
            "state" => value(match deployment.statuses.last().map(|status| status.state) {
                None => "PENDING".to_owned(),
                Some("success") => "ACTIVE".to_owned(),
                Some(state) => state.to_uppercase(),
            }),
            "createdAt" => at(deployment.created),
            "updatedAt" => at(deployment.updated),
            "task" => value("deploy"),
            "description" | "payload" => Reached::Nothing,
            "ref" => Reached::Node(Node::Ref(repository)),
            "creator" => self.author(Actor::Bot(Bot::Releaser)),
            "latestStatus" => maybe(deployment.statuses.last().map(Node::DeploymentStatus)),
            "statuses" => {
                let nodes = deployment.statuses.iter().rev();
                let nodes = nodes.map(|s| (s.id.to_string(), Node::DeploymentStatus(s))).collect();
                page(
                    "DeploymentStatusConnection",
                    &format!("statuses/{}", deployment.id),
                    nodes,
                    given,
                )?
            }
            _ => return Ok(None),
        }))
    }

    fn connection(&self, connection: &Connection<'w>, field: &str) -> Option<Reached<'w>> {
        Some(match field {
            "totalCount" => value(connection.total),
            "pageInfo" => Reached::Node(Node::PageInfo(connection.page.clone())),
            "nodes" if connection.too_much => {
                let text = "Resource limits for this query exceeded.".to_owned();
                Reached::Nodes(vec![Err(("RESOURCE_LIMITS_EXCEEDED", text))])
            }
            "nodes" => {
                Reached::Nodes(connection.nodes.iter().map(|node| Ok(node.clone())).collect())
            }
            _ => return None,
        })
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

/// The page of a connection that `first` and `after`, or `last` and `before`, ask for.
fn page<'w>(
    kind: &'static str,
    name: &str,
    mut items: Vec<(String, Node<'w>)>,
    given: &Arguments,
) -> Result<Reached<'w>, Refusal> {
    let total = items.len();
    let (mut begin, mut end) = (0, total);
    let position = |cursor: &str| -> Result<usize, Refusal> {
        let wanted = cursor::from(name, cursor)?;
        // What is gone was at the front; whoever stood there starts again.
        Ok(items.iter().position(|(id, _)| *id == wanted).map_or(0, |at| at + 1))
    };
    if let Some(after) = given.text("after") {
        begin = position(after)?;
    }
    if let Some(before) = given.text("before") {
        end = position(before)?.saturating_sub(1);
    }
    match (given.number("first"), given.number("last")) {
        (Some(first), _) => end = end.min(begin + first as usize),
        (None, Some(last)) => begin = begin.max(end.saturating_sub(last as usize)),
        (None, None) => {}
    }
    let to = |at: usize| cursor::to(name, &items[at].0);
    let filled = begin < end;
    let info = PageInfo {
        has_next: end < total,
        has_previous: begin > 0,
        start: filled.then(|| to(begin)),
        end: filled.then(|| to(end - 1)),
    };
    let nodes = items.drain(begin.min(end)..end).map(|(_, node)| node).collect();
    let connection = Connection { kind, total, nodes, page: info, too_much: false };
    Ok(Reached::Node(Node::Connection(Box::new(connection))))
}
