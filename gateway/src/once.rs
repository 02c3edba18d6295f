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
    cache: Data<Cache>,
    request: Option<String>,
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
        match self.cache.set_if_absent(&key, UNDER_WAY, UNDER_WAY_FOR).await {
            Ok(true) => {}
            Ok(false) => return self.before(&key).await,
            Err(error) => tracing::warn!(%error, "could not look up an idempotency key"),
        }
        let done = work().await.map(answered);
        let kept = match &done {
            Ok(answered) => self.cache.set(&key, answered.0.clone(), REMEMBERED_FOR).await,
            Err(_) => self.cache.delete(&key).await,
        };
        if let Err(error) = kept {
            tracing::warn!(%error, "could not remember an answer");
        }
        done
    }

    async fn before(&self, key: &str) -> Result<Answered, ApiError> {
        let kept = self.cache.get(key).await.ok().flatten().unwrap_or_default();
        match String::from_utf8(kept.to_vec()) {
            Ok(answer) if !answer.is_empty() => Ok(Answered(answer)),
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
    let cache =
        request.app_data::<Data<Cache>>().expect("the cache is set up with the routes").clone();
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(Once { cache, request: None });
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
    Ok(Once { cache, request: Some(name) })
}
