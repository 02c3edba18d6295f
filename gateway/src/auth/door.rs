//! The door: looks at what a request brings, and says who stands there or why they stay outside.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpMessage, HttpRequest};
use domain::ids::ClientId;
use moka::future::Cache;
use proto::Link;
use proto::v1::EnsureClientRequest;
use proto::v1::orchestrator_client::OrchestratorClient;
use store::Clients;

use super::backend::{Backend, Company, Identity, Looks, Unavailable};
use super::code::Codes;
use super::cookies::{self, Renewed};
use super::origins::{From as CameFrom, Origins};
use super::tokens::{Token, Tokens};
use super::verdicts::Shared;

/// Names, logos and colours change rarely and may be a minute late.
const LOOKS_KEPT_FOR: Duration = Duration::from_secs(60);
const CLIENTS_KEPT_FOR: Duration = Duration::from_secs(600);

/// Everything it takes to know a visitor.
#[derive(Clone)]
pub(crate) struct Door {
    pub(super) backend: Backend,
    pub(super) tokens: Tokens,
    pub(super) codes: Codes,
    pub(super) origins: Origins,
    allow_token_in_url: bool,
    orchestrator: OrchestratorClient<Link>,
    stored: Clients,
    clients: Cache<String, ClientId>,
    companies: Cache<String, Company>,
    looks: Cache<(String, String), Looks>,
}

/// Why somebody stays outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotSignedIn,
    NotAdmin,
    ForeignOrigin,
    BackendUnavailable { retry_after: Duration },
    OrchestratorUnavailable,
}

/// An administrator with a good token.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) identity: Arc<Identity>,
    pub(crate) token: Token,
}

impl Door {
    pub(crate) fn new(
        backend: Backend,
        shared: Shared,
        codes: Codes,
        origins: Origins,
        allow_token_in_url: bool,
        orchestrator: OrchestratorClient<Link>,
        stored: Clients,
    ) -> Door {
        Door {
            tokens: Tokens::new(backend.clone(), shared),
            backend,
            codes,
            origins,
            allow_token_in_url,
            orchestrator,
            stored,
            clients: Cache::builder().max_capacity(10_000).time_to_live(CLIENTS_KEPT_FOR).build(),
            companies: Cache::builder().max_capacity(10_000).time_to_live(LOOKS_KEPT_FOR).build(),
            looks: Cache::builder().max_capacity(10_000).time_to_live(LOOKS_KEPT_FOR).build(),
        }
    }

    /// Who asks, by bearer token or cookie.
    pub(crate) async fn visitor(&self, request: &HttpRequest) -> Result<Visitor, Refusal> {
        if let Some(header) = request.headers().get(AUTHORIZATION) {
            let bearer = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
            let token = bearer.and_then(|text| Token::read(text.trim()));
            return self.admit(token.ok_or(Refusal::NotSignedIn)?).await;
        }
        let cookie = cookies::read(request, cookies::TOKEN);
        let token = cookie.and_then(|text| Token::read(&text)).ok_or(Refusal::NotSignedIn)?;
        // A browser sends cookies along for any page; only ours and our friends' may change things.
        let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
        if changes && !matches!(self.origins.of(request), CameFrom::Ourselves | CameFrom::Friend(_))
        {
            return Err(Refusal::ForeignOrigin);
        }
        let visitor = self.admit(token).await?;
        let Some(fresh) = self.tokens.renew(&visitor.token).await else { return Ok(visitor) };
        let cookie = cookies::token(request, &fresh);
        request.extensions_mut().insert(Renewed(cookie));
        Ok(Visitor { token: fresh, ..visitor })
    }

    /// The administrator whose token this is.
    pub(crate) async fn admit(&self, token: Token) -> Result<Visitor, Refusal> {
        let identity = self.tokens.whose(&token).await?.ok_or(Refusal::NotSignedIn)?;
        if !identity.is_admin {
            return Err(Refusal::NotAdmin);
        }
        Ok(Visitor { identity, token })
    }

    /// The token that an address brings: behind a one-time code or, where that is allowed, itself.
    pub(crate) async fn token_of_address(&self, request: &HttpRequest) -> Option<Token> {
        let asked = url::form_urlencoded::parse(request.query_string().as_bytes());
        let mut in_url = None;
        for (name, value) in asked {
            match &*name {
                "code" => match self.codes.redeem(&value).await {
                    Ok(token) => return token,
                    Err(error) => tracing::warn!(%error, "could not look up a one-time code"),
                },
                "token" if self.allow_token_in_url => in_url = Token::read(&value),
                _ => {}
            }
        }
        in_url
    }

    /// Our id of the visitor's client, made when its first person comes.
    pub(crate) async fn client(&self, visitor: &Visitor) -> Result<ClientId, Refusal> {
        let tenant = &visitor.identity.tenant;
        let ensured = self.clients.try_get_with_by_ref(tenant, self.ensure_client(visitor)).await;
        ensured.map_err(|refusal| *refusal)
    }

    async fn ensure_client(&self, visitor: &Visitor) -> Result<ClientId, Refusal> {
        let tenant = visitor.identity.tenant.clone();
        let name = self.company(visitor).await.name.unwrap_or_else(|| format!("Client {tenant}"));
        let request = EnsureClientRequest { external_id: tenant.clone(), name };
        match self.orchestrator.clone().ensure_client(request).await {
            Ok(client) => client.into_inner().id.parse().map_err(|error| {
                tracing::error!(%error, "the orchestrator named a client by no id");
                Refusal::OrchestratorUnavailable
            }),
            Err(status) => {
                tracing::warn!(
                    reason = status.message(),
                    "could not ask the orchestrator for a client"
                );
                let known = self.stored.find(&tenant).await.ok().flatten();
                known.map(|client| client.id).ok_or(Refusal::OrchestratorUnavailable)
            }
        }
    }

    /// Name and logo of the visitor's client, as far as they can be had.
    pub(crate) async fn company(&self, visitor: &Visitor) -> Company {
        let Visitor { identity, token } = visitor;
        let asked = self.backend.company(token.as_str(), identity);
        self.companies.try_get_with_by_ref(&identity.tenant, asked).await.unwrap_or_default()
    }

    /// Theme and colours of the visitor, as far as they can be had.
    pub(crate) async fn looks(&self, visitor: &Visitor) -> Looks {
        let Visitor { identity, token } = visitor;
        let person = (identity.tenant.clone(), identity.user.clone());
        let asked = self.backend.looks(token.as_str(), identity);
        self.looks.try_get_with(person, asked).await.unwrap_or_default()
    }

    /// Asks for the looks of a client anew when they are next needed.
    pub(crate) async fn forget_looks(&self, tenant: &str) {
        let of_tenant = self.looks.iter().filter(|(person, _)| person.0 == tenant);
        let people: Vec<_> = of_tenant.map(|(person, _)| person).collect();
        for person in people {
            self.looks.invalidate(person.as_ref()).await;
        }
    }

    pub(crate) fn origins(&self) -> &Origins {
        &self.origins
    }
}

impl From<Unavailable> for Refusal {
    fn from(unavailable: Unavailable) -> Refusal {
        Refusal::BackendUnavailable { retry_after: unavailable.retry_after }
    }
}
