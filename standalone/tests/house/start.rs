//! What cannot work is said at the start, in one line that tells what to do.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::front::Environment;

fn serve(environment: &Environment) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pulse-etl"))
        .arg("serve")
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .expect("the program starts")
}

/// Everything that is required, and nothing that works by chance.
fn complete(folder: &tempfile::TempDir) -> Environment {
    vec![
        ("DATABASE_URL", format!("sqlite:{}", folder.path().join("pulse.db").display())),
        ("BACKEND_SERVICE_URL", "http://127.0.0.1:9".to_owned()),
        ("ENCRYPTION_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".to_owned()),
        ("PORT", "0".to_owned()),
        ("LOG_LEVEL", "off".to_owned()),
    ]
}

#[test]
fn each_mistake_stops_the_start_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "not a folder").unwrap();
    let below_a_file = format!("sqlite:{}/pulse.db", file.display());
    let in_use = format!("port {port} is in use");
    let cases: &[(&'static str, &str, &[&str])] = &[
        ("PORT", &port, &[&in_use, "PORT="]),
        ("PORT", "http", &["PORT is \"http\"", "number"]),
        ("DATABASE_URL", &below_a_file, &["a-file", "DATABASE_URL"]),
        ("DATABASE_URL", "mysql://db/pulse", &["DATABASE_URL", "sqlite:"]),
        ("QUEUE_URL", "kafka://broker", &["QUEUE_URL", "amqp://"]),
        ("BACKEND_SERVICE_URL", "", &["BACKEND_SERVICE_URL is not set"]),
        ("ENCRYPTION_KEY", "", &["ENCRYPTION_KEY is not set", "openssl rand"]),
        ("ENCRYPTION_KEY", "c2hvcnQ=", &["ENCRYPTION_KEY", "32 bytes"]),
        ("SCHEDULER_TIMEZONE", "Mars/Olympus", &["SCHEDULER_TIMEZONE", "Europe/Berlin"]),
    ];
    for (name, value, expected) in cases {
        let mut environment = complete(&folder);
        environment.push((name, (*value).to_owned()));
        let output = serve(&environment);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{name}={value} is accepted");
        assert_eq!(said.lines().count(), 1, "{name}={value} is told in one line: {said}");
        for part in *expected {
            assert!(said.contains(part), "{name}={value}: {said:?} does not say {part:?}");
        }
    }
}
