//! Calls to Jira Cloud, with the rules for its many ways to say no.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use domain::Moment;
use extractor::http::{Exchange, Reply, Trouble};
use extractor::{Connection, Failure};
use platform::upstream::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, HeaderMap, HeaderValue};
use platform::upstream::{self, Method, RequestBuilder, StatusCode, Url};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::time::parse_reset;
use crate::wire;

/// Issues per page of a search with fields.
pub(crate) const PAGE_MAX: u32 = 100;
/// Issues per page of a search that asks for ids only.
const IDS_MAX: u32 = 5_000;
/// Issues whose histories can be asked for at once, and entries of them per page.
pub(crate) const CHANGELOGS_MAX: usize = 1_000;
/// Issues that can be asked for by id at once.
pub(crate) const BY_ID_MAX: usize = 100;

/// Tells whether a credential was accepted, on answers that look fine.
const LOGIN_REASON: &str = "x-seraph-loginreason";

/// Calls over one connection.
pub(crate) struct Client {
    exchange: Exchange,
    base: Url,
    host: String,
    authorization: HeaderValue,
}

/// What a search asks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Search<'a> {
    jql: &'a str,
    max_results: u32,
    fields: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    expand: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<&'a str>,
}

impl Client {
    /// Over `connection`.
    ///
    /// # Errors
    /// The address or the credential cannot be used at all.
    pub(crate) fn new(exchange: Exchange, connection: &Connection) -> Result<Client, Failure> {
        let base = Url::parse(&connection.base_url).map_err(|e| Failure::Fatal {
            detail: format!("{:?} is no address: {e}", connection.base_url),
        })?;
        let credential = format!("{}:{}", connection.username, connection.secret.expose_secret());
        let basic = format!("Basic {}", STANDARD.encode(credential));
        let mut authorization = HeaderValue::from_str(&basic).expect("base64 is a header's value");
        authorization.set_sensitive(true);
        let host = base.host_str().unwrap_or("the address").to_owned();
        Ok(Client { exchange, base, host, authorization })
    }

    /// The name of the site, for people.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether the address may be asked at all, as far as can be told before asking.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn is_allowed(&self) -> Result<(), Failure> {
        self.request(Method::GET, "", &[]).map(drop)
    }

    /// Requests sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.exchange.sent()
    }

    /// What Jira's clock said when it first answered.
    pub(crate) fn source_time(&self) -> Option<Moment> {
        self.exchange.source_time()
    }

    /// A page of the projects that can be seen.
    pub(crate) async fn projects(
        &self,
        start: u64,
        query: &str,
    ) -> Result<wire::Listed<wire::Project>, Failure> {
        let start = start.to_string();
        let mut asked = vec![
            ("startAt", start.as_str()),
            ("maxResults", "100"),
            ("orderBy", "key"),
            ("expand", "projectKeys,insight"),
        ];
        if !query.is_empty() {
            asked.push(("query", query));
        }
        self.get("/rest/api/3/project/search", &asked).await
    }

    /// All types of issues.
    pub(crate) async fn issue_types(&self) -> Result<Vec<wire::IssueType>, Failure> {
        self.get("/rest/api/3/issuetype", &[]).await
    }

    /// All statuses.
    pub(crate) async fn statuses(&self) -> Result<Vec<wire::Status>, Failure> {
        self.get("/rest/api/3/status", &[]).await
    }

    /// All fields.
    pub(crate) async fn fields(&self) -> Result<Vec<wire::Field>, Failure> {
        self.get("/rest/api/3/field", &[]).await
    }

    /// A page of at most `size` issues with `fields` and the newest part of their histories.
    pub(crate) async fn search(
        &self,
        jql: &str,
        fields: &[&str],
        token: Option<&str>,
        size: u32,
    ) -> Result<wire::Search, Failure> {
        let search = Search {
            jql,
            max_results: size,
            fields,
            expand: Some("changelog"),
            next_page_token: token,
        };
        self.searched(&search).await
    }

    /// A large page of ids.
    pub(crate) async fn ids(
        &self,
        jql: &str,
        token: Option<&str>,
    ) -> Result<wire::Search, Failure> {
        let search = Search {
            jql,
            max_results: IDS_MAX,
            fields: &["id"],
            expand: None,
            next_page_token: token,
        };
        self.searched(&search).await
    }

    /// The first issue that a question finds, with one field.
    pub(crate) async fn first(&self, jql: &str, field: &str) -> Result<wire::Search, Failure> {
        let search =
            Search { jql, max_results: 1, fields: &[field], expand: None, next_page_token: None };
        self.searched(&search).await
    }

    async fn searched(&self, search: &Search<'_>) -> Result<wire::Search, Failure> {
        let request = self.request(Method::POST, "/rest/api/3/search/jql", &[])?.json(search);
        let page: wire::Search = self
            .exchange
            .ask(request, |reply| match reply.status {
                // Tokens live seven days and belong to one question.
                StatusCode::BAD_REQUEST if search.next_page_token.is_some() => {
                    Err(Failure::StaleCursor.into())
                }
                _ => self.read(reply),
            })
            .await?;
        if let Some(warning) = page.warnings.as_ref().and_then(|warnings| warnings.first()) {
            return Err(Failure::Unreadable {
                detail: format!("Jira says that a page of its search is not complete: {warning}"),
            });
        }
        Ok(page)
    }

    /// How many issues a question finds, about.
    pub(crate) async fn count(&self, jql: &str) -> Result<u64, Failure> {
        let path = "/rest/api/3/search/approximate-count";
        let count: wire::Count = self.post(path, &json!({ "jql": jql })).await?;
        Ok(count.count)
    }

    /// A page of `size` entries of the histories of up to [`CHANGELOGS_MAX`] issues; `None` where Jira
    /// cannot do that.
    pub(crate) async fn changelogs(
        &self,
        issues: &[i64],
        token: Option<&str>,
        size: u32,
    ) -> Result<Option<wire::Changelogs>, Failure> {
        let mut body = json!({ "issueIdsOrKeys": texts(issues), "maxResults": size });
        if let Some(token) = token {
            body["nextPageToken"] = Value::from(token);
        }
        let request =
            self.request(Method::POST, "/rest/api/3/changelog/bulkfetch", &[])?.json(&body);
        self.exchange
            .ask(request, |reply| match reply.status {
                StatusCode::NOT_FOUND => Ok(None),
                StatusCode::BAD_REQUEST if token.is_some() => Err(Failure::StaleCursor.into()),
                _ => self.read(reply).map(Some),
            })
            .await
    }

    /// A page of the history of one issue; `None` when the issue is gone.
    pub(crate) async fn changelog(
        &self,
        issue: i64,
        start: u64,
    ) -> Result<Option<wire::Listed<wire::History>>, Failure> {
        let path = format!("/rest/api/3/issue/{issue}/changelog");
        let start = start.to_string();
        let asked = [("startAt", start.as_str()), ("maxResults", "100")];
        self.get_unless(&path, &asked, &[StatusCode::NOT_FOUND]).await
    }

    /// Up to [`BY_ID_MAX`] issues with `fields`; those that are gone are missing.
    pub(crate) async fn by_id(
        &self,
        issues: &[i64],
        fields: &[&str],
        expand: Option<&str>,
    ) -> Result<Vec<Box<RawValue>>, Failure> {
        let expand: Vec<&str> = expand.into_iter().collect();
        let body = json!({ "issueIdsOrKeys": texts(issues), "fields": fields, "expand": expand });
        let found: wire::ById = self.post("/rest/api/3/issue/bulkfetch", &body).await?;
        Ok(found.issues)
    }

    /// A page of boards, all or those of a project; `None` where Jira has no boards.
    pub(crate) async fn boards(
        &self,
        project: Option<i64>,
        start: u64,
    ) -> Result<Option<wire::Listed<wire::Board>>, Failure> {
        let start = start.to_string();
        let project = project.map(|id| id.to_string());
        let mut asked = vec![("startAt", start.as_str()), ("maxResults", "50")];
        if let Some(id) = &project {
            asked.push(("projectKeyOrId", id));
        }
        let absent = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST];
        self.get_unless("/rest/agile/1.0/board", &asked, &absent).await
    }

    /// A page of a board's sprints; `None` when the board has none, or may not be seen.
    pub(crate) async fn sprints(
        &self,
        board: i64,
        start: u64,
    ) -> Result<Option<wire::Listed<wire::Sprint>>, Failure> {
        let path = format!("/rest/agile/1.0/board/{board}/sprint");
        let start = start.to_string();
        let asked =
            [("state", "active,closed,future"), ("startAt", start.as_str()), ("maxResults", "50")];
        let absent = [StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        self.get_unless(&path, &asked, &absent).await
    }

    /// What this Jira is, if it tells strangers.
    pub(crate) async fn server_info(&self) -> Result<Option<wire::ServerInfo>, Failure> {
        let request = self.request(Method::GET, "/rest/api/3/serverInfo", &[])?;
        self.exchange
            .ask(request, |reply| match reply.status {
                // Whether the token is good is another question.
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
                status if status.is_success() => decode(&reply.body).map(Some),
                _ => self.read(reply),
            })
            .await
    }

    /// Who we are, and what is left of the quota. It never answers strangers.
    pub(crate) async fn myself(&self) -> Result<(wire::Person, HeaderMap), Failure> {
        let request = self.request(Method::GET, "/rest/api/3/myself", &[])?;
        self.exchange.ask(request, |reply| Ok((self.read(reply)?, reply.headers.clone()))).await
    }

    async fn get<T: DeserializeOwned + Send>(
        &self,
        path: &str,
        asked: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let request = self.request(Method::GET, path, asked)?;
        self.exchange.ask(request, |reply| self.read(reply)).await
    }

    /// Like `get`, where some statuses only mean that there is nothing.
    async fn get_unless<T: DeserializeOwned + Send>(
        &self,
        path: &str,
        asked: &[(&str, &str)],
        absent: &[StatusCode],
    ) -> Result<Option<T>, Failure> {
        let request = self.request(Method::GET, path, asked)?;
        self.exchange
            .ask(request, |reply| {
                if absent.contains(&reply.status) && refused_login(&reply.headers).is_none() {
                    return Ok(None);
                }
                self.read(reply).map(Some)
            })
            .await
    }

    async fn post<T: DeserializeOwned + Send>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        let request = self.request(Method::POST, path, &[])?.json(body);
        self.exchange.ask(request, |reply| self.read(reply)).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        asked: &[(&str, &str)],
    ) -> Result<RequestBuilder, Failure> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !asked.is_empty() {
            url.query_pairs_mut().extend_pairs(asked);
        }
        let request = self.exchange.upstream().request(method, url).map_err(|e| {
            Failure::Fatal { detail: format!("{e}. Correct the address of the connection.") }
        })?;
        // Without these, names and messages come in the language of the account.
        Ok(request
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json")
            .header("X-Force-Accept-Language", "true")
            .header(ACCEPT_LANGUAGE, "en"))
    }

    /// What a reply holds, if Jira's rules let it count.
    fn read<T: DeserializeOwned>(&self, reply: &Reply) -> Result<T, Trouble> {
        self.judge(reply)?;
        decode(&reply.body)
    }

    fn judge(&self, reply: &Reply) -> Result<(), Trouble> {
        let host = &self.host;
        // A bad token is no reason for Jira not to answer 200, with less or nothing in it.
        if let Some(reason) = refused_login(&reply.headers) {
            return Err(self.refused_login(reason).into());
        }
        let said = || said(&reply.body);
        let failure = match reply.status {
            status if status.is_success() => return Ok(()),
            StatusCode::TOO_MANY_REQUESTS => return Err(throttled(&reply.headers)),
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                return Err(Trouble::Passing {
                    detail: format!("Jira at {host} answered {status}{}", said()),
                });
            }
            StatusCode::UNAUTHORIZED => Failure::Fatal {
                detail: format!(
                    "Jira refused the token for {host} (401). Paste a new one under Integrations."
                ),
            },
            StatusCode::FORBIDDEN => Failure::Fatal {
                detail: format!(
                    "Jira lets the account in at {host} but forbids this (403){}. Ask a Jira \
                     admin whether an IP allow list or a missing permission is in the way.",
                    said()
                ),
            },
            StatusCode::GONE => Failure::Fatal {
                detail: format!("Jira at {host} no longer offers this (410){}", said()),
            },
            status => Failure::Unreadable {
                detail: format!("Jira at {host} answered {}{}", status.as_u16(), said()),
            },
        };
        Err(failure.into())
    }

    fn refused_login(&self, reason: &str) -> Failure {
        let host = &self.host;
        let detail = if reason.contains("DENIED") {
            format!(
                "Jira has locked the account out at {host} until somebody signs in with a browser \
                 and solves its captcha. Then paste the token again under Integrations."
            )
        } else {
            format!("Jira refused the token for {host}. Paste a new one under Integrations.")
        };
        Failure::Fatal { detail }
    }
}

fn refused_login(headers: &HeaderMap) -> Option<&str> {
    let reason = headers.get(LOGIN_REASON)?.to_str().ok()?;
    (reason.contains("FAILED") || reason.contains("DENIED")).then_some(reason)
}

/// `Retry-After` is the loop's business; without it the reset says when.
fn throttled(headers: &HeaderMap) -> Trouble {
    let reset = headers.get("x-ratelimit-reset").and_then(|value| value.to_str().ok());
    let wait = reset.and_then(parse_reset).and_then(|until| (until - Utc::now()).to_std().ok());
    Trouble::Throttled { wait }
}

/// Bad UTF-8 becomes replacement characters, so that it costs a letter and not the page.
fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_str(&String::from_utf8_lossy(body)).map_err(|e| Trouble::Malformed {
        detail: format!("Jira sent a page that cannot be read: {e}"),
    })
}

/// What Jira says about a refusal, if it is meant for people.
fn said(body: &[u8]) -> String {
    let refusal: wire::Refusal = serde_json::from_slice(body).unwrap_or_default();
    let errors = refusal.errors.iter().map(|(field, error)| match error.as_str() {
        Some(text) => format!("{field}: {text}"),
        None => format!("{field}: {error}"),
    });
    let texts: Vec<String> =
        refusal.error_messages.into_iter().chain(errors).chain(refusal.message).collect();
    if texts.is_empty() {
        return String::new();
    }
    // It is kept with the task, and PostgreSQL keeps no NUL.
    format!(": {}", texts.join(" ").replace('\0', ""))
}

/// Ids as Jira wants them in lists.
fn texts(ids: &[i64]) -> Vec<String> {
    ids.iter().map(i64::to_string).collect()
}

/// The quota that an answer tells of, for people.
pub(crate) fn quota(headers: &HeaderMap) -> Option<String> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let remaining = number("x-ratelimit-remaining")?;
    Some(match number("x-ratelimit-limit") {
        Some(limit) => format!("{remaining} of {limit} requests are left."),
        None => format!("{remaining} requests are left."),
    })
}

/// Whether an answer says that the next ones may have to wait.
pub(crate) fn is_nearly_used_up(headers: &HeaderMap) -> bool {
    headers.get("x-ratelimit-nearlimit").is_some_and(|value| value == "true")
        || upstream::retry_after(headers, Utc::now()).is_some_and(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_jira_says_is_found_in_every_shape() {
        let cases = [
            (
                r#"{"errorMessages":["The value 'PAX' does not exist for the field 'project'."],"errors":{}}"#,
                ": The value 'PAX' does not exist for the field 'project'.",
            ),
            (r#"{"errorMessages":[],"errors":{"jql":"is required"}}"#, ": jql: is required"),
            (r#"{"message":"null for uri","status-code":404}"#, ": null for uri"),
            ("<html><body>Forbidden</body></html>", ""),
            ("", ""),
        ];
        for (body, expected) in cases {
            assert_eq!(said(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn bad_utf8_costs_a_letter_and_not_the_page() {
        let page: wire::Listed<String> = decode(b"{\"values\":[\"a\xffb\"]}").unwrap();
        assert_eq!(page.values, ["a\u{fffd}b"]);
        assert!(matches!(decode::<wire::Search>(b"{\"issues\":"), Err(Trouble::Malformed { .. })));
    }
}
