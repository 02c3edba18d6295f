//! The programs as operators run them: apart from each other, on servers where they meet.

use std::net::TcpListener;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::Options;

use crate::front::{Environment, Front, PATIENCE};
use crate::servers::Servers;

/// One of each, and two of those that people scale first.
pub const CREW: [&str; 7] = [
    "orchestrator",
    "gateway",
    "jira-extractor",
    "jira-extractor",
    "git-extractor",
    "git-extractor",
    "metrics",
];

/// The programs, the servers and the company that they read; met at the front door.
pub struct Apart {
    front: Front,
    /// In the order of the crew.
    pub programs: Vec<Program>,
    pub servers: Servers,
}

impl Deref for Apart {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}

impl Apart {
    /// Starts a crew on fresh tables, all at once. The gateway calls the first orchestrator of the crew,
    /// all others call the last. `more` is said to every program.
    pub async fn start(options: Options, crew: &[&'static str], more: Environment) -> Apart {
        let servers = Servers::fresh();
        let mut front = Front::of(options);
        let mut shared = front.environment();
        shared.extend(servers.environment());
        shared.push(("INTERNAL_TOKEN", "shown by one program to another".to_owned()));
        shared.extend(more);

        let ports: Vec<u16> = crew.iter().map(|_| free_port()).collect();
        let ports_of = |name| {
            let of_name = crew.iter().zip(&ports).filter(move |(of, _)| **of == name);
            of_name.map(|(_, port)| *port)
        };
        let is_sealed = shared.iter().any(|(name, _)| *name == "INTERNAL_TLS_CERT");
        let scheme = if is_sealed { "https" } else { "http" };
        let called = |port: u16| format!("{scheme}://127.0.0.1:{port}");
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let orchestrators: Vec<_> = ports_of("orchestrator").map(called).collect();
        let metrics = ports_of("metrics").map(called).next().expect("the crew computes metrics");
        front.url = ports_of("gateway").map(url).next().expect("the crew has a gateway");
        let programs = crew.iter().zip(&ports).map(|(name, port)| {
            let orchestrator = match *name {
                "gateway" => orchestrators.first(),
                _ => orchestrators.last(),
            };
            let health = url(if *name == "gateway" { *port } else { free_port() });
            let health_port = health.rsplit(':').next().expect("it ends with its port").to_owned();
            let mut environment = shared.clone();
            environment.extend([
                ("PORT", port.to_string()),
                ("HEALTH_PORT", health_port),
                // The name by which PostgreSQL knows it.
                ("PGAPPNAME", health.clone()),
                ("ORCHESTRATOR_URL", orchestrator.expect("the crew is led").clone()),
                ("METRICS_URL", metrics.clone()),
            ]);
            Program::start(name, environment, health)
        });
        let programs = programs.collect();
        let apart = Apart { front, programs, servers };
        apart.until_ready().await;
        apart
    }

    /// Waits until every program can serve.
    pub async fn until_ready(&self) {
        for program in &self.programs {
            program.until_ready().await;
        }
    }

    /// The first program of this name.
    pub fn program(&mut self, name: &str) -> &mut Program {
        let mut programs = self.programs.iter_mut();
        programs.find(|program| program.name == name).expect("the crew has one of this name")
    }
}

/// A program as a child process, which can end and start again.
pub struct Program {
    pub name: &'static str,
    environment: Environment,
    /// Where it tells how it does.
    pub health: String,
    child: Child,
}

impl Program {
    fn start(name: &'static str, environment: Environment, health: String) -> Program {
        let child = spawn(name, &environment);
        Program { name, environment, health, child }
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, and tells how and how soon it did.
    pub async fn terminate(&mut self) -> (ExitStatus, Duration) {
        let asked_at = Instant::now();
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(asked.success(), "{} has ended before", self.name);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return (status, asked_at.elapsed());
            }
            assert!(asked_at.elapsed() < PATIENCE, "{} does not end", self.name);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Starts it again, after it has ended.
    pub fn start_again(&mut self) {
        self.child = spawn(self.name, &self.environment);
    }

    pub async fn until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        let url = format!("{}/readyz", self.health);
        while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(Instant::now() < deadline, "{} is not ready in time", self.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it tells about itself.
    pub async fn checks(&self) -> Value {
        let answer = reqwest::get(format!("{}/readyz", self.health)).await.expect("it tells");
        answer.json::<Value>().await.expect("it tells JSON")["checks"].take()
    }

    /// A number among those that Prometheus reads; 0 before it is first counted.
    pub async fn measured(&self, metric: &str) -> f64 {
        let answer = reqwest::get(format!("{}/metrics", self.health)).await.expect("it tells");
        let text = answer.text().await.expect("it tells text");
        let line = text.lines().find(|line| line.starts_with(metric));
        let number = line.and_then(|line| line.split_whitespace().last());
        number.map_or(0.0, |number| number.parse().expect("it measures numbers"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(name: &str, environment: &Environment) -> Child {
    Command::new(binary(name))
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{name} does not start ({e}): make test builds it"))
}

/// Where a program of ours was built: beside our own.
pub fn binary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_pulse-etl")).with_file_name(name)
}

/// A port that nobody has, below those that the system gives away by itself: a program that starts again
/// shall find its own still free.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 10_000;
    const COUNT: u32 = 9_000;
    loop {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let place = (std::process::id() * 32 + step) % COUNT;
        let port = FIRST + u16::try_from(place).expect("below 9,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
