//! What we tell about ourselves: log lines, pretty for people and JSON for machines, with every
//! credential that slips in painted over.

mod scrub;

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

pub use self::scrub::scrub;

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `LOG_LEVEL` is not understood.
    #[error("cannot read the log level {level:?}")]
    Level {
        /// What it says.
        level: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody started logging before.
    #[error("logging was started twice")]
    Twice(#[from] TryInitError),
}

/// Starts logging to standard error and lets panics be logged like everything else.
///
/// `level` is a level or a list of directives (`info,platform=debug`).
pub fn init(level: &str, json: bool) -> Result<(), Error> {
    use tracing_subscriber::util::SubscriberInitExt;

    let filter = EnvFilter::try_new(level)
        .map_err(|source| Error::Level { level: level.to_owned(), source })?;
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Scrubbing(io::stderr()));
    if json {
        lines.json().flatten_event(true).with_current_span(true).finish().try_init()?;
    } else {
        let colours = io::IsTerminal::is_terminal(&io::stderr());
        lines.with_ansi(colours).compact().finish().try_init()?;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let reason = panic.payload_as_str().unwrap_or("no reason given");
        tracing::error!(place, "panicked: {reason}");
    }));
    Ok(())
}

/// Writes whole lines, scrubbed.
struct Scrubbing<W>(W);

impl<W: Write> Write for Scrubbing<W> {
    /// The subscriber hands over one formatted event at a time, so no secret is cut in two.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(scrub(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_credential_reaches_the_paper() {
        let paper = Paper::default();
        let sheet = paper.clone();
        let lines = tracing_subscriber::fmt().with_writer(move || Scrubbing(sheet.clone()));
        tracing::subscriber::with_default(lines.json().finish(), || {
            let header = "Bearer canary0123456789";
            tracing::info!(header, url = "amqp://pulse:canary@rabbit", "sent {header}");
        });
        let written = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        assert!(written.contains("sent Bearer [redacted]"), "{written}");
        assert!(!written.contains("canary"), "{written}");
    }
}
