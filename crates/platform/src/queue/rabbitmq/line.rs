//! A connection to the broker that is opened when it is needed, and opened again when it broke.

use std::fmt;
use std::sync::Arc;

use lapin::options::ConfirmSelectOptions;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::sync::Mutex;

use super::topology::Topology;
use super::{Error, answered};

pub(super) struct Line {
    uri: AMQPUri,
    purpose: &'static str,
    topology: Arc<Topology>,
    open: Mutex<Option<Open>>,
}

/// A connection, with a channel for everything that needs none of its own.
struct Open {
    connection: Connection,
    channel: Channel,
}

impl Line {
    pub(super) fn new(uri: AMQPUri, purpose: &'static str, topology: Arc<Topology>) -> Line {
        Line { uri, purpose, topology, open: Mutex::default() }
    }

    /// The shared channel, with publisher confirms on.
    pub(super) async fn channel(&self) -> Result<Channel, Error> {
        let mut open = self.open.lock().await;
        if let Some(open) = open.as_ref().filter(|open| open.channel.status().connected()) {
            return Ok(open.channel.clone());
        }
        let connection = match open.take() {
            Some(open) if open.connection.status().connected() => open.connection,
            _ => self.connect().await?,
        };
        let channel = answered(async {
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            self.topology.declare(&channel).await?;
            Ok(channel)
        })
        .await?;
        *open = Some(Open { connection, channel: channel.clone() });
        Ok(channel)
    }

    /// A channel for one user alone.
    pub(super) async fn own_channel(&self) -> Result<Channel, Error> {
        self.channel().await?;
        let open = self.open.lock().await;
        let Some(open) = open.as_ref() else { return Err(Error::Unavailable(None)) };
        answered(open.connection.create_channel()).await
    }

    /// Asks the broker for a sign of life.
    pub(super) async fn probe(&self) -> Result<(), Error> {
        let channel = self.own_channel().await?;
        answered(channel.close(200, "probe".into())).await
    }

    /// Forgets a connection that does not answer; the next caller opens another.
    pub(super) async fn drop_connection(&self) {
        self.open.lock().await.take();
    }

    pub(super) async fn hang_up(&self) {
        let Some(open) = self.open.lock().await.take() else { return };
        let closing = answered(open.connection.close(200, "bye".into())).await;
        if let Err(error) = closing {
            tracing::debug!(%error, "the {} did not hang up cleanly", self.purpose);
        }
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let name = format!("{} {}", self.topology.name(), self.purpose);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        answered(Connection::connect_uri(self.uri.clone(), properties)).await
    }
}

/// Without the address: it holds the password.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}
