//! A body as JSON, and what tells it from another that comes with the same idempotency key.

use actix_web::dev::Payload;
use actix_web::error::JsonPayloadError;
use actix_web::web::Json;
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::LARGEST_BODY_BYTES;
use crate::error::ApiError;

/// What was sent.
pub(crate) struct Sent<T> {
    pub(crate) body: T,
    /// The same for the same bytes.
    pub(crate) digest: String,
}

impl<T: DeserializeOwned + 'static> FromRequest for Sent<T> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Sent<T>, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(payload).await.map_err(ApiError::from)?;
            let digest = Sha256::digest(&bytes);
            let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut again: Payload = bytes.into();
            let Json(body) = Json::from_request(&request, &mut again).await?;
            Ok(Sent { body, digest })
        })
    }
}

async fn read(mut payload: Payload) -> Result<Bytes, JsonPayloadError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > LARGEST_BODY_BYTES {
            return Err(JsonPayloadError::Overflow { limit: LARGEST_BODY_BYTES });
        }
    }
    Ok(body.freeze())
}
