//! Being told what happens, without a gap.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::house::{House, problem};

const PATIENCE: Duration = Duration::from_secs(10);

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(house: &House, token: &str, since: Option<i64>) -> Socket {
        let ticket = ticket(house, token).await;
        let since = since.map(|seq| format!("&since={seq}")).unwrap_or_default();
        let url = house.socket_url(&format!("ticket={ticket}{since}"));
        Socket(connect_async(url).await.unwrap().0)
    }

    async fn next(&mut self) -> Value {
        loop {
            let message =
                tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a message in time");
            if let Message::Text(text) = message.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The numbers of the next events.
    async fn events(&mut self, count: usize) -> Vec<i64> {
        let mut seqs = Vec::new();
        while seqs.len() < count {
            let event = self.next().await;
            if event["type"] != "system_health" {
                seqs.push(event["seq"].as_i64().unwrap());
            }
        }
        seqs
    }
}

async fn ticket(house: &House, token: &str) -> String {
    let answer = house.post("/api/v1/ws-ticket", token, &json!({})).await;
    answer.json::<Value>().await.unwrap()["ticket"].as_str().unwrap().to_owned()
}

/// Each makes one event.
async fn run_and_stop(house: &House, token: &str) {
    for verb in ["run", "stop"] {
        let answer = house.post(&format!("/api/v1/jobs/jira_sync/{verb}"), token, &json!({})).await;
        assert_eq!(answer.status().as_u16(), 202, "{verb}");
    }
}

async fn newest(house: &House, token: &str) -> i64 {
    house.read("/api/v1/events", token).await["next_seq"].as_i64().unwrap()
}

#[tokio::test]
async fn a_socket_tells_what_happens_and_one_that_comes_back_misses_nothing() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    house.connect_jira(&token).await;
    let start = newest(&house, &token).await;

    let mut socket = Socket::open(&house, &token, None).await;
    let health = socket.next().await;
    assert_eq!(
        (&health["type"], &health["database"]),
        (&json!("system_health"), &json!("healthy"))
    );
    assert_eq!(health["seq"], start);

    run_and_stop(&house, &token).await;
    let mut told = socket.events(2).await;
    drop(socket);
    run_and_stop(&house, &token).await;
    let mut socket = Socket::open(&house, &token, told.last().copied()).await;
    told.extend(socket.events(2).await);
    run_and_stop(&house, &token).await;
    told.extend(socket.events(2).await);

    let polled = house.read(&format!("/api/v1/events?since={start}"), &token).await;
    let polled =
        polled["items"].as_array().unwrap().iter().map(|event| event["seq"].as_i64().unwrap());
    let polled: Vec<_> = polled.collect();
    assert_eq!(told, polled);
    assert_eq!(polled.len(), 6);
}

#[tokio::test]
async fn a_late_socket_reads_everything_from_the_start() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    house.connect_jira(&token).await;
    for _ in 0..5 {
        run_and_stop(&house, &token).await;
    }
    let mut socket = Socket::open(&house, &token, Some(0)).await;
    let told = socket.events(10).await;
    assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
    let from_a_future = newest(&house, &token).await + 1_000;
    let mut socket = Socket::open(&house, &token, Some(from_a_future)).await;
    socket.next().await;
    run_and_stop(&house, &token).await;
    assert_eq!(socket.events(2).await.len(), 2);
}

#[tokio::test]
async fn a_socket_hears_only_its_own_client() {
    let house = House::start().await;
    let (ours, theirs) = (house.platform.admin(1), house.platform.admin(2));
    house.connect_jira(&ours).await;
    house.connect_jira(&theirs).await;
    let mut socket = Socket::open(&house, &theirs, None).await;
    run_and_stop(&house, &ours).await;
    run_and_stop(&house, &theirs).await;
    let told = socket.events(2).await;
    let own = house.read("/api/v1/events?since=0", &theirs).await;
    let own: Vec<_> =
        own["items"].as_array().unwrap().iter().map(|e| e["seq"].as_i64().unwrap()).collect();
    assert_eq!(told, own);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_no_other_site_can_use_it() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let ticket = ticket(&house, &token).await;
    let url = house.socket_url(&format!("ticket={ticket}"));

    let mut hijack = url.as_str().into_client_request().unwrap();
    hijack.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    assert_eq!(refused(connect_async(hijack).await), 403);

    let (mut first, _) = connect_async(&url).await.unwrap();
    assert_eq!(refused(connect_async(&url).await), 401);
    first.send(Message::Close(None)).await.unwrap();

    let plain = house.ask(Method::GET, "/ws").send().await.unwrap();
    problem(plain, 400, "bad_request").await;
}

#[tokio::test]
async fn a_socket_ends_with_its_token_and_asks_to_come_back() {
    let house = House::start().await;
    let mut socket = Socket::open(&house, &house.platform.token(1, true, 2), None).await;
    socket.next().await;
    let last = tokio::time::timeout(PATIENCE, async {
        loop {
            match socket.0.next().await {
                Some(Ok(Message::Close(reason))) => return reason,
                Some(Ok(_)) => {}
                other => panic!("it ended without a word: {other:?}"),
            }
        }
    });
    let reason = last.await.expect("the token is over").expect("it says why");
    assert_eq!(reason.code, CloseCode::Restart);
}

#[tokio::test]
async fn a_service_that_stops_lets_its_sockets_go_at_once() {
    let house = House::start().await;
    let token = house.platform.admin(1);
    let mut socket = Socket::open(&house, &token, None).await;
    socket.next().await;
    let stopping = tokio::time::timeout(PATIENCE, house.stop());
    let (stopped, last) = tokio::join!(stopping, socket.0.next());
    assert!(stopped.is_ok(), "it waits for a socket that will never end");
    assert!(matches!(last, Some(Ok(Message::Close(_)))), "{last:?}");
}

fn refused<T>(answer: Result<T, Error>) -> u16 {
    match answer {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the socket opened"),
    }
}
