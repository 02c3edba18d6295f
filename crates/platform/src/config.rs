//! Where this process runs and whom it may talk to. Only this module reads the environment.
//! [`manual`] explains the variables.

mod apart;
mod manual;
mod parse;
mod vars;

use std::io::IsTerminal;

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

pub use self::apart::Certificates;
pub use self::manual::{manual, whole_manual};
pub use self::parse::{Address, LogFormat, Origin};
use self::vars::Vars;
use crate::secrets::Key;

/// The variables of this process.
#[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
pub fn variables() -> impl Iterator<Item = (String, String)> {
    let readable = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (readable(name), readable(value)))
}

/// Why the start stops: one line that names variable, value and remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value we cannot use.
    #[error("{variable} is {value}: {remedy}")]
    Bad {
        /// Which one.
        variable: &'static str,
        /// What it says; secrets are left out.
        value: String,
        /// What to write instead.
        remedy: String,
    },
    /// A value we cannot do without.
    #[error("{variable} is not set: {remedy}")]
    Missing {
        /// Which one.
        variable: &'static str,
        /// What to write.
        remedy: &'static str,
    },
    /// A file that should hold a value but cannot be read.
    #[error(
        "{variable}_FILE is {path:?}: cannot be read; check that the path and its permissions are right"
    )]
    Unreadable {
        /// Which one.
        variable: &'static str,
        /// The path that it names.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Everything that can be configured, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `DATABASE_URL`.
    pub database_url: Address,
    /// `QUEUE_URL`.
    pub queue_url: Address,
    /// `CACHE_URL`.
    pub cache_url: Address,
    /// `BACKEND_SERVICE_URL`; see also [`Settings::backend_service`].
    pub backend_service_url: Option<Url>,
    /// `INSTALLATION`: our name in a broker and a cache that others use as well.
    pub installation: String,
    /// `HOST`.
    pub host: String,
    /// `PORT`; 0 picks a free one.
    pub port: u16,
    /// `HEALTH_PORT`, for programs whose port does not speak HTTP; 0 picks a free one.
    pub health_port: u16,
    /// `ORCHESTRATOR_URL`, where it is not in this process.
    pub orchestrator_url: Option<Url>,
    /// `METRICS_URL`, where it is not in this process.
    pub metrics_url: Option<Url>,
    /// `SECRET_KEY`.
    pub secret_key: Option<Key>,
    /// `ENCRYPTION_KEY`; see also [`Settings::encryption`].
    pub encryption_key: Option<Key>,
    /// `ENCRYPTION_KEYS_OLD`.
    pub encryption_keys_old: Vec<Key>,
    /// `INTERNAL_TOKEN`.
    pub internal_token: Option<SecretString>,
    /// `INTERNAL_TLS_CERT`, `INTERNAL_TLS_KEY` and `INTERNAL_TLS_CA`.
    pub internal_tls: Option<Certificates>,
    /// `SCHEDULER_TIMEZONE`: the name of an IANA time zone.
    pub scheduler_timezone: String,
    /// `LOG_LEVEL`: a level, or directives such as `info,platform=debug`.
    pub log_level: String,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `DEBUG`.
    pub debug: bool,
    /// `FRONTEND_ORIGINS`.
    pub frontend_origins: Vec<Origin>,
    /// `UPSTREAM_ALLOW`.
    pub upstream_allow: Vec<IpNet>,
    /// `ALLOW_TOKEN_IN_URL`.
    pub allow_token_in_url: bool,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub otel_endpoint: Option<Url>,
    /// `WORKER_CONCURRENCY`: how many tasks this process works on at once.
    pub worker_concurrency: usize,
    /// `QUEUE_PREFETCH`: how many messages a consumer holds at once; at least as many as tasks.
    pub queue_prefetch: u16,
}

impl Settings {
    /// Reads the environment.
    pub fn load() -> Result<Settings, Error> {
        Settings::from_vars(variables())
    }

    /// Reads these variables and nothing else; an empty value counts as not set.
    pub fn from_vars<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Result<Settings, Error>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let vars = Vars::new(variables);
        let database = vars.read_hidden("DATABASE_URL", parse::database)?;
        let queue = vars.read_hidden("QUEUE_URL", parse::queue)?;
        let cache = vars.read_hidden("CACHE_URL", parse::cache)?;
        let worker_concurrency = vars.read("WORKER_CONCURRENCY", parse::count)?.unwrap_or(8);
        let queue_prefetch = vars.read("QUEUE_PREFETCH", parse::count)?;
        Ok(Settings {
            database_url: database.unwrap_or_else(|| Address::new("sqlite:data/pulse.db")),
            queue_url: queue.unwrap_or_else(|| Address::new("memory:")),
            cache_url: cache.unwrap_or_else(|| Address::new("memory:")),
            backend_service_url: vars.read("BACKEND_SERVICE_URL", parse::web_url)?,
            installation: vars
                .read("INSTALLATION", parse::installation)?
                .unwrap_or_else(|| "pulse".to_owned()),
            host: vars.read("HOST", parse::host)?.unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: vars.read("PORT", parse::port)?.unwrap_or(8000),
            health_port: vars.read("HEALTH_PORT", parse::port)?.unwrap_or(9000),
            orchestrator_url: vars.read("ORCHESTRATOR_URL", parse::web_url)?,
            metrics_url: vars.read("METRICS_URL", parse::web_url)?,
            secret_key: vars.read_hidden("SECRET_KEY", parse::key)?,
            encryption_key: vars.read_hidden("ENCRYPTION_KEY", parse::key)?,
            encryption_keys_old: vars
                .read_hidden("ENCRYPTION_KEYS_OLD", parse::keys)?
                .unwrap_or_default(),
            internal_token: vars.read_hidden("INTERNAL_TOKEN", parse::token)?,
            internal_tls: Certificates::read(&vars)?,
            scheduler_timezone: vars
                .read("SCHEDULER_TIMEZONE", parse::timezone)?
                .unwrap_or_else(|| "UTC".to_owned()),
            log_level: vars
                .read("LOG_LEVEL", parse::log_level)?
                .unwrap_or_else(|| "info".to_owned()),
            log_format: vars.read("LOG_FORMAT", parse::log_format)?.unwrap_or(LogFormat::Auto),
            debug: vars.read("DEBUG", parse::switch)?.unwrap_or(false),
            frontend_origins: vars.read("FRONTEND_ORIGINS", parse::origins)?.unwrap_or_default(),
            upstream_allow: vars.read("UPSTREAM_ALLOW", parse::networks)?.unwrap_or_default(),
            allow_token_in_url: vars.read("ALLOW_TOKEN_IN_URL", parse::switch)?.unwrap_or(false),
            otel_endpoint: vars.read("OTEL_EXPORTER_OTLP_ENDPOINT", parse::web_url)?,
            worker_concurrency,
            queue_prefetch: prefetch(queue_prefetch, worker_concurrency)?,
        })
    }

    /// The Backend Service, for those who cannot do without it.
    pub fn backend_service(&self) -> Result<&Url, Error> {
        self.backend_service_url.as_ref().ok_or(Error::Missing {
            variable: "BACKEND_SERVICE_URL",
            remedy: "give the base URL of the Backend Service, such as http://backend:3001",
        })
    }

    /// The key that seals credentials, for those who cannot do without it.
    pub fn encryption(&self) -> Result<&Key, Error> {
        self.encryption_key.as_ref().ok_or(Error::Missing {
            variable: "ENCRYPTION_KEY",
            remedy: "make one with: openssl rand -base64 32, and keep it: without it stored credentials are lost",
        })
    }

    /// Whether logs are for machines: as `LOG_FORMAT` says, else whenever no terminal shows them.
    pub fn log_json(&self) -> bool {
        match self.log_format {
            LogFormat::Json => true,
            LogFormat::Pretty => false,
            LogFormat::Auto => !std::io::stderr().is_terminal(),
        }
    }
}

/// Each task that is done keeps its message in hand.
fn prefetch(chosen: Option<usize>, worker_concurrency: usize) -> Result<u16, Error> {
    let prefetch = chosen.unwrap_or(worker_concurrency);
    if prefetch < worker_concurrency {
        return Err(Error::Bad {
            variable: "QUEUE_PREFETCH",
            value: prefetch.to_string(),
            remedy: format!(
                "{worker_concurrency} tasks are to be done at once (WORKER_CONCURRENCY), and each \
                 keeps its message; give at least as many"
            ),
        });
    }
    Ok(u16::try_from(prefetch).expect("a count that was read is small"))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

    fn settings(vars: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::from_vars(vars.iter().copied())
    }

    #[test]
    fn nothing_set_runs_in_one_process() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.database_url.as_str(), "sqlite:data/pulse.db");
        assert_eq!(settings.queue_url.as_str(), "memory:");
        assert_eq!(settings.cache_url.as_str(), "memory:");
        assert_eq!((settings.host.as_str(), settings.port), ("127.0.0.1", 8000));
        assert_eq!(settings.scheduler_timezone, "UTC");
        assert_eq!((settings.worker_concurrency, settings.queue_prefetch), (8, 8));
        assert!(!settings.allow_token_in_url && !settings.debug);
        assert!(matches!(settings.backend_service(), Err(Error::Missing { .. })));
        assert!(matches!(settings.encryption(), Err(Error::Missing { .. })));
    }

    #[test]
    fn everything_set_is_read() {
        let settings = settings(&[
            ("DATABASE_URL", "postgres://pulse:hunter2@db/pulse"),
            ("QUEUE_URL", "amqp://pulse:hunter2@rabbit:5672/%2f"),
            ("CACHE_URL", "redis://:hunter2@redis:6379/0"),
            ("BACKEND_SERVICE_URL", "http://backend:3001"),
            ("HOST", "0.0.0.0"),
            ("PORT", "9000"),
            ("ENCRYPTION_KEY", KEY),
            ("ENCRYPTION_KEYS_OLD", &format!("{KEY},{KEY}")),
            ("INTERNAL_TOKEN", "a long enough token"),
            ("SCHEDULER_TIMEZONE", "Europe/Berlin"),
            ("LOG_LEVEL", "INFO,platform=debug"),
            ("LOG_FORMAT", "json"),
            ("DEBUG", "True"),
            ("FRONTEND_ORIGINS", "https://pulse.example.com, http://localhost:5173/"),
            ("UPSTREAM_ALLOW", "10.0.0.0/8,192.168.1.7,fd00::/8"),
            ("WORKER_CONCURRENCY", "6"),
            ("QUEUE_PREFETCH", "20"),
        ])
        .unwrap();
        assert_eq!(settings.port, 9000);
        assert!(settings.log_json() && settings.debug);
        assert_eq!(settings.encryption_keys_old.len(), 2);
        assert_eq!(
            settings.frontend_origins.iter().map(Origin::as_str).collect::<Vec<_>>(),
            ["https://pulse.example.com", "http://localhost:5173"]
        );
        assert_eq!(
            settings.upstream_allow.iter().map(IpNet::to_string).collect::<Vec<_>>(),
            ["10.0.0.0/8", "192.168.1.7/32", "fd00::/8"]
        );
        assert_eq!((settings.worker_concurrency, settings.queue_prefetch), (6, 20));
        assert!(settings.backend_service().is_ok() && settings.encryption().is_ok());
        assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
    }

    #[test]
    fn a_bad_value_names_variable_value_and_remedy() {
        for (variable, value, line) in [
            (
                "QUEUE_PREFETCH",
                "3",
                "QUEUE_PREFETCH is 3: 8 tasks are to be done at once (WORKER_CONCURRENCY), and each keeps its message; give at least as many",
            ),
            ("PORT", "http", r#"PORT is "http": give a number from 0 to 65535"#),
            ("DEBUG", "maybe", r#"DEBUG is "maybe": write true or false"#),
            (
                "SCHEDULER_TIMEZONE",
                "Mars/Olympus",
                r#"SCHEDULER_TIMEZONE is "Mars/Olympus": give an IANA name such as Europe/Berlin or UTC"#,
            ),
            (
                "BACKEND_SERVICE_URL",
                "backend:3001",
                r#"BACKEND_SERVICE_URL is "backend:3001": give an http:// or https:// URL"#,
            ),
            (
                "FRONTEND_ORIGINS",
                "https://pulse.example.com/app",
                r#"FRONTEND_ORIGINS is "https://pulse.example.com/app": "https://pulse.example.com/app" is no origin; give scheme://host:port, separated by commas"#,
            ),
            (
                "FRONTEND_ORIGINS",
                "*",
                r#"FRONTEND_ORIGINS is "*": "*" is no origin; give scheme://host:port, separated by commas"#,
            ),
            (
                "UPSTREAM_ALLOW",
                "10.0.0.0/33",
                r#"UPSTREAM_ALLOW is "10.0.0.0/33": "10.0.0.0/33" is no network; give networks such as 10.0.0.0/8, separated by commas"#,
            ),
            ("LOG_FORMAT", "xml", r#"LOG_FORMAT is "xml": write pretty or json"#),
            (
                "WORKER_CONCURRENCY",
                "0",
                r#"WORKER_CONCURRENCY is "0": give a number from 1 to 1024"#,
            ),
        ] {
            let error = settings(&[(variable, value)]).unwrap_err();
            assert_eq!(error.to_string(), line);
        }
    }

    #[test]
    fn a_bad_secret_is_not_repeated() {
        for (variable, value) in [
            ("DATABASE_URL", "mysql://pulse:hunter2@db/pulse"),
            ("QUEUE_URL", "amqps//hunter2"),
            ("CACHE_URL", "http://:hunter2@redis"),
            ("SECRET_KEY", "hunter2"),
            ("ENCRYPTION_KEY", "hunter2"),
            ("ENCRYPTION_KEYS_OLD", "hunter2"),
            ("INTERNAL_TOKEN", "hunter2"),
        ] {
            let line = settings(&[(variable, value)]).unwrap_err().to_string();
            assert!(line.starts_with(&format!("{variable} is ")), "{line}");
            assert!(!line.contains("hunter2"), "{line}");
        }
    }

    #[test]
    fn a_value_can_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "from a mounted secret\n").unwrap();
        let path = path.to_str().unwrap();

        let settings_from_file = settings(&[("INTERNAL_TOKEN_FILE", path)]).unwrap();
        let token = settings_from_file.internal_token.unwrap();
        assert_eq!(token.expose_secret(), "from a mounted secret");

        let both = settings(&[("INTERNAL_TOKEN", "one"), ("INTERNAL_TOKEN_FILE", path)]);
        assert!(both.unwrap_err().to_string().contains("remove one of the two"));
        let nowhere = settings(&[("INTERNAL_TOKEN_FILE", "/nowhere/token")]);
        assert!(matches!(nowhere, Err(Error::Unreadable { variable: "INTERNAL_TOKEN", .. })));
    }

    #[test]
    fn an_empty_value_counts_as_not_set() {
        let settings = settings(&[("QUEUE_URL", ""), ("PORT", " ")]).unwrap();
        assert_eq!((settings.queue_url.as_str(), settings.port), ("memory:", 8000));
    }
}
