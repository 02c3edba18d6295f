//! Every variable, for people: what `--help` prints.

use std::fmt::Write as _;

/// The column where explanations begin.
const COLUMN: usize = 25;

/// A variable, or several that belong together.
struct Entry {
    names: &'static [&'static str],
    /// What it does; further lines go on below.
    text: &'static [&'static str],
    /// What holds when it is not set.
    default: &'static str,
}

const fn entry(
    names: &'static [&'static str],
    text: &'static [&'static str],
    default: &'static str,
) -> Entry {
    Entry { names, text, default }
}

#[rustfmt::skip]
const ENTRIES: &[Entry] = &[
    entry(&["BACKEND_SERVICE_URL"], &["who knows the users; required"], ""),
    entry(&["ENCRYPTION_KEY"], &["base64 of 32 bytes, seals credentials; required. Keep it!"], ""),
    entry(&["ENCRYPTION_KEYS_OLD"], &["retired keys that still open, separated by commas"], ""),
    entry(&["DATABASE_URL"], &["sqlite:PATH or postgres://..."], "sqlite:data/pulse.db"),
    entry(&["QUEUE_URL"], &["memory: or amqp://..."], "memory:"),
    entry(&["CACHE_URL"], &["memory: or redis://..."], "memory:"),
    entry(&["INSTALLATION"], &["our name in a broker and a cache that others use as well"], "pulse"),
    entry(&["HOST"], &["where we listen"], "127.0.0.1"),
    entry(&["PORT"], &["and on which port; 0 picks a free one"], "8000"),
    entry(&["HEALTH_PORT"], &["where /livez, /readyz and /metrics answer, on HOST"], "9000"),
    entry(&["ORCHESTRATOR_URL"], &["where the orchestrator listens, such as http://orchestrator:8000"], ""),
    entry(&["METRICS_URL"], &["where the metrics service listens, such as http://metrics:8000"], ""),
    entry(&["SECRET_KEY"], &["base64 of 32 bytes, signs tickets"], ""),
    entry(&["INTERNAL_TOKEN"], &["what our programs show each other, at least 16 characters"], ""),
    entry(&["INTERNAL_TLS_CERT", "INTERNAL_TLS_KEY", "INTERNAL_TLS_CA"], &[
        "PEM: the certificate and key that this program shows the others,",
        "and whose certificates it believes; all three, or none",
    ], ""),
    entry(&["SCHEDULER_TIMEZONE"], &["for clients that did not choose one"], "UTC"),
    entry(&["LOG_LEVEL"], &["a level, or info,platform=debug"], "info"),
    entry(&["LOG_FORMAT"], &["pretty or json"], "by terminal"),
    entry(&["DEBUG"], &["true or false"], "false"),
    entry(&["FRONTEND_ORIGINS"], &["who may embed us and receive our messages"], ""),
    entry(&["UPSTREAM_ALLOW"], &["networks that outgoing requests may reach although they are not public"], ""),
    entry(&["ALLOW_TOKEN_IN_URL"], &["accept ?token= from old front ends"], "false"),
    entry(&["OTEL_EXPORTER_OTLP_ENDPOINT"], &["where traces go"], ""),
    entry(&["WORKER_CONCURRENCY"], &["tasks done at once"], "8"),
    entry(&["QUEUE_PREFETCH"], &["messages held at once, those of tasks being done among them"], "as WORKER_CONCURRENCY"),
];

/// The variables that a program uses, explained.
///
/// # Panics
/// There is no variable of a name: our own mistake.
pub fn manual(names: &[&str]) -> String {
    for name in names {
        let is_known = ENTRIES.iter().any(|entry| entry.names.contains(name));
        assert!(is_known, "there is no variable {name}");
    }
    written(|entry| entry.names.iter().any(|name| names.contains(name)))
}

/// All variables, explained.
pub fn whole_manual() -> String {
    written(|_| true)
}

fn written(is_wanted: impl Fn(&Entry) -> bool) -> String {
    let mut text =
        "Variables of the environment (each can also come from a file, as NAME_FILE):\n".to_owned();
    for entry in ENTRIES.iter().filter(|entry| is_wanted(entry)) {
        let mut head = format!("  {}", entry.names.join(", "));
        if head.len() + 2 > COLUMN {
            text.push('\n');
            text.push_str(&head);
            head.clear();
        }
        for line in entry.text {
            // Writing to a text cannot fail.
            let _ = write!(text, "\n{head:COLUMN$}{line}");
            head.clear();
        }
        if !entry.default.is_empty() {
            let _ = write!(text, "  [{}]", entry.default);
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_explains_what_it_uses_and_nothing_else() {
        let text = manual(&["QUEUE_URL", "INTERNAL_TLS_KEY", "PORT"]);
        let expected = "\
Variables of the environment (each can also come from a file, as NAME_FILE):

  QUEUE_URL              memory: or amqp://...  [memory:]
  PORT                   and on which port; 0 picks a free one  [8000]
  INTERNAL_TLS_CERT, INTERNAL_TLS_KEY, INTERNAL_TLS_CA
                         PEM: the certificate and key that this program shows the others,
                         and whose certificates it believes; all three, or none
";
        assert_eq!(text, expected);
    }

    #[test]
    fn no_variable_is_explained_twice() {
        let mut names: Vec<_> = ENTRIES.iter().flat_map(|entry| entry.names).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
