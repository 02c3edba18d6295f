//! The whole house as its users meet it: the real program, a simulated company behind it, and a
//! signed-in admin in front.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use diesel::prelude::*;
use diesel::sql_types::Text;
use simulator::Options;

use crate::front::{Environment, Front};

/// The program, its data and the company that it reads; met at the front door.
pub struct Stack {
    front: Front,
    program: Program,
    environment: Environment,
    /// Removed with everything in it at the end.
    _folder: tempfile::TempDir,
}

impl Deref for Stack {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}

impl Stack {
    /// A fresh program on SQLite, beside a company of this make.
    pub async fn start(options: Options) -> Stack {
        Stack::start_with(options, Environment::new()).await
    }

    /// A fresh program beside a company of this make. What `more` does not say is embedded.
    pub async fn start_with(options: Options, more: Environment) -> Stack {
        let folder = tempfile::tempdir().expect("a folder for the data");
        let mut front = Front::of(options);
        let mut environment = front.environment();
        let database = format!("sqlite:{}", folder.path().join("pulse.db").display());
        environment.extend([("DATABASE_URL", database), ("PORT", "0".to_owned())]);
        environment.extend(more);
        let program = Program::start(&environment);
        front.url.clone_from(&program.url);
        Stack { front, program, environment, _folder: folder }
    }

    /// Ends the program as a power cut would, and starts it again on the same data. Tells the steps of
    /// the tasks that workers held.
    pub fn cut_power(&mut self) -> Vec<String> {
        self.program.kill();
        let held = in_hand(self.database());
        self.program = Program::start(&self.environment);
        self.front.url.clone_from(&self.program.url);
        held
    }

    /// Where the data lie, on SQLite.
    pub fn database(&self) -> &str {
        let mut latest_first = self.environment.iter().rev();
        let url = latest_first.find(|(name, _)| *name == "DATABASE_URL").map(|(_, url)| url);
        url.and_then(|url| url.strip_prefix("sqlite:")).expect("this stack is on SQLite")
    }
}

/// The steps of the tasks that workers hold.
fn in_hand(database: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Task {
        #[diesel(sql_type = Text)]
        kind: String,
    }
    let mut database = SqliteConnection::establish(database).expect("the database opens");
    let held = diesel::sql_query("SELECT kind FROM tasks WHERE state = 'LEASED'");
    let held: Vec<Task> = held.load(&mut database).expect("the database answers");
    held.into_iter().map(|task| task.kind).collect()
}

/// The real program as a child process.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(environment: &Environment) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pulse-etl"))
            .arg("serve")
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let url = lines
            .map(|line| line.expect("the program says where it listens"))
            .find_map(|line| {
                line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
            })
            .expect("the program says where it listens before it ends");
        Program { child, url }
    }

    fn kill(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder of the sources, for what tests read from there.
pub fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
