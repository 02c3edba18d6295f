//! What a caller asked and what it gets, without a server in between.

use std::borrow::Cow;

use bytes::Bytes;

/// The verbs that the simulator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Delete,
}

/// What a caller asked.
#[derive(Debug)]
pub struct Request<'a> {
    /// The verb.
    pub verb: Verb,
    /// The path behind the prefix of the service, cut at its slashes and decoded.
    pub path: Vec<Cow<'a, str>>,
    /// The query as it was sent.
    pub raw_query: &'a str,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `User-Agent`.
    pub user_agent: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A request for `path?query`, where `path` starts behind the prefix of the service.
    pub fn new(verb: Verb, path: &'a str, raw_query: &'a str, body: &'a [u8]) -> Request<'a> {
        let path = path.trim_matches('/').split('/').map(decoded).collect();
        let pairs = raw_query.split('&').filter(|pair| !pair.is_empty());
        let query = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(key, value)| (plus_decoded(key), plus_decoded(value)))
            .collect();
        Request { verb, path, raw_query, query, authorization: None, user_agent: None, body }
    }

    /// A value of the query.
    pub fn asked(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// A number of the query.
    pub fn asked_number(&self, key: &str) -> Option<usize> {
        self.asked(key)?.parse().ok()
    }

    /// The token behind `Bearer`, or behind `token` as GitHub also has it.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.authorization?.split_once(' ')?;
        matches!(scheme.to_ascii_lowercase().as_str(), "bearer" | "token").then_some(token.trim())
    }
}

fn plus_decoded(text: &str) -> String {
    decoded(&text.replace('+', " ")).into_owned()
}

fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// What a caller gets.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The route's template, for the statistics.
    pub route: &'static str,
    /// The status code.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// GraphQL's account of what the query cost, which is never the same twice.
    pub bill: Option<Bill>,
}

/// What a GraphQL query cost.
#[derive(Debug, Clone, Default)]
pub struct Bill {
    /// Points.
    pub cost: u32,
    /// Where in the body `rateLimit` objects belong, from the front, with the fields wanted.
    pub places: Vec<(usize, Vec<(String, String)>)>,
    /// The nodes that the query could give.
    pub nodes: u64,
}

impl Answer {
    /// A JSON body.
    pub fn json(route: &'static str, status: u16, body: Vec<u8>) -> Answer {
        let headers = vec![("content-type", "application/json;charset=UTF-8".to_owned())];
        Answer { route, status, headers, body: body.into(), bill: None }
    }

    /// No body.
    pub fn empty(route: &'static str, status: u16) -> Answer {
        Answer { route, status, headers: Vec::new(), body: Bytes::new(), bill: None }
    }

    /// With one more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// With this body.
    pub fn with_body(self, body: Vec<u8>) -> Answer {
        Answer { body: body.into(), ..self }
    }
}
