//! One socket: first what was missed, then what happens.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, Session};
use chrono::Utc;
use domain::Moment;
use domain::ids::ClientId;
use platform::cache::Cache;
use platform::shutdown::Shutdown;
use serde::Deserialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, interval, sleep_until, timeout};

use super::feed::{Feeds, News, message, numbered};
use super::ticket;
use crate::auth::{Door, Refusal};
use crate::error::ApiError;

const PING_EVERY: Duration = Duration::from_secs(20);
/// Three pings without a word: nobody is there.
const SILENT_FOR: Duration = Duration::from_secs(65);
/// A reader that takes nothing for so long is dropped: it can come back and ask for the rest.
const TAKES_WITHIN: Duration = Duration::from_secs(10);
/// A socket ends so long before its token, to come back while the token can still be exchanged.
const BACK_BEFORE_END: Duration = Duration::from_secs(60);
/// A socket ends after so long, to come back with a ticket for which the token is looked at again: it may
/// have been signed out elsewhere.
const OPEN_AT_MOST: Duration = Duration::from_secs(5 * 60);
const LARGEST_FRAME_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
pub(crate) struct Asked {
    ticket: String,
    since: Option<i64>,
}

/// Why a socket ends.
enum End {
    /// The other side left, or does not take what it is told.
    Gone,
    /// The token ends soon, or is to be looked at again, or we end: come back with another ticket.
    ComeBack,
    /// We cannot go on.
    Broken,
}

/// Opens the socket that a ticket stands for.
pub(crate) async fn connect(
    request: HttpRequest,
    body: Payload,
    door: Data<Door>,
    cache: Data<Cache>,
    feeds: Data<Feeds>,
    closing: Data<Shutdown>,
    asked: Query<Asked>,
) -> Result<HttpResponse, ApiError> {
    if door.origins().is_strange(&request) {
        return Err(Refusal::ForeignOrigin.into());
    }
    let holder = ticket::redeem(&cache, &asked.ticket).await.map_err(|error| {
        tracing::warn!(%error, "could not look up a ticket");
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "live_unavailable",
            "Live updates are not available.",
        )
    })?;
    let holder = holder.ok_or(Refusal::NotSignedIn)?;
    let client = holder.client();
    // Listening starts before reading, so that nothing falls in between.
    let news = feeds.listen(client).await?;
    let newest = feeds.newest(client).await?;
    let since = asked.since.unwrap_or(newest).min(newest);
    let (answer, session, messages) = actix_ws::handle(&request, body).map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", error.to_string())
    })?;
    let line = Line {
        session,
        client,
        feeds: feeds.get_ref().clone(),
        closing: closing.get_ref().clone(),
        told: since,
    };
    let ends_at = end_of(holder.token_ends_at, Utc::now());
    actix_web::rt::spawn(line.serve(news, messages.max_frame_size(LARGEST_FRAME_BYTES), ends_at));
    Ok(answer)
}

fn end_of(token_ends_at: Moment, now: Moment) -> Instant {
    let left = (token_ends_at - now).to_std().unwrap_or(Duration::ZERO);
    let is_worth_it = left > BACK_BEFORE_END + BACK_BEFORE_END / 2;
    let left = if is_worth_it { left - BACK_BEFORE_END } else { left };
    Instant::now() + left.min(OPEN_AT_MOST)
}

struct Line {
    session: Session,
    client: ClientId,
    feeds: Feeds,
    closing: Shutdown,
    /// The last event that was sent.
    told: i64,
}

impl Line {
    async fn serve(
        mut self,
        news: broadcast::Receiver<News>,
        messages: MessageStream,
        ends_at: Instant,
    ) {
        metrics::gauge!("websockets_open").increment(1.0);
        let end = self.talk(news, messages, ends_at).await;
        metrics::gauge!("websockets_open").decrement(1.0);
        let code = match end {
            End::Gone => CloseCode::Normal,
            End::ComeBack => CloseCode::Restart,
            End::Broken => CloseCode::Error,
        };
        // Whoever is gone does not hear this, and need not.
        let _unheard =
            timeout(TAKES_WITHIN, self.session.close(Some(CloseReason::from(code)))).await;
    }

    async fn talk(
        &mut self,
        mut news: broadcast::Receiver<News>,
        mut messages: MessageStream,
        ends_at: Instant,
    ) -> End {
        let health = self.feeds.health_of(self.client).await;
        if let Err(end) = self.tell_health(&health).await {
            return end;
        }
        if let Err(end) = self.catch_up().await {
            return end;
        }
        let mut ping = interval(PING_EVERY);
        let mut heard_at = Instant::now();
        loop {
            let step = tokio::select! {
                heard = messages.recv() => {
                    heard_at = Instant::now();
                    self.hear(heard).await
                }
                happened = news.recv() => self.pass_on(happened).await,
                _ = ping.tick() => self.ping(heard_at).await,
                () = sleep_until(ends_at) => Err(End::ComeBack),
                () = self.closing.begun() => Err(End::ComeBack),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn hear(
        &mut self,
        heard: Option<Result<Message, actix_ws::ProtocolError>>,
    ) -> Result<(), End> {
        match heard {
            Some(Ok(Message::Ping(bytes))) => {
                let answered = timeout(TAKES_WITHIN, self.session.pong(&bytes)).await;
                taken(answered)
            }
            // There is nothing to say to us; pongs and chatter only show that somebody is there.
            Some(Ok(Message::Pong(_) | Message::Text(_) | Message::Nop)) => Ok(()),
            _ => Err(End::Gone),
        }
    }

    async fn pass_on(&mut self, happened: Result<News, RecvError>) -> Result<(), End> {
        match happened {
            Ok(News::Event { seq, .. }) if seq <= self.told => Ok(()),
            Ok(News::Event { seq, text }) => {
                self.send(text.as_ref()).await?;
                self.told = seq;
                Ok(())
            }
            Ok(News::Health(fields)) => self.tell_health(&fields).await,
            Err(RecvError::Lagged(_)) => self.catch_up().await,
            Err(RecvError::Closed) => Err(End::Broken),
        }
    }

    /// Reads from the store what was not told yet.
    async fn catch_up(&mut self) -> Result<(), End> {
        loop {
            let events = self.feeds.since(self.client, self.told).await.map_err(|error| {
                tracing::warn!(%error, "could not read the events of a client");
                End::Broken
            })?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                let text = message(&event).map_err(|_| End::Broken)?;
                self.send(&text).await?;
                self.told = event.seq;
            }
        }
    }

    /// Health is no event: it carries the number of the last one.
    async fn tell_health(&mut self, fields: &str) -> Result<(), End> {
        let text = numbered(fields, self.told).map_err(|_| End::Broken)?;
        self.send(&text).await
    }

    async fn ping(&mut self, heard_at: Instant) -> Result<(), End> {
        if heard_at.elapsed() > SILENT_FOR {
            return Err(End::Gone);
        }
        let pinged = timeout(TAKES_WITHIN, self.session.ping(b"")).await;
        taken(pinged)
    }

    async fn send(&mut self, text: &str) -> Result<(), End> {
        let sent = timeout(TAKES_WITHIN, self.session.text(text)).await;
        taken(sent)
    }
}

fn taken(
    sent: Result<Result<(), actix_ws::Closed>, tokio::time::error::Elapsed>,
) -> Result<(), End> {
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_closed)) => Err(End::Gone),
        Err(_elapsed) => Err(End::Gone),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_socket_is_open_for_five_minutes_at_most_and_ends_before_its_token() {
        // Seconds that the token is good for, and the socket is open.
        let cases =
            [(3_600, 300), (361, 300), (360, 300), (200, 140), (91, 31), (90, 90), (5, 5), (-5, 0)];
        let now = Utc::now();
        for (left, open) in cases {
            let ends_at = end_of(now + TimeDelta::seconds(left), now);
            assert_eq!(ends_at - Instant::now(), Duration::from_secs(open), "{left} s");
        }
    }
}
