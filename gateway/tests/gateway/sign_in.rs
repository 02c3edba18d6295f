//! Coming in and going out.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::house::{FRONT_END, House, cookie, cookies, problem};
use crate::platform::{Generation, Mood};

#[rstest]
#[tokio::test]
async fn people_of_either_generation_sign_in_by_password(
    #[values(Generation::First, Generation::Second)] generation: Generation,
) {
    let house = House::with(generation, false).await;
    let answer = house.log_in("admin@acme.example", "right").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let token = cookie(answer.headers(), "pulse_token").unwrap();
    assert!(
        token.ends_with("; SameSite=Lax") && token.contains("; HttpOnly; Path=/; Max-Age="),
        "{token}"
    );
    assert_eq!(answer.json::<Value>().await.unwrap()["redirect_url"], "/home");

    let sent = token.split(';').next().unwrap().to_owned();
    let session =
        house.ask(Method::GET, "/api/v1/session").header("cookie", sent).send().await.unwrap();
    assert_eq!(session.status(), StatusCode::OK);
    let session: Value = session.json().await.unwrap();
    assert_eq!(session["user"]["email"], "admin@acme.example");
    assert_eq!(session["client"]["name"], "Company 1");
    assert_eq!(session["client"]["logo_url"], format!("{FRONT_END}/assets/acme/logo.png"));
    assert_eq!((&session["theme"], &session["color_mode"]), (&json!("dark"), &json!("custom")));
    assert_eq!(session["colors"]["light"]["color1"], "#123456");
    assert_eq!(session["frontend_origins"], json!([FRONT_END]));
    let first_name = if generation == Generation::First { json!("Robin") } else { Value::Null };
    assert_eq!(session["user"]["first_name"], first_name);
}

#[tokio::test]
async fn people_who_sign_in_go_on_to_the_page_that_they_asked_for() {
    let house = House::start().await;
    let log_in = async |cookie: &str| {
        let credentials = json!({ "email": "admin@acme.example", "password": "right" });
        let ask = house.ask(Method::POST, "/auth/login").header("cookie", cookie);
        ask.json(&credentials).send().await.unwrap()
    };
    let address = "/metrics/flow?days=30&project=PAY%20OUT&code=x&token=y";
    let turned_away = house.ask(Method::GET, address).send().await.unwrap();
    let wanted = cookie(turned_away.headers(), "wanted_page").unwrap();
    assert!(wanted.contains("; HttpOnly; Path=/; Max-Age=600"), "{wanted}");

    let answer = log_in(wanted.split(';').next().unwrap()).await;
    let gone = cookie(answer.headers(), "wanted_page").unwrap();
    assert!(gone.contains("; Max-Age=0"), "{gone}");
    let page = answer.json::<Value>().await.unwrap()["redirect_url"].clone();
    assert_eq!(page, "/metrics/flow?days=30&project=PAY+OUT");

    let answer = log_in("wanted_page=%2F%2Fevil.example%2F").await;
    assert_eq!(answer.json::<Value>().await.unwrap()["redirect_url"], "/home");
}

#[tokio::test]
async fn a_hint_about_colours_makes_them_read_anew_and_nothing_else() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    for hints in 0..3 {
        house.read("/api/v1/session", &token).await;
        house.read("/api/v1/session", &token).await;
        assert_eq!(house.platform.calls("unified"), 1 + hints);
        for path in ["color-schema-changed", "color-schema-mode-changed"] {
            let hint =
                json!({ "client_id": 1, "colors": { "color1": "#ff0000" }, "event_type": "x" });
            let path = format!("/api/v1/internal/{path}");
            let answer = house.ask(Method::POST, &path).json(&hint).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
        }
    }
    assert_eq!(house.platform.calls("validate"), 1);
}

#[tokio::test]
async fn over_https_the_cookie_works_inside_frames() {
    let house = House::start().await;
    let answer = house
        .ask(Method::POST, "/auth/login")
        .header("x-forwarded-proto", "https")
        .json(&json!({ "email": "admin@acme.example", "password": "right" }))
        .send()
        .await
        .unwrap();
    let token = cookie(answer.headers(), "pulse_token").unwrap();
    assert!(token.ends_with("; SameSite=None; Secure; Partitioned"), "{token}");
}

#[tokio::test]
async fn only_administrators_come_in() {
    let house = House::start().await;
    let answer = house.log_in("member@acme.example", "right").await;
    assert_eq!(cookies(answer.headers()), [""; 0]);
    problem(answer, 403, "permission_denied").await;
    let member = house.platform.member(1);
    problem(house.get("/api/v1/jobs", &member).await, 403, "permission_denied").await;
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let house = House::start().await;
    for _ in 0..10 {
        problem(house.log_in("admin@acme.example", "wrong").await, 401, "wrong_credentials").await;
    }
    let answer = house.log_in("Admin@Acme.example ", "right").await;
    assert!(answer.headers().contains_key("retry-after"));
    problem(answer, 429, "too_many_requests").await;
}

#[tokio::test]
async fn a_token_that_is_brought_along_opens_the_door() {
    let house = House::start().await;
    let sent = json!({ "token": house.platform.admin(1), "return_url": format!("{FRONT_END}/admin?tab=etl") });
    let answer = house.ask(Method::POST, "/auth/navigate").json(&sent).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let jar: Vec<_> = cookies(answer.headers());
    let jar: Vec<_> = jar.iter().map(|cookie| cookie.split(';').next().unwrap()).collect();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["success"], &answer["redirect_url"]), (&json!(true), &json!("/home")));
    let session = house.ask(Method::GET, "/api/v1/session").header("cookie", jar.join("; "));
    let session: Value = session.send().await.unwrap().json().await.unwrap();
    assert_eq!(session["return_url"], format!("{FRONT_END}/admin?tab=etl"));

    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("token", sent["token"].as_str().unwrap())
        .append_pair("return_url", "")
        .finish();
    let answer = house
        .ask(Method::POST, "/auth/navigate")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(answer.headers()["location"], "/home");
    assert!(cookie(answer.headers(), "pulse_token").is_some());
}

#[tokio::test]
async fn nobody_is_sent_back_to_a_stranger() {
    let house = House::start().await;
    for url in [
        "https://evil.example",
        "//evil.example",
        "javascript:alert(1)",
        "https://pulse.example.com@evil.example",
    ] {
        let sent = json!({ "token": house.platform.admin(1), "return_url": url });
        let answer = house.ask(Method::POST, "/auth/navigate").json(&sent).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{url}");
        assert_eq!(cookie(answer.headers(), "return_url"), None, "{url}");
    }
}

#[tokio::test]
async fn a_one_time_code_carries_a_token_across_sites_once() {
    let house = House::start().await;
    let answer = house
        .ask(Method::POST, "/auth/navigate")
        .header("origin", FRONT_END)
        .json(&json!({ "token": house.platform.admin(1) }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], FRONT_END);
    let answer: Value = answer.json().await.unwrap();
    let page = answer["redirect_url"].as_str().unwrap();
    assert!(page.starts_with("/home?code="), "{page}");

    let first =
        house.ask(Method::GET, &format!("{page}&embedded=true&theme=dark")).send().await.unwrap();
    assert_eq!(first.status(), StatusCode::SEE_OTHER);
    assert_eq!(first.headers()["location"], "/home?embedded=true&theme=dark");
    assert!(cookie(first.headers(), "pulse_token").is_some());
    let second = house.ask(Method::GET, page).send().await.unwrap();
    assert_eq!(second.headers()["location"], "/login?error=authentication_required");
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere_and_a_redirect_is_a_yes() {
    let house = House::start().await;
    for path in ["/auth/logout", "/api/logout"] {
        let token = house.platform.admin(1);
        house.read("/api/v1/session", &token).await;
        let answer = house
            .ask(Method::POST, path)
            .header("cookie", format!("pulse_token={token}"))
            .header("origin", house.url())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let gone = cookie(answer.headers(), "pulse_token").unwrap();
        assert!(gone.starts_with("pulse_token=; ") && gone.contains("Max-Age=0"), "{gone}");
        problem(house.get("/api/v1/session", &token).await, 401, "authentication_required").await;
    }
    assert_eq!(house.platform.calls("logout"), 2);
}

#[tokio::test]
async fn a_hundred_at_once_ask_the_platform_once() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let answers = (0..100).map(|_| house.get("/api/v1/jobs", &token));
    for answer in futures::future::join_all(answers).await {
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(house.platform.calls("validate"), 1);
}

#[rstest]
#[case::broken(Mood::Broken)]
#[case::nonsense(Mood::Nonsense)]
#[case::slow(Mood::Slow)]
#[case::throttling(Mood::Throttling)]
#[tokio::test]
async fn when_the_platform_is_away_the_door_stays_shut_for_who_is_not_known(#[case] mood: Mood) {
    let house = House::start().await;
    let known = house.platform.admin(1);
    house.read("/api/v1/jobs", &known).await;
    house.platform.is(mood);

    let started = Instant::now();
    let stranger = house.platform.admin(1);
    let answer = house.get("/api/v1/jobs", &stranger).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let wait = answer.headers()["retry-after"].to_str().unwrap().to_owned();
    assert_eq!(wait, if mood == Mood::Throttling { "7" } else { "5" });
    problem(answer, 503, "backend_unavailable").await;

    let page = house.ask(Method::GET, "/home").header("cookie", format!("pulse_token={stranger}"));
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().await.unwrap().contains("<h1>Signing in is not possible right now</h1>"));

    house.read("/api/v1/jobs", &known).await;
}

#[tokio::test]
async fn forged_and_spent_tokens_are_nobodys() {
    let house = House::start().await;
    let good = house.platform.admin(1);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", head.split_once('.').unwrap().1);
    let reversed: String = signature.chars().rev().collect();
    let spent = house.platform.token(1, true, -5);
    for token in
        [unsigned, format!("{head}.{reversed}"), spent, "garbage".to_owned(), String::new()]
    {
        problem(house.get("/api/v1/jobs", &token).await, 401, "authentication_required").await;
    }
    problem(
        house.ask(Method::GET, "/api/v1/jobs").send().await.unwrap(),
        401,
        "authentication_required",
    )
    .await;
}

#[tokio::test]
async fn a_token_that_ends_soon_is_exchanged_behind_the_scenes() {
    let house = House::start().await;
    let ending = house.platform.token(1, true, 90);
    let ask = |token: &str| {
        house
            .ask(Method::GET, "/api/v1/session")
            .header("cookie", format!("pulse_token={token}"))
            .send()
    };
    let answers = futures::future::join_all((0..10).map(|_| ask(&ending))).await;
    for answer in answers {
        let answer = answer.unwrap();
        let fresh = cookie(answer.headers(), "pulse_token").unwrap();
        assert!(fresh.contains("Max-Age=29") || fresh.contains("Max-Age=300"), "{fresh}");
    }
    assert_eq!(house.platform.calls("refresh"), 1);
}

#[rstest]
#[case::broken(Mood::Broken)]
#[case::busy(Mood::Busy)]
#[case::nonsense(Mood::Nonsense)]
#[case::slow(Mood::Slow)]
#[case::throttling(Mood::Throttling)]
#[tokio::test]
async fn who_cannot_be_given_another_token_just_now_stays_signed_in(#[case] mood: Mood) {
    let house = House::start().await;
    let ending = house.platform.token(1, true, 90);
    let ask = || {
        let cookie = format!("pulse_token={ending}");
        house.ask(Method::GET, "/api/v1/session").header("cookie", cookie).send()
    };
    house.platform.is_at("refresh", mood);
    let answer = ask().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(cookie(answer.headers(), "pulse_token"), None, "the token that they have is good");
    assert_eq!(house.platform.calls("refresh"), 1);

    house.platform.is(Mood::Well);
    let answer = ask().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let fresh = cookie(answer.headers(), "pulse_token").unwrap();
    assert!(!fresh.contains(&ending), "the next request is given one");
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_is_not_revived() {
    let house = House::start().await;
    let ending = house.platform.token(1, true, 122);
    let ask = || {
        let cookie = format!("pulse_token={ending}");
        house.ask(Method::GET, "/api/v1/session").header("cookie", cookie).send()
    };
    assert_eq!(ask().await.unwrap().status(), StatusCode::OK);
    house.platform.end(&ending);
    // What was said about it is still remembered when it becomes exchangeable.
    while house.platform.calls("validate") < 2 {
        let answer = ask().await.unwrap();
        assert_eq!(cookie(answer.headers(), "pulse_token"), None);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(house.platform.calls("refresh"), 0);
    assert_eq!(ask().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
