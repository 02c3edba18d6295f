//! Whoever reads while somebody publishes sees what was published last, whole.

use std::collections::BTreeSet;

use domain::Moment;
use domain::facts::Facts as Page;
use domain::ids::ClientId;
use store::Metrics;
use store::focus::Focus;
use store::metrics::{Publication, PullRequestFact};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::flow::Everywhere;
use crate::house::House;
use crate::metrics::publication;
use crate::nouns::*;

contract! {
    a_hundred_readers_see_one_publication_or_the_next,
}

const READERS: usize = 100;
const PUBLICATIONS: i64 = 10;
const COUNT: i64 = 40;

/// What every row of a publication says: when it was made.
fn uniform(house: &House, second: i64, numbers: impl Iterator<Item = i64>) -> Publication {
    let one = publication(house, second);
    let fact = one.pull_requests[0].clone();
    let pull_requests = numbers.map(|number| PullRequestFact { number, ..fact.clone() }).collect();
    Publication { pull_requests, ..one }
}

/// Reads until the last publication is seen, and tells which ones were.
async fn look(metrics: Metrics, client: ClientId, seen: watch::Sender<i64>) -> BTreeSet<i64> {
    let second = |moment: Option<Moment>| moment.map_or(0, |moment| (moment - at(0)).num_seconds());
    let (mut publications, end) = (BTreeSet::new(), at(10_000));
    loop {
        let dora = metrics.dora(client, at(0), end, Focus::default()).await.unwrap();
        let published = second(dora.as_of);
        let leads: Vec<_> = dora.pull_requests.iter().filter_map(|pr| pr.lead_seconds).collect();
        assert_eq!(leads, vec![published as f64; COUNT as usize]);

        let flow = metrics.flow(client, at(0), end, 1_000, Focus::default()).await.unwrap();
        let then = second(flow.as_of);
        let leads: Vec<_> = flow.ended.iter().filter_map(|issue| issue.lead_seconds).collect();
        assert_eq!(leads, vec![then as f64; COUNT as usize]);
        assert!(then >= published, "nobody reads backwards");

        publications.extend([published, then]);
        seen.send_if_modified(|last| {
            let is_news = then > *last;
            *last = then.max(*last);
            is_news
        });
        if then == PUBLICATIONS {
            return publications;
        }
    }
}

async fn a_hundred_readers_see_one_publication_or_the_next(house: &House) {
    let issues = (1..=COUNT).map(issue).collect();
    house.jira_says(Page { issues, ..jira_page() }).await;
    let pull_requests = (1..=COUNT).map(pull_request).collect();
    house.github_says(Page { pull_requests, ..github_page() }).await;
    let publish = |second, numbers| {
        let (publication, rules) =
            (uniform(house, second, numbers), Everywhere::led(second as f64));
        house.publish(publication, rules)
    };
    publish(1, 1..=COUNT).await.unwrap();

    let (seen, mut news) = watch::channel(0);
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        readers.spawn(look(house.metrics.clone(), house.client, seen.clone()));
    }
    for second in 2..=PUBLICATIONS {
        news.wait_for(|last| *last == second - 1).await.unwrap();
        // One that breaks off near its end, since there is no such pull request.
        publish(second + 1_000, 1..=COUNT + 1).await.unwrap_err();
        publish(second, 1..=COUNT).await.unwrap();
    }
    let mut publications = BTreeSet::new();
    while let Some(done) = readers.join_next().await {
        publications.append(&mut done.unwrap());
    }
    assert!(publications.into_iter().eq(1..=PUBLICATIONS), "each was seen by somebody");
}
