//! Ports to listen on.

use std::io::ErrorKind;
use std::net::TcpListener;

/// Listens on `host` and `port`, which the variable `named` chose; port 0 picks a free one.
///
/// # Errors
/// The port is in use, or the host is not ours.
pub fn listen(host: &str, port: u16, named: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host, port)).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {port} is in use: stop who uses it, or choose another with {named}={}",
            port.wrapping_add(1)
        ),
        _ => anyhow::anyhow!("cannot listen on {host}:{port} ({error}): change HOST or {named}"),
    })
}
