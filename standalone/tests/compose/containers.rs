//! What an operator, or fate, does to the containers.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs a verb of Compose on our stack, and returns what it prints.
pub async fn compose(verb: &[&str]) -> String {
    let line = variable("COMPOSE");
    let words = line.split_whitespace().chain(verb.iter().copied());
    run(words.map(str::to_owned).collect()).await
}

/// Ends the program in the container of a service as the kernel would, and waits until Docker has
/// started it again.
pub async fn kill(service: &str) {
    const KILL: &str = "for process in /proc/[0-9]*; do \
        [[ $process/exe -ef /usr/local/bin/program ]] && kill -9 ${process#/proc/}; done; true";
    let before = starts(service).await;
    compose(&["exec", "-T", service, "bash", "-c", KILL]).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while starts(service).await == before {
        assert!(Instant::now() < deadline, "{service} is not started again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Lets so many containers of a service run.
pub async fn scale(service: &str, count: usize) {
    let scale = format!("{service}={count}");
    compose(&["up", "--detach", "--no-deps", "--no-recreate", "--scale", &scale, service]).await;
    assert_eq!(ids(service).await.len(), count, "containers of {service}");
}

/// When the containers of a service were started.
async fn starts(service: &str) -> String {
    let words = ["docker", "inspect", "--format", "{{.State.Running}} {{.State.StartedAt}}"];
    let words = words.into_iter().map(str::to_owned);
    run(words.chain(ids(service).await).collect()).await
}

async fn ids(service: &str) -> Vec<String> {
    let ids = compose(&["ps", "--quiet", service]).await;
    ids.lines().map(str::to_owned).collect()
}

async fn run(words: Vec<String>) -> String {
    let shown = words.join(" ");
    let command = move || Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output();
    let output = tokio::task::spawn_blocking(command).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "tests are told where their stack is")]
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run make compose-test"))
}
