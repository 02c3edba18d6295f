//! Which projects there are, and how large those are that nobody has read yet.

use std::collections::HashSet;

use chrono::SecondsFormat;
use domain::facts::Facts;
use domain::project::Project;
use domain::work::Gap;
use extractor::{Failure, Page};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use super::SIDE_BY_SIDE;
use crate::jql;
use crate::mapping;
use crate::source::Site;
use crate::wire;

/// Above this it is worth knowing how old a project is, because it will be read in slices.
const LARGE: u64 = 5_000;

pub(crate) struct Projects {
    pub(crate) site: Site,
}

/// A project that can be seen, with its size where Jira tells it along.
struct Seen {
    project: Project,
    count: Option<u64>,
}

/// What those who plan the next step want to know.
#[derive(Serialize)]
struct Findings {
    scopes: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    scope: String,
    count: u64,
    oldest: Option<String>,
}

impl Projects {
    pub(crate) fn new(site: Site) -> Projects {
        Projects { site }
    }

    /// The whole list as one page, since only the whole list tells what is no longer on it.
    pub(crate) async fn page(&mut self) -> Result<Page, Failure> {
        let seen = self.seen().await?;
        let (wanted, gaps) = among(seen, &self.site.scopes);
        if wanted.is_empty() {
            return Err(Failure::Unreadable { detail: self.nothing_to_read(&gaps) });
        }
        let scopes = self.sizes(&wanted).await?;
        let output = serde_json::to_string(&Findings { scopes }).expect("findings are always JSON");
        let facts = Facts {
            projects: wanted.into_iter().map(|seen| seen.project).collect(),
            projects_are_all: true,
            ..Facts::default()
        };
        Ok(Page { facts, gaps, output: Some(output), ..Page::default() })
    }

    async fn seen(&self) -> Result<Vec<Seen>, Failure> {
        let mut seen = Vec::new();
        let mut next = Some(0);
        while let Some(start) = next {
            let page = self.site.client.projects(start, "").await?;
            next = page.next(start);
            seen.extend(page.values.into_iter().map(|wire| Seen {
                count: wire.insight.as_ref().and_then(|insight| insight.total_issue_count),
                project: mapping::project(wire),
            }));
        }
        Ok(seen)
    }

    /// The sizes of projects of which nothing is kept yet; the others are not read in slices.
    async fn sizes(&self, projects: &[Seen]) -> Result<Vec<Finding>, Failure> {
        let Site { kept, owner, integration, .. } = &self.site;
        let known = kept.projects(*owner, *integration).await?;
        let known: HashSet<i64> = known.iter().map(|project| project.external_id).collect();
        let is_known = |seen: &Seen| known.contains(&seen.project.external_id);
        let calls: Vec<_> = projects.iter().map(|seen| self.size(seen, is_known(seen))).collect();
        futures::stream::iter(calls)
            .buffer_unordered(SIDE_BY_SIDE)
            .try_filter_map(futures::future::ok)
            .try_collect()
            .await
    }

    async fn size(&self, seen: &Seen, known: bool) -> Result<Option<Finding>, Failure> {
        let Site { client, kept, owner, integration, .. } = &self.site;
        let id = seen.project.external_id;
        if known {
            let is_begun = kept.has_live_issues(*owner, *integration, id).await;
            if is_begun? {
                return Ok(None);
            }
        }
        let count = match seen.count {
            Some(count) => count,
            None => client.count(&jql::of_project(id)).await?,
        };
        let oldest = if count > LARGE { self.oldest(id).await? } else { None };
        Ok(Some(Finding { scope: id.to_string(), count, oldest }))
    }

    async fn oldest(&self, project: i64) -> Result<Option<String>, Failure> {
        let found = self.site.client.first(&jql::oldest_first(project), "created").await?;
        let born = found.issues.first().map(|raw| serde_json::from_str::<wire::Born>(raw.get()));
        let born = born.transpose().map_err(|e| Failure::Unreadable {
            detail: format!("the oldest issue of project {project} cannot be read: {e}"),
        })?;
        let created = born.and_then(|born| born.fields.created.0);
        Ok(created.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true)))
    }

    fn nothing_to_read(&self, gaps: &[Gap]) -> String {
        let host = self.site.client.host();
        if gaps.is_empty() {
            return format!(
                "Jira accepted the token for {host} but the account sees no project. \
                 Ask a Jira admin to grant Browse projects."
            );
        }
        let missing: Vec<&str> = gaps.iter().map(|gap| gap.scope.as_str()).collect();
        format!(
            "The account sees none of the projects {} at {host}. Correct the list under \
             Integrations, or ask a Jira admin to grant Browse projects.",
            missing.join(", ")
        )
    }
}

/// The projects whose key, present or former, is asked for, and what is missing among them.
fn among(seen: Vec<Seen>, scopes: &[String]) -> (Vec<Seen>, Vec<Gap>) {
    if scopes.is_empty() {
        return (seen, Vec::new());
    }
    let named = |project: &Project, scope: &str| {
        let mut keys = std::iter::once(&project.key).chain(&project.former_keys);
        keys.any(|key| key.eq_ignore_ascii_case(scope.trim()))
    };
    let missing = scopes.iter().filter(|scope| !seen.iter().any(|s| named(&s.project, scope)));
    let gaps = missing
        .map(|scope| Gap {
            scope: scope.clone(),
            reason: format!(
                "The account cannot see project {scope}: it is gone, or Browse projects is missing."
            ),
        })
        .collect();
    let wanted = seen.into_iter().filter(|s| scopes.iter().any(|scope| named(&s.project, scope)));
    (wanted.collect(), gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: i64, key: &str, former: &[&str]) -> Seen {
        let project = Project {
            external_id: id,
            key: key.to_owned(),
            name: key.to_owned(),
            kind: "software".to_owned(),
            former_keys: former.iter().map(|key| (*key).to_owned()).collect(),
        };
        Seen { project, count: None }
    }

    #[test]
    fn projects_are_picked_by_any_key_and_missing_ones_named() {
        let all = || vec![seen(1, "PAY", &[]), seen(2, "OPS", &["INFRA"]), seen(3, "WEB", &[])];
        let cases: &[(&[&str], &[i64], &[&str])] = &[
            (&[], &[1, 2, 3], &[]),
            (&["pay"], &[1], &[]),
            (&["INFRA", " WEB "], &[2, 3], &[]),
            (&["PAY", "PAX"], &[1], &["PAX"]),
            (&["PAX"], &[], &["PAX"]),
        ];
        for (scopes, ids, missing) in cases {
            let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            let (wanted, gaps) = among(all(), &scopes);
            let found: Vec<i64> = wanted.iter().map(|s| s.project.external_id).collect();
            assert_eq!(found, *ids, "{scopes:?}");
            let named: Vec<&str> = gaps.iter().map(|gap| gap.scope.as_str()).collect();
            assert_eq!(named, *missing, "{scopes:?}");
        }
    }
}
