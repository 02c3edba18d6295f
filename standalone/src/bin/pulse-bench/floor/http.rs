//! Requests without a second try: whatever goes wrong ends the floor.

use anyhow::ensure;
use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, LINK};
use serde::de::DeserializeOwned;

/// The body of a good answer.
pub async fn read<T: DeserializeOwned>(request: RequestBuilder) -> anyhow::Result<T> {
    Ok(page(request).await?.0)
}

/// The body of a good answer, and the address of the next page.
pub async fn page<T: DeserializeOwned>(
    request: RequestBuilder,
) -> anyhow::Result<(T, Option<String>)> {
    let answer = request.send().await?;
    let status = answer.status();
    let next = next_page(answer.headers());
    let body = answer.bytes().await?;
    ensure!(
        status.is_success(),
        "the source answered {status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok((serde_json::from_slice(&body)?, next))
}

fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers.get(LINK)?.to_str().ok()?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    Some(address.to_owned())
}
