//! Calls to GitHub: REST and GraphQL, with the rules for their many ways to say no.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::Moment;
use extractor::http::{Exchange, Reply, Trouble};
use extractor::{Budget, Connection, Failure};
use platform::upstream::header::{ACCEPT, HeaderMap, LINK};
use platform::upstream::{RequestBuilder, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire;

/// Later versions drop fields that we need.
const API_VERSION: &str = "2022-11-28";
/// What a secondary limit without a time asks for at least.
const SECONDARY_WAIT: Duration = Duration::from_secs(60);

/// Calls over one connection.
pub struct Client {
    exchange: Exchange,
    rest: String,
    graphql: Url,
    token: SecretString,
}

/// What a query brought: the data, and what of it could not be read.
pub type Answered<T> = (T, Vec<wire::GraphqlError>);

/// A page of a REST list.
#[derive(Debug)]
pub struct Listed<T> {
    /// The entries.
    pub rows: Vec<T>,
    /// The address of the next page.
    pub next: Option<String>,
    /// What is left of the quota.
    pub budget: Option<Budget>,
}

#[derive(Serialize)]
struct Query<'a, V> {
    query: &'a str,
    variables: V,
}

impl Client {
    /// Over `connection`.
    ///
    /// # Errors
    /// The base address is none.
    pub fn new(exchange: Exchange, connection: &Connection) -> Result<Client, Failure> {
        let rest = connection.base_url.trim_end_matches('/').to_owned();
        // Enterprise Server has REST behind /api/v3 and GraphQL behind /api.
        let graphql = format!("{}/graphql", rest.strip_suffix("/v3").unwrap_or(&rest));
        let graphql = Url::parse(&graphql).map_err(|e| Failure::Fatal {
            detail: format!("{rest} is no address ({e}). Correct the connection's address."),
        })?;
        Ok(Client { exchange, rest, graphql, token: connection.secret.clone() })
    }

    /// Requests sent so far.
    pub fn sent(&self) -> u64 {
        self.exchange.sent()
    }

    /// What GitHub's clock said when it first answered.
    pub fn source_time(&self) -> Option<Moment> {
        self.exchange.source_time()
    }

    /// Asks the GraphQL API.
    ///
    /// # Errors
    /// [`Failure::TooLarge`] when less should be asked for, beside those of all calls.
    pub async fn query<T: DeserializeOwned + Send>(
        &self,
        query: &str,
        variables: impl Serialize,
    ) -> Result<Answered<T>, Failure> {
        let request = self.exchange.upstream().post(self.graphql.clone()).map_err(refused)?;
        let request = self.signed(request).json(&Query { query, variables });
        self.exchange.ask(request, read_graphql).await
    }

    /// The first page of a REST list at `path`.
    pub async fn list<T: DeserializeOwned + Send>(&self, path: &str) -> Result<Listed<T>, Failure> {
        self.list_at(&self.address(path)).await
    }

    /// A page of a REST list at an address that GitHub gave.
    pub async fn list_at<T: DeserializeOwned + Send>(
        &self,
        url: &str,
    ) -> Result<Listed<T>, Failure> {
        self.wrapped_at(url, |rows| rows).await
    }

    /// The address of `path`, as GitHub would give it.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.rest)
    }

    /// A page of a REST list that comes wrapped in something else.
    pub async fn wrapped_at<B: DeserializeOwned + Send, T>(
        &self,
        url: &str,
        unwrap: impl Fn(B) -> Vec<T> + Send + Sync,
    ) -> Result<Listed<T>, Failure> {
        // The token goes along, so it only goes where it was meant to: to this very host, and not to
        // one whose name only begins like it.
        if !url.strip_prefix(&self.rest).is_some_and(|path| path.starts_with('/')) {
            return Err(Failure::StaleCursor);
        }
        self.get(url, |reply| {
            Ok(Listed {
                rows: unwrap(decode(reply)?),
                next: next_page(&reply.headers),
                budget: budget(&reply.headers),
            })
        })
        .await
    }

    /// One REST answer at `path`, with its headers.
    pub async fn one<T: DeserializeOwned + Send>(
        &self,
        path: &str,
    ) -> Result<(T, HeaderMap), Failure> {
        let url = format!("{}{path}", self.rest);
        self.get(&url, |reply| Ok((decode(reply)?, reply.headers.clone()))).await
    }

    async fn get<T>(
        &self,
        url: &str,
        read: impl Fn(&Reply) -> Result<T, Trouble> + Send + Sync,
    ) -> Result<T, Failure> {
        let url = Url::parse(url)
            .map_err(|e| Failure::Fatal { detail: format!("{url} is no address: {e}") })?;
        let request = self.exchange.upstream().get(url).map_err(refused)?;
        self.exchange
            .ask(self.signed(request), |reply| {
                if !reply.status.is_success() {
                    return Err(refusal(reply));
                }
                read(reply)
            })
            .await
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .bearer_auth(self.token.expose_secret())
            .header(ACCEPT, "application/vnd.github+json")
            .header("X-GitHub-Api-Version", API_VERSION)
    }
}

fn refused(error: platform::upstream::Error) -> Failure {
    Failure::Fatal { detail: format!("{error}. Check the connection's address.") }
}

fn decode<T: DeserializeOwned>(reply: &Reply) -> Result<T, Trouble> {
    serde_json::from_slice(&reply.body).map_err(|e| Trouble::Malformed {
        detail: format!("GitHub's answer could not be read: {e}"),
    })
}

fn read_graphql<T: DeserializeOwned>(reply: &Reply) -> Result<Answered<T>, Trouble> {
    if matches!(reply.status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) {
        return Err(too_large());
    }
    if !reply.status.is_success() {
        return Err(refusal(reply));
    }
    let answer: wire::Answer<T> = decode(reply)?;
    for error in &answer.errors {
        let secondary = error.message.to_lowercase().contains("secondary rate limit");
        match error.kind.as_str() {
            "RATE_LIMIT" | "RATE_LIMITED" => {
                return Err(Trouble::Throttled { wait: Some(until_reset(&reply.headers)) });
            }
            _ if secondary => return Err(Trouble::Throttled { wait: Some(SECONDARY_WAIT) }),
            "RESOURCE_LIMITS_EXCEEDED" | "MAX_NODE_LIMIT_EXCEEDED" => {
                return Err(too_large());
            }
            _ => {}
        }
    }
    match answer.data {
        Some(data) => Ok((data, answer.errors)),
        None if answer.errors.iter().any(|e| e.message.starts_with("Something went wrong")) => {
            Err(too_large())
        }
        None => {
            let said: Vec<_> = answer.errors.into_iter().map(|error| error.message).collect();
            Err(Trouble::Malformed {
                detail: format!("GitHub refused a query: {}", said.join("; ")),
            })
        }
    }
}

fn too_large() -> Trouble {
    let detail = "GitHub finds what we asked for too large now; we ask for less.".to_owned();
    Trouble::Failed(Failure::TooLarge { detail })
}

/// What a reply that is no success means.
fn refusal(reply: &Reply) -> Trouble {
    let said: wire::Refusal = serde_json::from_slice(&reply.body).unwrap_or_default();
    let said = said.message;
    let code = reply.status.as_u16();
    match reply.status {
        StatusCode::UNAUTHORIZED => Trouble::Failed(Failure::Fatal {
            detail: "GitHub refused the token (401). Paste a new one under Integrations."
                .to_owned(),
        }),
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
            if said.to_lowercase().contains("secondary rate limit") {
                return Trouble::Throttled { wait: Some(SECONDARY_WAIT) };
            }
            let used_up = number(&reply.headers, "x-ratelimit-remaining") == Some(0);
            let told = reply.headers.contains_key("retry-after");
            if used_up || told || reply.status == StatusCode::TOO_MANY_REQUESTS {
                return Trouble::Throttled { wait: used_up.then(|| until_reset(&reply.headers)) };
            }
            Trouble::Failed(Failure::Unreadable { detail: forbidden(&reply.headers, &said) })
        }
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            Trouble::Failed(Failure::Unreadable {
                detail: format!(
                    "GitHub answered {code} ({said}): it is gone, blocked, or this token may not see it."
                ),
            })
        }
        // An empty repository has no commits, and says so with a conflict.
        StatusCode::CONFLICT => Trouble::Failed(Failure::Unreadable { detail: said }),
        status if status.is_server_error() => {
            Trouble::Passing { detail: format!("GitHub answered {code}; we try again.") }
        }
        _ => Trouble::Failed(Failure::Unreadable {
            detail: format!("GitHub answered {code}: {said}"),
        }),
    }
}

fn forbidden(headers: &HeaderMap, said: &str) -> String {
    if let Some(sso) = text(headers, "x-github-sso") {
        return format!("GitHub wants this token authorised for single sign-on: {sso}");
    }
    match text(headers, "x-accepted-github-permissions") {
        Some(needed) => {
            format!("GitHub refused (403: {said}). Ask an owner to grant this token: {needed}.")
        }
        None => {
            format!("GitHub refused (403: {said}). Ask an owner to grant this token read access.")
        }
    }
}

/// What is left of the quota; absent headers mean that there is none.
pub fn budget(headers: &HeaderMap) -> Option<Budget> {
    let reset = i64::try_from(number(headers, "x-ratelimit-reset")?).ok()?;
    Some(Budget {
        limit: number(headers, "x-ratelimit-limit")?,
        remaining: number(headers, "x-ratelimit-remaining")?,
        resets_at: DateTime::from_timestamp(reset, 0)?,
    })
}

/// How long until the quota is full again; a minute where the headers do not say.
fn until_reset(headers: &HeaderMap) -> Duration {
    let left = budget(headers).and_then(|budget| (budget.resets_at - Utc::now()).to_std().ok());
    left.map_or(SECONDARY_WAIT, |left| left + Duration::from_secs(1))
}

/// The address in `Link: <…>; rel="next"`.
fn next_page(headers: &HeaderMap) -> Option<String> {
    let links = headers.get(LINK)?.to_str().ok()?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    let (_, address) = next.split_once('<')?;
    let (address, _) = address.split_once('>')?;
    Some(address.to_owned())
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Reply {
        let headers = headers.iter().map(|(name, value)| {
            (name.parse().unwrap(), platform::upstream::header::HeaderValue::from_static(value))
        });
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.collect(),
            body: body.to_owned().into(),
        }
    }

    fn kind(trouble: &Trouble) -> &'static str {
        match trouble {
            Trouble::Throttled { .. } => "throttled",
            Trouble::Passing { .. } => "passing",
            Trouble::Malformed { .. } => "malformed",
            Trouble::Failed(Failure::Fatal { .. }) => "fatal",
            Trouble::Failed(Failure::Unreadable { .. }) => "unreadable",
            Trouble::Failed(Failure::TooLarge { .. }) => "too large",
            Trouble::Failed(_) => "other",
        }
    }

    #[test]
    fn every_refusal_has_its_meaning() {
        let cases = [
            (reply(401, &[], r#"{"message":"Bad credentials"}"#), "fatal"),
            (reply(403, &[("x-ratelimit-remaining", "0")], "{}"), "throttled"),
            (reply(403, &[("retry-after", "7")], "{}"), "throttled"),
            (
                reply(403, &[], r#"{"message":"You have exceeded a secondary rate limit."}"#),
                "throttled",
            ),
            (reply(429, &[], "<html>"), "throttled"),
            (
                reply(
                    403,
                    &[],
                    r#"{"message":"Resource not accessible by personal access token"}"#,
                ),
                "unreadable",
            ),
            (reply(404, &[], r#"{"message":"Not Found"}"#), "unreadable"),
            (reply(451, &[], r#"{"message":"Repository access blocked"}"#), "unreadable"),
            (reply(500, &[], ""), "passing"),
            (reply(503, &[], "<html>"), "passing"),
        ];
        for (reply, expected) in cases {
            assert_eq!(kind(&refusal(&reply)), expected, "{reply:?}");
        }
    }

    #[test]
    fn an_answer_with_status_200_may_still_be_a_refusal() {
        let read = |body: &str| match read_graphql::<serde_json::Value>(&reply(200, &[], body)) {
            Ok((_, errors)) if errors.is_empty() => "data",
            Ok(_) => "data with gaps",
            Err(trouble) => kind(&trouble),
        };
        let cases = [
            (r#"{"data":{"x":1}}"#, "data"),
            (
                r#"{"errors":[{"type":"RATE_LIMIT","message":"API rate limit already exceeded"}]}"#,
                "throttled",
            ),
            (r#"{"errors":[{"message":"You have exceeded a secondary rate limit"}]}"#, "throttled"),
            (
                r#"{"data":{"x":null},"errors":[{"type":"RESOURCE_LIMITS_EXCEEDED","message":"m"}]}"#,
                "too large",
            ),
            (r#"{"errors":[{"type":"MAX_NODE_LIMIT_EXCEEDED","message":"m"}]}"#, "too large"),
            (
                r#"{"data":null,"errors":[{"message":"Something went wrong while executing"}]}"#,
                "too large",
            ),
            (
                r#"{"data":{"x":null},"errors":[{"type":"NOT_FOUND","path":["x"],"message":"m"}]}"#,
                "data with gaps",
            ),
            (r#"{"errors":[{"message":"Parse error"}]}"#, "malformed"),
            (r#"{"data":"#, "malformed"),
        ];
        for (body, expected) in cases {
            assert_eq!(read(body), expected, "{body}");
        }
        let gateway = reply(502, &[], "<html>");
        let refused = read_graphql::<serde_json::Value>(&gateway).unwrap_err();
        assert_eq!(kind(&refused), "too large");
    }

    #[test]
    fn the_next_page_is_where_the_link_says() {
        let link = r#"<https://h/repositories/9/pulls?page=2>; rel="next", <https://h/x?page=9>; rel="last""#;
        assert_eq!(
            next_page(&reply(200, &[("link", link)], "").headers).as_deref(),
            Some("https://h/repositories/9/pulls?page=2")
        );
        assert_eq!(
            next_page(&reply(200, &[("link", r#"<https://h>; rel="prev""#)], "").headers),
            None
        );
        assert_eq!(next_page(&HeaderMap::new()), None);
    }
}
