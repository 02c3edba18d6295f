//! The demo: the house with a simulated company behind it, connected and syncing.

use anyhow::Context;
use platform::config::Settings;
use platform::secrets::Key;
use secrecy::ExposeSecret;
use simulator::{Options, Simulator};

use crate::Company;

/// A company to show, and where the demo keeps what it reads.
pub struct Demo {
    /// How to connect it and as whom to sign in.
    pub company: Company,
    simulator: Simulator,
    /// Removed at the end, unless the database is elsewhere.
    _folder: tempfile::TempDir,
    folder_url: String,
}

impl Demo {
    /// Makes the company.
    ///
    /// # Errors
    /// No port or no folder for it.
    pub fn prepare(options: Options) -> anyhow::Result<Demo> {
        let simulator = Simulator::start(options).context("the simulated company cannot start")?;
        let folder = tempfile::tempdir().context("there is no room for the demo's database")?;
        let folder_url = format!("sqlite:{}", folder.path().join("pulse.db").display());
        let company = Company::of(&simulator)?;
        Ok(Demo { company, simulator, _folder: folder, folder_url })
    }

    /// `variables`, completed by what only the demo may choose for itself: a Backend Service, a
    /// database that goes away, a key that nobody keeps.
    ///
    /// # Errors
    /// A bad value among the variables.
    pub fn settings(
        &self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Settings, platform::config::Error> {
        let key = Key::random().to_base64();
        let ours = [
            ("DATABASE_URL", self.folder_url.clone()),
            ("ENCRYPTION_KEY", key.expose_secret().to_owned()),
            ("LOG_LEVEL", "warn".to_owned()),
        ];
        let simulated = [
            ("BACKEND_SERVICE_URL", self.simulator.backend_url()),
            ("UPSTREAM_ALLOW", "127.0.0.0/8".to_owned()),
        ];
        let named = |(name, value): (&str, String)| (name.to_owned(), value);
        // Later ones win: people may choose the database, but the company is the simulated one.
        let all = ours.map(named).into_iter().chain(variables).chain(simulated.map(named));
        Settings::from_vars(all)
    }
}
