//! How requests are sent: tried again while that may help, never earlier than told.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use extractor::Failure;
use extractor::budget::{Pace, Quotas};
use extractor::http::{Exchange, Reply, Trouble};
use platform::cache::Cache;
use platform::upstream::{Backoff, Guard, Upstream, Url};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const PACE: Pace = Pace { requests: 1_000, window: Duration::from_secs(1), in_flight: 4 };

struct Asked {
    server: MockServer,
    exchange: Exchange,
}

impl Asked {
    /// Of a server that gives each of these answers once, and then says that all is well.
    async fn of(answers: Vec<ResponseTemplate>) -> Asked {
        let server = MockServer::start().await;
        for answer in answers {
            Mock::given(any()).respond_with(answer).up_to_n_times(1).mount(&server).await;
        }
        Mock::given(any())
            .respond_with(ResponseTemplate::new(200).set_body_string("well"))
            .mount(&server)
            .await;
        let upstream = Upstream::new(Guard::anywhere()).unwrap();
        let quick = Backoff::new(Duration::from_millis(1), Duration::from_millis(5));
        let quota = Quotas::new(Cache::memory(), PACE).of("acme");
        let exchange = Exchange::new(upstream, quota).with_backoff(quick);
        Asked { server, exchange }
    }

    async fn ask(&self) -> Result<String, Failure> {
        let url = Url::parse(&self.server.uri()).unwrap();
        let request = self.exchange.upstream().get(url).unwrap();
        self.exchange.ask(request, read).await
    }
}

fn read(reply: &Reply) -> Result<String, Trouble> {
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    match reply.status.as_u16() {
        200 if text == "nonsense" => Err(Trouble::Malformed { detail: "nonsense".to_owned() }),
        200 => Ok(text),
        429 => Err(Trouble::Throttled { wait: None }),
        500.. => Err(Trouble::Passing { detail: "it is down".to_owned() }),
        _ => Err(Failure::Fatal { detail: "no".to_owned() }.into()),
    }
}

fn status(code: u16) -> ResponseTemplate {
    ResponseTemplate::new(code)
}

#[tokio::test]
async fn what_passes_is_sat_out() {
    let asked = Asked::of(vec![status(503), status(502)]).await;
    assert_eq!(asked.ask().await.unwrap(), "well");
    assert_eq!(asked.exchange.sent(), 3, "refused requests count as well");
}

#[tokio::test]
async fn what_stays_is_reported_by_its_kind() {
    let nonsense = || status(200).set_body_string("nonsense");
    let down = Asked::of(vec![status(500), status(500), status(500)]).await;
    assert!(matches!(down.ask().await, Err(Failure::Passing { detail }) if detail == "it is down"));
    let broken = Asked::of(vec![nonsense(), nonsense(), nonsense()]).await;
    assert!(matches!(broken.ask().await, Err(Failure::Unreadable { .. })));
    let refused = Asked::of(vec![status(401)]).await;
    assert!(matches!(refused.ask().await, Err(Failure::Fatal { .. })));
    assert_eq!(refused.exchange.sent(), 1, "asking again would not help");
}

#[tokio::test]
async fn a_page_is_not_given_up_for_what_happened_on_the_way_to_it() {
    let nonsense = || status(200).set_body_string("nonsense");
    let wait = status(429).insert_header("Retry-After", "1");
    let asked = Asked::of(vec![status(503), wait, nonsense(), nonsense()]).await;
    assert_eq!(asked.ask().await.unwrap(), "well");
    assert_eq!(asked.exchange.sent(), 5);
}

#[tokio::test]
async fn a_short_wait_is_sat_out_and_never_cut() {
    let asked = Asked::of(vec![status(429).insert_header("Retry-After", "1")]).await;
    let since = Instant::now();
    assert_eq!(asked.ask().await.unwrap(), "well");
    assert!(since.elapsed() >= Duration::from_secs(1), "{:?}", since.elapsed());
}

#[tokio::test]
async fn a_long_wait_is_handed_back_and_holds_for_everybody() {
    let asked = Asked::of(vec![status(429).insert_header("Retry-After", "120")]).await;
    let told = Utc::now() + TimeDelta::seconds(120);
    let Err(Failure::Throttled { until }) = asked.ask().await else { panic!("it asked to wait") };
    assert!(until >= told, "never earlier than told");
    assert!(until <= told + TimeDelta::seconds(60));
    assert!(matches!(asked.ask().await, Err(Failure::Throttled { .. })));
    assert_eq!(asked.exchange.sent(), 1, "nothing is sent meanwhile");
}

#[tokio::test]
async fn who_is_down_for_long_has_failed_and_is_asked_again_when_told() {
    for (told, least, most) in [("120", 120, 180), ("86400", 86_400, 112_500)] {
        let asked = Asked::of(vec![status(503).insert_header("Retry-After", told)]).await;
        let since = Utc::now();
        let Err(Failure::Down { detail, until }) = asked.ask().await else { panic!("{told}") };
        let wait = (until - since).num_seconds();
        assert!((least..=most).contains(&wait), "told {told}, waits {wait}");
        assert_eq!((detail.as_str(), asked.exchange.sent()), ("it is down", 1));
    }
}

#[tokio::test]
async fn nobody_there_may_pass() {
    let asked = Asked::of(Vec::new()).await;
    let gone = asked.exchange.upstream().get(Url::parse("http://127.0.0.1:9").unwrap()).unwrap();
    let failure = asked.exchange.ask(gone, read).await.unwrap_err();
    assert!(
        matches!(&failure, Failure::Passing { detail } if detail.contains("127.0.0.1")),
        "{failure}"
    );
}

#[tokio::test]
async fn the_source_tells_its_time_when_it_first_answers() {
    let dated = |code, date| status(code).insert_header("Date", date);
    let asked = Asked::of(vec![
        dated(503, "Tue, 06 Oct 2026 09:44:59 GMT"),
        dated(200, "Tue, 06 Oct 2026 09:45:01 GMT"),
    ])
    .await;
    assert_eq!(asked.exchange.source_time(), None);
    asked.ask().await.unwrap();
    let first = "2026-10-06T09:44:59Z".parse().unwrap();
    assert_eq!(asked.exchange.source_time(), Some(first), "a refusal tells it too");
}
