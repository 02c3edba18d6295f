//! What our programs show each other: a shared token, certificates, both or nothing.

use http::HeaderValue;
use platform::config::{Certificates, Settings};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};
use tonic::{Request, Status};

const SCHEME: &str = "Bearer ";

/// What one program shows, and what it wants to see; clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Pass {
    token: Option<SecretString>,
    certificates: Option<Certificates>,
}

impl Pass {
    /// As `INTERNAL_TOKEN` and the `INTERNAL_TLS_` variables say.
    pub fn new(settings: &Settings) -> Pass {
        Pass { token: settings.internal_token.clone(), certificates: settings.internal_tls.clone() }
    }

    /// The header that shows the token.
    pub(crate) fn shown(&self) -> Option<HeaderValue> {
        let token = self.token.as_ref()?;
        let mut header = HeaderValue::try_from(format!("{SCHEME}{}", token.expose_secret()))
            .expect("the settings let no token in that is no header");
        header.set_sensitive(true);
        Some(header)
    }

    /// Lets a caller in who shows our token.
    pub(crate) fn check(&self, caller: &Request<()>) -> Result<(), Status> {
        let Some(token) = &self.token else { return Ok(()) };
        let shown = caller.metadata().get("authorization");
        let shown = shown.and_then(|shown| shown.as_bytes().strip_prefix(SCHEME.as_bytes()));
        let expected = token.expose_secret().as_bytes();
        if shown.is_some_and(|shown| shown.ct_eq(expected).into()) {
            return Ok(());
        }
        Err(Status::unauthenticated("INTERNAL_TOKEN must be the same for all programs"))
    }

    pub(crate) fn client_tls(&self) -> Option<ClientTlsConfig> {
        let certificates = self.certificates.as_ref()?;
        let config = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&certificates.authority))
            .identity(identity(certificates));
        Some(config)
    }

    pub(crate) fn server_tls(&self) -> Option<ServerTlsConfig> {
        let certificates = self.certificates.as_ref()?;
        let config = ServerTlsConfig::new()
            .client_ca_root(Certificate::from_pem(&certificates.authority))
            .identity(identity(certificates));
        Some(config)
    }

    /// Whether connections are sealed.
    pub fn is_sealed(&self) -> bool {
        self.certificates.is_some()
    }
}

fn identity(certificates: &Certificates) -> Identity {
    Identity::from_pem(&certificates.certificate, certificates.key.expose_secret())
}
