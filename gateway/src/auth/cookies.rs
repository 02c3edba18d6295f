//! The cookies that we set, spelled out: the flags are what matters.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use url::form_urlencoded;

use super::tokens::Token;
use crate::around::is_https;

/// Holds the token; the platform's other services know it by the same name.
pub(crate) const TOKEN: &str = "pulse_token";
/// Where the Pulse button leads.
pub(crate) const RETURN_URL: &str = "return_url";
/// The page of ours that somebody asked for before signing in.
pub(crate) const WANTED: &str = "wanted_page";
/// Who has not signed in by then has begun something else.
const WANTED_FOR: Duration = Duration::from_secs(600);

/// Rides on a request until its answer is sent: the cookie of a token that was exchanged meanwhile.
pub(crate) struct Renewed(pub(crate) HeaderValue);

/// The token's cookie ends when the token does.
pub(crate) fn token(request: &HttpRequest, token: &Token) -> HeaderValue {
    cookie(request, TOKEN, token.as_str(), token.left())
}

pub(crate) fn return_url(request: &HttpRequest, url: &str) -> HeaderValue {
    cookie(request, RETURN_URL, &encoded(url), Duration::from_secs(24 * 3600))
}

pub(crate) fn wanted(request: &HttpRequest, page: &str) -> HeaderValue {
    cookie(request, WANTED, &encoded(page), WANTED_FOR)
}

fn encoded(address: &str) -> String {
    form_urlencoded::byte_serialize(address.as_bytes()).collect()
}

/// Takes a cookie back.
pub(crate) fn gone(request: &HttpRequest, name: &str) -> HeaderValue {
    cookie(request, name, "", Duration::ZERO)
}

/// Another site may show us in a frame, so over https the cookie goes along there, but into a jar
/// of that site's own.
fn cookie(request: &HttpRequest, name: &str, value: &str, lasts: Duration) -> HeaderValue {
    let site =
        if is_https(request) { "SameSite=None; Secure; Partitioned" } else { "SameSite=Lax" };
    let text = format!("{name}={value}; HttpOnly; Path=/; Max-Age={}; {site}", lasts.as_secs());
    HeaderValue::from_str(&text).expect("tokens and encoded addresses are plain ASCII")
}

/// The value of a cookie that was sent, decoded.
pub(crate) fn read(request: &HttpRequest, name: &str) -> Option<String> {
    Some(request.cookie(name)?.value().to_owned())
}
