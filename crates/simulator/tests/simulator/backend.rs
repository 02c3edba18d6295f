//! The Backend Service.

use serde_json::{Value, json};
use simulator::{BackendGeneration, Options};

use crate::caller::{Caller, json, small};

async fn login(caller: &Caller, email: &str, password: &str) -> reqwest::Response {
    let body = json!({ "email": email, "password": password });
    caller.post("/backend/api/v1/auth/login", &body).send().await.unwrap()
}

async fn call(caller: &Caller, verb: &str, path: &str, token: &str) -> reqwest::Response {
    let path = format!("/backend/api/v1/{path}");
    let request = if verb == "GET" { caller.get(&path) } else { caller.post(&path, &json!({})) };
    request.bearer_auth(token).send().await.unwrap()
}

#[tokio::test]
async fn both_generations_sign_in_and_out() {
    for backend in [BackendGeneration::First, BackendGeneration::Second] {
        let second = backend == BackendGeneration::Second;
        let caller = Caller::new(Options { backend, ..small() });
        let admin = caller.account.admin.clone();
        assert_eq!(login(&caller, &admin.email, "wrong").await.status(), 401);
        let signed_in = json(login(&caller, &admin.email, &admin.password).await).await;
        let token = signed_in["token"].as_str().unwrap();
        let seen = json(call(&caller, "POST", "auth/validate", token).await).await;
        assert_eq!((&seen["valid"], &seen["user"]["is_admin"]), (&json!(true), &json!(true)));
        let key = if second { "tenant_id" } else { "client_id" };
        assert_eq!(seen["user"][key], caller.account.client_id);
        assert_eq!(seen["user"].get("first_name").is_none(), second);
        let list = if second { "admin/tenants" } else { "admin/clients" };
        let clients = json(call(&caller, "GET", list, token).await).await;
        assert_eq!(clients[0]["name"], "Quillmark");
        let colors = if second { "admin/color-schema/unified" } else { "admin/color-schema" };
        assert_eq!(json(call(&caller, "GET", colors, token).await).await["success"], true);
        let refreshed = call(&caller, "POST", "auth/refresh", token).await;
        assert_eq!(refreshed.status(), if second { 200 } else { 404 });
        assert_eq!(call(&caller, "POST", "auth/logout", token).await.status(), 200);
        let gone = json(call(&caller, "POST", "auth/validate", token).await).await;
        assert_eq!((&gone["valid"], &gone["user"]), (&json!(false), &Value::Null));
    }
}

#[tokio::test]
async fn a_member_is_no_admin_and_another_client_is_another_tenant() {
    let caller = Caller::new(small());
    let member = caller.account.member.clone();
    let signed_in = json(login(&caller, &member.email, &member.password).await).await;
    assert_eq!(signed_in["user"]["is_admin"], false);
    let other = caller.simulator.other_company();
    let signed_in = json(login(&caller, &other.admin.email, &other.admin.password).await).await;
    assert_eq!(signed_in["user"]["tenant_id"], other.client_id);
    assert_ne!(other.client_id, caller.account.client_id);
}

#[tokio::test]
async fn too_many_calls_are_sent_away() {
    let caller = Caller::new(Options { backend_per_minute: Some(3), ..small() });
    let mut last = 200;
    for _ in 0..4 {
        last = call(&caller, "POST", "auth/validate", "x").await.status().as_u16();
    }
    assert_eq!(last, 429);
}
