//! One reader of events per client, however many sockets listen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ids::ClientId;
use platform::cache::{Cache, Listener, Ring};
use platform::health::{Check, Status};
use program::Health;
use store::jobs::Event;
use store::{Integrations, Jobs};
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::integrations::standing;

/// The bell that is rung, with the client's id, when there are new events.
const BELL: &str = "events";
/// The bell may be silent, the events are not: without a ring they are looked for this often.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
const LOOK_AT_HEALTH_EVERY: Duration = Duration::from_secs(5);
/// How far a socket may fall behind before it has to read from the store.
const KEPT_FOR_SLOW_READERS: usize = 256;
pub(super) const EVENTS_AT_ONCE: u32 = 500;

/// What a socket passes on.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// An event, as it is sent.
    Event { seq: i64, text: Arc<str> },
    /// How the parts do: fields of a message that is no event.
    Health(Arc<str>),
}

/// The feeds of all clients that somebody listens to.
#[derive(Clone)]
pub(crate) struct Feeds {
    jobs: Jobs,
    integrations: Integrations,
    cache: Cache,
    health: Health,
    open: Arc<Mutex<HashMap<ClientId, broadcast::Sender<News>>>>,
}

impl Feeds {
    pub(crate) fn new(
        jobs: Jobs,
        integrations: Integrations,
        cache: Cache,
        health: Health,
    ) -> Feeds {
        Feeds { jobs, integrations, cache, health, open: Arc::default() }
    }

    /// Listens to a client's news from now on: whoever reads afterwards what there was until now has
    /// missed nothing.
    pub(super) async fn listen(
        &self,
        client: ClientId,
    ) -> Result<broadcast::Receiver<News>, store::Error> {
        // A feed begins where the events stand before anybody can hear it. Were that found out later,
        // an event in between would be neither news nor read.
        let told = self.newest(client).await?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = open.get(&client) {
            return Ok(feed.subscribe());
        }
        let (feed, receiver) = broadcast::channel(KEPT_FOR_SLOW_READERS);
        open.insert(client, feed.clone());
        let bell = self.cache.listen(BELL);
        tokio::spawn(self.clone().tell(client, feed, bell, told));
        Ok(receiver)
    }

    /// The events after `since`, oldest first.
    pub(super) async fn since(
        &self,
        client: ClientId,
        since: i64,
    ) -> Result<Vec<Event>, store::Error> {
        self.jobs.events(client, since, EVENTS_AT_ONCE).await
    }

    pub(super) async fn newest(&self, client: ClientId) -> Result<i64, store::Error> {
        self.jobs.newest_event(client).await
    }

    async fn tell(
        self,
        client: ClientId,
        feed: broadcast::Sender<News>,
        mut bell: Listener,
        mut told: i64,
    ) {
        let mut health = Told::new();
        let mut look_again = interval(LOOK_AGAIN_AFTER);
        look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.is_heard(client, &feed) {
            if let Err(error) = self.tell_events(client, &feed, &mut told).await {
                tracing::warn!(%error, "could not read the events of a client");
            }
            if health.is_due() {
                let now = self.health_of(client).await;
                if health.is_news(&now) {
                    // Nobody may be listening any more, and that is fine.
                    let _listeners = feed.send(News::Health(now));
                }
            }
            tokio::select! {
                () = rung(&mut bell, client) => {}
                _ = look_again.tick() => {}
            }
        }
    }

    /// Whether anybody listens; when not, the feed is closed before anybody new can come.
    fn is_heard(&self, client: ClientId, feed: &broadcast::Sender<News>) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_heard = feed.receiver_count() > 0;
        if !is_heard {
            open.remove(&client);
        }
        is_heard
    }

    async fn tell_events(
        &self,
        client: ClientId,
        feed: &broadcast::Sender<News>,
        told: &mut i64,
    ) -> Result<(), store::Error> {
        loop {
            let events = self.since(client, *told).await?;
            let Some(last) = events.last() else { return Ok(()) };
            *told = last.seq;
            for event in &events {
                match message(event) {
                    Ok(text) => {
                        let _listeners =
                            feed.send(News::Event { seq: event.seq, text: text.into() });
                    }
                    Err(error) => {
                        tracing::error!(%error, seq = event.seq, "an event is no JSON object");
                    }
                }
            }
        }
    }

    /// The parts as one client sees them.
    pub(super) async fn health_of(&self, client: ClientId) -> Arc<str> {
        let checks = self.health.checks().await;
        let status = |name: &str| {
            let check = checks.iter().find(|check: &&Check| check.name == name);
            check.map_or(Status::Down, |check| check.status)
        };
        let fields = serde_json::json!({
            "type": "system_health",
            "database": status("database"),
            "queue": status("queue"),
            "cache": status("cache"),
            "integrations": self.worst_integration(client).await,
        });
        fields.to_string().into()
    }

    async fn worst_integration(&self, client: ClientId) -> Status {
        let Ok(integrations) = standing::of_client(&self.integrations, &self.jobs, client).await
        else {
            return Status::Down;
        };
        let active = integrations.iter().filter(|integration| integration.active);
        let graded = active.map(|integration| match integration.health.as_str() {
            "down" => Status::Down,
            "warning" => Status::Warning,
            _ => Status::Healthy,
        });
        graded.max().unwrap_or(Status::Healthy)
    }
}

/// Returns when the bell rings for this client, or may have.
async fn rung(bell: &mut Listener, client: ClientId) {
    let client = client.to_string();
    loop {
        match bell.next().await {
            Some(Ring::Said(text)) if text == client => return,
            Some(Ring::Said(_)) => {}
            Some(Ring::Missed) => return,
            None => std::future::pending().await,
        }
    }
}

/// The health that was told last, and when it was looked at.
struct Told {
    text: Option<Arc<str>>,
    looked_at: Instant,
}

impl Told {
    fn new() -> Told {
        Told { text: None, looked_at: Instant::now() }
    }

    fn is_due(&mut self) -> bool {
        let is_due = self.looked_at.elapsed() >= LOOK_AT_HEALTH_EVERY;
        if is_due {
            self.looked_at = Instant::now();
        }
        is_due
    }

    fn is_news(&mut self, text: &Arc<str>) -> bool {
        let is_news = self.text.as_ref() != Some(text);
        self.text = Some(Arc::clone(text));
        is_news
    }
}

/// An event as it is sent: its body, and its number.
pub(super) fn message(event: &Event) -> Result<String, serde_json::Error> {
    numbered(&event.body, event.seq)
}

/// A JSON object with `seq` in it.
pub(super) fn numbered(body: &str, seq: i64) -> Result<String, serde_json::Error> {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body)?;
    fields.insert("seq".to_owned(), seq.into());
    serde_json::to_string(&fields)
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use domain::ids::RunId;
    use platform::queue::Queue;
    use store::{Db, Work};
    use uuid::Uuid;

    use super::*;

    /// A feed, whose task has not had a turn yet when somebody listens already.
    #[tokio::test]
    async fn what_happens_right_after_the_first_listener_came_is_news() {
        for _ in 0..20 {
            let db = Db::open("sqlite::memory:", 1).await.unwrap();
            let work = Work::new(db.clone(), |_| Vec::new());
            let id = ClientId(Uuid::now_v7());
            let client = work.ensure_client(id, "1", "Acme", Utc::now()).await.unwrap().id;
            let tell = async || {
                let run = RunId(Uuid::now_v7());
                work.tell_progress(client, run, "{}".to_owned(), Utc::now()).await.unwrap();
            };
            tell().await;
            let cache = Cache::memory();
            let health = Health::of(db.clone(), Queue::memory(&[]), cache.clone());
            let feeds = Feeds::new(Jobs::new(db.clone()), Integrations::new(db), cache, health);

            let read = feeds.newest(client).await.unwrap();
            let mut news = feeds.listen(client).await.unwrap();
            tell().await;
            let heard = async {
                loop {
                    if let News::Event { seq, .. } = news.recv().await.unwrap() {
                        return seq;
                    }
                }
            };
            let heard = tokio::time::timeout(Duration::from_secs(10), heard).await;
            assert!(heard.expect("it is told") > read, "and is not what was read");
        }
    }
}
