//! Reads an answer without ever holding more than was agreed.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use super::{Error, host_of};

/// More than any page of Jira or GitHub should be: 64 MiB.
pub const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Reads a whole body, unpacked, as long as it stays within `cap_bytes`.
///
/// A compressed body is counted as it unfolds, so a bomb is noticed at the cap, not at its end.
pub async fn read_body(mut response: Response, cap_bytes: usize) -> Result<Bytes, Error> {
    let host = host_of(response.url());
    let too_large = |host| Error::TooLarge { host, cap_bytes };
    let announced = response.content_length().unwrap_or(0);
    if announced > cap_bytes as u64 {
        return Err(too_large(host));
    }
    let mut body = BytesMut::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(body.freeze()),
            Err(error) => return Err(Error::from_reqwest(error, host)),
        };
        if body.len() + chunk.len() > cap_bytes {
            return Err(too_large(host));
        }
        body.extend_from_slice(&chunk);
    }
}
