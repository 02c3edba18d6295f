//! The page: one document for all its addresses, and the files it loads, out of this binary.

use std::collections::HashMap;
use std::io::Write;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE, VARY,
};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

use crate::auth::{Door, Origins, Refusal, token_cookie, wanted_cookie};
use crate::error::ApiError;

#[derive(RustEmbed)]
#[folder = "ui/dist"]
struct Dist;

const INDEX: &str = "index.html";
/// Their names change with their content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The built page, packed once when the process starts.
pub(crate) struct Page {
    files: HashMap<String, File>,
    policy: HeaderValue,
}

struct File {
    kind: &'static str,
    plain: Bytes,
    packed: Bytes,
}

impl Page {
    /// The page, which only `origins` may show in a frame.
    pub(crate) fn new(origins: &Origins) -> Page {
        let files = Dist::iter().filter_map(|name| {
            let plain = Bytes::from(Dist::get(&name)?.data.into_owned());
            let file = File { kind: kind_of(&name), packed: pack(&plain), plain };
            Some((name.into_owned(), file))
        });
        let policy = HeaderValue::from_str(&policy(origins)).expect("origins are plain ASCII");
        Page { files: files.collect(), policy }
    }

    fn index(&self, request: &HttpRequest, status: StatusCode) -> HttpResponse {
        let Some(file) = self.files.get(INDEX) else {
            return ApiError::not_found("page").error_response();
        };
        let mut answer = HttpResponse::build(status);
        answer.insert_header((CONTENT_SECURITY_POLICY, self.policy.clone()));
        answer.insert_header((CACHE_CONTROL, "no-cache"));
        file.send(request, answer)
    }

    /// For people, when the service behind us is away: no script, nothing to load.
    fn away(&self, wait_seconds: u64) -> HttpResponse {
        HttpResponse::ServiceUnavailable()
            .insert_header((CONTENT_SECURITY_POLICY, self.policy.clone()))
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((RETRY_AFTER, wait_seconds.to_string()))
            .body(
                "<!doctype html><html lang=\"en\"><title>Pulse ETL</title>\
                 <h1>Signing in is not possible right now</h1>\
                 <p>The service that knows who you are does not answer. Jobs go on meanwhile. \
                 Load this page again in a minute.</p></html>",
            )
    }
}

impl File {
    fn send(&self, request: &HttpRequest, mut answer: HttpResponseBuilder) -> HttpResponse {
        answer.insert_header((CONTENT_TYPE, self.kind)).insert_header((VARY, "Accept-Encoding"));
        let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        if accepted.is_some_and(|codings| codings.contains("gzip")) {
            answer.insert_header((CONTENT_ENCODING, "gzip"));
            return answer.body(self.packed.clone());
        }
        answer.body(self.plain.clone())
    }
}

/// A page for people who are signed in and may be here.
pub(crate) async fn page(request: HttpRequest, door: Data<Door>, page: Data<Page>) -> HttpResponse {
    let embedded = query(&request, "embedded").as_deref() == Some("true");
    if let Some(token) = door.token_of_address(&request).await {
        return match door.admit(token).await {
            Ok(visitor) => HttpResponse::SeeOther()
                .insert_header((SET_COOKIE, token_cookie(&request, &visitor.token)))
                .insert_header((LOCATION, clean_address(&request)))
                .finish(),
            Err(refusal) => turn_away(&request, &page, refusal, embedded),
        };
    }
    match door.visitor(&request).await {
        Ok(_) => page.index(&request, StatusCode::OK),
        Err(refusal) => turn_away(&request, &page, refusal, embedded),
    }
}

/// Inside a frame the page itself says what is missing and asks its parent; outside, people are led
/// to where they can sign in.
fn turn_away(request: &HttpRequest, page: &Page, refusal: Refusal, embedded: bool) -> HttpResponse {
    let to = |place: &str| {
        HttpResponse::Found()
            .insert_header((LOCATION, place))
            // After signing in, people go on to the page that they asked for.
            .insert_header((SET_COOKIE, wanted_cookie(request, &clean_address(request))))
            .finish()
    };
    match refusal {
        Refusal::BackendUnavailable { retry_after } => page.away(retry_after.as_secs().max(1)),
        Refusal::OrchestratorUnavailable => page.away(5),
        Refusal::NotSignedIn if embedded => page.index(request, StatusCode::UNAUTHORIZED),
        Refusal::NotAdmin | Refusal::ForeignOrigin if embedded => {
            page.index(request, StatusCode::FORBIDDEN)
        }
        Refusal::NotSignedIn => to("/login?error=authentication_required"),
        Refusal::NotAdmin | Refusal::ForeignOrigin => {
            to("/login?error=permission_denied&resource=etl_management")
        }
    }
}

/// The page for people who are not signed in.
pub(crate) async fn login(request: HttpRequest, page: Data<Page>) -> HttpResponse {
    page.index(&request, StatusCode::OK)
}

/// A file that the page loads.
pub(crate) async fn asset(
    request: HttpRequest,
    page: Data<Page>,
    name: Path<String>,
) -> HttpResponse {
    let Some(file) = page.files.get(&format!("assets/{name}")) else {
        return ApiError::not_found("file").error_response();
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, FOR_EVER));
    answer.insert_header(("cross-origin-resource-policy", "same-origin"));
    file.send(&request, answer)
}

pub(crate) async fn home() -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, "/home")).finish()
}

fn query(request: &HttpRequest, wanted: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

/// The same address without what must not stay in it.
fn clean_address(request: &HttpRequest) -> String {
    let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
    let kept = pairs.filter(|(name, _)| name != "code" && name != "token");
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    if query.is_empty() { request.path().to_owned() } else { format!("{}?{query}", request.path()) }
}

/// What the page may load, and who may show it. Logos come from the front end.
fn policy(origins: &Origins) -> String {
    let friends = origins.iter().collect::<Vec<_>>().join(" ");
    let ancestors =
        if friends.is_empty() { "'none'".to_owned() } else { format!("'self' {friends}") };
    format!(
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' {friends}; \
         connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors {ancestors}"
    )
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

fn pack(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(plain).and_then(|()| encoder.finish());
    packed.expect("writing into memory does not fail").into()
}
