//! One-time codes: how a token crosses from one site to another without standing in an address.

use std::time::Duration;

use platform::cache::{Cache, Error};
use platform::secrets::{Sealed, Vault};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::tokens::Token;
use crate::random::unguessable;

const USABLE_FOR: Duration = Duration::from_secs(60);

/// Turns tokens into codes and back, once.
#[derive(Clone)]
pub(crate) struct Codes {
    cache: Cache,
    vault: Vault,
}

impl Codes {
    pub(crate) fn new(cache: Cache, vault: Vault) -> Codes {
        Codes { cache, vault }
    }

    pub(crate) async fn issue(&self, token: &Token) -> Result<String, Error> {
        let code = unguessable();
        let key = key(&code);
        let sealed = self.vault.seal(token.as_str(), &["one-time code", &key]);
        self.cache.set(&key, sealed.to_string(), USABLE_FOR).await?;
        Ok(code)
    }

    /// The token behind a code; a second try finds nothing.
    pub(crate) async fn redeem(&self, code: &str) -> Result<Option<Token>, Error> {
        let key = key(code);
        let Some(kept) = self.cache.take(&key).await? else { return Ok(None) };
        let sealed = std::str::from_utf8(&kept).ok().and_then(|text| text.parse::<Sealed>().ok());
        let opened =
            sealed.and_then(|sealed| self.vault.open(&sealed, &["one-time code", &key]).ok());
        Ok(opened.and_then(|text| Token::read(text.expose_secret())))
    }
}

fn key(code: &str) -> String {
    let digest = Sha256::digest(code.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("code:{hex}")
}
