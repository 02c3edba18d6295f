//! The step *repositories*: which there are, by what they are called today.

use std::collections::{BTreeSet, HashMap};

use domain::facts::Facts;
use domain::work::Gap;
use extractor::{Failure, Page};
use serde_json::{Value, json};

use crate::client::{Answered, Client, Listed};
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
        let names = self.names(client).await?;
        let mut page = Page {
            facts: Facts { repositories_are_all: true, ..Facts::default() },
            ..Page::default()
        };
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
        let (mut data, errors) =
            match client.query::<HashMap<String, Value>>(&query, json!({})).await? {
                Answered::Data(data, errors) => (data, errors),
                Answered::TooLarge => {
                    let detail =
                        "GitHub cannot list the repositories now; we try again.".to_owned();
                    return Err(Failure::Passing { detail });
                }
            };
        for (position, (owner, name)) in names.iter().enumerate() {
            let alias = format!("r{position}");
            let found = data.remove(&alias).filter(|value| !value.is_null());
            let read = found.map(serde_json::from_value::<wire::Repository>);
            match read {
                Some(Ok(repository)) => {
                    page.facts.repositories.push(mapping::repository(repository));
                }
                Some(Err(error)) => page.gaps.push(Gap {
                    scope: format!("{owner}/{name}"),
                    reason: format!("GitHub's description of it could not be read: {error}"),
                }),
                None => page.gaps.push(gap(owner, name, &alias, &errors)),
            }
        }
        Ok(())
    }

    /// The names to read, patterns resolved, each once.
    async fn names(&self, client: &Client) -> Result<BTreeSet<(String, String)>, Failure> {
        let mut names = BTreeSet::new();
        if self.scopes.is_empty() {
            names.extend(listed(client, "/user/repos?per_page=100").await?);
        }
        for scope in &self.scopes {
            let Some((owner, name)) = scope.trim().split_once('/') else {
                let detail = format!("{scope:?} is no repository. Write owner/name or owner/*.");
                return Err(Failure::Fatal { detail });
            };
            if name == "*" {
                names.extend(
                    listed(client, &format!("/orgs/{owner}/repos?type=all&per_page=100")).await?,
                );
            } else {
                names.insert((owner.to_owned(), name.to_owned()));
            }
        }
        Ok(names)
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
fn gap(owner: &str, name: &str, alias: &str, errors: &[wire::GraphqlError]) -> Gap {
    let about =
        |error: &&wire::GraphqlError| error.path.first().and_then(Value::as_str) == Some(alias);
    let said = errors.iter().find(about).map(|error| error.message.as_str());
    Gap {
        scope: format!("{owner}/{name}"),
        reason: format!(
            "GitHub accepted the token but does not show it {owner}/{name} ({}). \
             Ask an owner to grant Contents: read, or take it off the list.",
            said.unwrap_or("no reason given")
        ),
    }
}
