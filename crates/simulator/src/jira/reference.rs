//! Projects, statuses, types, fields, and who is asking.

use chrono_tz::Tz;

use super::issue::{write_status, write_type};
use super::{Site, paged, refusal};
use crate::json::{self, List, Object};
use crate::moment::Moment;
use crate::request::{Answer, Request};
use crate::world::jira::{Kind, PRIORITIES, Project, STATUSES, statuses_of};

/// The time zone in the profile of the account.
pub const ZONE: Tz = Tz::Europe__Berlin;

/// Projects by page.
pub fn projects(site: &Site, request: &Request) -> Answer {
    let wanted = request.asked("query").map(str::to_lowercase);
    let keys: Vec<&str> =
        request.query.iter().filter(|(k, _)| k == "keys").map(|(_, v)| &**v).collect();
    let shown: Vec<&Project> = site
        .world
        .jira
        .projects
        .iter()
        .filter(|project| keys.is_empty() || keys.contains(&&*project.key))
        .filter(|project| {
            wanted.as_ref().is_none_or(|wanted| {
                project.key.to_lowercase().contains(wanted)
                    || project.name.to_lowercase().contains(wanted)
            })
        })
        .collect();
    let expands_keys = request.asked("expand").is_some_and(|expand| expand.contains("projectKeys"));
    paged("project/search", request, 100, &shown, |o, project| {
        write_project(o, project);
        if expands_keys {
            o.put("projectKeys", &[&project.key]);
        }
    })
}

/// One project.
pub fn project(site: &Site, key: &str) -> Answer {
    let route = "project/{key}";
    match site.world.jira.project(key) {
        Some(at) => {
            let project = &site.world.jira.projects[at];
            Answer::json(route, 200, json::object(|o| write_project(o, project)))
        }
        None => refusal(route, 404, &format!("No project could be found with key '{key}'.")),
    }
}

fn write_project(o: &mut Object, project: &Project) {
    o.put("id", &project.id.to_string()).put("key", &project.key).put("name", &project.name);
    o.put("projectTypeKey", "software")
        .put("isPrivate", &false)
        .put("simplified", &project.next_gen);
    o.put("style", if project.next_gen { "next-gen" } else { "classic" });
}

/// The statuses of a project, by issue type.
pub fn project_statuses(site: &Site, key: &str) -> Answer {
    let route = "project/{key}/statuses";
    let Some(at) = site.world.jira.project(key) else {
        return refusal(route, 404, &format!("No project could be found with key '{key}'."));
    };
    let own = site.world.jira.projects[at].next_gen;
    let body = json::list(|l| {
        for &kind in Kind::of(own) {
            l.object(|o| {
                write_type(o, kind, own);
                o.list("statuses", |l| {
                    for status in statuses_of(kind, own) {
                        l.object(|o| write_status(o, status));
                    }
                });
            });
        }
    });
    Answer::json(route, 200, body)
}

/// Every status, flat.
pub fn statuses(site: &Site) -> Answer {
    let own = site.world.jira.projects.iter().find(|project| project.next_gen);
    let body = json::list(|l| {
        for (at, status) in STATUSES.iter().enumerate() {
            if status.private && own.is_none() {
                continue;
            }
            l.object(|o| {
                write_status(o, at);
                if let Some(project) = own.filter(|_| status.private) {
                    write_scope(o, project);
                }
            });
        }
    });
    Answer::json("status", 200, body)
}

/// Every issue type, flat.
pub fn issue_types(site: &Site) -> Answer {
    let body = json::list(|l| {
        for &kind in Kind::of(false) {
            l.object(|o| write_type(o, kind, false));
        }
        if let Some(project) = site.world.jira.projects.iter().find(|project| project.next_gen) {
            for &kind in Kind::of(true) {
                l.object(|o| {
                    write_type(o, kind, true);
                    write_scope(o, project);
                });
            }
        }
    });
    Answer::json("issuetype", 200, body)
}

fn write_scope(o: &mut Object, project: &Project) {
    o.object("scope", |o| {
        o.put("type", "PROJECT");
        o.object("project", |o| {
            o.put("id", &project.id.to_string());
        });
    });
}

/// Every priority.
pub fn priorities() -> Answer {
    let body = json::list(|l| {
        for (at, name) in PRIORITIES.iter().enumerate() {
            l.object(|o| {
                o.put("id", &(at + 1).to_string()).put("name", name);
            });
        }
    });
    Answer::json("priority", 200, body)
}

const SYSTEM_FIELDS: [(&str, &str, &str); 17] = [
    ("summary", "Summary", "string"),
    ("status", "Status", "status"),
    ("issuetype", "Issue Type", "issuetype"),
    ("project", "Project", "project"),
    ("priority", "Priority", "priority"),
    ("assignee", "Assignee", "user"),
    ("creator", "Creator", "user"),
    ("reporter", "Reporter", "user"),
    ("labels", "Labels", "array"),
    ("components", "Components", "array"),
    ("created", "Created", "datetime"),
    ("updated", "Updated", "datetime"),
    ("resolutiondate", "Resolved", "datetime"),
    ("resolution", "Resolution", "resolution"),
    ("issuelinks", "Linked Issues", "array"),
    ("description", "Description", "string"),
    ("comment", "Comment", "comments-page"),
];
const FLOAT: &str = "com.atlassian.jira.plugin.system.customfieldtypes:float";
const TEXT: &str = "com.atlassian.jira.plugin.system.customfieldtypes:textfield";
const CUSTOM_FIELDS: [(u32, &str, &str, &str); 11] = [
    (10_014, "Epic Link", "any", "com.pyxis.greenhopper.jira:gh-epic-link"),
    (10_016, "Story point estimate", "number", "com.pyxis.greenhopper.jira:jsw-story-points"),
    (10_019, "Rank", "any", "com.pyxis.greenhopper.jira:gh-lexo-rank"),
    (10_020, "Sprint", "array", "com.pyxis.greenhopper.jira:gh-sprint"),
    (10_026, "Story Points", "number", FLOAT),
    (10_001, "Team", "team", "com.atlassian.jira.plugin.system.customfieldtypes:atlassian-team"),
    (
        10_050,
        "Contract date",
        "date",
        "com.atlassian.jira.plugin.system.customfieldtypes:datepicker",
    ),
    (
        10_060,
        "Incident start",
        "datetime",
        "com.atlassian.jira.plugin.system.customfieldtypes:datetime",
    ),
    (10_070, "Caused by deployment", "string", TEXT),
    (10_080, "Severity", "option", "com.atlassian.jira.plugin.system.customfieldtypes:select"),
    // Names repeat: this one is a plain text of somebody's making.
    (10_077, "Sprint", "string", TEXT),
];

/// Every field.
pub fn fields() -> Answer {
    Answer::json("field", 200, json::list(|l| write_fields(l, 0)))
}

/// The custom fields again, by page.
pub fn field_search() -> Answer {
    let total = CUSTOM_FIELDS.len();
    let body = json::object(|o| {
        o.put("maxResults", &50).put("startAt", &0).put("total", &total).put("isLast", &true);
        o.list("values", |l| write_fields(l, SYSTEM_FIELDS.len()));
    });
    Answer::json("field/search", 200, body)
}

fn write_fields(l: &mut List, skipped: usize) {
    for (id, name, kind) in SYSTEM_FIELDS.iter().skip(skipped) {
        l.object(|o| {
            o.put("id", id).put("key", id).put("name", name).put("custom", &false);
            o.put("clauseNames", &[id]);
            o.object("schema", |o| {
                o.put("type", kind).put("system", id);
            });
        });
    }
    for (number, name, kind, custom) in CUSTOM_FIELDS {
        l.object(|o| {
            let id = format!("customfield_{number}");
            o.put("id", &id).put("key", &id).put("name", name).put("custom", &true);
            o.put("clauseNames", &[format!("cf[{number}]")]);
            o.object("schema", |o| {
                o.put("type", kind).put("custom", custom).put("customId", &number);
            });
        });
    }
}

/// What this Jira is.
pub fn server_info(url: &str, now: Moment) -> Answer {
    let body = json::object(|o| {
        o.put("baseUrl", url).put("version", "1001.0.0-SNAPSHOT");
        o.put("versionNumbers", &[1001, 0, 0]).put("deploymentType", "Cloud");
        o.put("buildNumber", &100_291).put("serverTime", &now.jira());
        o.put("serverTitle", "Jira").put("serverTimeZone", "Etc/UTC");
    });
    Answer::json("serverInfo", 200, body)
}

/// The account that asks.
pub fn myself(site: &Site) -> Answer {
    let body = json::object(|o| {
        o.put("accountId", "5f7c0a110000000000000e71").put("accountType", "atlassian");
        o.put("emailAddress", &site.account.username).put("displayName", "ETL Bot");
        o.put("active", &true).put("timeZone", ZONE.name()).put("locale", "en_GB");
    });
    Answer::json("myself", 200, body)
}
