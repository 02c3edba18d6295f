//! A small company in which anything may happen, by a seed. What its client says of it stands in `said`.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::Moment;
use domain::deployment::{Deployment, DeploymentOutcome};
use domain::facts::Facts as Page;
use domain::issue::{Change, Issue};
use domain::project::{IssueType, Project, Status, StatusCategory};
use domain::pull_request::{Actor, PullRequest, PullRequestState, Review};
use domain::repository::{Commit, Repository};
use uuid::Uuid;

const PROJECTS: [(i64, &str); 2] = [(1, "PAY"), (2, "OPS")];
const REPOSITORIES: [i64; 3] = [11, 12, 13];
pub const STATUSES: [(i64, &str, StatusCategory); 3] = [
    (1, "To Do", StatusCategory::ToDo),
    (2, "In Progress", StatusCategory::InProgress),
    (3, "Done", StatusCategory::Done),
];

/// The field that names deployments.
pub const NAMED_IN: &str = "customfield_10070";

pub struct Company {
    dice: fastrand::Rng,
    now: Moment,
    issues: Vec<Issue>,
    pull_requests: Vec<(i64, PullRequest)>,
    deployments: Vec<(i64, Deployment)>,
    /// The last commit of each repository.
    heads: [i64; 3],
    next: i64,
    /// Mappings that the client has.
    pub mapped: BTreeSet<Uuid>,
}

impl Company {
    pub fn new(seed: u64) -> Company {
        Company {
            dice: fastrand::Rng::with_seed(seed),
            now: Moment::from_timestamp(1_772_000_000, 0).unwrap(),
            issues: Vec::new(),
            pull_requests: Vec::new(),
            deployments: Vec::new(),
            heads: [1, 2, 3],
            next: 10,
            mapped: BTreeSet::new(),
        }
    }

    pub fn now(&self) -> Moment {
        self.now
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.dice.usize(..end)
    }

    /// What there is in the beginning.
    pub fn begin(&mut self) -> Vec<Page> {
        let lists = Page {
            projects: PROJECTS.into_iter().map(project).collect(),
            issue_types: vec![issue_type(1), issue_type(2)],
            statuses: STATUSES.iter().map(|known| status(known.0)).collect(),
            ..Page::default()
        };
        let mut pages = vec![lists];
        for (place, head) in REPOSITORIES.into_iter().zip(self.heads) {
            pages.push(Page {
                repositories: vec![repository(place)],
                commits: vec![commit(head, &[], self.now)],
                ..of(place)
            });
        }
        pages.extend((0..20).map(|_| self.issue()));
        for _ in 0..20 {
            pages.push(self.pull_request());
            pages.push(self.deployment());
        }
        pages
    }

    /// Something happens.
    pub fn edit(&mut self) -> Page {
        match self.dice.u8(..15) {
            0 => self.issue(),
            1..=4 => self.moved(),
            5 => self.elsewhere(),
            6 => self.gone(),
            7 => self.blamed(),
            8 => self.pull_request(),
            9 => self.reviewed(),
            10 => self.deployment(),
            11..=13 => self.named(),
            _ => self.corrected(),
        }
    }

    /// Some projects are out of reach from now on, and others within it again.
    pub fn other_projects(&mut self) -> Page {
        let projects = PROJECTS.into_iter().filter(|_| self.dice.u8(..3) > 0).map(project);
        Page { projects: projects.collect(), projects_are_all: true, ..Page::default() }
    }

    /// The same of repositories.
    pub fn other_repositories(&mut self) -> Page {
        let repositories = REPOSITORIES.into_iter().filter(|_| self.dice.u8(..3) > 0);
        Page {
            repositories: repositories.map(repository).collect(),
            repositories_are_all: true,
            ..of(REPOSITORIES[0])
        }
    }

    fn tick(&mut self) -> Moment {
        self.now += TimeDelta::minutes(self.dice.i64(1..600));
        self.now
    }

    pub fn is(&mut self) -> bool {
        self.dice.bool()
    }

    fn id(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    fn issue(&mut self) -> Page {
        let (external_id, at) = (self.id(), self.tick());
        let (project_id, key) = self.dice.choice(PROJECTS).unwrap();
        let issue = Issue {
            external_id,
            project_id,
            key: format!("{key}-{external_id}"),
            issue_type: issue_type(if self.dice.bool() { 2 } else { 1 }),
            status: status(1),
            summary: "Something".to_owned(),
            priority: None,
            assignee: None,
            creator: None,
            parent_id: None,
            parent_key: None,
            labels: Vec::new(),
            components: Vec::new(),
            moments: Vec::new(),
            mentions: Vec::new(),
            story_points: None,
            sprints: Vec::new(),
            created_at: at,
            updated_at: at,
            resolved_at: None,
            changelog_complete: true,
        };
        self.issues.push(issue.clone());
        Page { issues: vec![issue], ..Page::default() }
    }

    /// An issue changes as `change` says, with an entry in its history.
    fn changed(&mut self, change: impl FnOnce(&mut Company, &mut Issue) -> Change) -> Page {
        let at = self.tick();
        let place = self.below(self.issues.len());
        let mut issue = self.issues[place].clone();
        let change = change(self, &mut issue);
        issue.updated_at = at;
        self.issues[place] = issue.clone();
        Page { issues: vec![issue], changes: vec![change], ..Page::default() }
    }

    fn entry(&mut self, issue: i64, field: &str) -> Change {
        Change {
            issue_id: issue,
            change_id: self.id(),
            item_index: 0,
            field: field.to_owned(),
            from_value: None,
            from_string: None,
            to_value: None,
            to_string: None,
            author: None,
            changed_at: self.now,
        }
    }

    fn moved(&mut self) -> Page {
        self.changed(|company, issue| {
            let from = std::mem::replace(&mut issue.status, status(company.dice.i64(1..=3)));
            Change {
                from_value: Some(from.external_id.to_string()),
                from_string: Some(from.name),
                to_value: Some(issue.status.external_id.to_string()),
                to_string: Some(issue.status.name.clone()),
                ..company.entry(issue.external_id, "status")
            }
        })
    }

    fn elsewhere(&mut self) -> Page {
        self.changed(|company, issue| {
            let from = issue.key.clone();
            let (project, key) = company.dice.choice(PROJECTS).unwrap();
            issue.project_id = project;
            issue.key = format!("{key}-{}", issue.external_id);
            Change {
                from_string: Some(from),
                to_string: Some(issue.key.clone()),
                ..company.entry(issue.external_id, "Key")
            }
        })
    }

    fn blamed(&mut self) -> Page {
        self.changed(|company, issue| {
            let place = company.below(company.issues.len());
            let text = format!("This issue is caused by {}", company.issues[place].key);
            Change { to_string: Some(text), ..company.entry(issue.external_id, "Link") }
        })
    }

    /// Somebody says which deployment caused it.
    fn named(&mut self) -> Page {
        self.changed(|company, issue| {
            let (_, deployment) = company.dice.choice(&company.deployments).cloned().unwrap();
            let (repository, pull) = company.dice.choice(&company.pull_requests).cloned().unwrap();
            let merged = pull.merge_commit_sha.unwrap_or_default();
            let name = match company.dice.u8(..4) {
                0 => deployment.external_id,
                1 => deployment.sha,
                2 => merged,
                _ => format!("https://git.example/acme/service-{repository}/pull/{}", pull.number),
            };
            issue.mentions = vec![(NAMED_IN.to_owned(), name)];
            company.entry(issue.external_id, "Caused by deployment")
        })
    }

    fn gone(&mut self) -> Page {
        let place = self.below(self.issues.len());
        Page { deleted_issues: vec![self.issues[place].external_id], ..Page::default() }
    }

    /// A pull request that is open or merged, and may take back another.
    fn pull_request(&mut self) -> Page {
        let (number, at) = (self.id(), self.tick());
        let place = self.below(REPOSITORIES.len());
        let repository = REPOSITORIES[place];
        let (own, merge) = (self.id(), self.id());
        let issue = self.below(self.issues.len());
        let key = self.issues[issue].key.clone();
        let others = self.pull_requests.iter().filter(|(other, _)| *other == repository);
        let titles: Vec<String> = others.map(|(_, pull)| pull.title.clone()).collect();
        let title = match self.dice.choice(&titles) {
            Some(title) if self.dice.u8(..4) == 0 => format!("Revert \"{title}\""),
            _ => format!("Change {}", number % 7),
        };
        let is_merged = self.dice.u8(..4) > 0;
        let pull_request = PullRequest {
            external_id: number,
            number,
            title,
            state: if is_merged { PullRequestState::Merged } else { PullRequestState::Open },
            draft: false,
            author: Some(Actor::new("bob", self.dice.u8(..8) == 0)),
            created_at: at - TimeDelta::hours(5),
            updated_at: at,
            merged_at: is_merged.then_some(at),
            closed_at: is_merged.then_some(at),
            ready_at: None,
            merge_commit_sha: is_merged.then(|| sha(merge)),
            head_ref: format!("feature/{key}"),
            base_ref: "main".to_owned(),
            head_sha: sha(own),
            additions: number,
            deletions: 1,
            changed_files: 2,
            commits: vec![commit(own, &[], at - TimeDelta::hours(9))],
            reviews: Vec::new(),
            comments: Vec::new(),
        };
        self.pull_requests.push((repository, pull_request.clone()));
        let mut commits = Vec::new();
        if is_merged {
            commits.push(commit(merge, &[self.heads[place], own], at));
            self.heads[place] = merge;
        }
        Page { pull_requests: vec![pull_request], commits, ..of(repository) }
    }

    /// Somebody reviews a pull request.
    fn reviewed(&mut self) -> Page {
        let (at, external_id) = (self.tick(), self.id());
        let place = self.below(self.pull_requests.len());
        let state = self.dice.choice(["APPROVED", "CHANGES_REQUESTED"]).unwrap();
        let (repository, pull_request) = &mut self.pull_requests[place];
        pull_request.updated_at = at;
        pull_request.reviews.push(Review {
            external_id,
            author: Some(Actor::new("eve", false)),
            state: state.to_owned(),
            submitted_at: Some(pull_request.created_at + TimeDelta::hours(1)),
        });
        Page { pull_requests: vec![pull_request.clone()], ..of(*repository) }
    }

    /// The head of a repository, or what it was before, is deployed.
    fn deployment(&mut self) -> Page {
        let (at, id) = (self.tick(), self.id());
        let place = self.below(REPOSITORIES.len());
        let repository = REPOSITORIES[place];
        let earlier = self.deployments.iter().filter(|(other, _)| *other == repository);
        let earlier: Vec<String> = earlier.map(|(_, told)| told.sha.clone()).collect();
        let back = self.dice.choice(earlier).filter(|_| self.dice.u8(..5) == 0);
        let environment = self.dice.choice(["production", "production", "staging"]).unwrap();
        let deployment = Deployment {
            external_id: id.to_string(),
            environment: environment.to_owned(),
            sha: back.unwrap_or_else(|| sha(self.heads[place])),
            outcome: self.outcome(),
            created_at: at,
            finished_at: Some(at),
            estimated: false,
        };
        self.deployments.push((repository, deployment.clone()));
        Page { deployments: vec![deployment], ..of(repository) }
    }

    fn outcome(&mut self) -> DeploymentOutcome {
        if self.dice.u8(..4) == 0 { DeploymentOutcome::Failure } else { DeploymentOutcome::Success }
    }

    /// It turns out that a deployment went otherwise.
    fn corrected(&mut self) -> Page {
        let place = self.below(self.deployments.len());
        let outcome = self.outcome();
        let (repository, deployment) = &mut self.deployments[place];
        deployment.outcome = outcome;
        Page { deployments: vec![deployment.clone()], ..of(*repository) }
    }
}

fn of(repository_id: i64) -> Page {
    Page { repository_id, ..Page::default() }
}

fn project((external_id, key): (i64, &str)) -> Project {
    Project {
        external_id,
        key: key.to_owned(),
        name: key.to_owned(),
        kind: "software".to_owned(),
        former_keys: Vec::new(),
    }
}

fn repository(external_id: i64) -> Repository {
    Repository {
        external_id,
        full_name: format!("acme/service-{external_id}"),
        default_branch: Some("main".to_owned()),
        archived: false,
    }
}

fn issue_type(external_id: i64) -> IssueType {
    let name = if external_id == 2 { "Incident" } else { "Story" };
    IssueType { external_id, name: name.to_owned(), hierarchy_level: 0 }
}

fn status(id: i64) -> Status {
    let known = STATUSES.iter().find(|known| known.0 == id);
    let (external_id, name, category) = *known.unwrap();
    Status { external_id, name: name.to_owned(), category }
}

fn sha(number: i64) -> String {
    format!("{number:040x}")
}

fn commit(number: i64, parents: &[i64], at: Moment) -> Commit {
    Commit {
        sha: sha(number),
        author: Some("bob".to_owned()),
        authored_at: at,
        committed_at: at,
        message: "Change".to_owned(),
        parents: Some(parents.iter().map(|parent| sha(*parent)).collect()),
    }
}
