//! A Backend Service that does what it is told, well or badly.

use std::collections::{BTreeMap, HashSet};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Value, json};

const SECRET: &[u8] = b"the platform's own secret";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    First,
    Second,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Well,
    Slow,
    Broken,
    Busy,
    Nonsense,
    Throttling,
}

/// A handle on it; clones share it.
#[derive(Clone)]
pub struct Platform(Arc<State>);

struct State {
    url: String,
    generation: Generation,
    mood: Mutex<Mood>,
    /// The only call that has this mood, if not all have.
    moody_call: Mutex<Option<&'static str>>,
    calls: Mutex<BTreeMap<String, usize>>,
    ended: Mutex<HashSet<String>>,
    issued: Mutex<u64>,
}

impl Platform {
    pub fn start(generation: Generation) -> Platform {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let platform = Platform(Arc::new(State {
            url: format!("http://{}", listener.local_addr().unwrap()),
            generation,
            mood: Mutex::new(Mood::Well),
            moody_call: Mutex::default(),
            calls: Mutex::default(),
            ended: Mutex::default(),
            issued: Mutex::default(),
        }));
        let data = Data::new(platform.clone());
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).default_service(web::route().to(answer))
        });
        tokio::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
        platform
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub fn is(&self, mood: Mood) {
        *self.0.moody_call.lock().unwrap() = None;
        *self.0.mood.lock().unwrap() = mood;
    }

    /// Only this call meets the mood.
    pub fn is_at(&self, call: &'static str, mood: Mood) {
        *self.0.moody_call.lock().unwrap() = Some(call);
        *self.0.mood.lock().unwrap() = mood;
    }

    /// How often a call was made, by the last part of its address.
    pub fn calls(&self, name: &str) -> usize {
        self.0.calls.lock().unwrap().get(name).copied().unwrap_or(0)
    }

    /// Ends a session from elsewhere.
    pub fn end(&self, token: &str) {
        self.0.ended.lock().unwrap().insert(token.to_owned());
    }

    /// A token of an administrator of this client.
    pub fn admin(&self, client: i64) -> String {
        self.token(client, true, 3600)
    }

    pub fn member(&self, client: i64) -> String {
        self.token(client, false, 3600)
    }

    pub fn token(&self, client: i64, is_admin: bool, lives_seconds: i64) -> String {
        let mut issued = self.0.issued.lock().unwrap();
        *issued += 1;
        let now = chrono::Utc::now().timestamp();
        let claims = json!({
            "user_id": client * 10 + i64::from(is_admin), "client": client, "is_admin": is_admin,
            "iat": now, "exp": now + lives_seconds, "jti": *issued,
        });
        encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET)).unwrap()
    }

    fn read(&self, request: &HttpRequest) -> Option<Value> {
        let token = bearer(request)?;
        let key = DecodingKey::from_secret(SECRET);
        let claims = decode::<Value>(&token, &key, &Validation::default()).ok()?.claims;
        (!self.0.ended.lock().unwrap().contains(&token)).then_some(claims)
    }
}

fn bearer(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    header.strip_prefix("Bearer ").map(str::to_owned)
}

async fn answer(platform: Data<Platform>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let name = request.path().rsplit('/').next().unwrap().to_owned();
    *platform.0.calls.lock().unwrap().entry(name.clone()).or_default() += 1;
    let is_spared = platform.0.moody_call.lock().unwrap().is_some_and(|call| call != name);
    let mood = if is_spared { Mood::Well } else { *platform.0.mood.lock().unwrap() };
    match mood {
        Mood::Well => {}
        Mood::Slow => tokio::time::sleep(Duration::from_secs(30)).await,
        Mood::Broken => return HttpResponse::InternalServerError().finish(),
        Mood::Busy => return HttpResponse::ServiceUnavailable().finish(),
        Mood::Nonsense => return HttpResponse::Ok().body("<html>hello</html>"),
        Mood::Throttling => {
            return HttpResponse::TooManyRequests().insert_header(("retry-after", "7")).finish();
        }
    }
    let second = platform.0.generation == Generation::Second;
    let claims = platform.read(&request);
    match (request.path(), claims) {
        ("/api/v1/auth/login", _) => login(&platform, &body),
        ("/api/v1/auth/validate", claims) => {
            let user = claims.as_ref().map(|claims| user(claims, second));
            HttpResponse::Ok().json(json!({ "valid": user.is_some(), "user": user }))
        }
        ("/api/v1/auth/refresh", Some(claims)) if second => {
            let token = platform.token(claims["client"].as_i64().unwrap(), true, 300);
            HttpResponse::Ok().json(json!({ "success": true, "token": token }))
        }
        ("/api/v1/auth/logout", Some(_)) => {
            platform.end(&bearer(&request).unwrap());
            HttpResponse::build(StatusCode::FOUND).insert_header(("location", "/login")).finish()
        }
        ("/api/v1/admin/clients", Some(claims)) if !second => company(&claims),
        ("/api/v1/admin/tenants", Some(claims)) if second => company(&claims),
        ("/api/v1/admin/color-schema", Some(_)) if !second => HttpResponse::Ok()
            .json(json!({ "success": true, "mode": "custom", "colors": { "color1": "#123456" } })),
        ("/api/v1/admin/color-schema/unified", Some(_)) if second => {
            let set = |theme: &str, color: &str| {
                json!({ "color_schema_mode": "custom", "theme_mode": theme,
                        "accessibility_level": "regular", "color1": color })
            };
            let sets = [set("light", "#123456"), set("dark", "#654321")];
            HttpResponse::Ok().json(json!({ "color_schema_mode": "custom", "color_data": sets }))
        }
        ("/api/v1/admin/theme-mode" | "/api/v1/user/theme-mode", Some(_)) => {
            HttpResponse::Ok().json(json!({ "success": true, "mode": "dark" }))
        }
        (_, None) => HttpResponse::Unauthorized().finish(),
        _ => HttpResponse::NotFound().finish(),
    }
}

fn login(platform: &Platform, body: &[u8]) -> HttpResponse {
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let token = match (sent["email"].as_str(), sent["password"].as_str()) {
        (Some("admin@acme.example"), Some("right")) => platform.admin(1),
        (Some("member@acme.example"), Some("right")) => platform.member(1),
        _ => return HttpResponse::Unauthorized().json(json!({ "detail": "no" })),
    };
    HttpResponse::Ok().json(json!({ "success": true, "token": token }))
}

fn user(claims: &Value, second: bool) -> Value {
    let (id, client, is_admin) = (&claims["user_id"], &claims["client"], &claims["is_admin"]);
    let role = if is_admin == true { "admin" } else { "user" };
    if second {
        return json!({ "id": id, "email": "admin@acme.example", "role": role,
                       "is_admin": is_admin, "tenant_id": client });
    }
    json!({ "id": id, "email": "admin@acme.example", "first_name": "Robin", "last_name": "Hall",
            "role": role, "is_admin": is_admin, "client_id": client })
}

fn company(claims: &Value) -> HttpResponse {
    let id = &claims["client"];
    HttpResponse::Ok().json(json!([{ "id": id, "name": format!("Company {id}"), "active": true,
        "assets_folder": "acme", "logo_filename": "logo.png" }]))
}
