//! Mutations that a caller may send twice and have done once: `Idempotency-Key`.

use std::future::{Ready, ready};
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use moka::Expiry;
use platform::cache::Cache;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::auth::Caller;
use crate::error::ApiError;

const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);
/// Longer than any request takes; a crash in between frees the key again.
const UNDER_WAY_FOR: Duration = Duration::from_secs(90);
const LONGEST_KEY: usize = 255;

/// An answer that may be given again to the same request.
pub(crate) trait Repeatable: Serialize {}

/// The caller's key, if they sent one, and the memory of what was answered to it.
pub(crate) struct Once {
    memory: Data<Memory>,
    request: Option<String>,
}

/// What one door remembers for itself.
const OWN_BYTES: u64 = 16 << 20;
/// What a handler says was sent that reads no body.
pub(crate) const NOTHING: &str = "";

/// What was answered: known to every door through the cache, and to this one without it.
pub(crate) struct Memory {
    /// Nothing where no other process would see it.
    shared: Option<Cache>,
    own: Own,
}

/// By key. Clients choose keys, so what they can make us remember is bounded.
type Own = moka::future::Cache<String, Known>;

/// What is known of a key.
#[derive(Clone)]
struct Known {
    /// What came with it, as a digest.
    sent: String,
    /// Empty while it is being worked on.
    answer: String,
}

impl Known {
    fn read(kept: &[u8]) -> Option<Known> {
        let (sent, answer) = std::str::from_utf8(kept).ok()?.split_once('\n')?;
        Some(Known { sent: sent.to_owned(), answer: answer.to_owned() })
    }

    fn write(&self) -> String {
        format!("{}\n{}", self.sent, self.answer)
    }

    fn lives(&self) -> Duration {
        if self.answer.is_empty() { UNDER_WAY_FOR } else { REMEMBERED_FOR }
    }
}

struct Patience;

impl Expiry<String, Known> for Patience {
    fn expire_after_create(&self, _key: &String, known: &Known, _at: Instant) -> Option<Duration> {
        Some(known.lives())
    }

    /// An answer lives longer than the request for it.
    fn expire_after_update(
        &self,
        _key: &String,
        known: &Known,
        _at: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(known.lives())
    }
}

impl Memory {
    pub(crate) fn new(cache: Cache) -> Memory {
        Memory::over(Some(cache).filter(Cache::is_shared))
    }

    fn over(shared: Option<Cache>) -> Memory {
        let weight = |key: &String, known: &Known| {
            let bytes = key.len() + known.sent.len() + known.answer.len();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let own = Own::builder().max_capacity(OWN_BYTES).weigher(weight).expire_after(Patience);
        Memory { shared, own: own.build() }
    }

    /// Takes a key for a request that is under way, unless somebody had it.
    async fn take(&self, key: &str, sent: &str) -> bool {
        let known = Known { sent: sent.to_owned(), answer: String::new() };
        let under_way = known.write();
        let entry = self.own.entry_by_ref(key).or_insert(known).await;
        if !entry.is_fresh() {
            return false;
        }
        let Some(shared) = &self.shared else { return true };
        match shared.set_if_absent(key, under_way, UNDER_WAY_FOR).await {
            Ok(true) => true,
            Ok(false) => {
                // The door that has it may free it, and then it must be free here as well.
                self.own.invalidate(key).await;
                false
            }
            Err(error) => {
                tracing::warn!(%error, "only this door knows an idempotency key");
                true
            }
        }
    }

    async fn keep(&self, key: &str, sent: &str, answer: &str) {
        let known = Known { sent: sent.to_owned(), answer: answer.to_owned() };
        if let Some(shared) = &self.shared
            && let Err(error) = shared.set(key, known.write(), REMEMBERED_FOR).await
        {
            tracing::warn!(%error, "only this door remembers an answer");
        }
        self.own.insert(key.to_owned(), known).await;
    }

    async fn forget(&self, key: &str) {
        self.own.invalidate(key).await;
        if let Some(shared) = &self.shared
            && let Err(error) = shared.delete(key).await
        {
            tracing::warn!(%error, "an idempotency key stays taken for a while");
        }
    }

    /// What is known of a key, if possible with the answer.
    async fn recall(&self, key: &str) -> Option<Known> {
        let shared = match &self.shared {
            Some(shared) => shared.get(key).await.ok().flatten(),
            None => None,
        };
        let shared = shared.and_then(|kept| Known::read(&kept));
        let own = self.own.get(key).await;
        shared.into_iter().chain(own).max_by_key(|known| !known.answer.is_empty())
    }
}

/// What was answered, now or the first time.
pub(crate) struct Answered(String);

impl Answered {
    pub(crate) fn answer(self, mut status: HttpResponseBuilder) -> HttpResponse {
        status.content_type("application/json").body(self.0)
    }
}

impl Once {
    /// Does it, unless the same client sent the same key to the same address before: then `sent` must be
    /// the same as well.
    pub(crate) async fn of<T: Repeatable>(
        &self,
        caller: &Caller,
        sent: &str,
        work: impl AsyncFnOnce() -> Result<T, ApiError>,
    ) -> Result<Answered, ApiError> {
        let Some(request) = &self.request else { return work().await.map(answered) };
        let key = format!("once:{}:{request}", caller.client);
        if !self.memory.take(&key, sent).await {
            return self.before(&key, sent).await;
        }
        let done = work().await.map(answered);
        match &done {
            Ok(answered) => self.memory.keep(&key, sent, &answered.0).await,
            Err(_) => self.memory.forget(&key).await,
        }
        done
    }

    async fn before(&self, key: &str, sent: &str) -> Result<Answered, ApiError> {
        match self.memory.recall(key).await {
            Some(known) if known.sent != sent => Err(ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "key_used",
                "This idempotency key came with another body before.",
            )
            .hint("Send what is new with a new key.")),
            Some(known) if !known.answer.is_empty() => Ok(Answered(known.answer)),
            _ => Err(ApiError::new(
                StatusCode::CONFLICT,
                "under_way",
                "A request with this idempotency key is still being worked on.",
            )
            .hint("Wait a moment and send it again.")),
        }
    }
}

fn answered(answer: impl Repeatable) -> Answered {
    Answered(serde_json::to_string(&answer).expect("an answer is always JSON"))
}

impl FromRequest for Once {
    type Error = ApiError;
    type Future = Ready<Result<Once, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(read(request))
    }
}

fn read(request: &HttpRequest) -> Result<Once, ApiError> {
    let memory =
        request.app_data::<Data<Memory>>().expect("the memory is set up with the routes").clone();
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(Once { memory, request: None });
    };
    let key = key.as_bytes();
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(ApiError::bad_parameter(
            "Idempotency-Key",
            format!("must have 1 to {LONGEST_KEY} characters"),
        ));
    }
    let digest = Sha256::new()
        .chain_update(request.method().as_str())
        .chain_update(request.path())
        .chain_update([0])
        .chain_update(key)
        .finalize();
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Once { memory, request: Some(name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_that_another_door_frees_is_free_at_every_door() {
        let shared = Cache::memory();
        let (ours, theirs) = (Memory::over(Some(shared.clone())), Memory::over(Some(shared)));
        assert!(theirs.take("k", "a").await);
        assert!(!ours.take("k", "a").await);
        theirs.forget("k").await;
        assert!(ours.take("k", "a").await, "their request failed, and may be sent again");
    }

    #[tokio::test]
    async fn a_door_recalls_what_came_with_a_key_and_what_was_answered() {
        let shared = Cache::memory();
        let there = Memory::over(Some(shared.clone()));
        for memory in [Memory::over(None), Memory::over(Some(shared))] {
            assert!(memory.recall("k").await.is_none());
            assert!(memory.take("k", "a").await);
            let known = memory.recall("k").await.unwrap();
            assert_eq!((&*known.sent, &*known.answer), ("a", ""));
            memory.keep("k", "a", "{\"x\":\"y\\nz\"}").await;
            let known = memory.recall("k").await.unwrap();
            assert_eq!((&*known.sent, &*known.answer), ("a", "{\"x\":\"y\\nz\"}"));
        }
        assert_eq!(there.recall("k").await.unwrap().sent, "a", "and so does every other door");
    }

    #[tokio::test]
    async fn what_clients_make_a_door_remember_is_bounded() {
        let memory = Memory::new(Cache::memory());
        let answer = "x".repeat(1 << 20);
        for key in 0..40 {
            memory.keep(&key.to_string(), "a", &answer).await;
        }
        memory.own.run_pending_tasks().await;
        assert!(memory.own.weighted_size() <= OWN_BYTES);
        assert!(memory.own.entry_count() > 0);
    }
}
