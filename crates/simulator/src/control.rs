//! The door for tests: the clock, the speed, the faults, the counts and the truth.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Deserialize;

use crate::faults::Fault;
use crate::json;
use crate::request::{Answer, Request, Verb};
use crate::state::State;
use crate::truth;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    milliseconds: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NewFaults {
    Several { faults: Vec<Fault> },
    One(Fault),
}

/// Answers a call; the path starts behind `/__`.
pub fn answer(state: &State, request: &Request) -> Answer {
    let path: Vec<&str> = request.path.iter().map(|part| &**part).collect();
    match (request.verb, path.as_slice()) {
        (Verb::Post, ["advance"]) => match serde_json::from_slice::<Advance>(request.body) {
            Ok(Advance { seconds }) => {
                let now = state.advance(Duration::from_secs(seconds));
                ok(json::object(|o| {
                    o.put("now", &now.exact());
                }))
            }
            Err(error) => refused(&error),
        },
        (Verb::Post, ["latency"]) => match serde_json::from_slice::<Latency>(request.body) {
            Ok(Latency { milliseconds }) => {
                state.latency_ms.store(milliseconds, Ordering::Relaxed);
                ok(b"{}".to_vec())
            }
            Err(error) => refused(&error),
        },
        (Verb::Post, ["faults"]) => match serde_json::from_slice::<NewFaults>(request.body) {
            Ok(NewFaults::Several { faults }) => set_faults(state, faults),
            Ok(NewFaults::One(fault)) => set_faults(state, vec![fault]),
            Err(error) => refused(&error),
        },
        (Verb::Delete, ["faults"]) => set_faults(state, Vec::new()),
        (Verb::Get, ["stats"]) => {
            let mut body = Vec::new();
            json::plain(&mut body, &state.counter.so_far());
            ok(body)
        }
        (Verb::Post, ["stats", "reset"]) => {
            state.counter.reset();
            ok(b"{}".to_vec())
        }
        (Verb::Get, ["company"]) => {
            let accounts: Vec<_> =
                state.companies().iter().map(|company| company.account.clone()).collect();
            let mut body = Vec::new();
            json::plain(&mut body, &accounts);
            ok(body)
        }
        (Verb::Get, ["truth", list]) => {
            let companies = state.companies();
            let client = request.asked_number("client").unwrap_or(1);
            let company = companies.iter().find(|c| c.account.client_id == client as i64);
            match company.and_then(|company| truth::list(&company.world, list)) {
                Some(body) => Answer::empty("control", 200)
                    .with("content-type", "application/x-ndjson")
                    .with_body(body),
                None => Answer::empty("control", 404),
            }
        }
        _ => Answer::empty("control", 404),
    }
}

fn set_faults(state: &State, faults: Vec<Fault>) -> Answer {
    let count = faults.len();
    state.faults.replace(faults);
    ok(json::object(|o| {
        o.put("faults", &count);
    }))
}

fn ok(body: Vec<u8>) -> Answer {
    Answer::json("control", 200, body)
}

fn refused(error: &serde_json::Error) -> Answer {
    Answer::json(
        "control",
        400,
        json::object(|o| {
            o.put("message", &error.to_string());
        }),
    )
}
