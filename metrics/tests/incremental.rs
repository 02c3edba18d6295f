//! What is computed change by change is what all of it makes: after 200 random edits, of which every few
//! were published, the facts are those of a house that saw the same edits and published once. So it is when
//! people change their mappings and rules in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "incremental/company.rs"]
mod company;
#[path = "incremental/house.rs"]
mod house;
#[path = "incremental/readers.rs"]
mod readers;
#[path = "incremental/said.rs"]
mod said;

use metrics_service::memory::Memory;

use crate::company::Company;
use crate::house::{Ground, House};

const EDITS: usize = 200;
/// Publications come after so many edits or fewer.
const BETWEEN: usize = 12;

/// What happens in between.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edits {
    /// Only in the sources.
    Seen,
    /// Every few of them are by people who change mappings, rules, what counts, or the time zone.
    SeenAndSaid,
}

/// Edits two houses alike, and publishes what happened in one of them as it goes.
async fn grow(ground: Ground, seed: u64, edits: Edits) {
    let mut company = Company::new(seed);
    let (patient, eager) = (House::open(ground).await, House::open(ground).await);
    for page in company.begin() {
        patient.keep(page.clone()).await;
        eager.keep(page).await;
    }
    eager.publish(company.now()).await;
    let (mut until_next, mut made, mut publications) = (0, 0, 1);
    for _ in 0..EDITS {
        if edits == Edits::SeenAndSaid && company.below(4) == 0 {
            let said = company.said();
            patient.say(said.clone()).await;
            eager.say(said).await;
        } else {
            let page = company.edit();
            patient.keep(page.clone()).await;
            eager.keep(page).await;
        }
        if until_next == 0 {
            made += eager.publish(company.now()).await;
            publications += 1;
            until_next = company.below(BETWEEN);
        } else {
            until_next -= 1;
        }
    }
    made += eager.publish(company.now()).await;
    let all = patient.publish(company.now()).await;
    let (expected, told) = (patient.told().await, eager.told().await);
    for (expected, told) in expected.iter().zip(&told) {
        assert_eq!(expected, told, "seed {seed}");
    }
    assert_eq!(expected.len(), told.len(), "seed {seed}");
    assert!(publications > 20, "seed {seed}: {publications} publications");
    if edits == Edits::Seen {
        assert!(expected.len() > 150, "seed {seed}: {} facts", expected.len());
        assert!(
            2 * made < publications * all,
            "seed {seed}: {made} facts in {publications} of {all}"
        );
    }
}

/// What is read window by window from the database tells the same as what is held.
#[tokio::test]
async fn who_does_not_fit_in_memory_is_answered_alike() {
    let (mut company, house) = (Company::new(5), House::open(Ground::Memory).await);
    for page in company.begin() {
        house.keep(page).await;
    }
    for _ in 0..EDITS {
        house.keep(company.edit()).await;
    }
    house.publish(company.now()).await;
    let (held, crowded) = (Memory::default(), Memory::new(1));
    let told = house.answers(&held, company.now()).await;
    let read = house.answers(&crowded, company.now()).await;
    assert_eq!(told.len(), 36);
    assert!(told.iter().any(|answer| answer.metrics.iter().any(|metric| metric.ids.len() > 9)));
    for (told, read) in told.iter().zip(&read) {
        assert_eq!(told, read);
    }
}

#[tokio::test]
async fn change_by_change_makes_what_all_of_it_makes_in_memory() {
    for seed in 1..=3 {
        grow(Ground::Memory, seed, Edits::Seen).await;
    }
}

#[tokio::test]
async fn whatever_people_change_in_between_is_followed_in_memory() {
    for seed in 11..=16 {
        grow(Ground::Memory, seed, Edits::SeenAndSaid).await;
    }
}

#[tokio::test]
async fn change_by_change_makes_what_all_of_it_makes_on_a_server() {
    grow(Ground::Server, 4, Edits::Seen).await;
}

#[tokio::test]
async fn whatever_people_change_in_between_is_followed_on_a_server() {
    grow(Ground::Server, 17, Edits::SeenAndSaid).await;
}
