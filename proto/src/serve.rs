//! A service behind a port, for peers in other processes.

use std::net::TcpListener;

use tonic::service::{InterceptorLayer, Routes};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::Pass;
use crate::there::{ALIVE_EVERY, ALIVE_WITHIN};

/// Why a port cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificates cannot be used, or serving broke down.
    #[error("cannot serve our peers")]
    Transport(#[from] tonic::transport::Error),
    /// The listener cannot be used.
    #[error("cannot listen for our peers")]
    Listener(#[from] std::io::Error),
}

/// Serves `routes` on `listener` to whoever shows the `pass`, until `end`; then lets calls that are
/// under way come to their end. The health of the service is told as `grpc.health.v1` wants it.
///
/// # Errors
/// The listener or the certificates cannot be used.
pub async fn serve(
    listener: TcpListener,
    routes: Routes,
    pass: &Pass,
    end: impl Future<Output = ()>,
) -> Result<(), Error> {
    listener.set_nonblocking(true)?;
    let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener)?);
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(ALIVE_EVERY))
        .http2_keepalive_timeout(Some(ALIVE_WITHIN));
    if let Some(tls) = pass.server_tls() {
        server = server.tls_config(tls)?;
    }
    let guard = pass.clone();
    let let_in = InterceptorLayer::new(move |caller| guard.check(&caller).map(|()| caller));
    // Whoever gets an answer at all knows that we are well.
    let (_, health) = tonic_health::server::health_reporter();
    server
        .layer(let_in)
        .add_routes(routes.add_service(health))
        .serve_with_incoming_shutdown(incoming.with_nodelay(Some(true)), end)
        .await?;
    Ok(())
}
