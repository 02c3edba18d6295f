//! What is computed change by change is what all of it makes: after 200 random edits, of which every few
//! were published, the facts are those of a house that saw the same edits and published once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "incremental/company.rs"]
mod company;
#[path = "incremental/house.rs"]
mod house;

use metrics_service::memory::Memory;

use crate::company::Company;
use crate::house::{Ground, House};

const EDITS: usize = 200;
/// Publications come after so many edits or fewer.
const BETWEEN: usize = 12;

/// Edits two houses alike, and publishes what happened in one of them as it goes.
async fn grow(ground: Ground, seed: u64) {
    let mut company = Company::new(seed);
    let (patient, eager) = (House::open(ground).await, House::open(ground).await);
    for page in company.begin() {
        patient.keep(page.clone()).await;
        eager.keep(page).await;
    }
    eager.publish(company.now()).await;
    let (mut until_next, mut made, mut publications) = (0, 0, 1);
    for _ in 0..EDITS {
        let page = company.edit();
        patient.keep(page.clone()).await;
        eager.keep(page).await;
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
    assert!(expected.len() > 150, "seed {seed}: {} facts", expected.len());
    for (expected, told) in expected.iter().zip(&told) {
        assert_eq!(expected, told, "seed {seed}");
    }
    assert_eq!(expected.len(), told.len(), "seed {seed}");
    assert!(publications > 20, "seed {seed}: {publications} publications");
    assert!(2 * made < publications * all, "seed {seed}: {made} facts in {publications} of {all}");
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
        grow(Ground::Memory, seed).await;
    }
}

#[tokio::test]
async fn change_by_change_makes_what_all_of_it_makes_on_a_server() {
    grow(Ground::Server, 4).await;
}
