//! The step *repositories*: which there are, by what they are called today.

use std::collections::{BTreeSet, HashMap};

use domain::facts::Facts;
use domain::work::Gap;
use extractor::{Failure, Page};
use serde_json::{Value, json};

use super::for_now;
use crate::client::{Client, Listed};
use crate::{mapping, queries, wire};

/// Repositories per query.
const PER_QUERY: usize = 50;

/// Reads the repositories of a connection.
pub struct Repositories {
    scopes: Vec<String>,
}

impl Repositories {
    /// Of `owner/name` and `owner/*`; of everything that the token can see where nothing is named.
    pub fn new(scopes: Vec<String>) -> Repositories {
        Repositories { scopes }
    }

    /// All of them, in one page.
    pub async fn page(&self, client: &Client) -> Result<Page, Failure> {
        let mut page = Page {
            facts: Facts { repositories_are_all: true, ..Facts::default() },
            ..Page::default()
        };
        let names = self.names(client, &mut page).await?;
        for some in names.iter().collect::<Vec<_>>().chunks(PER_QUERY) {
            self.read(client, some, &mut page).await?;
        }
        if page.facts.repositories.is_empty() && !page.gaps.is_empty() {
            let reasons: Vec<_> = page.gaps.into_iter().map(|gap| gap.reason).collect();
            return Err(Failure::Fatal { detail: reasons.join(" ") });
        }
        Ok(page)
    }

    async fn read(
        &self,
        client: &Client,
        names: &[&(String, String)],
        page: &mut Page,
    ) -> Result<(), Failure> {
        let query = queries::repositories(names.iter().map(|(owner, name)| (&**owner, &**name)));
        let answered = client.query::<HashMap<String, Value>>(&query, json!({})).await;
        let (mut data, errors) = answered.map_err(|failure| for_now(failure, "a list"))?;
        for (position, (owner, name)) in names.iter().enumerate() {
            let alias = format!("r{position}");
            let found = data.remove(&alias).filter(|value| !value.is_null());
            let read = found.map(serde_json::from_value::<wire::Repository>);
            match read {
                Some(Ok(repository)) => {
                    page.facts.repositories.push(mapping::repository(repository));
                }
                Some(Err(error)) => {
                    page.facts.repositories_are_all = false;
                    page.gaps.push(Gap {
                        scope: format!("{owner}/{name}"),
                        reason: format!("GitHub's description of it could not be read: {error}"),
                    });
                }
                None => {
                    let error = errors.iter().find(|error| error.is_about(&alias));
                    // Whatever else keeps GitHub from telling of it: it is not gone.
                    page.facts.repositories_are_all &=
                        error.is_none_or(wire::GraphqlError::is_refusal);
                    page.gaps.push(gap(owner, name, error));
                }
            }
        }
        Ok(())
    }

    /// The names to read, patterns resolved, each once. Whose list cannot be seen is a gap.
    async fn names(
        &self,
        client: &Client,
        page: &mut Page,
    ) -> Result<BTreeSet<(String, String)>, Failure> {
        let mut names = BTreeSet::new();
        if self.scopes.is_empty() {
            names.extend(listed(client, "/user/repos?per_page=100").await?);
        }
        for scope in &self.scopes {
            let Some((owner, name)) = scope.trim().split_once('/') else {
                let detail = format!("{scope:?} is no repository. Write owner/name or owner/*.");
                return Err(Failure::Fatal { detail });
            };
            if name != "*" {
                names.insert((owner.to_owned(), name.to_owned()));
                continue;
            }
            match all_of(client, owner).await {
                Ok(all) => names.extend(all),
                Err(Failure::Unreadable { detail } | Failure::TooLarge { detail }) => {
                    page.facts.repositories_are_all = false;
                    page.gaps.push(Gap { scope: scope.trim().to_owned(), reason: detail });
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(names)
    }
}

/// The repositories of an organisation, or else of a person.
async fn all_of(client: &Client, owner: &str) -> Result<Vec<(String, String)>, Failure> {
    let of = |kind| format!("/{kind}/{owner}/repos?type=all&per_page=100");
    match listed(client, &of("orgs")).await {
        Err(Failure::Unreadable { .. }) => listed(client, &of("users")).await,
        listed => listed,
    }
}

async fn listed(client: &Client, path: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut names = Vec::new();
    let mut page: Listed<wire::ListedRepository> = client.list(path).await?;
    loop {
        let pairs = page.rows.iter().filter_map(|row| row.full_name.split_once('/'));
        names.extend(pairs.map(|(owner, name)| (owner.to_owned(), name.to_owned())));
        match page.next {
            Some(next) => page = client.list_at(&next).await?,
            None => return Ok(names),
        }
    }
}

/// Why one repository is missing while its siblings are there.
fn gap(owner: &str, name: &str, error: Option<&wire::GraphqlError>) -> Gap {
    let said = error.map(|error| error.message.as_str());
    Gap {
        scope: format!("{owner}/{name}"),
        reason: format!(
            "GitHub accepted the token but does not show it {owner}/{name} ({}). \
             Ask an owner to grant Contents: read, or take it off the list.",
            said.unwrap_or("no reason given")
        ),
    }
}
