//! Opens connections: looks them up and unseals their credentials.

use std::error::Error as _;

use domain::ids::IntegrationId;
use domain::work::{Task, TaskKind};
use platform::secrets::{Sealed, Vault};
use secrecy::SecretString;
use serde::Deserialize;
use store::Integrations;

use crate::{Connection, Failure};

/// Where connections are kept, and the key to their credentials.
pub(crate) struct Connections {
    pub(crate) integrations: Integrations,
    pub(crate) vault: Vault,
}

/// What a person typed in, to be tested before it is kept. Other fields are for the source.
#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    base_url: String,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    sealed_secret: Option<String>,
    #[serde(default)]
    integration_id: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
}

impl Connections {
    /// The connection that `task` reads from.
    pub(crate) async fn open(&self, task: &Task) -> Result<Connection, Failure> {
        match task.kind {
            TaskKind::Step(_) => {
                let id = task.integration.ok_or_else(|| Failure::Fatal {
                    detail: "the task names no connection to read from".to_owned(),
                })?;
                self.stored(task, id).await
            }
            TaskKind::Probe | TaskKind::Scopes => self.typed(task).await,
        }
    }

    async fn stored(&self, task: &Task, id: IntegrationId) -> Result<Connection, Failure> {
        let integration = self.integrations.get(task.client, id).await.map_err(|e| match e {
            store::Error::Missing { .. } => Failure::Fatal {
                detail: "The connection was removed. Connect it again under Integrations."
                    .to_owned(),
            },
            other => Failure::Passing { detail: with_cause(&other) },
        })?;
        let place = [task.client.to_string(), id.to_string()];
        let secret = self
            .unseal(&integration.sealed_secret, &[&place[0], &place[1], "secret"])
            .map_err(|reason| Failure::Fatal {
                detail: format!(
                    "The stored credential of {} cannot be opened: {reason}. \
                     Bring the key back, or paste the credential again under Integrations.",
                    integration.name
                ),
            })?;
        Ok(Connection {
            client: task.client,
            integration: Some(id),
            base_url: without_slash(&integration.base_url),
            username: integration.username.unwrap_or_default(),
            secret,
            scopes: integration.scopes,
        })
    }

    async fn typed(&self, task: &Task) -> Result<Connection, Failure> {
        let typed: Typed = serde_json::from_str(&task.input).map_err(|e| Failure::Fatal {
            detail: format!("the input of the test cannot be read: {e}"),
        })?;
        let base_url = without_slash(&typed.base_url);
        let Some(sealed) = typed.sealed_secret else {
            return self.typed_over_stored(task, typed, base_url).await;
        };
        let client = task.client.to_string();
        let secret = self.unseal(&sealed, &[&client, "probe", "secret"]).map_err(|reason| {
            Failure::Fatal { detail: format!("The credential cannot be opened: {reason}.") }
        })?;
        Ok(Connection {
            client: task.client,
            integration: None,
            base_url,
            username: typed.username.unwrap_or_default(),
            secret,
            scopes: typed.scopes,
        })
    }

    /// A stored credential goes only where it was stored for: else whoever can edit an address
    /// could read it.
    async fn typed_over_stored(
        &self,
        task: &Task,
        typed: Typed,
        base_url: String,
    ) -> Result<Connection, Failure> {
        let missing = || Failure::Fatal { detail: "Paste a credential to test.".to_owned() };
        let id = typed.integration_id.as_deref().ok_or_else(missing)?;
        let id = id.parse().map_err(|_| missing())?;
        let stored = self.stored(task, id).await?;
        if !base_url.is_empty() && base_url != stored.base_url {
            return Err(Failure::Fatal {
                detail: "The address changed. Paste the credential again to test the new one."
                    .to_owned(),
            });
        }
        let username = typed.username.unwrap_or_else(|| stored.username.clone());
        let scopes = if typed.scopes.is_empty() { stored.scopes.clone() } else { typed.scopes };
        Ok(Connection { username, scopes, ..stored })
    }

    fn unseal(
        &self,
        sealed: &str,
        place: &[&str],
    ) -> Result<SecretString, platform::secrets::Error> {
        self.vault.open(&sealed.parse::<Sealed>()?, place)
    }
}

fn without_slash(url: &str) -> String {
    url.trim().trim_end_matches('/').to_owned()
}

fn with_cause(error: &store::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
