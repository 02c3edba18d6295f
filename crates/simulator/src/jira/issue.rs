//! Issues as Jira writes them.

use serde::Deserialize;

use super::{Site, changelog, no_such_issue, refusal, window};
use crate::json::{self, List, Object};
use crate::moment::Moment;
use crate::request::{Answer, Request};
use crate::world::jira::{COMPONENTS, Issue, Kind, PRIORITIES, STATUSES};

const NAVIGABLE: [&str; 26] = [
    "summary",
    "status",
    "issuetype",
    "project",
    "priority",
    "assignee",
    "creator",
    "reporter",
    "parent",
    "labels",
    "components",
    "created",
    "updated",
    "resolutiondate",
    "resolution",
    "issuelinks",
    "description",
    "customfield_10014",
    "customfield_10016",
    "customfield_10020",
    "customfield_10026",
    "customfield_10050",
    "customfield_10060",
    "customfield_10070",
    "customfield_10080",
    "customfield_10019",
];

/// The fields that a caller wants.
pub struct Selection {
    wanted: Vec<String>,
}

impl Selection {
    /// From names, where `*all`, `*navigable` and `-name` have a meaning.
    pub fn of(asked: &[String]) -> Selection {
        let mut wanted: Vec<String> = Vec::new();
        for name in asked.iter().map(|name| name.trim()) {
            match name {
                "*all" | "*navigable" => {
                    wanted.extend(NAVIGABLE.iter().map(|name| (*name).to_owned()));
                    if name == "*all" {
                        wanted.push("comment".to_owned());
                    }
                }
                _ => match name.strip_prefix('-') {
                    Some(unwanted) => wanted.retain(|name| name != unwanted),
                    None => wanted.push(name.to_owned()),
                },
            }
        }
        Selection { wanted }
    }

    /// Whether large pages are allowed.
    pub fn only_ids(&self) -> bool {
        self.wanted.iter().all(|name| name == "id" || name == "key")
    }

    fn has(&self, field: &str) -> bool {
        self.wanted.iter().any(|name| name == field)
    }
}

/// One issue.
pub fn one(site: &Site, request: &Request, id: &str) -> Answer {
    let route = "issue/{id}";
    let Some(issue) = site.world.jira.find(id) else { return no_such_issue(route) };
    let asked = request.asked("fields").unwrap_or("*all");
    let fields: Vec<String> = asked.split(',').map(str::to_owned).collect();
    let with_changelog =
        request.asked("expand").is_some_and(|expand| expand.split(',').any(|e| e == "changelog"));
    let selection = Selection::of(&fields);
    let body = json::object(|o| write(o, site, issue, &selection, with_changelog));
    Answer::json(route, 200, body)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bulk {
    issue_ids_or_keys: Vec<String>,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    expand: Option<serde_json::Value>,
}

/// Up to a hundred issues by id or key; those that nobody can see are silently missing.
pub fn bulk(site: &Site, request: &Request) -> Answer {
    let route = "issue/bulkfetch";
    let asked: Bulk = match serde_json::from_slice(request.body) {
        Ok(asked) => asked,
        Err(error) => return refusal(route, 400, &format!("Invalid request payload. {error}")),
    };
    if asked.issue_ids_or_keys.len() > 100 {
        return refusal(route, 400, "The maximum number of issues to fetch is 100.");
    }
    let selection = Selection::of(&asked.fields);
    let with_changelog =
        asked.expand.is_some_and(|expand| expand.to_string().contains("changelog"));
    let body = json::object(|o| {
        o.list("issues", |l| {
            for issue in asked.issue_ids_or_keys.iter().filter_map(|id| site.world.jira.find(id)) {
                l.object(|o| write(o, site, issue, &selection, with_changelog));
            }
        });
        o.list("issueErrors", |_| {});
    });
    Answer::json(route, 200, body)
}

/// The conversation of an issue.
pub fn comments(site: &Site, request: &Request, id: &str) -> Answer {
    let route = "issue/{id}/comment";
    let Some(issue) = site.world.jira.find(id) else { return no_such_issue(route) };
    let (start, size) = window(request, 50, 100);
    let body = json::object(|o| {
        o.put("startAt", &start).put("maxResults", &size).put("total", &issue.comments.len());
        o.list("comments", |l| write_comments(l, site, issue, start, size));
    });
    Answer::json(route, 200, body)
}

/// Nobody at this company logs time.
pub fn worklogs(site: &Site, id: &str) -> Answer {
    let route = "issue/{id}/worklog";
    if site.world.jira.find(id).is_none() {
        return no_such_issue(route);
    }
    Answer::json(route, 200, br#"{"startAt":0,"maxResults":5000,"total":0,"worklogs":[]}"#.to_vec())
}

/// Links to pull requests that people made by hand.
pub fn remote_links(site: &Site, id: &str) -> Answer {
    let route = "issue/{id}/remotelink";
    let Some(issue) = site.world.jira.find(id) else { return no_such_issue(route) };
    let body = json::list(|l| {
        for comment in &issue.comments {
            let Some(at) = comment.text.find("https://") else { continue };
            let url = &comment.text[at..];
            l.object(|o| {
                o.put("id", &comment.id);
                o.object("object", |o| {
                    o.put("url", url).put("title", "Pull request");
                });
            });
        }
    });
    Answer::json(route, 200, body)
}

/// Writes an issue with the fields that are wanted.
pub fn write(o: &mut Object, site: &Site, issue: &Issue, wanted: &Selection, with_changelog: bool) {
    o.put("id", &issue.id.to_string());
    if wanted.only_ids() && !with_changelog {
        if wanted.has("key") {
            o.put("key", &site.world.jira.key(issue));
        }
        return;
    }
    o.put("key", &site.world.jira.key(issue));
    o.put("self", &format!("{}/rest/api/3/issue/{}", site.url, issue.id));
    o.object("fields", |o| write_fields(o, site, issue, wanted));
    if with_changelog {
        o.object("changelog", |o| changelog::write_newest(o, site, issue));
    }
}

fn write_fields(o: &mut Object, site: &Site, issue: &Issue, wanted: &Selection) {
    let jira = &site.world.jira;
    let project = &jira.projects[issue.project];
    let own = project.next_gen;
    for field in &wanted.wanted {
        match field.as_str() {
            "summary" => {
                o.put("summary", &issue.summary);
            }
            "status" => {
                o.object("status", |o| write_status(o, issue.status));
            }
            "issuetype" => {
                o.object("issuetype", |o| write_type(o, issue.kind, own));
            }
            "project" => {
                o.object("project", |o| {
                    o.put("id", &project.id.to_string()).put("key", &project.key);
                    o.put("name", &project.name).put("projectTypeKey", "software");
                });
            }
            "priority" => {
                o.maybe("priority", issue.priority, |o, at| {
                    o.put("id", &(at + 1).to_string()).put("name", PRIORITIES[at]);
                });
            }
            "assignee" => write_person(o, "assignee", site, issue.assignee),
            "creator" => write_person(o, "creator", site, issue.creator),
            "reporter" => write_person(o, "reporter", site, issue.creator),
            "parent" => {
                // Absent, not null, where there is none.
                if let Some(parent) = issue.parent.map(|at| &jira.issues[at]) {
                    o.object("parent", |o| write_neighbour(o, site, parent));
                }
            }
            "labels" => {
                o.put("labels", &issue.labels);
            }
            "components" => {
                o.list("components", |l| {
                    for name in jira.components(issue) {
                        let at = COMPONENTS.iter().position(|known| *known == name);
                        let id = 10_010 + at.expect("a component of ours");
                        l.object(|o| {
                            o.put("id", &id.to_string()).put("name", name);
                            o.put("self", &format!("{}/rest/api/3/component/{id}", site.url));
                        });
                    }
                });
            }
            "created" => {
                o.put("created", &issue.created.jira());
            }
            "updated" => {
                o.put("updated", &issue.updated.jira());
            }
            "resolutiondate" => {
                o.put("resolutiondate", &issue.resolved.map(Moment::jira));
            }
            "resolution" => {
                o.maybe("resolution", issue.resolved, |o, _| {
                    o.put("id", "10000").put("name", "Done");
                });
            }
            "issuelinks" => {
                o.list("issuelinks", |l| write_links(l, site, issue));
            }
            "description" => write_description(o, issue),
            "comment" => {
                o.object("comment", |o| {
                    let total = issue.comments.len();
                    let start = total.saturating_sub(20);
                    o.list("comments", |l| write_comments(l, site, issue, start, 20));
                    o.put("maxResults", &total.min(20))
                        .put("total", &total.min(20))
                        .put("startAt", &0);
                });
            }
            "customfield_10014" => {
                let epic = issue.parent.map(|at| &jira.issues[at]);
                let epic = epic.filter(|parent| !own && parent.kind == Kind::Epic);
                o.put(field, &epic.map(|epic| jira.key(epic)));
            }
            "customfield_10016" => {
                o.put(field, &issue.points.filter(|_| own));
            }
            "customfield_10026" => {
                o.put(field, &issue.points.filter(|_| !own));
            }
            "customfield_10019" => {
                o.put(field, &format!("0|i{:05x}:", issue.id));
            }
            "customfield_10020" => write_sprints(o, site, issue),
            "customfield_10060" => {
                o.put(field, &jira.began(issue).map(Moment::jira));
            }
            "customfield_10070" => {
                o.put(field, &crate::blame::text(site.world, issue));
            }
            "customfield_10080" => {
                match jira.severity(issue) {
                    Some(severity) => o.object(field, |o| {
                        o.put("value", severity);
                    }),
                    None => o.put(field, &()),
                };
            }
            "customfield_10050" => {
                o.put(field, &issue.contract_date);
            }
            _ => {}
        }
    }
}

fn write_sprints(o: &mut Object, site: &Site, issue: &Issue) {
    if issue.sprints.is_empty() {
        o.put("customfield_10020", &());
        return;
    }
    o.list("customfield_10020", |l| {
        for &at in &issue.sprints {
            let sprint = &site.world.jira.sprints[at];
            l.object(|o| {
                o.put("id", &sprint.id).put("name", &sprint.name);
                o.put("state", sprint.state(site.world.now)).put("goal", "");
                o.put("boardId", &(site.world.jira.projects[sprint.project].id - 9_000));
                o.put("startDate", &sprint.start.exact()).put("endDate", &sprint.end.exact());
            });
        }
    });
}

fn write_links(l: &mut List, site: &Site, issue: &Issue) {
    for link in &issue.links {
        let other = &site.world.jira.issues[link.other];
        if other.deleted {
            continue;
        }
        let (id, name, inward, outward) = link.meaning.words();
        l.object(|o| {
            o.put("id", &link.id.to_string());
            o.object("type", |o| {
                o.put("id", id).put("name", name).put("inward", inward).put("outward", outward);
            });
            let side = if link.outward { "outwardIssue" } else { "inwardIssue" };
            o.object(side, |o| write_neighbour(o, site, other));
        });
    }
}

fn write_neighbour(o: &mut Object, site: &Site, issue: &Issue) {
    o.put("id", &issue.id.to_string()).put("key", &site.world.jira.key(issue));
    o.object("fields", |o| {
        let own = site.world.jira.projects[issue.project].next_gen;
        o.put("summary", &issue.summary);
        o.object("status", |o| write_status(o, issue.status));
        o.object("issuetype", |o| write_type(o, issue.kind, own));
    });
}

/// Rich text, with a node that no reader knows.
fn write_description(o: &mut Object, issue: &Issue) {
    if issue.id.is_multiple_of(5) {
        o.put("description", &());
        return;
    }
    o.object("description", |o| {
        write_document(
            o,
            &format!("{} As a user I need this.", issue.summary),
            issue.id.is_multiple_of(7),
        );
    });
}

fn write_document(o: &mut Object, text: &str, with_oddity: bool) {
    o.put("type", "doc").put("version", &1);
    o.list("content", |l| {
        l.object(|o| {
            o.put("type", "paragraph");
            o.list("content", |l| {
                l.object(|o| {
                    o.put("type", "text").put("text", text);
                });
            });
        });
        if with_oddity {
            l.object(|o| {
                o.put("type", "hologramPanel");
                o.object("attrs", |o| {
                    o.put("layout", "wide");
                });
            });
        }
    });
}

fn write_comments(l: &mut List, site: &Site, issue: &Issue, start: usize, size: usize) {
    for comment in issue.comments.iter().skip(start).take(size) {
        l.object(|o| {
            o.put("id", &comment.id.to_string());
            if let Some(author) = comment.author {
                write_person(o, "author", site, Some(author));
            }
            o.object("body", |o| write_document(o, &comment.text, false));
            o.put("created", &comment.at.jira()).put("updated", &comment.at.jira());
        });
    }
}

/// A status with its category.
pub fn write_status(o: &mut Object, status: usize) {
    let status = &STATUSES[status];
    o.put("id", status.id).put("name", status.name);
    o.object("statusCategory", |o| {
        let (id, key, name) = status.category;
        o.put("id", &id).put("key", key).put("name", name);
    });
}

/// An issue type.
pub fn write_type(o: &mut Object, kind: Kind, own: bool) {
    o.put("id", &kind.id(own).to_string()).put("name", kind.name(own));
    o.put("subtask", &(kind == Kind::SubTask)).put("hierarchyLevel", &kind.level());
}

/// A person as a field, or null.
pub fn write_person(o: &mut Object, key: &str, site: &Site, person: Option<usize>) {
    o.maybe(key, person.map(|index| &site.world.people[index]), |o, person| {
        o.put("accountId", &person.account).put("displayName", &person.name);
        o.put("active", &person.active).put("accountType", "atlassian");
        if person.active {
            o.put("emailAddress", &person.email);
        }
    });
}
