//! What we tell about ourselves: log lines, pretty for people and JSON for machines, with every
//! credential that slips in painted over.

mod scrub;

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
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
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Scrubbing);
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

/// Writes whole lines to standard error, scrubbed.
struct Scrubbing;

impl<'a> MakeWriter<'a> for Scrubbing {
    type Writer = Scrubbing;

    fn make_writer(&'a self) -> Scrubbing {
        Scrubbing
    }
}

impl Write for Scrubbing {
    /// The subscriber hands over one formatted event at a time, so no secret is cut in two.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        io::stderr().write_all(scrub(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
