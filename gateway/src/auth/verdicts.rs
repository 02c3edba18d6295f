//! Good tokens that all doors know, so that signing out at one signs out at all, and the Backend Service is
//! asked once for all of them. Without the cache each door asks for itself.

use std::time::Duration;

use chrono::Utc;
use domain::Moment;
use platform::cache::Cache;
use platform::secrets::{Sealed, Vault};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::backend::Identity;
use super::tokens::{BELIEVED_FOR, Fingerprint};

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Known {
    Good(Identity),
    SignedOut,
}

#[derive(Serialize, Deserialize)]
struct Verdict {
    known: Known,
    until: Moment,
}

/// Verdicts in the cache, sealed: whoever can write there shall not sign anybody in.
#[derive(Clone)]
pub(crate) struct Shared {
    cache: Cache,
    vault: Vault,
}

impl Shared {
    pub(crate) fn new(cache: Cache, vault: Vault) -> Shared {
        Shared { cache, vault }
    }

    /// What some door found out about a token lately.
    pub(super) async fn recall(&self, token: &Fingerprint) -> Option<Known> {
        let key = key(token);
        let kept = match self.cache.get(&key).await {
            Ok(kept) => kept?,
            Err(error) => {
                tracing::debug!(%error, "no other door can be asked about a token");
                return None;
            }
        };
        let sealed: Sealed = std::str::from_utf8(&kept).ok()?.parse().ok()?;
        let opened = self.vault.open(&sealed, &["token", &key]).ok()?;
        let verdict: Verdict = serde_json::from_str(opened.expose_secret()).ok()?;
        // Its end is sealed too, so that nobody brings an old one back.
        (Utc::now() < verdict.until).then_some(verdict.known)
    }

    /// Lets all doors know whose token it is, as long as it is good and nobody signs it out. Tells whether
    /// they do.
    pub(super) async fn keep(
        &self,
        token: &Fingerprint,
        identity: &Identity,
        left: Duration,
    ) -> bool {
        let life = BELIEVED_FOR.min(left);
        let (key, sealed) = self.seal(token, Known::Good(identity.clone()), life);
        self.cache.set_if_absent(&key, sealed, life).await.is_ok()
    }

    /// Lets no door believe it any longer, not even one that is just asking about it.
    pub(super) async fn forget(&self, token: &Fingerprint) {
        let (key, sealed) = self.seal(token, Known::SignedOut, BELIEVED_FOR);
        if let Err(error) = self.cache.set(&key, sealed, BELIEVED_FOR).await {
            tracing::warn!(%error, "other doors may believe a token for half a minute");
        }
    }

    fn seal(&self, token: &Fingerprint, known: Known, life: Duration) -> (String, String) {
        let (key, until) = (key(token), Utc::now() + life);
        let text = serde_json::to_string(&Verdict { known, until });
        let text = text.expect("a verdict is always JSON");
        let sealed = self.vault.seal(&text, &["token", &key]).to_string();
        (key, sealed)
    }
}

fn key(token: &Fingerprint) -> String {
    let hex: String = token.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("token:{hex}")
}

#[cfg(test)]
mod tests {
    use platform::secrets::Key;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn what_one_door_knows_all_do_until_one_forgets_it() {
        let (cache, vault) = (Cache::memory(), Vault::new(Key::random()));
        let here = Shared::new(cache.clone(), vault.clone());
        let there = Shared::new(cache, vault);
        assert!(here.keep(&[1; 32], &Identity::example(), LONG).await);
        assert_eq!(there.recall(&[1; 32]).await, Some(Known::Good(Identity::example())));
        assert_eq!(there.recall(&[2; 32]).await, None);
        there.forget(&[1; 32]).await;
        assert_eq!(here.recall(&[1; 32]).await, Some(Known::SignedOut));
        // One that asked the Backend Service before the end hears of it after.
        here.keep(&[1; 32], &Identity::example(), LONG).await;
        assert_eq!(there.recall(&[1; 32]).await, Some(Known::SignedOut));
    }

    #[tokio::test]
    async fn nobody_signs_in_by_writing_to_the_cache() {
        let (cache, vault) = (Cache::memory(), Vault::new(Key::random()));
        let shared = Shared::new(cache.clone(), vault);
        shared.keep(&[1; 32], &Identity::example(), LONG).await;
        let sealed = cache.get(&key(&[1; 32])).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains(&Identity::example().email));
        // Neither a verdict of one's own, nor somebody else's under one's own token.
        let forged = serde_json::to_string(&Identity::example()).unwrap();
        for kept in [sealed, forged.into()] {
            cache.set(&key(&[3; 32]), kept, LONG).await.unwrap();
            assert_eq!(shared.recall(&[3; 32]).await, None);
        }
    }

    #[tokio::test]
    async fn a_verdict_that_is_over_does_not_come_back() {
        let (cache, vault) = (Cache::memory(), Vault::new(Key::random()));
        let shared = Shared::new(cache.clone(), vault);
        let (key, sealed) = shared.seal(&[1; 32], Known::Good(Identity::example()), Duration::ZERO);
        cache.set(&key, sealed, LONG).await.unwrap();
        assert_eq!(shared.recall(&[1; 32]).await, None);
    }

    #[tokio::test]
    async fn without_the_cache_each_door_asks_for_itself() {
        // Nobody listens there.
        let cache = Cache::open("redis://127.0.0.1:1").unwrap();
        let shared = Shared::new(cache, Vault::new(Key::random()));
        assert!(!shared.keep(&[1; 32], &Identity::example(), LONG).await);
        assert_eq!(shared.recall(&[1; 32]).await, None);
    }
}
