//! The way in: one port, three services behind prefixes, and a door for tests.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use chrono::Utc;
use futures::{StreamExt, stream};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::faults::{Fault, FaultKind};
use crate::request::{Answer, Request, Verb};
use crate::state::State;
use crate::{again, backend, control, github, jira, json};

/// A server that runs in a thread of its own.
pub struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<io::Result<()>>>,
}

/// Serves `state` on a listener that is already bound.
pub fn run(listener: TcpListener, state: Data<State>) -> io::Result<Running> {
    let (stop, stopped) = oneshot::channel();
    let (started, start) = mpsc::channel();
    let thread = std::thread::Builder::new().name("simulator".to_owned()).spawn(move || {
        let workers = state.options.workers.max(1);
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                App::new()
                    .app_data(state.clone())
                    .app_data(PayloadConfig::new(8 << 20))
                    .default_service(web::to(serve))
            };
            let server = HttpServer::new(app)
                .workers(workers)
                .keep_alive(Duration::from_secs(75))
                // Who has hung up is not answered, and not counted.
                .h1_allow_half_closed(false)
                .disable_signals()
                .listen(listener)?
                .run();
            let handle = server.handle();
            actix_web::rt::spawn(async move {
                // A sender that is gone means the same as one that speaks.
                let _ = stopped.await;
                handle.stop(false).await;
            });
            let _ = started.send(());
            server.await
        })
    })?;
    // If the thread dies first, joining it tells why.
    if start.recv().is_err() {
        return match thread.join() {
            Ok(Err(error)) => Err(error),
            _ => Err(io::Error::other("the server thread ended at once")),
        };
    }
    Ok(Running { stop: Some(stop), thread: Some(thread) })
}

impl Running {
    /// Waits until the server ends by itself.
    pub fn wait(&mut self) -> io::Result<()> {
        match self.thread.take().map(std::thread::JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(io::Error::other("the server thread panicked")),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // What it ended with no longer matters.
            let _ = thread.join();
        }
    }
}

async fn serve(http: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let path = http.path();
    let verb = match http.method().as_str() {
        "GET" | "HEAD" => Verb::Get,
        "POST" => Verb::Post,
        "DELETE" => Verb::Delete,
        _ => return HttpResponse::MethodNotAllowed().finish(),
    };
    if let Some(path) = path.strip_prefix("/__") {
        let answer = control::answer(&state, &Request::new(verb, path, http.query_string(), &body));
        return plain_response(&answer, &answer.body.clone());
    }
    let _under_way = state.counter.enter();
    let latency = Duration::from_millis(state.latency_ms.load(Ordering::Relaxed));
    if !latency.is_zero() {
        sleep(latency).await;
    }
    let fault = state.faults.strike(path);
    if fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Hang) {
        sleep(Duration::from_secs(3600)).await;
    }
    let refusal = fault.as_ref().and_then(|fault| refusal(fault, path));
    let refused = refusal.is_some();
    let response = match refusal {
        Some(answer) => Reply { bytes: answer.body.clone(), answer },
        None => reply(&state, &http, verb, &body),
    };
    let status = response.answer.status;
    let throttled = status == 429 || (refused && status == 403);
    let (service, _) = split(path);
    let (route, bytes) = (response.answer.route, response.bytes.len());
    state.counter.answered(service, route, status, bytes, throttled);
    if state.options.count_repeats && status == 200 && !path.starts_with("/backend/") {
        let mark = again::mark(path, http.query_string(), &body);
        state.counter.gave(route, mark);
    }
    match fault.map(|fault| fault.kind) {
        Some(FaultKind::Truncate) => truncated(response),
        Some(FaultKind::Malform) => {
            plain_response(&response.answer, &Bytes::from_static(b"{\"issues\":[{\"id\":"))
        }
        Some(FaultKind::Drip) => dripping(response),
        Some(FaultKind::Bloat) => bloated(response),
        _ => plain_response(&response.answer, &response.bytes),
    }
}

/// The service that a path leads to, and the rest of it.
fn split(path: &str) -> (&str, &str) {
    let path = path.trim_start_matches('/');
    path.split_once('/').unwrap_or((path, ""))
}

/// An answer with the body as it is sent this time.
struct Reply {
    answer: Answer,
    bytes: Bytes,
}

fn reply(state: &State, http: &HttpRequest, verb: Verb, body: &[u8]) -> Reply {
    let header = |name: &str| http.headers().get(name).and_then(|value| value.to_str().ok());
    let (service, path) = split(http.path());
    let mut request = Request::new(verb, path, http.query_string(), body);
    request.authorization = header("authorization");
    request.user_agent = header("user-agent");
    let page = format!("{verb:?} {} {:?}\n", http.uri(), request.authorization);
    let page = [page.as_bytes(), body].concat();
    let answer = match service {
        "jira" => dated(state, jira::answer(state, &request, &page)),
        "github" => dated(state, github::answer(state, &request, &page, header("if-none-match"))),
        "backend" => {
            let caller = http.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
            backend::answer(state, &request, &caller)
        }
        _ => Answer::json(
            "elsewhere",
            404,
            json::object(|o| {
                o.put("message", "Not Found");
            }),
        ),
    };
    Reply { bytes: answer.body.clone(), answer }
}

/// Jira and GitHub tell what their clock says, which is the company's.
fn dated(state: &State, answer: Answer) -> Answer {
    answer.with("date", state.now().http())
}

/// What a fault answers instead of the service.
fn refusal(fault: &Fault, path: &str) -> Option<Answer> {
    let answer = match fault.kind {
        FaultKind::Throttle if path == "/github/graphql" => {
            let body = r#"{"errors":[{"type":"RATE_LIMIT","code":"graphql_rate_limit","message":"API rate limit already exceeded for user ID 501."}]}"#;
            Answer::json("throttled", 200, body.into())
        }
        FaultKind::Throttle if path.starts_with("/github/") => {
            let body = r#"{"message":"API rate limit exceeded for user ID 501.","status":"429"}"#;
            Answer::json("throttled", 429, body.into())
        }
        FaultKind::Throttle => {
            let body = r#"{"errorMessages":["The request has been rate-limited. Please try again later."],"errors":{},"status":429}"#;
            Answer::json("throttled", 429, body.into()).with("ratelimit-reason", "jira-burst-based")
        }
        FaultKind::Secondary => {
            let body = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.","status":"403"}"#;
            Answer::json("throttled", 403, body.into())
        }
        FaultKind::ServerError => Answer {
            body: Bytes::from_static(b"<html><body><h1>Service unavailable</h1></body></html>"),
            ..Answer::empty("server error", fault.status.unwrap_or(503))
                .with("content-type", "text/html")
        },
        FaultKind::Unauthorized => Answer::json(
            "unauthorized",
            401,
            br#"{"message":"Bad credentials","status":"401"}"#.to_vec(),
        ),
        _ => return None,
    };
    Some(match retry_after(fault) {
        Some(value) => answer.with("retry-after", value),
        None => answer,
    })
}

fn retry_after(fault: &Fault) -> Option<String> {
    let date = |seconds: i64| {
        let at = Utc::now() + chrono::Duration::seconds(seconds);
        at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    match fault.retry_after.as_deref()? {
        "date" => Some(date(2)),
        "past" => Some(date(-3600)),
        seconds => Some(seconds.to_owned()),
    }
}

fn builder(answer: &Answer) -> actix_web::HttpResponseBuilder {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.append_header((HeaderName::from_static(name), value));
        }
    }
    response
}

fn plain_response(answer: &Answer, body: &Bytes) -> HttpResponse {
    builder(answer).body(body.clone())
}

/// Promises the whole body, sends half and hangs up.
fn truncated(reply: Reply) -> HttpResponse {
    let promised = reply.bytes.len() as u64;
    let half = reply.bytes.slice(..reply.bytes.len() / 2);
    let ends = async {
        // Time for the half to be sent.
        sleep(Duration::from_millis(50)).await;
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "truncated on request"))
    };
    let body = stream::iter([Ok(half)]).chain(stream::once(ends));
    builder(&reply.answer).body(SizedStream::new(promised, Box::pin(body)))
}

fn dripping(reply: Reply) -> HttpResponse {
    let promised = reply.bytes.len() as u64;
    let bytes = reply.bytes;
    let drops = (0..bytes.len()).map(move |at| bytes.slice(at..at + 1));
    let body = stream::iter(drops).then(|drop| async move {
        sleep(Duration::from_millis(50)).await;
        Ok::<_, io::Error>(drop)
    });
    builder(&reply.answer).body(SizedStream::new(promised, Box::pin(body)))
}

fn bloated(reply: Reply) -> HttpResponse {
    const BLANKS: Bytes = Bytes::from_static(&[b' '; 1_000_000]);
    let blanks = std::iter::repeat_n(BLANKS, 100);
    let body = stream::iter(blanks.chain([reply.bytes]).map(Ok::<_, io::Error>));
    builder(&reply.answer).streaming(body)
}
