//! A Jira, a GitHub and a Backend Service with a believable company inside: for demos, tests and
//! benchmarks.
//!
//! The company is made from a seed and lives on a clock that can be advanced. One port serves all
//! three services behind `/jira`, `/github` and `/backend`; `/__truth/{list}` tells what a perfect
//! extractor would hold, and `/__advance`, `/__latency`, `/__faults`, `/__stats` and `/__company` are
//! for tests.

mod again;
mod backend;
mod blame;
mod cache;
mod chance;
mod company;
mod control;
pub mod delivery;
mod faults;
pub mod flow;
mod github;
mod jira;
mod json;
mod keys;
mod moment;
mod options;
pub mod pulls;
mod quota;
mod request;
mod server;
mod state;
mod stats;
mod truth;
mod world;

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::web::Data;
use chrono::{DateTime, Utc};

pub use company::{Account, GithubAccount, JiraAccount, Login};
pub use faults::{Fault, FaultKind};
pub use options::{BackendGeneration, Options};
pub use stats::Stats;

use server::Running;
use state::State;

/// A simulator that runs until it is dropped.
pub struct Simulator {
    state: Data<State>,
    running: Running,
}

impl Simulator {
    /// Makes the company and serves it; returns when the port listens.
    pub fn start(options: Options) -> io::Result<Simulator> {
        let listener = TcpListener::bind((&*options.host, options.port))?;
        let address = listener.local_addr()?;
        let url = options.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        let state = Data::new(State::new(options, url));
        let running = server::run(listener, state.clone())?;
        Ok(Simulator { state, running })
    }

    /// Where everything is.
    pub fn url(&self) -> String {
        self.state.url.clone()
    }

    /// The base URL of Jira.
    pub fn jira_url(&self) -> String {
        format!("{}/jira", self.state.url)
    }

    /// The base URL of GitHub's REST API; GraphQL is at `/graphql` behind it.
    pub fn github_url(&self) -> String {
        format!("{}/github", self.state.url)
    }

    /// The base URL of the Backend Service.
    pub fn backend_url(&self) -> String {
        format!("{}/backend", self.state.url)
    }

    /// Lets time pass: new work appears, old work is edited, moved and deleted.
    pub fn advance(&self, by: Duration) {
        self.state.advance(by);
    }

    /// Takes each so-many-th issue of the first client out of sight, as without the permission to see it.
    /// Answers which.
    pub fn hide_issues(&self, every: usize) -> Vec<usize> {
        self.state.act(|world, _| world.hide_issues(every))
    }

    /// Lets these be seen again, as if nothing had happened.
    pub fn show_issues(&self, hidden: &[usize]) {
        self.state.act(|world, _| world.show_issues(hidden));
    }

    /// Merges a pull request of the first client into a branch beside the default branch of the repository
    /// with this position. The branch begins there if it is not there yet.
    pub fn merge_aside(&self, repository: usize) {
        self.state.act(|world, at| world.merge_aside(at, repository));
    }

    /// Deploys that branch to production.
    pub fn deploy_aside(&self, repository: usize) {
        self.state.act(|world, at| world.deploy_aside(at, repository));
    }

    /// Merges that branch into the default branch, with all of its commits as they are.
    pub fn bring_home(&self, repository: usize) {
        self.state.act(|world, at| world.bring_home(at, repository));
    }

    /// Asks for a deployment of the repository with this position that waits until somebody approves
    /// it. Answers its number.
    pub fn wait_for_approval(&self, repository: usize) -> usize {
        self.state.act(|world, at| world.wait_for_approval(at, repository, None))
    }

    /// Approves a deployment that waits, which then succeeds.
    pub fn approve(&self, repository: usize, deployment: usize) {
        self.state.act(|world, at| world.approve(at, repository, deployment));
    }

    /// Tells again and again that what was deployed from the repository with this position is well, more
    /// often than one page of statuses tells.
    pub fn report_health(&self, repository: usize) {
        self.state.act(|world, at| world.report_health(at, repository));
    }

    /// The credentials of the client that was asked for.
    pub fn company(&self) -> Account {
        self.state.companies()[0].account.clone()
    }

    /// The credentials of another client with a small company of its own.
    pub fn other_company(&self) -> Account {
        self.state.companies()[1].account.clone()
    }

    /// Puts other faults in force.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.state.faults.replace(faults);
    }

    /// What was asked so far.
    pub fn stats(&self) -> Stats {
        self.state.counter.so_far()
    }

    /// Starts counting again from zero.
    pub fn reset_stats(&self) {
        self.state.counter.reset();
    }

    /// What a perfect extractor would hold of the first client, as NDJSON.
    pub fn truth(&self, list: &str) -> Option<String> {
        let rows = truth::list(&self.state.companies()[0].world, list)?;
        Some(String::from_utf8(rows).expect("rows are JSON"))
    }

    /// How the issues of the first client flowed, each by itself.
    pub fn flowed(&self, way: &flow::Way) -> Vec<flow::Flowed> {
        flow::flowed(&self.state.companies()[0].world, way)
    }

    /// How the issues of the first client flowed in a window, all together.
    pub fn flow_totals(
        &self,
        way: &flow::Way,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> flow::Totals {
        flow::totals(&self.state.companies()[0].world, way, from, to)
    }

    /// What the deployments and incidents of the first client amount to, from one Monday's midnight in
    /// UTC to another's.
    pub fn delivery_window(
        &self,
        way: &delivery::Way,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> delivery::Window {
        delivery::window(&self.state.companies()[0].world, way, from, to)
    }

    /// The incidents of the first client, and what caused them.
    pub fn causes(&self, way: &delivery::Way) -> Vec<delivery::Caused> {
        delivery::causes(&self.state.companies()[0].world, way)
    }

    /// How old the issues of the first client are that are in progress at a moment.
    pub fn issue_ages(&self, way: &flow::Way, now: DateTime<Utc>) -> flow::Spread {
        flow::ages(&self.state.companies()[0].world, way, now)
    }

    /// What happened to the pull requests of the first client that were merged in a window, where these
    /// logins are machines as well.
    pub fn pull_window(
        &self,
        machines: &[&str],
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> pulls::Window {
        pulls::window(&self.state.companies()[0].world, machines, from, to)
    }

    /// How old the pull requests of the first client are that are open at a moment.
    pub fn pull_ages(&self, machines: &[&str], now: DateTime<Utc>) -> flow::Spread {
        pulls::ages(&self.state.companies()[0].world, machines, now)
    }

    /// Waits until the server ends by itself.
    pub fn wait(mut self) -> io::Result<()> {
        self.running.wait()
    }

    /// Ends the server.
    pub fn stop(self) {
        drop(self);
    }
}
