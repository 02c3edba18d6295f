//! The Backend Service, in both of its generations; which one answers shows in the answer.

use std::time::Duration;

use chrono::Utc;
use platform::upstream::retry_after;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

const ANSWERS_WITHIN: Duration = Duration::from_secs(3);
/// Signing in checks a password, which is slow on purpose.
const SIGNS_IN_WITHIN: Duration = Duration::from_secs(10);
const LONGEST_ANSWER_BYTES: usize = 1024 * 1024;

/// A handle on the Backend Service; cheap to clone.
#[derive(Clone)]
pub(crate) struct Backend {
    http: reqwest::Client,
    base: Url,
}

/// It is down, slow, overrun or talks nonsense: nobody new comes in until it is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the backend service does not answer")]
pub(crate) struct Unavailable {
    pub(crate) retry_after: Duration,
}

/// Why nobody was signed in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SignInRefused {
    WrongCredentials,
    Throttled { retry_after: Duration },
    Unavailable(Unavailable),
}

/// Which of the two is out there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Generation {
    First,
    Second,
}

/// Whose token it is, as the Backend Service says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) generation: Generation,
    pub(crate) user: String,
    pub(crate) email: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) is_admin: bool,
    /// The client as the platform numbers it.
    pub(crate) tenant: String,
}

/// The client as people see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) name: Option<String>,
    /// Below the front end's address.
    pub(crate) logo_path: Option<String>,
}

/// The client's colours, for each theme by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Colors {
    #[schema(value_type = Object)]
    pub(crate) light: serde_json::Map<String, serde_json::Value>,
    #[schema(value_type = Object)]
    pub(crate) dark: serde_json::Map<String, serde_json::Value>,
}

/// How the platform looks for this person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Looks {
    pub(crate) dark: bool,
    pub(crate) custom: bool,
    pub(crate) colors: Option<Colors>,
}

/// Ids are numbers in one generation and may be texts in the other.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum AnyId {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
struct Validation {
    valid: bool,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    id: AnyId,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    #[serde(default)]
    is_admin: bool,
    client_id: Option<AnyId>,
    tenant_id: Option<AnyId>,
}

#[derive(Deserialize)]
struct Issued {
    token: String,
}

#[derive(Deserialize)]
struct CompanyRow {
    id: AnyId,
    name: Option<String>,
    assets_folder: Option<String>,
    logo_filename: Option<String>,
}

impl Backend {
    pub(crate) fn new(base: Url) -> Result<Backend, reqwest::Error> {
        // A logout may answer with a redirect, which says enough: it is not followed.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(ANSWERS_WITHIN)
            .timeout(ANSWERS_WITHIN)
            .user_agent(concat!("pulse-etl/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Backend { http, base })
    }

    /// A token for these credentials.
    pub(crate) async fn login(&self, email: &str, password: &str) -> Result<String, SignInRefused> {
        let credentials = serde_json::json!({ "email": email, "password": password });
        let request =
            self.request(Method::POST, "auth/login").json(&credentials).timeout(SIGNS_IN_WITHIN);
        let answer = send(request).await.map_err(SignInRefused::Unavailable)?;
        match answer.status() {
            StatusCode::OK => {
                let issued: Issued = json(answer).await.map_err(SignInRefused::Unavailable)?;
                Ok(issued.token)
            }
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::BAD_REQUEST
            | StatusCode::UNPROCESSABLE_ENTITY => Err(SignInRefused::WrongCredentials),
            StatusCode::TOO_MANY_REQUESTS => {
                let Unavailable { retry_after } = unavailable(&answer);
                Err(SignInRefused::Throttled { retry_after })
            }
            _ => Err(SignInRefused::Unavailable(unavailable(&answer))),
        }
    }

    /// Whose token this is, or nobody's.
    pub(crate) async fn validate(&self, token: &str) -> Result<Option<Identity>, Unavailable> {
        let request = self.request(Method::POST, "auth/validate").bearer_auth(token);
        let answer = send(request).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Ok(None),
            status => {
                tracing::warn!(
                    status = status.as_u16(),
                    "the backend service could not validate a token"
                );
                return Err(unavailable(&answer));
            }
        }
        let validation: Validation = json(answer).await?;
        if !validation.valid {
            return Ok(None);
        }
        let identity = validation.user.and_then(identity);
        identity.map(Some).ok_or_else(|| nonsense("a valid token of nobody, or of no client"))
    }

    /// A fresh token; the first generation gives none.
    pub(crate) async fn refresh(&self, token: &str) -> Result<Option<String>, Unavailable> {
        let request = self.request(Method::POST, "auth/refresh").bearer_auth(token);
        let answer = send(request).await?;
        match answer.status() {
            status if status.is_success() => {
                let issued: Issued = json(answer).await?;
                Ok(Some(issued.token))
            }
            // Not now is no refusal: whoever asks again may be given one.
            StatusCode::TOO_MANY_REQUESTS => Err(unavailable(&answer)),
            status if status.is_client_error() => Ok(None),
            _ => Err(unavailable(&answer)),
        }
    }

    /// Ends the session. A redirect is a yes, and so is a token that was over already.
    pub(crate) async fn logout(&self, token: &str) -> Result<(), Unavailable> {
        let request = self.request(Method::POST, "auth/logout").bearer_auth(token);
        let answer = send(request).await?;
        let status = answer.status();
        let ended =
            status.is_success() || status.is_redirection() || status == StatusCode::UNAUTHORIZED;
        if ended { Ok(()) } else { Err(unavailable(&answer)) }
    }

    /// The caller's own client.
    pub(crate) async fn company(
        &self,
        token: &str,
        who: &Identity,
    ) -> Result<Company, Unavailable> {
        let path = match who.generation {
            Generation::First => "admin/clients",
            Generation::Second => "admin/tenants",
        };
        let rows: Vec<CompanyRow> = self.read(path, token).await?;
        let own = rows.into_iter().find(|row| row.id.as_text() == who.tenant);
        Ok(own.map(Company::from).unwrap_or_default())
    }

    /// Theme and colours of the caller.
    pub(crate) async fn looks(&self, token: &str, who: &Identity) -> Result<Looks, Unavailable> {
        let (colors, theme) = match who.generation {
            Generation::First => ("admin/color-schema", "admin/theme-mode"),
            Generation::Second => ("admin/color-schema/unified", "user/theme-mode"),
        };
        let (colors, theme) = futures::future::try_join(
            self.read::<serde_json::Value>(colors, token),
            self.read::<serde_json::Value>(theme, token),
        )
        .await?;
        Ok(looks(&colors, &theme))
    }

    async fn read<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T, Unavailable> {
        let answer = send(self.request(Method::GET, path).bearer_auth(token)).await?;
        if answer.status() != StatusCode::OK {
            return Err(unavailable(&answer));
        }
        json(answer).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let base = self.base.as_str().trim_end_matches('/');
        self.http.request(method, format!("{base}/api/v1/{path}"))
    }
}

async fn send(request: RequestBuilder) -> Result<Response, Unavailable> {
    request.send().await.map_err(|error| {
        tracing::warn!(error = %error.without_url(), "the backend service does not answer");
        Unavailable { retry_after: Duration::from_secs(5) }
    })
}

async fn json<T: DeserializeOwned>(mut answer: Response) -> Result<T, Unavailable> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|_| nonsense("it broke off"))? {
        body.extend_from_slice(&piece);
        if body.len() > LONGEST_ANSWER_BYTES {
            return Err(nonsense("it does not end"));
        }
    }
    serde_json::from_slice(&body).map_err(|_| nonsense("not the JSON that was agreed"))
}

fn nonsense(what: &str) -> Unavailable {
    tracing::warn!("the backend service gave an answer that cannot be read: {what}");
    Unavailable { retry_after: Duration::from_secs(5) }
}

fn unavailable(answer: &Response) -> Unavailable {
    let asked = retry_after(answer.headers(), Utc::now());
    Unavailable { retry_after: asked.unwrap_or(Duration::from_secs(5)) }
}

impl AnyId {
    pub(crate) fn as_text(&self) -> String {
        match self {
            AnyId::Number(number) => number.to_string(),
            AnyId::Text(text) => text.clone(),
        }
    }
}

fn identity(user: User) -> Option<Identity> {
    let (generation, tenant) = match (&user.tenant_id, &user.client_id) {
        (Some(tenant), _) => (Generation::Second, tenant.as_text()),
        (None, Some(client)) => (Generation::First, client.as_text()),
        (None, None) => return None,
    };
    Some(Identity {
        generation,
        user: user.id.as_text(),
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        is_admin: user.is_admin,
        tenant,
    })
}

impl From<CompanyRow> for Company {
    fn from(row: CompanyRow) -> Company {
        let logo_path = match (row.assets_folder, row.logo_filename) {
            (Some(folder), Some(file)) => Some(format!("/assets/{folder}/{file}")),
            _ => None,
        };
        Company { name: row.name, logo_path }
    }
}

fn looks(colors: &serde_json::Value, theme: &serde_json::Value) -> Looks {
    let mode = colors["color_schema_mode"].as_str().or_else(|| colors["mode"].as_str());
    Looks {
        dark: theme["mode"] == "dark",
        custom: mode == Some("custom"),
        colors: custom_colors(colors),
    }
}

fn custom_colors(colors: &serde_json::Value) -> Option<Colors> {
    if let Some(same_for_both) = colors["colors"].as_object() {
        let named = color_names(same_for_both);
        return Some(Colors { light: named.clone(), dark: named });
    }
    let sets = colors["color_data"].as_array()?;
    let custom = |theme: &str| {
        let set = sets.iter().find(|set| {
            set["color_schema_mode"] == "custom"
                && set["accessibility_level"] == "regular"
                && set["theme_mode"] == theme
        });
        set.and_then(serde_json::Value::as_object).map(color_names)
    };
    Some(Colors { light: custom("light")?, dark: custom("dark")? })
}

/// The colours of a set, without what else stands beside them.
fn color_names(
    set: &serde_json::Map<String, serde_json::Value>,
) -> serde_json::Map<String, serde_json::Value> {
    let is_color = |name: &str| {
        name.trim_start_matches("on_").starts_with("color") && name.ends_with(char::is_numeric)
    };
    let named = set.iter().filter(|(name, value)| is_color(name) && value.is_string());
    named.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
impl Identity {
    pub(super) fn example() -> Identity {
        Identity {
            generation: Generation::Second,
            user: "7".to_owned(),
            email: "ada@example.com".to_owned(),
            first_name: None,
            last_name: None,
            is_admin: true,
            tenant: "1".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_generations_say_whose_token_it_is() {
        let first = json!({"id": 7, "email": "a@b.c", "first_name": "Ada", "last_name": "L",
            "role": "admin", "is_admin": true, "client_id": 3});
        let second = json!({"id": "u7", "email": "a@b.c", "role": "user", "is_admin": false, "tenant_id": "t3"});
        let nobodys = json!({"id": 7, "email": "a@b.c", "is_admin": true});
        let read = |user| identity(serde_json::from_value(user).unwrap());
        let ada = read(first).unwrap();
        assert_eq!(
            (ada.generation, ada.tenant.as_str(), ada.is_admin),
            (Generation::First, "3", true)
        );
        let other = read(second).unwrap();
        assert_eq!(
            (other.generation, other.tenant.as_str(), other.is_admin),
            (Generation::Second, "t3", false)
        );
        assert_eq!(read(nobodys), None);
    }

    #[test]
    fn colours_are_read_in_both_shapes() {
        let first = json!({"success": true, "mode": "custom", "colors": {"color1": "#111111"}});
        let seen = looks(&first, &json!({"success": true, "mode": "dark"}));
        assert!(seen.dark && seen.custom);
        assert_eq!(seen.colors.unwrap().dark["color1"], "#111111");

        let set = |mode: &str, theme: &str, color: &str| {
            json!({"color_schema_mode": mode, "theme_mode": theme, "accessibility_level": "regular",
                "color1": color, "on_color1": "#ffffff", "id": 4})
        };
        let second = json!({"success": true, "color_schema_mode": "default", "color_data": [
            set("default", "light", "#000001"), set("custom", "light", "#000002"), set("custom", "dark", "#000003")]});
        let seen = looks(&second, &json!({"mode": "light"}));
        assert!(!seen.dark && !seen.custom);
        let colors = seen.colors.unwrap();
        assert_eq!(
            (&colors.light["color1"], &colors.dark["color1"]),
            (&json!("#000002"), &json!("#000003"))
        );
        assert_eq!(colors.light.len(), 2);
    }
}
