//! Signing in and out: by password, by a token that the front end brings, and back out everywhere.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, AUTHORIZATION, LOCATION, SET_COOKIE, VARY,
};
use actix_web::web::{Data, Form, Json};
use actix_web::{Either, HttpRequest, HttpResponse, HttpResponseBuilder};
use platform::cache::{Cache, Grant};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::backend::SignInRefused;
use super::cookies;
use super::door::{Door, Refusal, Visitor};
use super::origins::{From as CameFrom, own_page};
use super::tokens::Token;
use crate::error::ApiError;

/// Where people go who asked for no page.
const HOME: &str = "/home";
const MINUTE: Duration = Duration::from_secs(60);
/// Behind a proxy this is everybody.
const TRIES_PER_ADDRESS: u32 = 60;
const TRIES_PER_ACCOUNT: u32 = 10;

#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct Navigation {
    token: String,
    return_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct SignedIn {
    success: bool,
    redirect_url: String,
    message: &'static str,
}

/// Signs in with e-mail and password, which only the Backend Service ever judges.
#[utoipa::path(post, path = "/auth/login", tag = "sign-in", request_body = Credentials, security(()),
    responses((status = 200, body = SignedIn)))]
pub(crate) async fn login(
    request: HttpRequest,
    door: Data<Door>,
    cache: Data<Cache>,
    sent: Either<Json<Credentials>, Form<Credentials>>,
) -> Result<HttpResponse, ApiError> {
    let from = friendly(&door, &request)?;
    let (credentials, by_form) = unpack(sent);
    slow_down_guessing(&cache, &request, &credentials.email).await?;
    let token =
        door.backend.login(&credentials.email, &credentials.password).await.map_err(refused)?;
    let token = Token::read(&token).ok_or(Refusal::BackendUnavailable { retry_after: MINUTE })?;
    let visitor = door.admit(token).await?;
    let wanted = cookies::read(&request, cookies::WANTED).and_then(|page| own_page(&page));
    welcome(&request, &visitor, from, None, wanted.unwrap_or_else(|| HOME.to_owned()), by_form)
}

/// Signs in with the token that the front end brings along when it leads a person to us.
#[utoipa::path(post, path = "/auth/navigate", tag = "sign-in", request_body = Navigation, security(()),
    responses((status = 200, body = SignedIn)))]
pub(crate) async fn navigate(
    request: HttpRequest,
    door: Data<Door>,
    sent: Either<Json<Navigation>, Form<Navigation>>,
) -> Result<HttpResponse, ApiError> {
    let from = friendly(&door, &request)?;
    let (navigation, by_form) = unpack(sent);
    let token = Token::read(&navigation.token).ok_or(Refusal::NotSignedIn)?;
    let visitor = door.admit(token).await?;
    let way_back = navigation.return_url.and_then(|url| door.origins.way_back(&url));
    let mut home = HOME.to_owned();
    // A cookie set while another site asks may stay in that site's jar; the code works in any.
    if matches!(from, CameFrom::Friend(_)) && !by_form {
        match door.codes.issue(&visitor.token).await {
            Ok(code) => home.push_str(&format!("?code={code}")),
            Err(error) => tracing::warn!(%error, "could not keep a one-time code"),
        }
    }
    welcome(&request, &visitor, from, way_back, home, by_form)
}

/// Signs out here and at the Backend Service.
#[utoipa::path(post, path = "/auth/logout", tag = "sign-in", responses((status = 200)))]
pub(crate) async fn logout(
    request: HttpRequest,
    door: Data<Door>,
) -> Result<HttpResponse, ApiError> {
    let from = friendly(&door, &request)?;
    let bearer = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let bearer = bearer.and_then(|text| text.strip_prefix("Bearer ")).map(str::to_owned);
    let by_cookie = bearer.is_none();
    if by_cookie && from == CameFrom::Untold {
        return Err(Refusal::ForeignOrigin.into());
    }
    let token = bearer.or_else(|| cookies::read(&request, cookies::TOKEN));
    if let Some(token) = token.and_then(|text| Token::read(&text)) {
        if door.backend.logout(token.as_str()).await.is_err() {
            tracing::warn!("signed out here; the backend service could not be told");
        }
        door.tokens.forget(&token).await;
    }
    let mut answer = allow(HttpResponse::Ok(), from);
    answer.append_header((SET_COOKIE, cookies::gone(&request, cookies::TOKEN)));
    answer.append_header((SET_COOKIE, cookies::gone(&request, cookies::RETURN_URL)));
    Ok(answer.json(serde_json::json!({ "success": true, "message": "Signed out." })))
}

/// Tells a browser which pages may sign people in and out from elsewhere.
pub(crate) async fn preflight(
    request: HttpRequest,
    door: Data<Door>,
) -> Result<HttpResponse, ApiError> {
    let from = friendly(&door, &request)?;
    Ok(allow(HttpResponse::NoContent(), from)
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, "POST"))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"))
        .insert_header((ACCESS_CONTROL_MAX_AGE, "600"))
        .finish())
}

fn welcome(
    request: &HttpRequest,
    visitor: &Visitor,
    from: CameFrom,
    way_back: Option<String>,
    home: String,
    by_form: bool,
) -> Result<HttpResponse, ApiError> {
    let mut answer = allow(HttpResponse::Ok(), from);
    answer.append_header((SET_COOKIE, cookies::token(request, &visitor.token)));
    if let Some(url) = way_back {
        answer.append_header((SET_COOKIE, cookies::return_url(request, &url)));
    }
    if request.cookie(cookies::WANTED).is_some() {
        answer.append_header((SET_COOKIE, cookies::gone(request, cookies::WANTED)));
    }
    if by_form {
        return Ok(answer.status(StatusCode::FOUND).insert_header((LOCATION, home)).finish());
    }
    Ok(answer.json(SignedIn { success: true, redirect_url: home, message: "Signed in." }))
}

/// Where the request comes from, unless that is a page that may not sign people in or out.
fn friendly(door: &Door, request: &HttpRequest) -> Result<CameFrom, Refusal> {
    match door.origins.of(request) {
        CameFrom::Stranger => Err(Refusal::ForeignOrigin),
        from => Ok(from),
    }
}

fn allow(mut answer: HttpResponseBuilder, from: CameFrom) -> HttpResponseBuilder {
    answer.insert_header((VARY, "Origin"));
    if let CameFrom::Friend(origin) = from {
        answer.insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, origin));
        answer.insert_header((ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"));
    }
    answer
}

fn unpack<T>(sent: Either<Json<T>, Form<T>>) -> (T, bool) {
    match sent {
        Either::Left(json) => (json.into_inner(), false),
        Either::Right(form) => (form.into_inner(), true),
    }
}

/// Counts tries per address and per account. Without the cache nobody is kept from signing in: the
/// Backend Service counts as well.
async fn slow_down_guessing(
    cache: &Cache,
    request: &HttpRequest,
    email: &str,
) -> Result<(), ApiError> {
    let address = request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
    let account = Sha256::digest(email.trim().to_lowercase().as_bytes());
    let account: String = account.iter().map(|byte| format!("{byte:02x}")).collect();
    let counts = [
        (format!("sign-in:address:{address}"), TRIES_PER_ADDRESS),
        (format!("sign-in:account:{account}"), TRIES_PER_ACCOUNT),
    ];
    for (budget, limit) in counts {
        match cache.acquire(&budget, limit, MINUTE, 1).await {
            Ok(Grant::Granted) => {}
            Ok(Grant::Wait(wait)) => return Err(too_many_tries(wait)),
            Err(error) => tracing::warn!(%error, "could not count a try to sign in"),
        }
    }
    Ok(())
}

fn too_many_tries(wait: Duration) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many tries to sign in.")
        .hint("Wait a minute and try again.")
        .after(wait)
}

fn refused(refused: SignInRefused) -> ApiError {
    match refused {
        SignInRefused::WrongCredentials => ApiError::new(
            StatusCode::UNAUTHORIZED,
            "wrong_credentials",
            "E-mail or password is wrong.",
        )
        .hint("Use the ones you use for Pulse."),
        SignInRefused::Throttled { retry_after } => too_many_tries(retry_after),
        SignInRefused::Unavailable(unavailable) => Refusal::from(unavailable).into(),
    }
}
