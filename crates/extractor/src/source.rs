//! What an extractor brings: how to read one kind of system.

use std::future::Future;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::Moment;
use domain::facts::Facts;
use domain::ids::{ClientId, IntegrationId};
use domain::work::{Gap, Task, Topic};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// One kind of system that can be read.
pub trait Source: Send + Sync + 'static {
    /// Reads one task's pages.
    type Reader: Reader;

    /// The queue on which this source's tasks are rung.
    const TOPIC: Topic;

    /// Prepares to read `task` over `connection`.
    fn open(
        &self,
        task: &Task,
        connection: Connection,
    ) -> impl Future<Output = Result<Self::Reader, Failure>> + Send;

    /// Tests a connection or searches its scopes, outside any run. Input and answer are JSON.
    fn probe(
        &self,
        task: &Task,
        connection: Connection,
    ) -> impl Future<Output = Result<String, Failure>> + Send;
}

/// Reads one task, page by page.
pub trait Reader: Send {
    /// The page at `cursor`, which is empty at the start. The same cursor gives the same rows, or
    /// newer versions of them. It is called for the next page when the last is kept.
    fn page(&mut self, cursor: &str) -> impl Future<Output = Result<Page, Failure>> + Send;
}

/// One page: what it says, and where the next begins.
#[derive(Debug, Default)]
pub struct Page {
    /// Kept whole or not at all.
    pub facts: Facts,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
    /// What could not be read, and why.
    pub gaps: Vec<Gap>,
    /// Requests that it took.
    pub requests: u64,
    /// What is left of the source's quota, where it tells.
    pub budget: Option<Budget>,
    /// What the source's clock said when it first answered this reader, if it told.
    pub source_time: Option<Moment>,
    /// What the whole task found out for those who plan on, in JSON; on the last page.
    pub output: Option<String>,
}

/// What is left of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Calls or points in a full window.
    pub limit: u64,
    /// Calls or points left.
    pub remaining: u64,
    /// When it is full again.
    pub resets_at: Moment,
}

/// Where to read and as whom.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Whose rows they are.
    pub client: ClientId,
    /// The stored connection; a probe of an unsaved one has none.
    pub integration: Option<IntegrationId>,
    /// Where it is, without a trailing slash.
    pub base_url: String,
    /// Whom the credential belongs to; empty where the source needs none.
    pub username: String,
    /// The credential.
    pub secret: SecretString,
    /// Project keys or repository names to read; empty means all that can be seen.
    pub scopes: Vec<String>,
}

impl Connection {
    /// A name for the credential at its place: the same for all who use it, whichever client or connection
    /// they read for, since the source counts their requests together. It tells nothing of the secret.
    pub fn credential(&self) -> String {
        let mut hasher = Sha256::new();
        for part in [&*self.base_url, &*self.username, self.secret.expose_secret()] {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        BASE64_URL_SAFE_NO_PAD.encode(hasher.finalize())
    }
}

/// Why a page could not be read, by what the loop does about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// The quota is used up: no error, the task waits and the worker is free.
    #[error("the source asks to wait until {until}")]
    Throttled {
        /// When to come back.
        until: Moment,
    },
    /// May pass: a broken connection, a 5xx. Tried again, a few times.
    #[error("{detail}")]
    Passing {
        /// For people: what happened, and what we do.
        detail: String,
    },
    /// May pass, and the source says until when it is down. Tried again then, a few times.
    #[error("{detail}")]
    Down {
        /// For people: what happened.
        detail: String,
        /// When to come back.
        until: Moment,
    },
    /// Will not pass without a person, such as a refused credential. The job fails.
    #[error("{detail}")]
    Fatal {
        /// For people: cause and remedy.
        detail: String,
    },
    /// The answer is larger than the source can tell or we take in. Who can asks for less; otherwise the
    /// scope cannot be read.
    #[error("{detail}")]
    TooLarge {
        /// For people: how large it is, and what it may be.
        detail: String,
    },
    /// This scope cannot be read (gone, forbidden). The run goes on without it and says so.
    #[error("{detail}")]
    Unreadable {
        /// For people: cause and remedy.
        detail: String,
    },
    /// The cursor is no longer good: the slice is read again from its start.
    #[error("the source no longer knows the cursor")]
    StaleCursor,
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Failure {
        Failure::Passing { detail: format!("Our own store did not answer: {error}") }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn connection(client: u128, [base_url, username, secret]: [&str; 3]) -> Connection {
        Connection {
            client: ClientId(Uuid::from_u128(client)),
            integration: Some(IntegrationId(Uuid::from_u128(client))),
            base_url: base_url.to_owned(),
            username: username.to_owned(),
            secret: SecretString::from(secret),
            scopes: Vec::new(),
        }
    }

    #[test]
    fn a_quota_is_shared_by_whoever_uses_the_credential() {
        let known = ["https://api.github.example", "ada", "ghp_hunter2"];
        let name = connection(1, known).credential();
        assert_eq!(connection(2, known).credential(), name, "for whomever it is used");
        assert!(!name.contains("hunter2"));
        let others = [
            ["https://git.example", "ada", "ghp_hunter2"],
            ["https://api.github.example", "bob", "ghp_hunter2"],
            ["https://api.github.example", "ada", "ghp_hunter3"],
            ["https://api.github.example", "", "adaghp_hunter2"],
        ];
        for other in others {
            assert_ne!(connection(1, other).credential(), name, "{other:?}");
        }
    }
}
