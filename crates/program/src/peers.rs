//! The programs that this one asks, across the network.

use anyhow::Context;
use platform::health::Check;
use proto::{Link, Pass};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use url::Url;

use crate::{Health, Outfit};

impl Outfit {
    /// The orchestrator, where `ORCHESTRATOR_URL` says.
    ///
    /// # Errors
    /// The address or the certificates cannot be used.
    pub fn orchestrator(&self) -> anyhow::Result<Link> {
        self.peer("orchestrator", self.settings.orchestrator()?)
    }

    /// The metrics service, where `METRICS_URL` says.
    ///
    /// # Errors
    /// The address or the certificates cannot be used.
    pub fn metrics(&self) -> anyhow::Result<Link> {
        self.peer("metrics service", self.settings.metrics()?)
    }

    fn peer(&self, name: &'static str, url: &Url) -> anyhow::Result<Link> {
        Link::there(name, url.as_str(), &Pass::new(&self.settings))
            .with_context(|| format!("cannot call the {name} at {url}"))
    }
}

impl Health {
    /// Looks at a peer as well, under this name.
    #[must_use]
    pub fn with_peer(self, name: &'static str, peer: Link) -> Health {
        self.wants(name, move || {
            let mut peer = HealthClient::new(peer.clone());
            async move {
                match peer.check(HealthCheckRequest::default()).await {
                    Ok(_) => Check::healthy(name),
                    Err(status) => Check::down(name, status.message()),
                }
            }
        })
    }
}
