//! The people of the company, as Jira and GitHub know them.

use crate::chance::Chance;

const FIRST: [&str; 24] = [
    "Ada", "Bram", "Chidi", "Dana", "Emre", "Freya", "Goran", "Hana", "Imani", "Jonas", "Keiko",
    "Luca", "Mina", "Nadia", "Oskar", "Priya", "Quinn", "Rosa", "Sven", "Tariq", "Uma", "Vera",
    "Wim", "Zoë",
];
const LAST: [&str; 24] = [
    "Abara",
    "Birch",
    "Castellan",
    "Dovregubben",
    "Eskola",
    "Fennimore",
    "Grünwald",
    "Hartigan",
    "Ibarra",
    "Jellema",
    "Kowalczyk",
    "Lindqvist",
    "Marchetti",
    "Nakagawa",
    "Okonjo",
    "Pellworm",
    "Quispe",
    "Rasmusen",
    "Sato",
    "Thackeray",
    "Ulvang",
    "Vantongeren",
    "Wexley",
    "Ylönen",
];

/// The display name and account of people whose accounts were erased.
pub const ERASED_NAME: &str = "Former user";

/// Somebody who works, or worked, at the company.
#[derive(Debug, Clone)]
pub struct Person {
    /// What Jira shows.
    pub name: String,
    /// Jira's account id; erased people share a placeholder.
    pub account: String,
    /// The account still exists.
    pub active: bool,
    /// The name on GitHub.
    pub login: String,
    /// GitHub's id of the user.
    pub github_id: u64,
    /// The address in Jira and in commits.
    pub email: String,
    /// GitHub knows the address, so that commits lead to the user.
    pub linked: bool,
}

/// The people of a company, at least eight; the last one is erased.
pub fn hire(count: usize, org: &str, chance: &mut Chance) -> Vec<Person> {
    let count = count.clamp(8, FIRST.len() * LAST.len());
    let mut people: Vec<Person> = (0..count - 1)
        .map(|index| {
            let first = FIRST[index % FIRST.len()];
            let last = LAST[(index + index / FIRST.len() * 7) % LAST.len()];
            let handle = ascii(&format!("{first}{}", last.chars().take(1).collect::<String>()));
            Person {
                name: format!("{first} {last}"),
                account: chance.hex(24),
                active: true,
                login: format!("{handle}-{}", index + 1),
                github_id: 501 + index as u64,
                email: format!("{}.{}@{org}.example", ascii(first), ascii(last)),
                linked: index % 7 != 5,
            }
        })
        .collect();
    people.push(Person {
        name: ERASED_NAME.to_owned(),
        account: "unknown".to_owned(),
        active: false,
        login: "left-the-house".to_owned(),
        github_id: 499,
        email: format!("former@{org}.example"),
        linked: false,
    });
    people
}

fn ascii(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
}
