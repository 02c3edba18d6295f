//! A client of the platform: its people who sign in, its credentials, and its world.

use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::world::World;

/// A client with everything needed to connect to it.
#[derive(Debug)]
pub struct Company {
    /// What callers need to know.
    pub account: Account,
    /// What goes on inside.
    pub world: World,
}

/// What a caller needs to know about a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// The id of the client at the Backend Service.
    pub client_id: i64,
    /// Its name.
    pub client_name: String,
    /// Somebody who may do everything.
    pub admin: Login,
    /// Somebody who may not.
    pub member: Login,
    /// The account in Jira.
    pub jira: JiraAccount,
    /// The account on GitHub.
    pub github: GithubAccount,
}

/// A user of the platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Login {
    pub id: i64,
    pub email: String,
    pub password: String,
    pub first_name: String,
    pub last_name: String,
}

/// An account in Jira.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct JiraAccount {
    pub username: String,
    pub api_token: String,
    pub projects: Vec<String>,
}

/// An account on GitHub.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct GithubAccount {
    pub token: String,
    pub repositories: Vec<String>,
}

impl Company {
    /// A client of this name around a world.
    pub fn new(client_id: i64, name: &str, seed: u64, world: World) -> Company {
        let mut chance = Chance::new(seed ^ 0x5eed);
        let org = &world.org;
        let login = |role: &str, id: i64, first: &str, last: &str| Login {
            id,
            email: format!("{role}@{org}.example"),
            password: format!("{role}-of-{org}"),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
        };
        let account = Account {
            client_id,
            client_name: name.to_owned(),
            admin: login("admin", client_id * 10 + 1, "Robin", "Hall"),
            member: login("member", client_id * 10 + 2, "Sascha", "Vale"),
            jira: JiraAccount {
                username: format!("etl@{org}.example"),
                api_token: format!("simulated-jira-{}", chance.hex(24)),
                projects: world.jira.projects.iter().map(|p| p.key.clone()).collect(),
            },
            github: GithubAccount {
                token: format!("simulated_github_{}", chance.hex(36)),
                repositories: world
                    .repositories
                    .iter()
                    .map(|repository| format!("{org}/{}", repository.name))
                    .collect(),
            },
        };
        Company { account, world }
    }
}
