//! What outgoing requests refuse, and what they endure.

use std::io::Write;
use std::time::Duration;

use platform::upstream::{Error, Guard, Patience, Refused, Upstream, Url, header, read_body};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const KIB: usize = 1024;

/// May reach the servers that these tests start, and nothing else that is not public.
fn guard() -> Guard {
    Guard::new(["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()])
}

fn upstream() -> Upstream {
    let brief = Duration::from_millis(300);
    let patience = Patience { connect: brief, read: brief, answer: 4 * brief };
    Upstream::with_patience(guard(), patience).unwrap()
}

async fn get(url: &str) -> Result<platform::upstream::Response, Error> {
    let upstream = upstream();
    let request = upstream.get(Url::parse(url).unwrap())?;
    upstream.send(request.header(header::AUTHORIZATION, "Bearer canary")).await
}

async fn body(url: &str) -> Result<bytes::Bytes, Error> {
    read_body(get(url).await?, 64 * KIB).await
}

/// Answers every connection with these bytes, a pause before each.
async fn raw_server(parts: &'static [&'static str], pause: Duration, then_hang: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            assert!(stream.read(&mut request).await.unwrap() > 0, "somebody hung up");
            for part in parts {
                tokio::time::sleep(pause).await;
                if stream.write_all(part.as_bytes()).await.is_err() {
                    break;
                }
            }
            if then_hang {
                held.push(stream);
            }
        }
    });
    url
}

#[tokio::test]
async fn an_answer_is_read_whole_and_we_say_who_we_are() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(404).set_body_string("no such page"))
        .mount(&server)
        .await;
    let response = get(&server.uri()).await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(read_body(response, 64 * KIB).await.unwrap(), "no such page");
    let request = &server.received_requests().await.unwrap()[0];
    let agent = request.headers["user-agent"].to_str().unwrap();
    assert_eq!(agent, concat!("pulse-etl/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn names_and_addresses_that_are_not_public_are_refused_before_connecting() {
    let server = MockServer::start().await;
    let port = server.address().port();
    let public_only = Upstream::new(Guard::new([])).unwrap();
    for url in [
        format!("http://localhost:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
    ] {
        let url = Url::parse(&url).unwrap();
        let refused = match public_only.get(url.clone()) {
            Ok(request) => public_only.send(request).await.unwrap_err(),
            Err(refused) => refused,
        };
        assert!(matches!(refused, Error::Refused(Refused::Network { .. })), "{url}: {refused:?}");
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_redirect_into_a_closed_network_is_refused() {
    let server = MockServer::start().await;
    for (from, to) in [
        ("/literal", "http://169.254.169.254/latest/meta-data/"),
        ("/octal", "http://0251.0376.0251.0376/"),
        ("/mapped", "http://[::ffff:10.0.0.1]/"),
        ("/file", "http://user:password@127.0.0.1/"),
    ] {
        let redirect = ResponseTemplate::new(302).insert_header("location", to);
        Mock::given(path(from)).respond_with(redirect).mount(&server).await;
        let refused = get(&format!("{}{from}", server.uri())).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{from}: {refused:?}");
    }
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let stranger = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&stranger).await;
    let server = MockServer::start().await;
    let away = format!("http://localhost:{}/", stranger.address().port());
    let redirect = ResponseTemplate::new(307).insert_header("location", away);
    Mock::given(path("/away")).respond_with(redirect).mount(&server).await;
    let redirect = ResponseTemplate::new(307).insert_header("location", "/here");
    Mock::given(path("/home")).respond_with(redirect).mount(&server).await;
    Mock::given(path("/here")).respond_with(ResponseTemplate::new(200)).mount(&server).await;

    get(&format!("{}/away", server.uri())).await.unwrap();
    let strange = &stranger.received_requests().await.unwrap()[0];
    assert!(!strange.headers.contains_key("authorization"));
    assert!(!strange.headers.contains_key("referer"));

    get(&format!("{}/home", server.uri())).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let here = requests.iter().find(|request| request.url.path() == "/here").unwrap();
    assert_eq!(here.headers["authorization"], "Bearer canary");
}

#[tokio::test]
async fn a_redirect_in_circles_ends() {
    let server = MockServer::start().await;
    let redirect = ResponseTemplate::new(302).insert_header("location", "/");
    Mock::given(any()).respond_with(redirect).mount(&server).await;
    let error = get(&server.uri()).await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
    assert!(server.received_requests().await.unwrap().len() <= 7);
}

#[tokio::test]
async fn a_body_beyond_the_cap_is_not_read() {
    let server = MockServer::start().await;
    let fits = ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 64 * KIB]);
    Mock::given(path("/fits")).respond_with(fits).mount(&server).await;
    let large = ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 64 * KIB + 1]);
    Mock::given(path("/large")).respond_with(large).mount(&server).await;
    assert_eq!(body(&format!("{}/fits", server.uri())).await.unwrap().len(), 64 * KIB);
    let error = body(&format!("{}/large", server.uri())).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { cap_bytes: 65_536, .. }), "{error:?}");
}

#[tokio::test]
async fn a_compressed_bomb_is_noticed_at_the_cap() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        packer.write_all(&vec![0; KIB * KIB]).unwrap();
    }
    let bomb = packer.finish().unwrap();
    assert!(bomb.len() < 128 * KIB);
    let server = MockServer::start().await;
    let packed =
        ResponseTemplate::new(200).insert_header("content-encoding", "gzip").set_body_bytes(bomb);
    Mock::given(any()).respond_with(packed).mount(&server).await;
    let error = body(&server.uri()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    for parts in [
        &["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this"][..],
        &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nonly"],
        &["HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope"],
        &["what is this"],
    ] {
        let url = raw_server(parts, Duration::ZERO, false).await;
        let error = body(&url).await.unwrap_err();
        assert!(matches!(error, Error::Broken { .. }), "{parts:?}: {error:?}");
    }
}

#[tokio::test]
async fn silence_and_dripping_bytes_time_out() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    let silent = raw_server(&[], Duration::ZERO, true).await;
    let stalled = raw_server(&[HEAD], Duration::ZERO, true).await;
    let pause = Duration::from_millis(100);
    let dripping = raw_server(
        &[HEAD, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"],
        pause,
        true,
    )
    .await;
    for url in [silent, stalled, dripping] {
        let error = body(&url).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_says_no_more_than_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = get(&format!("http://127.0.0.1:{port}/?token=canary")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}
