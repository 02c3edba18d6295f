//! What a link across the network promises: deadlines, repetition where it is right, a name for who
//! is away, and no talk with strangers.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

#[path = "across/certificates.rs"]
mod certificates;

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::future::{Ready, ready};
use platform::config::Settings;
use proto::v1::metrics_client::MetricsClient;
use proto::v1::metrics_server::{Metrics, MetricsServer};
use proto::v1::orchestrator_client::OrchestratorClient;
use proto::v1::{Answer, CommandRequest, FinishRequest, PreviewReply, PreviewRequest, Question};
use proto::{Link, Pass, away, serve};
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

const TOKEN: &str = "what our programs show each other";

/// Answers questions, but not the first few of them.
#[derive(Clone, Default)]
struct Reluctant {
    unwilling: u32,
    asked: Arc<AtomicU32>,
}

#[tonic::async_trait]
impl Metrics for Reluctant {
    async fn ask(&self, _question: Request<Question>) -> Result<Response<Answer>, Status> {
        if self.asked.fetch_add(1, Ordering::Relaxed) < self.unwilling {
            return Err(Status::unavailable("the database is away"));
        }
        Ok(Response::new(Answer { timezone: "UTC".to_owned(), ..Answer::default() }))
    }

    async fn preview(
        &self,
        _request: Request<PreviewRequest>,
    ) -> Result<Response<PreviewReply>, Status> {
        Err(Status::unimplemented("nobody asks for a preview here"))
    }
}

/// An orchestrator that is asked in vain.
#[derive(Clone, Default)]
struct Broken(Arc<AtomicU32>);

impl NamedService for Broken {
    const NAME: &'static str = "pulse.v1.Orchestrator";
}

impl tower::Service<http::Request<Body>> for Broken {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: http::Request<Body>) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        ready(Ok(Status::unavailable("the database is away").into_http()))
    }
}

/// A server that ends when it is dropped.
struct Server {
    addr: SocketAddr,
    _end: oneshot::Sender<()>,
}

fn serve_on(listener: TcpListener, routes: Routes, pass: Pass) -> Server {
    let addr = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let end = async move { drop(ended.await) };
        serve::serve(listener, routes, &pass, end).await.unwrap();
    });
    Server { addr, _end: end }
}

fn serve_anywhere(routes: Routes, pass: Pass) -> Server {
    serve_on(TcpListener::bind("127.0.0.1:0").unwrap(), routes, pass)
}

fn link(addr: SocketAddr) -> Link {
    Link::there("orchestrator", &format!("http://{addr}"), &Pass::default()).unwrap()
}

fn pass(vars: &[(&str, &str)]) -> Pass {
    Pass::new(&Settings::from_vars(vars.iter().copied()).unwrap())
}

#[tokio::test]
async fn a_call_that_may_be_repeated_is_made_until_it_is_heard() {
    let metrics = Reluctant { unwilling: 2, ..Reluctant::default() };
    let server = serve_anywhere(Routes::new(MetricsServer::new(metrics.clone())), Pass::default());
    let answer = MetricsClient::new(link(server.addr)).ask(Question::default()).await.unwrap();
    assert_eq!(answer.into_inner().timezone, "UTC");
    assert_eq!(metrics.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn what_must_not_happen_twice_is_asked_once() {
    let broken = Broken::default();
    let server = serve_anywhere(Routes::new(broken.clone()), Pass::default());
    let mut orchestrator = OrchestratorClient::new(link(server.addr));
    let asked = || broken.0.swap(0, Ordering::Relaxed);

    orchestrator.command(CommandRequest::default()).await.unwrap_err();
    assert_eq!(asked(), 1, "a command");
    let status = orchestrator.finish(FinishRequest::default()).await.unwrap_err();
    assert_eq!(asked(), 4, "an end, which can be told twice");
    assert_eq!(
        (status.code(), away(&status)),
        (Code::Unavailable, None),
        "it is there, and said no"
    );
}

#[tokio::test]
async fn a_peer_that_is_away_is_called_by_its_name() {
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let asked_at = Instant::now();
    let asking = OrchestratorClient::new(link(addr)).command(CommandRequest::default()).await;
    let status = asking.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(away(&status), Some("orchestrator"));
    assert_eq!(status.message(), "The orchestrator does not answer.");
    assert!(asked_at.elapsed() < Duration::from_secs(3), "{:?}", asked_at.elapsed());
}

#[tokio::test]
async fn a_call_that_was_never_sent_waits_for_a_peer_that_starts() {
    let broken = Broken::default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let mut orchestrator = OrchestratorClient::new(link(addr));
    let mut asking =
        tokio::spawn(async move { orchestrator.command(CommandRequest::default()).await });
    let at_once = tokio::time::timeout(Duration::from_millis(50), &mut asking).await;
    assert!(at_once.is_err(), "nobody is there, and still it does not give up");
    let listener = TcpListener::bind(addr).unwrap();
    let _server = serve_on(listener, Routes::new(broken.clone()), Pass::default());
    let status = asking.await.unwrap().unwrap_err();
    assert_eq!(away(&status), None, "{status}");
    assert_eq!(broken.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_not_waited_for() {
    // Nobody accepts: the system does, and then there is silence.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut health = HealthClient::new(link(silent.local_addr().unwrap()));
    let status = health.check(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(away(&status), Some("orchestrator"));
}

#[tokio::test]
async fn only_who_shows_the_token_is_let_in() {
    let routes = || Routes::new(MetricsServer::new(Reluctant::default()));
    let guarded = serve_anywhere(routes(), pass(&[("INTERNAL_TOKEN", TOKEN)]));
    let code = async |token: Option<&str>| {
        let pass = token.map_or_else(Pass::default, |token| pass(&[("INTERNAL_TOKEN", token)]));
        let url = format!("http://{}", guarded.addr);
        let link = Link::there("metrics service", &url, &pass).unwrap();
        let asked = MetricsClient::new(link.clone()).ask(Question::default()).await;
        let checked = HealthClient::new(link).check(HealthCheckRequest::default()).await;
        let code = asked.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(checked.map_or_else(|status| status.code(), |_| Code::Ok), code);
        code
    };
    assert_eq!(code(Some(TOKEN)).await, Code::Ok);
    assert_eq!(code(None).await, Code::Unauthenticated);
    assert_eq!(code(Some(&TOKEN.replace('w', "W"))).await, Code::Unauthenticated);
    assert_eq!(code(Some(&format!("{TOKEN}!"))).await, Code::Unauthenticated);
}

fn sealed(certificates: &[(&'static str, String); 3]) -> Pass {
    pass(&certificates.each_ref().map(|(name, pem)| (*name, pem.as_str())))
}

#[tokio::test]
async fn with_certificates_only_our_own_programs_talk() {
    let (ours, theirs) = (certificates::fresh(), certificates::fresh());
    let routes = Routes::new(MetricsServer::new(Reluctant::default()));
    let server = serve_anywhere(routes, sealed(&ours));
    let ask = async |url: String, pass: &Pass| {
        let link = Link::there("metrics service", &url, pass).unwrap();
        MetricsClient::new(link).ask(Question::default()).await
    };
    ask(format!("https://{}", server.addr), &sealed(&ours)).await.unwrap();

    let mut half_ours = theirs.clone();
    half_ours[2] = ours[2].clone();
    for stranger in [&theirs, &half_ours] {
        let status = ask(format!("https://{}", server.addr), &sealed(stranger)).await.unwrap_err();
        assert_eq!(away(&status), Some("metrics service"), "{status}");
    }
    let status = ask(format!("http://{}", server.addr), &Pass::default()).await.unwrap_err();
    assert_eq!(away(&status), Some("metrics service"), "{status}");
}
