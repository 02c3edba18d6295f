//! The fields of a repository: its pull requests, commits, deployments and releases.

use super::node::{Node, Reached};
use super::page::{Connection, PageInfo, page};
use super::query::Arguments;
use super::schema::{Schema, at, maybe, maybe_at, value};
use super::{Refusal, cursor};
use crate::moment::Moment;
use crate::world::git::*;

impl<'w> Schema<'w> {
    pub(super) fn repository(
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
                let oid = given.text("oid");
                if let Some(odd) = oid.filter(|oid| !is_oid(oid)) {
                    return Err(Refusal::plain(format!(
                        "Argument 'oid' on Field 'object' has an invalid value ({odd:?}). \
                         Expected type 'GitObjectID'."
                    )));
                }
                let name = oid.or(given.text("expression")).unwrap_or_default();
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
        let busy_page_max = self.busy_page_max.filter(|_| busy);
        if busy_page_max.is_some_and(|most| size as u64 > 2 * most) {
            return Err(Refusal::too_slow());
        }
        let too_much = busy_page_max.is_some_and(|most| size as u64 > most);
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

    pub(super) fn commit(
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

    pub(super) fn deployment(
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
}

fn is_oid(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
