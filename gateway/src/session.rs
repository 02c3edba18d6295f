//! Who is signed in, and how the page should look for them.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{AnyId, Caller, Colors, Door, RETURN_URL, read_cookie};

#[derive(Serialize, ToSchema)]
pub(crate) struct Session {
    user: User,
    client: Client,
    theme: &'static str,
    color_mode: &'static str,
    colors: Option<Colors>,
    return_url: Option<String>,
    frontend_origins: Vec<String>,
    expires_at: DateTime<Utc>,
    version: &'static str,
}

#[derive(Serialize, ToSchema)]
struct User {
    id: String,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Client {
    id: String,
    name: String,
    logo_url: Option<String>,
}

/// The session as the page needs it. What the Backend Service cannot tell now has a default.
#[utoipa::path(get, path = "/api/v1/session", tag = "sign-in", responses((status = 200, body = Session)))]
pub(crate) async fn session(
    caller: Caller,
    request: HttpRequest,
    door: Data<Door>,
) -> Json<Session> {
    let visitor = &caller.visitor;
    let (company, looks) = futures::join!(door.company(visitor), door.looks(visitor));
    let origins = door.origins();
    let logo_url =
        origins.first().zip(company.logo_path).map(|(origin, path)| format!("{origin}{path}"));
    let identity = visitor.identity.as_ref().clone();
    let return_url = read_cookie(&request, RETURN_URL).and_then(|url| origins.way_back(&url));
    Json(Session {
        client: Client {
            id: caller.client.to_string(),
            name: company.name.unwrap_or_else(|| format!("Client {}", identity.tenant)),
            logo_url,
        },
        user: User {
            id: identity.user,
            email: identity.email,
            first_name: identity.first_name,
            last_name: identity.last_name,
        },
        theme: if looks.dark { "dark" } else { "light" },
        color_mode: if looks.custom { "custom" } else { "default" },
        colors: looks.colors,
        return_url,
        frontend_origins: origins.iter().map(str::to_owned).collect(),
        expires_at: visitor.token.expires_at(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

#[derive(Deserialize)]
pub(crate) struct Hint {
    client_id: AnyId,
}

/// The Backend Service hints that a client's colours changed. Anybody could say so: it is only a
/// reason to ask the Backend Service again.
pub(crate) async fn colors_changed(door: Data<Door>, hint: Json<Hint>) -> HttpResponse {
    door.forget_looks(&hint.client_id.as_text()).await;
    HttpResponse::Accepted().finish()
}
