//! Which pull request names which issue.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::Utc;
use domain::ids::ClientId;
use domain::key::{KnownProjects, Place};
use domain::work::Fence;
use store::metrics::{KeyedIssue, Link, Repository, Texts};

use crate::aside::aside;

/// Finds and keeps the links of every repository of a client, for who holds the lease that `fence`
/// proves. Answers how many links there are.
///
/// # Errors
/// The store's.
pub async fn keep_all(
    facts: &store::Metrics,
    client: ClientId,
    fence: Fence,
) -> Result<u64, store::Error> {
    facts.refresh_statistics().await?;
    let keys = facts.project_keys(client).await?;
    let known = Arc::new(KnownProjects::new(keys.into_iter().map(|key| (key.seen, key.today))));
    let mut count = 0;
    for repository in facts.repositories(client).await? {
        let links = found(facts, client, &repository, &known).await?;
        count += links.len() as u64;
        facts.keep_links(client, fence, &repository, links, Utc::now()).await?;
    }
    Ok(count)
}

async fn found(
    facts: &store::Metrics,
    client: ClientId,
    repository: &Repository,
    known: &Arc<KnownProjects>,
) -> Result<Vec<Link>, store::Error> {
    let texts = facts.texts(client, repository).await?;
    let of_all = known.clone();
    let (named, candidates) = aside(move || {
        let named: Vec<Named> = texts.iter().flat_map(|texts| named(texts, &of_all)).collect();
        let candidates: BTreeSet<String> =
            named.iter().flat_map(|n| candidates(&n.key, &of_all)).collect();
        (named, candidates)
    })
    .await;
    let issues = facts.issues_by_key(client, candidates.into_iter().collect()).await?;
    let of_all = known.clone();
    Ok(aside(move || resolve(named, &issues, &of_all)).await)
}

/// A key that a pull request names, and where it was seen first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The pull request's number.
    pub number: i64,
    /// The key in upper case.
    pub key: String,
    /// The most trusted place that names it.
    pub via: Place,
}

/// Every distinct key that a pull request names, with the most trusted place that names it.
pub fn named(texts: &Texts, known: &KnownProjects) -> Vec<Named> {
    let branch = [(texts.head_ref.as_str(), Place::Branch)];
    let title = [(texts.title.as_str(), Place::Title)];
    let messages = texts.messages.iter().map(|message| (message.as_str(), Place::Message));
    let mut named: Vec<Named> = Vec::new();
    for (text, via) in branch.into_iter().chain(title).chain(messages) {
        for key in known.keys_in(text, via) {
            if !named.iter().any(|earlier| earlier.key == key) {
                named.push(Named { number: texts.number, key, via });
            }
        }
    }
    named
}

/// The keys that an issue named by `key` may have today: the key itself, or the same number in the
/// project as it is called today.
fn candidates(key: &str, known: &KnownProjects) -> Vec<String> {
    let renamed = key.rsplit_once('-').and_then(|(project, number)| {
        let today = known.today(project)?;
        (today != project).then(|| format!("{today}-{number}"))
    });
    std::iter::once(key.to_owned()).chain(renamed).collect()
}

/// The links to issues that there are. One issue named by two keys is linked once, by the first.
fn resolve(named: Vec<Named>, issues: &[KeyedIssue], known: &KnownProjects) -> Vec<Link> {
    let mut by_key: HashMap<&str, Vec<&KeyedIssue>> = HashMap::new();
    for issue in issues {
        by_key.entry(&issue.key).or_default().push(issue);
    }
    let mut links: Vec<Link> = Vec::new();
    let mut linked = BTreeSet::new();
    for name in named {
        let candidates = candidates(&name.key, known);
        let Some(found) = candidates.iter().find_map(|key| by_key.get(key.as_str())) else {
            continue;
        };
        for issue in found {
            if !linked.insert((name.number, issue.integration, issue.id)) {
                continue;
            }
            links.push(Link {
                number: name.number,
                issue_integration: issue.integration,
                issue_id: issue.id,
                via: spelling(name.via).to_owned(),
                key_seen: name.key.clone(),
            });
        }
    }
    links
}

const fn spelling(place: Place) -> &'static str {
    match place {
        Place::Branch => "branch",
        Place::Title => "title",
        Place::Message => "message",
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::IntegrationId;

    use super::*;

    fn known() -> KnownProjects {
        let pair = |seen: &str, today: &str| (seen.to_owned(), today.to_owned());
        KnownProjects::new([pair("PAY", "PAY"), pair("OLD", "CORE"), pair("CORE", "CORE")])
    }

    fn texts(head_ref: &str, title: &str, messages: &[&str]) -> Texts {
        Texts {
            number: 7,
            head_ref: head_ref.to_owned(),
            title: title.to_owned(),
            messages: messages.iter().map(|message| (*message).to_owned()).collect(),
        }
    }

    #[test]
    fn each_key_is_named_once_by_its_most_trusted_place() {
        let texts =
            texts("feature/pay-3", "PAY-4 and PAY-3", &["PAY-4", "Refs: PAY-5", "utf-8 UTF-8"]);
        let found: Vec<_> = named(&texts, &known()).into_iter().map(|n| (n.key, n.via)).collect();
        let expected =
            [("PAY-3", Place::Branch), ("PAY-4", Place::Title), ("PAY-5", Place::Message)];
        assert_eq!(found, expected.map(|(key, via)| (key.to_owned(), via)));
    }

    #[test]
    fn a_former_key_leads_to_the_issue_of_today_and_an_unknown_one_nowhere() {
        let issue = |key: &str, id| KeyedIssue {
            key: key.to_owned(),
            integration: IntegrationId(Default::default()),
            id,
        };
        let named = named(&texts("x", "OLD-9 PAY-1 PAY-2 CORE-9", &[]), &known());
        let links = resolve(named, &[issue("CORE-9", 1), issue("PAY-1", 2)], &known());
        let found: Vec<_> =
            links.iter().map(|link| (link.key_seen.as_str(), link.issue_id)).collect();
        assert_eq!(found, [("OLD-9", 1), ("PAY-1", 2)], "linked once each, PAY-2 is no issue");
    }
}
