//! Jira's pages, as the product asks for them, straight into rows.

use std::collections::HashSet;
use std::sync::Arc;

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::http::read;
use super::rows::{At, Batch, Place, Value};
use super::sink::{Lane, Sink};
use super::{LANES, Order};

/// Issues whose histories are asked for at once.
const HISTORIES_AT_ONCE: usize = 1_000;
/// Lengths at which the history that comes with an issue may have been cut off.
const CUT_OFF: [usize; 3] = [20, 40, 100];
/// The custom fields are those of the simulated site.
const FIELDS: [&str; 18] = [
    "summary",
    "status",
    "issuetype",
    "project",
    "priority",
    "assignee",
    "creator",
    "parent",
    "labels",
    "components",
    "created",
    "updated",
    "resolutiondate",
    "customfield_10016",
    "customfield_10026",
    "customfield_10020",
    "customfield_10060",
    "customfield_10070",
];

/// Reads everything that the job's steps read.
pub async fn load(order: &Order, sink: &Sink) -> anyhow::Result<()> {
    let site = Arc::new(Site {
        http: Client::new(),
        base: order.base_url.clone(),
        username: order.username.clone(),
        token: order.secret.clone(),
    });
    let mut first = Batch::new();
    let projects = site.projects(&order.scopes, &mut first).await?;
    site.types_and_statuses(&mut first).await?;
    // Every lane must find these, whichever connection it writes over.
    sink.write_first(first).await?;

    let free = Arc::new(Semaphore::new(LANES));
    let mut lanes = JoinSet::new();
    for (number, project) in projects.into_iter().enumerate() {
        let (site, free, lane) = (site.clone(), free.clone(), sink.lane(number));
        lanes.spawn(async move {
            let _turn = free.acquire_owned().await?;
            site.issues(project, &lane).await
        });
    }
    while let Some(ended) = lanes.join_next().await {
        ended??;
    }
    site.sprints(&sink.lane(0)).await
}

struct Site {
    http: Client,
    base: String,
    username: String,
    token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<T> {
    values: Vec<T>,
    is_last: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    id: String,
    key: String,
    name: String,
    project_type_key: String,
    #[serde(default)]
    project_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssueType {
    id: String,
    name: String,
    hierarchy_level: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    id: String,
    name: String,
    status_category: Category,
}

#[derive(Deserialize)]
struct Category {
    key: String,
}

#[derive(Deserialize)]
struct Board {
    id: i64,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sprint {
    id: i64,
    name: String,
    state: String,
    start_date: Option<At>,
    end_date: Option<At>,
    complete_date: Option<At>,
    origin_board_id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    issues: Vec<Issue>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Issue {
    id: String,
    key: String,
    fields: Fields,
    changelog: Changelog,
}

#[derive(Deserialize)]
struct Fields {
    summary: String,
    status: Reference,
    issuetype: Reference,
    priority: Option<Named>,
    assignee: Option<Person>,
    creator: Option<Person>,
    parent: Option<Parent>,
    labels: Vec<String>,
    components: Vec<Named>,
    created: At,
    updated: At,
    resolutiondate: Option<At>,
    customfield_10016: Option<f64>,
    customfield_10026: Option<f64>,
    customfield_10020: Option<Vec<Named>>,
    customfield_10060: Option<String>,
    customfield_10070: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    id: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Parent {
    id: String,
    key: String,
}

#[derive(Deserialize)]
struct Changelog {
    histories: Vec<History<At>>,
}

/// A change of an issue; the two ways to ask spell its moment differently.
#[derive(Deserialize)]
struct History<When> {
    id: String,
    author: Option<Person>,
    created: When,
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    field: String,
    from: Option<String>,
    from_string: Option<String>,
    to: Option<String>,
    #[serde(rename = "toString")]
    to_text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Histories {
    issue_change_logs: Vec<OfIssue>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfIssue {
    issue_id: String,
    change_histories: Vec<History<i64>>,
}

impl Site {
    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base)).basic_auth(&self.username, Some(&self.token))
    }

    fn post(&self, path: &str, body: &serde_json::Value) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.base))
            .basic_auth(&self.username, Some(&self.token))
            .json(body)
    }

    async fn listed<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<Vec<T>> {
        let mut all = Vec::new();
        loop {
            let start = all.len();
            let page: Listed<T> = read(self.get(&format!("{path}&startAt={start}"))).await?;
            all.extend(page.values);
            if page.is_last {
                return Ok(all);
            }
        }
    }

    /// The projects to read, by id.
    async fn projects(&self, keys: &[String], to: &mut Batch) -> anyhow::Result<Vec<i64>> {
        let path = "/rest/api/3/project/search?maxResults=100&orderBy=key\
                    &expand=projectKeys,insight";
        let mut ids = Vec::new();
        for project in self.listed::<Project>(path).await? {
            if !keys.contains(&project.key) {
                continue;
            }
            let id = project.id.parse()?;
            let mut former = project.project_keys;
            former.retain(|key| *key != project.key);
            former.sort_unstable();
            to.add(
                Place::Projects,
                [
                    Value::Number(id),
                    project.key.into(),
                    project.name.into(),
                    project.project_type_key.into(),
                    serde_json::to_string(&former)?.into(),
                    true.into(),
                ],
            );
            ids.push(id);
        }
        Ok(ids)
    }

    async fn types_and_statuses(&self, to: &mut Batch) -> anyhow::Result<()> {
        let types = read::<Vec<IssueType>>(self.get("/rest/api/3/issuetype"));
        let statuses = read::<Vec<Status>>(self.get("/rest/api/3/status"));
        let (types, statuses) = tokio::try_join!(types, statuses)?;
        for IssueType { id, name, hierarchy_level } in types {
            let id: i64 = id.parse()?;
            to.add(
                Place::IssueTypes,
                [id.into(), name.into(), hierarchy_level.into(), true.into()],
            );
        }
        for Status { id, name, status_category } in statuses {
            let category = match status_category.key.as_str() {
                "indeterminate" => "IN_PROGRESS",
                "done" => "DONE",
                _ => "TO_DO",
            };
            let id: i64 = id.parse()?;
            to.add(Place::Statuses, [id.into(), name.into(), category.into(), true.into()]);
        }
        Ok(())
    }

    async fn sprints(&self, to: &Lane) -> anyhow::Result<()> {
        let boards: Vec<Board> = self.listed("/rest/agile/1.0/board?maxResults=50").await?;
        let mut batch = Batch::new();
        let mut seen = HashSet::new();
        for board in boards.into_iter().filter(|board| board.kind != "kanban") {
            let path = format!(
                "/rest/agile/1.0/board/{}/sprint?state=active,closed,future&maxResults=50",
                board.id
            );
            for sprint in self.listed::<Sprint>(&path).await? {
                if seen.insert(sprint.id) {
                    add_sprint(&mut batch, sprint);
                }
            }
        }
        to.send(batch).await
    }

    /// A project's issues, and then the histories that the search cut off.
    async fn issues(&self, project: i64, to: &Lane) -> anyhow::Result<()> {
        let mut body = json!({
            "jql": format!("project = {project} ORDER BY created ASC, key ASC"),
            "maxResults": 100,
            "fields": FIELDS,
            "expand": "changelog",
        });
        let mut cut_off = Vec::new();
        loop {
            let page: Search = read(self.post("/rest/api/3/search/jql", &body)).await?;
            let mut batch = Batch::new();
            for issue in page.issues {
                add_issue(&mut batch, project, issue, &mut cut_off)?;
            }
            to.send(batch).await?;
            match page.next_page_token {
                Some(token) => body["nextPageToken"] = token.into(),
                None => break,
            }
        }
        for issues in cut_off.chunks(HISTORIES_AT_ONCE) {
            self.histories(issues, to).await?;
        }
        Ok(())
    }

    async fn histories(&self, issues: &[String], to: &Lane) -> anyhow::Result<()> {
        let mut body = json!({ "issueIdsOrKeys": issues });
        loop {
            let page: Histories = read(self.post("/rest/api/3/changelog/bulkfetch", &body)).await?;
            let mut batch = Batch::new();
            for OfIssue { issue_id, change_histories } in page.issue_change_logs {
                let issue = issue_id.parse()?;
                for history in change_histories {
                    let at = At(history.created * 1_000);
                    add_changes(&mut batch, issue, at, history)?;
                }
            }
            to.send(batch).await?;
            match page.next_page_token {
                Some(token) => body["nextPageToken"] = token.into(),
                None => return Ok(()),
            }
        }
    }
}

fn add_sprint(to: &mut Batch, sprint: Sprint) {
    to.add(
        Place::Sprints,
        [
            sprint.id.into(),
            sprint.origin_board_id.into(),
            sprint.name.into(),
            sprint.state.into(),
            sprint.start_date.into(),
            sprint.end_date.into(),
            sprint.complete_date.into(),
        ],
    );
}

/// Adds an issue with its history, unless that was cut off: then all of it comes later.
fn add_issue(
    to: &mut Batch,
    project: i64,
    issue: Issue,
    cut_off: &mut Vec<String>,
) -> anyhow::Result<()> {
    let Issue { id, key, fields, changelog } = issue;
    let number: i64 = id.parse()?;
    if CUT_OFF.contains(&changelog.histories.len()) {
        cut_off.push(id);
    } else {
        for history in changelog.histories {
            add_changes(to, number, history.created, history)?;
        }
    }
    let mut labels = fields.labels;
    labels.sort_unstable();
    let mut components: Vec<String> = fields.components.into_iter().map(|one| one.name).collect();
    components.sort_unstable();
    let moments: Vec<(&str, &str)> =
        fields.customfield_10060.iter().map(|at| ("customfield_10060", &**at)).collect();
    let mentions: Vec<(&str, &str)> =
        fields.customfield_10070.iter().map(|text| ("customfield_10070", &**text)).collect();
    let sprints = fields.customfield_10020.unwrap_or_default();
    let sprints: Vec<String> = sprints.into_iter().map(|sprint| sprint.name).collect();
    let (parent_id, parent_key) = match fields.parent {
        Some(parent) => (Some(parent.id.parse::<i64>()?), Some(parent.key)),
        None => (None, None),
    };
    to.add(
        Place::Issues,
        [
            number.into(),
            project.into(),
            key.into(),
            fields.issuetype.id.parse::<i64>()?.into(),
            fields.status.id.parse::<i64>()?.into(),
            fields.summary.into(),
            fields.priority.map(|priority| priority.name).into(),
            fields.assignee.and_then(|person| person.display_name).into(),
            fields.creator.and_then(|person| person.display_name).into(),
            parent_id.into(),
            parent_key.into(),
            serde_json::to_string(&labels)?.into(),
            serde_json::to_string(&components)?.into(),
            serde_json::to_string(&moments)?.into(),
            serde_json::to_string(&mentions)?.into(),
            fields.customfield_10016.or(fields.customfield_10026).into(),
            serde_json::to_string(&sprints)?.into(),
            fields.created.into(),
            fields.updated.into(),
            fields.resolutiondate.into(),
            true.into(),
            false.into(),
        ],
    );
    Ok(())
}

fn add_changes<When>(
    to: &mut Batch,
    issue: i64,
    at: At,
    history: History<When>,
) -> anyhow::Result<()> {
    let id: i64 = history.id.parse()?;
    let author = history.author.and_then(|person| person.display_name);
    for (index, item) in history.items.into_iter().enumerate() {
        to.add(
            Place::Changes,
            [
                issue.into(),
                id.into(),
                i64::try_from(index)?.into(),
                item.field.into(),
                item.from.into(),
                item.from_string.into(),
                item.to.into(),
                item.to_text.into(),
                author.clone().into(),
                at.into(),
            ],
        );
    }
    Ok(())
}
