//! What a browser gets at the addresses of the page.

use reqwest::{Method, StatusCode};

use crate::house::{FRONT_END, House, cookie};
use crate::platform::Generation;

#[tokio::test]
async fn who_may_not_be_here_is_led_to_where_they_may() {
    let house = House::start().await;
    let member = house.platform.member(1);
    let login = "/login?error=authentication_required";
    let denied = "/login?error=permission_denied&resource=etl_management";
    for page in ["/home", "/jobs", "/integrations", "/mappings", "/metrics/dora"] {
        let ask = |query: &str, token: &str| {
            house
                .ask(Method::GET, &format!("{page}{query}"))
                .header("cookie", format!("pulse_token={token}"))
                .send()
        };
        let direct = ask("", "").await.unwrap();
        assert_eq!(
            (direct.status(), direct.headers()["location"].to_str().unwrap()),
            (StatusCode::FOUND, login)
        );
        let direct = ask("", &member).await.unwrap();
        assert_eq!(
            (direct.status(), direct.headers()["location"].to_str().unwrap()),
            (StatusCode::FOUND, denied)
        );
        let embedded = ask("?embedded=true", "").await.unwrap();
        assert_eq!(embedded.status(), StatusCode::UNAUTHORIZED);
        let embedded = ask("?embedded=true", &member).await.unwrap();
        assert_eq!(embedded.status(), StatusCode::FORBIDDEN);
        assert_eq!(ask("", &house.platform.admin(1)).await.unwrap().status(), StatusCode::OK);
    }
    let root = house.ask(Method::GET, "/").send().await.unwrap();
    assert_eq!(root.headers()["location"], "/home");
}

#[tokio::test]
async fn only_the_front_end_may_show_the_page_and_nothing_foreign_runs_in_it() {
    let house = House::start().await;
    let page = house.ask(Method::GET, "/login").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    for rule in [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        &format!("frame-ancestors 'self' {FRONT_END}"),
    ] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert_eq!(page.headers()["cache-control"], "no-cache");
    assert!(page.text().await.unwrap().contains("Pulse ETL"));
}

#[tokio::test]
async fn the_files_of_the_page_are_packed_and_kept_for_ever() {
    let house = House::start().await;
    let page = house.ask(Method::GET, "/login").send().await.unwrap().text().await.unwrap();
    let Some(file) = page.split('"').find(|part| part.starts_with("/assets/")) else {
        assert!(page.contains("run make ui"), "the page is built, but loads nothing");
        return;
    };
    let plain = house.ask(Method::GET, file).send().await.unwrap();
    assert_eq!(plain.headers()["cache-control"], "public, max-age=31536000, immutable");
    let length = plain.bytes().await.unwrap().len();
    let packed =
        house.ask(Method::GET, file).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(packed.bytes().await.unwrap().len() <= length + 64);
    for odd in ["/assets/nothing.js", "/assets/..%2findex.html", "/assets/../../Cargo.toml"] {
        assert_eq!(
            house.ask(Method::GET, odd).send().await.unwrap().status(),
            StatusCode::NOT_FOUND,
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_token_in_an_address_is_exchanged_at_once_where_that_is_allowed() {
    for allowed in [true, false] {
        let house = House::with(Generation::Second, allowed).await;
        let token = house.platform.admin(1);
        let address = format!("/home?embedded=true&token={token}&theme=light&colorMode=default");
        let answer = house.ask(Method::GET, &address).send().await.unwrap();
        if allowed {
            assert_eq!(answer.status(), StatusCode::SEE_OTHER);
            assert_eq!(
                answer.headers()["location"],
                "/home?embedded=true&theme=light&colorMode=default"
            );
            assert!(cookie(answer.headers(), "pulse_token").is_some());
        } else {
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
    }
}
