//! The way to a peer: the same calls, whether it lives in this process or across the network.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::Pass;
use crate::there::There;

/// A peer, here or there; cheap to clone. Give it to a generated client.
#[derive(Clone)]
pub struct Link(Peer);

#[derive(Clone)]
enum Peer {
    Here(BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>),
    There(There),
}

impl Link {
    /// To a generated server in this process.
    pub fn here<S>(server: S) -> Link
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        Link(Peer::Here(BoxCloneSyncService::new(server)))
    }

    /// To the peer that people call `name`, at `url`, for example `http://orchestrator:8000`.
    /// Connects when it is first used, and again whenever the connection breaks. `pass` is what we
    /// show and believe.
    ///
    /// # Errors
    /// `url` is not an address, or the certificates cannot be used.
    pub fn there(
        name: &'static str,
        url: &str,
        pass: &Pass,
    ) -> Result<Link, tonic::transport::Error> {
        Ok(Link(Peer::There(There::new(name, url, pass)?)))
    }
}

impl Service<Request<Body>> for Link {
    type Response = Response<Body>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Response<Body>, Self::Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Each call waits for its own turn.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &self.0 {
            Peer::Here(server) => {
                let answer = server.clone().oneshot(request);
                Box::pin(async move {
                    match answer.await {
                        Ok(response) => Ok(response),
                        Err(never) => match never {},
                    }
                })
            }
            Peer::There(there) => {
                let there = there.clone();
                Box::pin(async move { there.call(request).await.map_err(Into::into) })
            }
        }
    }
}
