//! The way to a peer: the same calls, whether it lives in this process or across the network.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

/// A peer, here or there; cheap to clone. Give it to a generated client.
#[derive(Clone)]
pub struct Link(Peer);

#[derive(Clone)]
enum Peer {
    Here(BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>),
    There(Channel),
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

    /// To a peer at `url`, for example `http://orchestrator:9000`. Connects when it is first used,
    /// and again whenever the connection breaks.
    ///
    /// # Errors
    /// `url` is not an address.
    pub fn there(url: &str) -> Result<Link, tonic::transport::Error> {
        let channel = Endpoint::from_shared(url.to_owned())?
            .connect_timeout(Duration::from_secs(5))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .keep_alive_while_idle(true)
            .connect_lazy();
        Ok(Link(Peer::There(channel)))
    }
}

impl Service<Request<Body>> for Link {
    type Response = Response<Body>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Response<Body>, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match &mut self.0 {
            Peer::Here(_) => Poll::Ready(Ok(())),
            Peer::There(channel) => channel.poll_ready(cx).map_err(Into::into),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &mut self.0 {
            Peer::Here(server) => {
                let answer = server.clone().oneshot(request);
                Box::pin(async move {
                    match answer.await {
                        Ok(response) => Ok(response),
                        Err(never) => match never {},
                    }
                })
            }
            Peer::There(channel) => {
                let answer = channel.call(request);
                Box::pin(async move { answer.await.map_err(Into::into) })
            }
        }
    }
}
