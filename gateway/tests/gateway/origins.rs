//! Which pages may act for a person whose browser sends our cookie along.

use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::json;

use crate::house::{FRONT_END, House, problem};

#[tokio::test]
async fn a_cookie_changes_things_only_for_our_pages_and_the_front_ends() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let cases = [
        (Some(house.url()), true),
        (Some(FRONT_END.to_owned()), true),
        (Some("https://evil.example".to_owned()), false),
        (Some("null".to_owned()), false),
        (None, false),
    ];
    for (origin, accepted) in cases {
        let mut request = house
            .ask(Method::POST, "/api/v1/ws-ticket")
            .header("cookie", format!("pulse_token={token}"));
        if let Some(origin) = &origin {
            request = request.header("origin", origin);
        }
        let answer = request.json(&json!({})).send().await.unwrap();
        match accepted {
            true => assert_eq!(answer.status(), StatusCode::OK, "{origin:?}"),
            false => drop(problem(answer, 403, "origin_refused").await),
        }
    }
    let by_token = house.post("/api/v1/ws-ticket", &token, &json!({})).await;
    assert_eq!(by_token.status(), StatusCode::OK, "a bearer token is never sent along by itself");
}

#[rstest]
#[case("/auth/login")]
#[case("/auth/navigate")]
#[case("/auth/logout")]
#[case("/api/logout")]
#[tokio::test]
async fn only_the_front_end_may_sign_people_in_and_out_from_elsewhere(#[case] path: &str) {
    let house = House::start().await;
    let preflight = |origin: &str| house.ask(Method::OPTIONS, path).header("origin", origin).send();
    let friend = preflight(FRONT_END).await.unwrap();
    assert_eq!(friend.status(), StatusCode::NO_CONTENT);
    assert_eq!(friend.headers()["access-control-allow-origin"], FRONT_END);
    assert_eq!(friend.headers()["access-control-allow-credentials"], "true");
    problem(preflight("https://evil.example").await.unwrap(), 403, "origin_refused").await;
    let post = house.ask(Method::POST, path).header("origin", "https://evil.example");
    let sent = json!({ "token": house.platform.admin(1), "email": "a@b.c", "password": "x" });
    problem(post.json(&sent).send().await.unwrap(), 403, "origin_refused").await;
}
