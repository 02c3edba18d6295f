//! The fields of the schema, up to repositories.

use super::Refusal;
use super::node::{Node, Reached};
use super::page::{Connection, page};
use super::query::Arguments;
use crate::moment::Moment;
use crate::world::World;
use crate::world::git::*;

/// The schema over a world.
pub struct Schema<'w> {
    pub world: &'w World,
    pub busy_page_max: Option<u64>,
}

/// A field that its type does not have.
pub fn unknown_field(field: &str, kind: &str) -> Refusal {
    Refusal::plain(format!("Field '{field}' doesn't exist on type '{kind}'"))
}

pub(super) fn value<'w>(value: impl Into<serde_json::Value>) -> Reached<'w> {
    Reached::Value(value.into())
}

pub(super) fn at<'w>(moment: Moment) -> Reached<'w> {
    value(moment.github())
}

pub(super) fn maybe_at<'w>(moment: Option<Moment>) -> Reached<'w> {
    moment.map_or(Reached::Nothing, at)
}

pub(super) fn maybe<'w>(node: Option<Node<'w>>) -> Reached<'w> {
    node.map_or(Reached::Nothing, Reached::Node)
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
            if kind == "DE" {
                let number: u64 = rest.parse().ok()?;
                return self.world.repositories.iter().find_map(|repository| {
                    let deployed = repository.deployments.iter().find(|one| one.id == number)?;
                    Some(Node::Deployment(repository, deployed))
                });
            }
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

    pub(super) fn author(&self, actor: Actor) -> Reached<'w> {
        match actor {
            Actor::Ghost => Reached::Nothing,
            actor => Reached::Node(Node::Actor(actor)),
        }
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
