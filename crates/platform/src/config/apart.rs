//! What programs need that run apart from each other: servers where they meet, the addresses of
//! their peers, and what they show each other.

use secrecy::SecretString;
use url::Url;

use super::vars::Vars;
use super::{Address, Error, Settings, parse};

/// What a program shows its peers, and what it wants to see of them. All in PEM.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The certificate that it shows, and those that lead to it.
    pub certificate: String,
    /// The key to it.
    pub key: SecretString,
    /// Whose certificates it believes.
    pub authority: String,
}

impl Certificates {
    pub(super) fn read(vars: &Vars) -> Result<Option<Certificates>, Error> {
        let certificate = vars.read_hidden("INTERNAL_TLS_CERT", parse::pem)?;
        let key = vars.read_hidden("INTERNAL_TLS_KEY", parse::pem)?.map(SecretString::from);
        let authority = vars.read_hidden("INTERNAL_TLS_CA", parse::pem)?;
        let missing = |variable| Error::Missing {
            variable,
            remedy: "set all three INTERNAL_TLS_ variables, or none",
        };
        if certificate.is_none() && key.is_none() && authority.is_none() {
            return Ok(None);
        }
        Ok(Some(Certificates {
            certificate: certificate.ok_or_else(|| missing("INTERNAL_TLS_CERT"))?,
            key: key.ok_or_else(|| missing("INTERNAL_TLS_KEY"))?,
            authority: authority.ok_or_else(|| missing("INTERNAL_TLS_CA"))?,
        }))
    }
}

impl Settings {
    /// Refuses what only works inside one process.
    ///
    /// # Errors
    /// Database, queue or cache is embedded.
    pub fn expect_shared_servers(&self) -> Result<(), Error> {
        shared(
            "DATABASE_URL",
            &self.database_url,
            "sqlite:",
            "postgres://user:password@host/name",
        )?;
        shared("QUEUE_URL", &self.queue_url, "memory:", "amqp://user:password@host:5672/%2f")?;
        shared("CACHE_URL", &self.cache_url, "memory:", "redis://:password@host:6379/0")
    }

    /// Where the orchestrator listens, for those who run apart from it.
    ///
    /// # Errors
    /// The address is missing, or does not fit the certificates.
    pub fn orchestrator(&self) -> Result<&Url, Error> {
        let remedy =
            "give the URL where the orchestrator listens, such as http://orchestrator:8000";
        self.peer("ORCHESTRATOR_URL", self.orchestrator_url.as_ref(), remedy)
    }

    /// Where the metrics service listens, for those who run apart from it.
    ///
    /// # Errors
    /// The address is missing, or does not fit the certificates.
    pub fn metrics(&self) -> Result<&Url, Error> {
        let remedy = "give the URL where the metrics service listens, such as http://metrics:8000";
        self.peer("METRICS_URL", self.metrics_url.as_ref(), remedy)
    }

    fn peer<'a>(
        &self,
        variable: &'static str,
        url: Option<&'a Url>,
        remedy: &'static str,
    ) -> Result<&'a Url, Error> {
        let url = url.ok_or(Error::Missing { variable, remedy })?;
        let remedy = match (url.scheme(), &self.internal_tls) {
            ("http", Some(_)) => "begin it with https://, since INTERNAL_TLS_CERT is set",
            ("https", None) => "begin it with http://, or set the INTERNAL_TLS_ variables",
            _ => return Ok(url),
        };
        Err(Error::Bad {
            variable,
            value: format!("{:?}", url.as_str()),
            remedy: remedy.to_owned(),
        })
    }
}

fn shared(
    variable: &'static str,
    address: &Address,
    embedded: &str,
    example: &str,
) -> Result<(), Error> {
    if !address.starts_with(embedded) {
        return Ok(());
    }
    let remedy = format!("programs that run apart meet at a server, give {example}");
    Err(Error::Bad { variable, value: format!("{:?}", address.as_str()), remedy })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";

    fn settings(vars: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::from_vars(vars.iter().copied())
    }

    #[test]
    fn programs_that_run_apart_meet_at_servers() {
        let servers = [
            ("DATABASE_URL", "postgres://db/pulse"),
            ("QUEUE_URL", "amqp://rabbit/%2f"),
            ("CACHE_URL", "redis://redis/0"),
        ];
        settings(&servers).unwrap().expect_shared_servers().unwrap();
        for without in 0..servers.len() {
            let mut some = servers.to_vec();
            let (variable, _) = some.remove(without);
            let line = settings(&some).unwrap().expect_shared_servers().unwrap_err().to_string();
            assert!(line.starts_with(&format!("{variable} is ")), "{line}");
        }
    }

    #[test]
    fn certificates_come_as_three_and_never_show_the_key() {
        let three =
            [("INTERNAL_TLS_CERT", PEM), ("INTERNAL_TLS_KEY", PEM), ("INTERNAL_TLS_CA", PEM)];
        let all = settings(&three).unwrap();
        assert!(all.internal_tls.is_some());
        for without in 0..three.len() {
            let mut two = three.to_vec();
            let (variable, _) = two.remove(without);
            let line = settings(&two).unwrap_err().to_string();
            assert!(line.starts_with(&format!("{variable} is not set: ")), "{line}");
        }
        let line = settings(&[("INTERNAL_TLS_KEY", "hunter2")]).unwrap_err().to_string();
        assert!(line.contains("PEM") && !line.contains("hunter2"), "{line}");
    }

    #[test]
    fn a_peer_is_called_as_the_certificates_say() {
        let peer = |url: &'static str, tls: bool| {
            let mut vars = vec![("ORCHESTRATOR_URL", url)];
            if tls {
                let names = ["INTERNAL_TLS_CERT", "INTERNAL_TLS_KEY", "INTERNAL_TLS_CA"];
                vars.extend(names.map(|name| (name, PEM)));
            }
            settings(&vars).unwrap().orchestrator().map(Url::to_string).map_err(|e| e.to_string())
        };
        assert!(peer("http://orchestrator:8000", false).is_ok());
        assert!(peer("https://orchestrator:8000", true).is_ok());
        assert!(peer("http://orchestrator:8000", true).unwrap_err().contains("https://"));
        assert!(peer("https://orchestrator:8000", false).unwrap_err().contains("INTERNAL_TLS_"));
        let missing = settings(&[]).unwrap();
        assert!(missing.orchestrator().unwrap_err().to_string().contains("ORCHESTRATOR_URL"));
        assert!(missing.metrics().unwrap_err().to_string().contains("METRICS_URL"));
    }
}
