//! A line to a server that can be cut, silenced and mended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Carrying,
    Silent,
    Cut,
}

pub struct Proxy {
    pub port: u16,
    mood: Arc<watch::Sender<Mood>>,
    callers: Arc<AtomicUsize>,
}

impl Proxy {
    /// A line to `host:port`.
    pub async fn to(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mood = Arc::new(watch::Sender::new(Mood::Carrying));
        let callers = Arc::new(AtomicUsize::new(0));
        let (listening, counting) = (mood.clone(), callers.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                counting.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(connect(near, server.clone(), listening.subscribe()));
            }
        });
        Proxy { port, mood, callers }
    }

    /// How many connections were tried so far.
    pub fn callers(&self) -> usize {
        self.callers.load(Ordering::Relaxed)
    }

    /// Breaks all connections and lets no new one stand.
    pub fn cut(&self) {
        self.mood.send_replace(Mood::Cut);
    }

    /// Keeps all connections and carries nothing.
    pub fn silence(&self) {
        self.mood.send_replace(Mood::Silent);
    }

    pub fn mend(&self) {
        self.mood.send_replace(Mood::Carrying);
    }
}

async fn connect(near: TcpStream, server: String, mood: watch::Receiver<Mood>) {
    let mut until_cut = mood.clone();
    let carrying = async {
        let far = TcpStream::connect(server).await.unwrap();
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        tokio::join!(
            carry(near_read, far_write, mood.clone()),
            carry(far_read, near_write, mood.clone())
        );
    };
    tokio::select! {
        _ = until_cut.wait_for(|mood| *mood == Mood::Cut) => {}
        () = carrying => {}
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut mood: watch::Receiver<Mood>,
) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        if mood.wait_for(|mood| *mood != Mood::Silent).await.is_err() {
            return;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
