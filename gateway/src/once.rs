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
const UNDER_WAY: &[u8] = b"";
const LONGEST_KEY: usize = 255;

/// An answer that may be given again to the same request.
pub(crate) trait Repeatable: Serialize {}

/// The caller's key, if they sent one, and the memory of what was answered to it.
pub(crate) struct Once {
    memory: Data<Memory>,
    request: Option<String>,
}

/// What was answered: known to every door through the cache, and to this one without it.
pub(crate) struct Memory {
    shared: Cache,
    own: Cache,
}

impl Memory {
    pub(crate) fn new(shared: Cache) -> Memory {
        Memory { shared, own: Cache::memory() }
    }

    /// Takes a key for a request that is under way, unless somebody had it.
    async fn take(&self, key: &str) -> bool {
        let is_new = self.own.set_if_absent(key, UNDER_WAY, UNDER_WAY_FOR).await;
        if !is_new.expect("a cache in this process is never away") {
            return false;
        }
        match self.shared.set_if_absent(key, UNDER_WAY, UNDER_WAY_FOR).await {
            Ok(is_new) => is_new,
            Err(error) => {
                tracing::warn!(%error, "only this door knows an idempotency key");
                true
            }
        }
    }

    async fn keep(&self, key: &str, answer: &str) {
        for memory in [&self.own, &self.shared] {
            if let Err(error) = memory.set(key, answer.to_owned(), REMEMBERED_FOR).await {
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

    /// What was answered; nothing while that is still being worked on.
    async fn recall(&self, key: &str) -> Option<String> {
        for memory in [&self.shared, &self.own] {
            let kept = memory.get(key).await.ok().flatten().unwrap_or_default();
            match String::from_utf8(kept.to_vec()) {
                Ok(answer) if !answer.is_empty() => return Some(answer),
                _ => {}
            }
        }
        None
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
    /// Does it, unless the same client sent the same key to the same address before.
    pub(crate) async fn of<T: Repeatable>(
        &self,
        caller: &Caller,
        work: impl AsyncFnOnce() -> Result<T, ApiError>,
    ) -> Result<Answered, ApiError> {
        let Some(request) = &self.request else { return work().await.map(answered) };
        let key = format!("once:{}:{request}", caller.client);
        if !self.memory.take(&key).await {
            return self.before(&key).await;
        }
        let done = work().await.map(answered);
        match &done {
            Ok(answered) => self.memory.keep(&key, &answered.0).await,
            Err(_) => self.memory.forget(&key).await,
        }
        done
    }

    async fn before(&self, key: &str) -> Result<Answered, ApiError> {
        self.memory.recall(key).await.map(Answered).ok_or_else(|| {
            ApiError::new(
                StatusCode::CONFLICT,
                "under_way",
                "A request with this idempotency key is still being worked on.",
            )
            .hint("Wait a moment and send it again.")
        })
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
