//! The Backend Service of the platform, in either generation.

use std::collections::HashSet;
use std::sync::Mutex;

use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::company::{Account, Login};
use crate::json::{self, Object};
use crate::options::BackendGeneration;
use crate::request::{Answer, Request, Verb};
use crate::state::State;

/// Who is signed in, who has left, and how everybody likes the page.
#[derive(Debug)]
pub struct Sessions {
    generation: BackendGeneration,
    secret: Vec<u8>,
    logged_out: Mutex<HashSet<String>>,
    dark: Mutex<HashSet<String>>,
    issued: Mutex<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    user_id: i64,
    email: String,
    role: String,
    is_admin: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    iat: i64,
    exp: i64,
    /// Tells apart the tokens of one second.
    jti: u64,
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct Mode {
    mode: String,
}

impl Sessions {
    /// Nobody is signed in yet.
    pub fn new(seed: u64, generation: BackendGeneration) -> Sessions {
        Sessions {
            generation,
            secret: format!("simulated signing secret {seed}").into_bytes(),
            logged_out: Mutex::default(),
            dark: Mutex::default(),
            issued: Mutex::default(),
        }
    }

    fn issue(&self, account: &Account, user: &Login) -> String {
        let is_admin = user.id == account.admin.id;
        let second = self.generation == BackendGeneration::Second;
        let iat = Utc::now().timestamp();
        let mut issued = self.issued.lock().expect("nobody panics with the lock");
        *issued += 1;
        let claims = Claims {
            user_id: user.id,
            email: user.email.clone(),
            role: if is_admin { "admin" } else { "user" }.to_owned(),
            is_admin,
            client_id: (!second).then_some(account.client_id),
            tenant_id: second.then_some(account.client_id),
            iss: second.then(|| "pulse-auth-service".to_owned()),
            iat,
            exp: iat + if second { 5 * 60 } else { 60 * 60 },
            jti: *issued,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&self.secret))
            .expect("the claims have a JSON form")
    }

    fn read(&self, token: &str) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        let key = DecodingKey::from_secret(&self.secret);
        let claims = decode::<Claims>(token, &key, &validation).ok()?.claims;
        let gone = self.logged_out.lock().expect("nobody panics with the lock").contains(token);
        (!gone).then_some(claims)
    }
}

/// Answers a call; the path starts behind `/backend`.
pub fn answer(state: &State, request: &Request, caller: &str) -> Answer {
    if let Some(quota) = &state.backend_quota
        && quota.charge(caller, 1).remaining() == 0
    {
        let detail = detail("Too many requests. Please try again later.");
        return Answer::json("backend limit", 429, detail).with("retry-after", "60");
    }
    let second = state.sessions.generation == BackendGeneration::Second;
    let path: Vec<&str> = request.path.iter().map(|part| &**part).collect();
    match (request.verb, path.as_slice()) {
        (Verb::Post, ["auth", call] | ["api", "v1", "auth", call]) => match *call {
            "login" => login(state, request),
            "validate" => validate(state, request),
            "logout" => logout(state, request),
            "refresh" if second => refresh(state, request),
            _ => not_found(),
        },
        (_, ["api", "v1", "admin" | "user", ..]) => {
            let claims = request.bearer().and_then(|token| state.sessions.read(token));
            match claims {
                Some(claims) => settings(state, request, &path[2..], &claims),
                None => Answer::json("backend settings", 401, detail("Not authenticated")),
            }
        }
        (Verb::Get, ["health"] | ["healthz"]) => Answer::json(
            "GET health",
            200,
            json::object(|o| {
                o.put("status", "healthy");
            }),
        ),
        _ => not_found(),
    }
}

fn login(state: &State, request: &Request) -> Answer {
    let route = "POST auth/login";
    let Ok(given) = serde_json::from_slice::<Credentials>(request.body) else {
        return Answer::json(route, 422, detail("email and password are required"));
    };
    let companies = state.companies();
    let mut users = companies.iter().flat_map(|company| {
        let account = &company.account;
        [&account.admin, &account.member].map(|user| (account, user))
    });
    let known = users.find(|(_, user)| {
        user.email.eq_ignore_ascii_case(&given.email) && user.password == given.password
    });
    match known {
        Some((account, user)) => signed_in(route, state, account, user),
        None => Answer::json(route, 401, detail("Invalid email or password")),
    }
}

fn validate(state: &State, request: &Request) -> Answer {
    let claims = request.bearer().and_then(|token| state.sessions.read(token));
    let companies = state.companies();
    let user = claims.as_ref().and_then(|claims| {
        let account = companies.iter().map(|company| &company.account).find(|a| owns(a, claims))?;
        Some((account, user_of(account, claims)?))
    });
    let body = json::object(|o| {
        o.put("valid", &user.is_some());
        o.maybe("user", user, |o, (account, user)| write_user(o, state, account, user, true));
    });
    Answer::json("POST auth/validate", 200, body)
}

fn logout(state: &State, request: &Request) -> Answer {
    let route = "POST auth/logout";
    let Some(token) = request.bearer() else {
        return Answer::json(route, 401, detail("Not authenticated"));
    };
    let mut gone = state.sessions.logged_out.lock().expect("nobody panics with the lock");
    gone.insert(token.to_owned());
    let body = json::object(|o| {
        o.put("message", "Logged out").put("success", &true);
    });
    Answer::json(route, 200, body).with("clear-site-data", "\"cache\", \"cookies\", \"storage\"")
}

fn refresh(state: &State, request: &Request) -> Answer {
    let route = "POST auth/refresh";
    let claims = request.bearer().and_then(|token| state.sessions.read(token));
    let companies = state.companies();
    let fresh = claims.as_ref().and_then(|claims| {
        let account = companies.iter().map(|company| &company.account).find(|a| owns(a, claims))?;
        Some(signed_in(route, state, account, user_of(account, claims)?))
    });
    fresh.unwrap_or_else(|| Answer::json(route, 401, detail("Invalid or expired token")))
}

fn settings(state: &State, request: &Request, path: &[&str], claims: &Claims) -> Answer {
    let second = state.sessions.generation == BackendGeneration::Second;
    let companies = state.companies();
    let account = companies.iter().map(|company| &company.account).find(|a| owns(a, claims));
    let Some(account) = account else { return not_found() };
    match (request.verb, path) {
        (Verb::Get, ["admin", list]) if *list == if second { "tenants" } else { "clients" } => {
            let body = json::list(|l| {
                l.object(|o| {
                    let name = &account.client_name;
                    let folder = name.to_lowercase();
                    o.put("id", &account.client_id).put("name", name);
                    o.put("website", &format!("https://{folder}.example")).put("active", &true);
                    o.put("logo_filename", &format!("{folder}-logo.png"));
                    if second {
                        o.put("assets_folder", &folder);
                    }
                });
            });
            Answer::json("GET admin/clients", 200, body)
        }
        (Verb::Get, ["admin", "color-schema"]) if !second => {
            let body = json::object(|o| {
                o.put("success", &true).put("mode", "default");
                o.object("colors", |o| colors(o, "", 0));
            });
            Answer::json("GET admin/color-schema", 200, body)
        }
        (Verb::Get, ["admin", "color-schema", "unified"]) if second => {
            Answer::json("GET admin/color-schema/unified", 200, unified_colors())
        }
        (Verb::Get | Verb::Post, [who, "theme-mode"])
            if *who == if second { "user" } else { "admin" } =>
        {
            theme_mode(state, request, claims)
        }
        _ => not_found(),
    }
}

fn theme_mode(state: &State, request: &Request, claims: &Claims) -> Answer {
    let route = "theme-mode";
    let mut dark = state.sessions.dark.lock().expect("nobody panics with the lock");
    if request.verb == Verb::Post {
        match serde_json::from_slice::<Mode>(request.body) {
            Ok(Mode { mode }) if mode == "dark" => drop(dark.insert(claims.email.clone())),
            Ok(Mode { mode }) if mode == "light" => drop(dark.remove(&claims.email)),
            _ => return Answer::json(route, 422, detail("mode is light or dark")),
        }
    }
    let mode = if dark.contains(&claims.email) { "dark" } else { "light" };
    let body = json::object(|o| {
        o.put("success", &true).put("mode", mode);
    });
    Answer::json(route, 200, body)
}

fn unified_colors() -> Vec<u8> {
    json::object(|o| {
        o.put("success", &true).put("color_schema_mode", "default");
        o.list("color_data", |l| {
            let modes = ["default", "custom"];
            let themes = ["light", "dark"];
            let levels = ["regular", "AA", "AAA"];
            for (shift, mode) in modes.into_iter().enumerate() {
                for theme in themes {
                    for level in levels {
                        l.object(|o| {
                            o.put("color_schema_mode", mode).put("theme_mode", theme);
                            o.put("accessibility_level", level);
                            colors(o, "", shift);
                            colors(o, "on_", 5);
                        });
                    }
                }
            }
        });
    })
}

fn colors(o: &mut Object, prefix: &str, shift: usize) {
    const PALETTE: [&str; 6] = ["#2862EB", "#763DED", "#059669", "#0EA5E9", "#F59E0B", "#DC2626"];
    for number in 1..=5 {
        let color = if prefix.is_empty() { PALETTE[(number - 1 + shift) % 6] } else { "#FFFFFF" };
        o.put(&format!("{prefix}color{number}"), color);
    }
}

fn signed_in(route: &'static str, state: &State, account: &Account, user: &Login) -> Answer {
    let token = state.sessions.issue(account, user);
    let body = json::object(|o| {
        o.put("success", &true).put("token", &token);
        o.object("user", |o| write_user(o, state, account, user, false));
    });
    let cookie = format!("pulse_token={token}; Path=/; SameSite=Lax");
    Answer::json(route, 200, body).with("set-cookie", cookie)
}

fn write_user(o: &mut Object, state: &State, account: &Account, user: &Login, short: bool) {
    let second = state.sessions.generation == BackendGeneration::Second;
    let is_admin = user.id == account.admin.id;
    o.put("id", &user.id).put("email", &user.email);
    if !(second && short) {
        o.put("first_name", &user.first_name).put("last_name", &user.last_name);
    }
    o.put("role", if is_admin { "admin" } else { "user" }).put("is_admin", &is_admin);
    o.put(if second { "tenant_id" } else { "client_id" }, &account.client_id);
}

fn owns(account: &Account, claims: &Claims) -> bool {
    claims.client_id.or(claims.tenant_id) == Some(account.client_id)
}

fn user_of<'a>(account: &'a Account, claims: &Claims) -> Option<&'a Login> {
    [&account.admin, &account.member].into_iter().find(|user| user.id == claims.user_id)
}

fn detail(text: &str) -> Vec<u8> {
    json::object(|o| {
        o.put("detail", text);
    })
}

fn not_found() -> Answer {
    Answer::json("backend other", 404, detail("Not Found"))
}
