//! What the company keeps in Jira.

use std::collections::HashMap;

use crate::moment::{MINUTE, Moment};

/// Everything in Jira.
#[derive(Debug, Default)]
pub struct Jira {
    /// The projects.
    pub projects: Vec<Project>,
    /// The sprints of all boards, in the order of their start within a board.
    pub sprints: Vec<Sprint>,
    /// Every issue there ever was.
    pub issues: Vec<Issue>,
    /// Where each key, present or former, leads.
    pub keys: HashMap<String, usize>,
    /// Changes made so far, over all issues.
    pub changes: u64,
    /// Comments made so far, over all issues.
    pub comments: u64,
}

impl Jira {
    /// The issue's key of today.
    pub fn key(&self, issue: &Issue) -> String {
        format!("{}-{}", self.projects[issue.project].key, issue.number)
    }

    /// The live issue behind a key, present or former, or behind an id.
    pub fn find(&self, id_or_key: &str) -> Option<&Issue> {
        let index = match id_or_key.parse::<u64>() {
            Ok(id) => Issue::index_of(id)?,
            Err(_) => *self.keys.get(&id_or_key.to_uppercase())?,
        };
        self.issues.get(index).filter(|issue| !issue.deleted)
    }

    /// The project behind a key or an id.
    pub fn project(&self, id_or_key: &str) -> Option<usize> {
        self.projects.iter().position(|project| {
            project.key.eq_ignore_ascii_case(id_or_key) || project.id.to_string() == id_or_key
        })
    }

    /// The components of an issue, sorted. A team-managed project has none.
    pub fn components(&self, issue: &Issue) -> Vec<&'static str> {
        if self.projects[issue.project].next_gen {
            return Vec::new();
        }
        match Issue::index_of(issue.id).unwrap_or_default() % 7 {
            0 => vec!["Checkout"],
            1 => vec!["Ledger", "Web"],
            2 => vec!["Payments API"],
            _ => Vec::new(),
        }
    }

    /// When somebody says that an incident began; not everybody says it.
    pub fn began(&self, issue: &Issue) -> Option<Moment> {
        let minutes = (issue.id % 97) as i64;
        let is_said = issue.kind == Kind::Incident && minutes % 4 != 0;
        is_said.then(|| issue.created + -(minutes * MINUTE))
    }

    /// How bad somebody says that it is: of every incident, and of some bugs.
    pub fn severity(&self, issue: &Issue) -> Option<&'static str> {
        let number = Issue::index_of(issue.id).unwrap_or_default();
        match issue.kind {
            Kind::Incident => Some(["Sev1", "Sev2", "Sev3"][number % 3]),
            Kind::Bug if number.is_multiple_of(4) => Some("Sev2"),
            _ => None,
        }
    }

    /// The issues that can be seen.
    pub fn live(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| !issue.deleted)
    }
}

/// A Jira project.
#[derive(Debug)]
pub struct Project {
    /// Jira's id.
    pub id: u64,
    /// For example `PAY`.
    pub key: String,
    /// For example `Payments`.
    pub name: String,
    /// Team-managed, with statuses and types of its own.
    pub next_gen: bool,
    /// The board's way of working.
    pub board: Board,
    /// The number of the newest issue.
    pub last_number: u32,
}

/// How a project's board works. Its id is the project's id minus 9,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Board {
    /// With sprints.
    Scrum,
    /// Without.
    Kanban,
}

/// A sprint of a project's board.
#[derive(Debug)]
pub struct Sprint {
    /// Jira's id.
    pub id: u64,
    /// The project whose board owns it.
    pub project: usize,
    /// Names may hold commas.
    pub name: String,
    /// When it starts.
    pub start: Moment,
    /// When it ends, and the next one starts.
    pub end: Moment,
}

impl Sprint {
    /// `future`, `active` or `closed`.
    pub fn state(&self, now: Moment) -> &'static str {
        if now < self.start {
            "future"
        } else if now < self.end {
            "active"
        } else {
            "closed"
        }
    }
}

/// The kind of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Epic,
    Story,
    Task,
    SubTask,
    Bug,
    Incident,
}

impl Kind {
    /// The kinds of a project; a team-managed one knows no incidents.
    pub fn of(next_gen: bool) -> &'static [Kind] {
        use Kind::*;
        if next_gen {
            &[Epic, Story, Task, SubTask, Bug]
        } else {
            &[Epic, Story, Task, SubTask, Bug, Incident]
        }
    }

    /// Jira's id of the type.
    pub fn id(self, next_gen: bool) -> u64 {
        (if next_gen { 10_020 } else { 10_000 }) + self as u64
    }

    /// Jira's name of the type.
    pub fn name(self, next_gen: bool) -> &'static str {
        match self {
            Kind::Epic => "Epic",
            Kind::Story => "Story",
            Kind::Task => "Task",
            Kind::SubTask if next_gen => "Subtask",
            Kind::SubTask => "Sub-task",
            Kind::Bug => "Bug",
            Kind::Incident => "Incident",
        }
    }

    /// 1 above the rest, -1 below.
    pub fn level(self) -> i8 {
        match self {
            Kind::Epic => 1,
            Kind::SubTask => -1,
            _ => 0,
        }
    }
}

/// A status: an index into [`STATUSES`].
pub type StatusId = usize;

/// A status that an issue can be in.
#[derive(Debug)]
pub struct Status {
    /// Jira's id.
    pub id: &'static str,
    /// Several statuses share a name.
    pub name: &'static str,
    /// Jira's id, key and name of the category.
    pub category: (u8, &'static str, &'static str),
    /// Belongs to the team-managed project alone.
    pub private: bool,
}

const NEW: (u8, &str, &str) = (2, "new", "To Do");
const GOING: (u8, &str, &str) = (4, "indeterminate", "In Progress");
const DONE_CATEGORY: (u8, &str, &str) = (3, "done", "Done");
const UNDEFINED: (u8, &str, &str) = (1, "undefined", "No Category");

const fn status(
    id: &'static str,
    name: &'static str,
    category: (u8, &'static str, &'static str),
    private: bool,
) -> Status {
    Status { id, name, category, private }
}

/// Every status of the site.
pub const STATUSES: [Status; 16] = [
    status("10000", "Backlog", NEW, false),
    status("10001", "Selected for Development", NEW, false),
    status("3", "In Progress", GOING, false),
    status("10002", "In Review", GOING, false),
    status("10003", "Testing", GOING, false),
    status("10004", "Done", DONE_CATEGORY, false),
    status("10005", "Won't Do", DONE_CATEGORY, false),
    status("10006", "Waiting for Customer", UNDEFINED, false),
    status("1", "Open", NEW, false),
    status("10007", "Investigating", GOING, false),
    status("10008", "Mitigated", GOING, false),
    status("5", "Resolved", DONE_CATEGORY, false),
    status("10101", "To Do", NEW, true),
    status("10102", "In Progress", GOING, true),
    status("10103", "In Review", GOING, true),
    status("10104", "Done", DONE_CATEGORY, true),
];
pub const BACKLOG: StatusId = 0;
pub const SELECTED: StatusId = 1;
pub const IN_PROGRESS: StatusId = 2;
pub const IN_REVIEW: StatusId = 3;
pub const TESTING: StatusId = 4;
pub const DONE: StatusId = 5;
pub const WONT_DO: StatusId = 6;
pub const WAITING: StatusId = 7;
pub const OPEN: StatusId = 8;
pub const INVESTIGATING: StatusId = 9;
pub const MITIGATED: StatusId = 10;
pub const RESOLVED: StatusId = 11;
pub const TEAM_TO_DO: StatusId = 12;
pub const TEAM_IN_PROGRESS: StatusId = 13;
pub const TEAM_IN_REVIEW: StatusId = 14;
pub const TEAM_DONE: StatusId = 15;

/// The statuses that issues of a kind can have in a project.
pub fn statuses_of(kind: Kind, next_gen: bool) -> std::ops::Range<StatusId> {
    match kind {
        _ if next_gen => TEAM_TO_DO..TEAM_DONE + 1,
        Kind::Incident => OPEN..RESOLVED + 1,
        _ => BACKLOG..WAITING + 1,
    }
}

/// The components that company-managed projects have.
pub const COMPONENTS: [&str; 4] = ["Checkout", "Ledger", "Payments API", "Web"];

/// The priorities, by Jira's id from 1.
pub const PRIORITIES: [&str; 5] = ["Highest", "High", "Medium", "Low", "Lowest"];

/// A Jira issue.
#[derive(Debug)]
pub struct Issue {
    /// Jira's id: stable.
    pub id: u64,
    /// The project it is in today.
    pub project: usize,
    /// The number in that project.
    pub number: u32,
    /// What kind of issue.
    pub kind: Kind,
    /// Where it stands.
    pub status: StatusId,
    /// The title; may hold NUL and emoji.
    pub summary: String,
    /// An index into [`PRIORITIES`].
    pub priority: Option<usize>,
    /// A person.
    pub assignee: Option<usize>,
    /// A person.
    pub creator: Option<usize>,
    /// Another issue.
    pub parent: Option<usize>,
    /// How many issues have it as parent.
    pub children: u32,
    /// In the order in which they were added.
    pub labels: Vec<&'static str>,
    /// The estimate.
    pub points: Option<f64>,
    /// Sprints it was in, oldest first.
    pub sprints: Vec<usize>,
    /// The day in the field for contract dates; absurd years occur.
    pub contract_date: Option<&'static str>,
    /// Links with other issues.
    pub links: Vec<Link>,
    /// The conversation.
    pub comments: Vec<Comment>,
    /// Every change, oldest first.
    pub histories: Vec<History>,
    /// When it was made.
    pub created: Moment,
    /// When it was last touched.
    pub updated: Moment,
    /// When it was touched before the clock was last advanced.
    pub updated_before: Moment,
    /// When a resolution was set.
    pub resolved: Option<Moment>,
    /// Gone for everybody.
    pub deleted: bool,
}

impl Issue {
    /// Ids have gaps, as real ones do.
    pub fn id_of(index: usize) -> u64 {
        20_001 + 2 * index as u64
    }

    /// The index behind an id.
    pub fn index_of(id: u64) -> Option<usize> {
        let offset = id.checked_sub(20_001)?;
        (offset % 2 == 0).then_some((offset / 2) as usize)
    }
}

/// A link with another issue.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Jira's id, the same on both sides.
    pub id: u64,
    /// What it means.
    pub meaning: LinkMeaning,
    /// This issue acts upon the other; else the other acts upon this one.
    pub outward: bool,
    /// The other issue.
    pub other: usize,
}

/// What a link between issues means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkMeaning {
    /// One blocks the other.
    Blocks,
    /// One causes the other.
    Causes,
    /// They have to do with each other.
    Relates,
}

impl LinkMeaning {
    /// Jira's id, name, inward and outward words.
    pub fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            LinkMeaning::Blocks => ("10000", "Blocks", "is blocked by", "blocks"),
            LinkMeaning::Causes => ("10100", "Problem/Incident", "is caused by", "causes"),
            LinkMeaning::Relates => ("10003", "Relates", "relates to", "relates to"),
        }
    }
}

/// A comment on an issue.
#[derive(Debug)]
pub struct Comment {
    /// Jira's id.
    pub id: u64,
    /// A person.
    pub author: Option<usize>,
    /// When.
    pub at: Moment,
    /// The text of its only paragraph.
    pub text: String,
}

/// One change of an issue, with everything that changed at once.
#[derive(Debug)]
pub struct History {
    /// Jira's id.
    pub id: u64,
    /// A person; automation has none.
    pub author: Option<usize>,
    /// When.
    pub at: Moment,
    /// What changed.
    pub items: Vec<Item>,
}

/// One changed field.
#[derive(Debug)]
pub struct Item {
    /// Which one.
    pub field: Field,
    /// The id before.
    pub from: Option<String>,
    /// The text before.
    pub from_string: Option<String>,
    /// The id after.
    pub to: Option<String>,
    /// The text after.
    pub to_string: Option<String>,
}

/// A field that the changelog speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Status,
    Resolution,
    Assignee,
    Priority,
    Labels,
    Summary,
    Description,
    Sprint,
    StoryPoints,
    StoryPointEstimate,
    Rank,
    Link,
    Project,
    Key,
}

impl Field {
    /// Its name, type and id in the changelog.
    pub fn words(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Field::Status => ("status", "jira", Some("status")),
            Field::Resolution => ("resolution", "jira", Some("resolution")),
            Field::Assignee => ("assignee", "jira", Some("assignee")),
            Field::Priority => ("priority", "jira", Some("priority")),
            Field::Labels => ("labels", "jira", Some("labels")),
            Field::Summary => ("summary", "jira", Some("summary")),
            Field::Description => ("description", "jira", Some("description")),
            Field::Sprint => ("Sprint", "custom", Some("customfield_10020")),
            Field::StoryPoints => ("Story Points", "custom", Some("customfield_10026")),
            Field::StoryPointEstimate => {
                ("Story point estimate", "custom", Some("customfield_10016"))
            }
            Field::Rank => ("Rank", "custom", Some("customfield_10019")),
            Field::Link => ("Link", "jira", Some("issuelinks")),
            Field::Project => ("project", "jira", Some("project")),
            Field::Key => ("Key", "jira", None),
        }
    }
}
