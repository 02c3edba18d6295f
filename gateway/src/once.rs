//! Mutations that a caller may send twice and have done once: `Idempotency-Key`.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
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

/// What a handler says was sent that reads no body.
pub(crate) const NOTHING: &str = "";

/// What was answered: known to every door through the cache, and to this one without it.
pub(crate) struct Memory {
    shared: Cache,
    own: Cache,
}

/// What is known of a key.
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

    fn write(sent: &str, answer: &str) -> String {
        format!("{sent}\n{answer}")
    }
}

impl Memory {
    pub(crate) fn new(shared: Cache) -> Memory {
        Memory { shared, own: Cache::memory() }
    }

    /// Takes a key for a request that is under way, unless somebody had it.
    async fn take(&self, key: &str, sent: &str) -> bool {
        let under_way = Known::write(sent, "");
        let is_new = self.own.set_if_absent(key, under_way.clone(), UNDER_WAY_FOR).await;
        if !is_new.expect("a cache in this process is never away") {
            return false;
        }
        match self.shared.set_if_absent(key, under_way, UNDER_WAY_FOR).await {
            Ok(true) => true,
            Ok(false) => {
                // The door that has it may free it, and then it must be free here as well.
                self.own.delete(key).await.expect("a cache in this process is never away");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "only this door knows an idempotency key");
                true
            }
        }
    }

    async fn keep(&self, key: &str, sent: &str, answer: &str) {
        let known = Known::write(sent, answer);
        for memory in [&self.own, &self.shared] {
            if let Err(error) = memory.set(key, known.clone(), REMEMBERED_FOR).await {
                tracing::warn!(%error, "only this door remembers an answer");
            }
        }
    }

    async fn forget(&self, key: &str) {
        for memory in [&self.own, &self.shared] {
            if let Err(error) = memory.delete(key).await {
                tracing::warn!(%error, "an idempotency key stays taken for a while");
            }
        }
    }

    /// What is known of a key, if possible with the answer.
    async fn recall(&self, key: &str) -> Option<Known> {
        let mut under_way = None;
        for memory in [&self.shared, &self.own] {
            let kept = memory.get(key).await.ok().flatten();
            match kept.and_then(|kept| Known::read(&kept)) {
                Some(known) if known.answer.is_empty() => under_way = Some(known),
                Some(known) => return Some(known),
                None => {}
            }
        }
        under_way
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
        let (ours, theirs) = (Memory::new(shared.clone()), Memory::new(shared));
        assert!(theirs.take("k", "a").await);
        assert!(!ours.take("k", "a").await);
        theirs.forget("k").await;
        assert!(ours.take("k", "a").await, "their request failed, and may be sent again");
    }

    #[tokio::test]
    async fn a_door_recalls_what_came_with_a_key_and_what_was_answered() {
        let memory = Memory::new(Cache::memory());
        assert!(memory.recall("k").await.is_none());
        memory.take("k", "a").await;
        let known = memory.recall("k").await.unwrap();
        assert_eq!((&*known.sent, &*known.answer), ("a", ""));
        memory.keep("k", "a", "{\"x\":\"y\\nz\"}").await;
        let known = memory.recall("k").await.unwrap();
        assert_eq!((&*known.sent, &*known.answer), ("a", "{\"x\":\"y\\nz\"}"));
    }
}
