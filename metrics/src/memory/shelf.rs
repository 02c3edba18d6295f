//! Facts of clients, held for as long as there is room: those that nobody asked for longest go first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ids::ClientId;
use tokio::sync::OnceCell;

/// How long a question waits for the newest facts while older ones are at hand.
const PATIENCE: Duration = Duration::from_millis(50);
/// So much is loaded sooner than anybody would notice, so then the newest are waited for.
const SMALL_BYTES: usize = 4 * MIB;
const MIB: usize = 1024 * 1024;

/// What can be held.
pub trait Held: Send + Sync + 'static {
    /// Which publication it is of.
    fn publication(&self) -> i64;

    /// What it takes of memory.
    fn bytes(&self) -> usize;
}

/// Facts of one kind.
#[derive(Debug)]
pub struct Shelf<F> {
    room: usize,
    books: Arc<Mutex<Books<F>>>,
}

impl<F> Clone for Shelf<F> {
    fn clone(&self) -> Shelf<F> {
        Shelf { room: self.room, books: self.books.clone() }
    }
}

/// Nothing where the facts do not fit.
type Loaded<F> = Option<Arc<F>>;

#[derive(Debug)]
struct Books<F> {
    by_client: HashMap<ClientId, Book<F>>,
    /// Grows with each question.
    questions: u64,
}

#[derive(Debug)]
struct Book<F> {
    /// Of which publication `newest` is at least.
    publication: i64,
    /// Filled once, for everybody who waits for it.
    newest: Arc<OnceCell<Loaded<F>>>,
    before: Loaded<F>,
    asked: u64,
}

/// What is at hand for a question.
#[derive(Debug)]
pub enum AtHand<F> {
    /// The newest facts.
    Newest(Arc<F>),
    /// Those of an earlier publication, since the newest take a while.
    Before(Arc<F>),
    /// There is no room for them.
    TooLarge,
}

impl<F: Held> Shelf<F> {
    /// With room for so many bytes; without any, nothing is ever loaded.
    pub fn new(room: usize) -> Shelf<F> {
        let books = Books { by_client: HashMap::new(), questions: 0 };
        Shelf { room, books: Arc::new(Mutex::new(books)) }
    }

    /// The room there is.
    pub fn room(&self) -> usize {
        self.room
    }

    /// The facts of a client, of this publication or a later one. `load` is called once, however many ask.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn facts<E, L>(
        &self,
        client: ClientId,
        publication: i64,
        load: impl FnOnce() -> L + Send + 'static,
    ) -> Result<AtHand<F>, E>
    where
        E: Send + 'static,
        L: Future<Output = Result<Option<F>, E>> + Send + 'static,
    {
        if self.room == 0 {
            return Ok(AtHand::TooLarge);
        }
        let (newest, before) = self.look_up(client, publication);
        if let Some(loaded) = newest.get() {
            return Ok(loaded.clone().map_or(AtHand::TooLarge, AtHand::Newest));
        }
        // Who asked may go; what was begun for all goes on.
        let shelf = self.clone();
        let loading = tokio::spawn(async move {
            let loaded =
                newest.get_or_try_init(async || Ok::<_, E>(load().await?.map(Arc::new))).await;
            let loaded = loaded?.clone();
            shelf.make_room(client);
            Ok(loaded)
        });
        let loaded = match before.filter(|before| before.bytes() > SMALL_BYTES) {
            None => loading.await,
            Some(before) => match tokio::time::timeout(PATIENCE, loading).await {
                Ok(loaded) => loaded,
                Err(_) => return Ok(AtHand::Before(before)),
            },
        };
        let loaded = loaded.unwrap_or_else(|broken| std::panic::resume_unwind(broken.into_panic()));
        Ok(loaded?.map_or(AtHand::TooLarge, AtHand::Newest))
    }

    fn look_up(&self, client: ClientId, publication: i64) -> (Arc<OnceCell<Loaded<F>>>, Loaded<F>) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.questions += 1;
        let asked = books.questions;
        let book = books.by_client.entry(client).or_insert_with(|| Book {
            publication,
            newest: Arc::default(),
            before: None,
            asked,
        });
        book.asked = asked;
        let loaded = book.newest.get().cloned();
        let known = match &loaded {
            Some(Some(facts)) => facts.publication().max(book.publication),
            _ => book.publication,
        };
        if known < publication {
            book.before = loaded.flatten().or(book.before.take());
            book.newest = Arc::default();
            book.publication = publication;
        } else if loaded.is_some() {
            book.before = None;
        }
        (book.newest.clone(), book.before.clone())
    }

    /// Lets go of what nobody asked for longest, until the rest fits; but never of `client`.
    fn make_room(&self, client: ClientId) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let held = books.by_client.values().map(Book::bytes).sum::<usize>();
            if held <= self.room {
                return;
            }
            let others = books
                .by_client
                .iter()
                .filter(|(other, book)| **other != client && book.bytes() > 0);
            let Some(oldest) = others.min_by_key(|(_, book)| book.asked).map(|(other, _)| *other)
            else {
                return;
            };
            books.by_client.remove(&oldest);
        }
    }
}

impl<F: Held> Book<F> {
    fn bytes(&self) -> usize {
        self.newest.get().and_then(Option::as_ref).map_or(0, |facts| facts.bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;
    use uuid::Uuid;

    use super::*;

    #[derive(Debug)]
    struct Facts(i64, usize);

    impl Held for Facts {
        fn publication(&self) -> i64 {
            self.0
        }

        fn bytes(&self) -> usize {
            self.1
        }
    }

    fn client(number: u128) -> ClientId {
        ClientId(Uuid::from_u128(number))
    }

    async fn ask(
        shelf: &Shelf<Facts>,
        of: u128,
        publication: i64,
        loads: &Arc<AtomicUsize>,
    ) -> String {
        let loads = loads.clone();
        let load = move || async move {
            loads.fetch_add(1, Ordering::Relaxed);
            Ok::<_, ()>((publication < 90).then_some(Facts(publication, 40 * MIB)))
        };
        match shelf.facts(client(of), publication, load).await.unwrap() {
            AtHand::Newest(facts) => format!("newest {}", facts.0),
            AtHand::Before(facts) => format!("before {}", facts.0),
            AtHand::TooLarge => "too large".to_owned(),
        }
    }

    #[tokio::test]
    async fn facts_are_loaded_once_for_each_publication_and_while_there_is_room() {
        let (shelf, loads) = (Shelf::new(100 * MIB), Arc::new(AtomicUsize::new(0)));
        let cases = [
            (1, 1, "newest 1", 1),
            (1, 1, "newest 1", 1),
            (1, 2, "newest 2", 2),
            // Somebody asks who saw an earlier publication.
            (1, 1, "newest 2", 2),
            (2, 1, "newest 1", 3),
            (1, 2, "newest 2", 3),
            // The second client was not asked for as long as the first.
            (3, 1, "newest 1", 4),
            (1, 2, "newest 2", 4),
            (2, 1, "newest 1", 5),
            (4, 90, "too large", 6),
            (4, 90, "too large", 6),
        ];
        for (n, (of, publication, expected, loaded)) in cases.into_iter().enumerate() {
            assert_eq!(ask(&shelf, of, publication, &loads).await, expected, "question {n}");
            assert_eq!(loads.load(Ordering::Relaxed), loaded, "question {n}");
        }
    }

    #[tokio::test]
    async fn who_waits_too_long_gets_the_facts_before() {
        let (shelf, loads) = (Shelf::new(100 * MIB), Arc::new(AtomicUsize::new(0)));
        assert_eq!(ask(&shelf, 1, 1, &loads).await, "newest 1");
        let go = Arc::new(Notify::new());
        let slow = |go: Arc<Notify>| {
            move || async move {
                go.notified().await;
                Ok::<_, ()>(Some(Facts(2, 40 * MIB)))
            }
        };
        let meanwhile = shelf.facts(client(1), 2, slow(go.clone())).await.unwrap();
        assert!(matches!(meanwhile, AtHand::Before(facts) if facts.0 == 1));
        assert_eq!(ask(&shelf, 1, 2, &loads).await, "before 1");
        go.notify_one();
        while ask(&shelf, 1, 2, &loads).await != "newest 2" {
            tokio::task::yield_now().await;
        }
        assert_eq!(loads.load(Ordering::Relaxed), 1, "what was begun is not begun again");
    }

    #[tokio::test]
    async fn what_could_not_be_loaded_is_tried_again() {
        let (shelf, loads) = (Shelf::new(100 * MIB), Arc::new(AtomicUsize::new(0)));
        let failed = shelf.facts(client(1), 1, || async { Err::<Option<Facts>, _>("down") }).await;
        assert_eq!(failed.map(|_| ()), Err("down"));
        assert_eq!(ask(&shelf, 1, 1, &loads).await, "newest 1");
    }
}
