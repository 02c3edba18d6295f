//! What the Backend Service said about a token, remembered for a moment: it answers only so many
//! questions a minute, and a page asks dozens of things at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use domain::Moment;
use moka::Expiry;
use moka::future::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::backend::{Backend, Identity, Unavailable};
use super::verdicts::{Known, Shared};

/// How long a good token is believed without asking the Backend Service, and never past its end.
pub(super) const BELIEVED_FOR: Duration = Duration::from_secs(30);
/// How long it is believed without asking what all doors know: one may have signed it out.
const BELIEVED_ALONE_FOR: Duration = Duration::from_secs(2);
/// How long a bad one is refused without asking.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// From here on a token that can be exchanged is exchanged.
const RENEW_WITHIN: Duration = Duration::from_secs(120);
const LONGEST_TOKEN_BYTES: usize = 8 * 1024;
const TOKENS_REMEMBERED: u64 = 10_000;

/// A token as it was brought, with the end that it claims. Never printed.
#[derive(Clone)]
pub(crate) struct Token {
    text: Arc<str>,
    expires_at: Moment,
}

/// What a token is remembered under, so that nothing we keep can be used to sign in.
pub(super) type Fingerprint = [u8; 32];

#[derive(Clone)]
enum Verdict {
    Good {
        identity: Arc<Identity>,
        /// Whether all doors know it.
        is_shared: bool,
    },
    Bad,
    /// At this door or another.
    SignedOut,
}

/// The tokens seen lately.
#[derive(Clone)]
pub(crate) struct Tokens {
    backend: Backend,
    shared: Shared,
    verdicts: Cache<Fingerprint, (Verdict, Moment)>,
    renewed: Cache<Fingerprint, Option<Token>>,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
}

impl Token {
    /// Reads a token. Only its end is read: whether it is good, the Backend Service says.
    pub(crate) fn read(text: &str) -> Option<Token> {
        let fits = text.len() <= LONGEST_TOKEN_BYTES;
        let plain =
            text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !fits || !plain {
            return None;
        }
        let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(text).ok()?;
        let expires_at = Moment::from_timestamp(claims.exp, 0)?;
        Some(Token { text: text.into(), expires_at })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn expires_at(&self) -> Moment {
        self.expires_at
    }

    /// How long it is still good; nothing when it is over.
    pub(crate) fn left(&self) -> Duration {
        (self.expires_at - Utc::now()).to_std().unwrap_or(Duration::ZERO)
    }

    fn fingerprint(&self) -> Fingerprint {
        Sha256::digest(self.text.as_bytes()).into()
    }
}

impl Tokens {
    pub(crate) fn new(backend: Backend, shared: Shared) -> Tokens {
        let verdicts =
            Cache::builder().max_capacity(TOKENS_REMEMBERED).expire_after(Patience).build();
        let renewed =
            Cache::builder().max_capacity(TOKENS_REMEMBERED).time_to_live(RENEW_WITHIN).build();
        Tokens { backend, shared, verdicts, renewed }
    }

    /// Whose token this is, or nobody's. Of many who ask at once, one asks the Backend Service.
    pub(crate) async fn whose(&self, token: &Token) -> Result<Option<Arc<Identity>>, Unavailable> {
        if token.left().is_zero() {
            return Ok(None);
        }
        let asked = async { Ok::<_, Unavailable>((self.judge(token).await?, token.expires_at)) };
        let known = self.verdicts.try_get_with(token.fingerprint(), asked).await;
        match known.map_err(|unavailable| *unavailable)? {
            (Verdict::Good { identity, .. }, _) => Ok(Some(identity)),
            (Verdict::Bad | Verdict::SignedOut, _) => Ok(None),
        }
    }

    /// What all doors know of a token, or else the Backend Service.
    async fn judge(&self, token: &Token) -> Result<Verdict, Unavailable> {
        let fingerprint = token.fingerprint();
        match self.shared.recall(&fingerprint).await {
            Some(Known::Good(identity)) => {
                return Ok(Verdict::Good { identity: Arc::new(identity), is_shared: true });
            }
            Some(Known::SignedOut) => return Ok(Verdict::SignedOut),
            None => {}
        }
        let Some(identity) = self.backend.validate(token.as_str()).await? else {
            return Ok(Verdict::Bad);
        };
        let is_shared = self.shared.keep(&fingerprint, &identity, token.left()).await;
        Ok(Verdict::Good { identity: Arc::new(identity), is_shared })
    }

    /// A fresh token for one that ends soon, where the Backend Service exchanges tokens.
    ///
    /// It is asked first whether the session still stands: exchanging must not revive one that was
    /// ended elsewhere a moment ago.
    pub(crate) async fn renew(&self, token: &Token) -> Option<Token> {
        if token.left() >= RENEW_WITHIN {
            return None;
        }
        let exchanged = async {
            if self.backend.validate(token.as_str()).await?.is_none() {
                self.forget_verdict(token).await;
                return Ok(None);
            }
            let fresh = self.backend.refresh(token.as_str()).await?;
            Ok::<_, Unavailable>(fresh.as_deref().and_then(Token::read))
        };
        // Not renewed is not signed out: the next request tries again.
        self.renewed.try_get_with(token.fingerprint(), exchanged).await.ok().flatten()
    }

    /// Forgets a token that was signed out.
    pub(crate) async fn forget(&self, token: &Token) {
        self.forget_verdict(token).await;
        if let Some(Some(successor)) = self.renewed.remove(&token.fingerprint()).await {
            self.forget_verdict(&successor).await;
        }
    }

    async fn forget_verdict(&self, token: &Token) {
        let fingerprint = token.fingerprint();
        self.shared.forget(&fingerprint).await;
        self.verdicts.insert(fingerprint, (Verdict::SignedOut, token.expires_at)).await;
    }
}

struct Patience;

impl Expiry<Fingerprint, (Verdict, Moment)> for Patience {
    fn expire_after_create(
        &self,
        _token: &Fingerprint,
        (verdict, ends): &(Verdict, Moment),
        _at: Instant,
    ) -> Option<Duration> {
        let left = (*ends - Utc::now()).to_std().unwrap_or(Duration::ZERO);
        Some(match verdict {
            Verdict::Good { is_shared: true, .. } => BELIEVED_ALONE_FOR.min(left),
            Verdict::Good { is_shared: false, .. } | Verdict::SignedOut => BELIEVED_FOR.min(left),
            Verdict::Bad => REFUSED_FOR,
        })
    }

    /// A new verdict has a life of its own.
    fn expire_after_update(
        &self,
        token: &Fingerprint,
        verdict: &(Verdict, Moment),
        at: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(token, verdict, at)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};

    use super::*;

    fn token(claims: &serde_json::Value) -> String {
        encode(&Header::default(), claims, &EncodingKey::from_secret(b"theirs")).unwrap()
    }

    #[test]
    fn only_what_looks_like_a_token_is_taken_to_the_backend() {
        let good = token(&serde_json::json!({ "exp": 4_102_444_800_i64 }));
        assert!(Token::read(&good).is_some());
        let endless = token(&serde_json::json!({ "sub": "1" }));
        for bad in ["", "abc", "a.b.c", &endless, &format!("{good}\r\nX: y"), &"a".repeat(9000)] {
            assert!(Token::read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_good_answer_is_believed_for_30_s_and_never_past_its_end() {
        let good = |is_shared| Verdict::Good { identity: Arc::new(Identity::example()), is_shared };
        let life = |verdict, left: i64| {
            let ends = Utc::now() + chrono::Duration::seconds(left);
            Patience.expire_after_create(&[0; 32], &(verdict, ends), Instant::now()).unwrap()
        };
        assert_eq!(life(good(false), 3600), Duration::from_secs(30));
        assert_eq!(life(good(true), 3600), Duration::from_secs(2), "all doors know it longer");
        assert!(life(good(false), 10) <= Duration::from_secs(10));
        assert_eq!(life(good(true), -10), Duration::ZERO);
        assert_eq!(life(Verdict::Bad, 3600), Duration::from_secs(5));
    }
}
