//! The last net under careless log lines: what looks like a credential is painted over.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

static NETS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{16,}", "$1 [redacted]"),
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", "[redacted]"),
        (r"\b(?:gh[pousr]_|github_pat_|ATATT)[A-Za-z0-9_=-]{16,}", "[redacted]"),
        (r"://[^/\s:@]*:[^/\s@]+@", "://[redacted]@"),
        (
            r#"(?i)([?&](?:token|ticket|code|key|secret|password|access_token|api_key)=)[^&\s"]+"#,
            "$1[redacted]",
        ),
        (r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", "[mail]"),
    ]
    .map(|(pattern, paint)| (Regex::new(pattern).expect("the pattern is valid"), paint))
    .into()
});

/// The text without tokens, passwords and mail addresses.
pub fn scrub(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    for (net, paint) in NETS.iter() {
        if let Cow::Owned(painted) = net.replace_all(&clean, *paint) {
            clean = Cow::Owned(painted);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_painted_over() {
        for (text, clean) in [
            ("Authorization: Bearer abcdefghijklmnop123", "Authorization: Bearer [redacted]"),
            ("authorization: basic dXNlcjpwYXNzd29yZA==", "authorization: basic [redacted]"),
            ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln back", "got [redacted] back"),
            ("ghp_0123456789abcdefABCDEF is no good", "[redacted] is no good"),
            ("amqp://pulse:hunter2@rabbit:5672", "amqp://[redacted]@rabbit:5672"),
            ("redis://:hunter2@redis", "redis://[redacted]@redis"),
            ("GET /ws?ticket=abc&since=4 101", "GET /ws?ticket=[redacted]&since=4 101"),
            ("assigned to jane.doe@example.com", "assigned to [mail]"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    #[test]
    fn ordinary_lines_are_left_alone() {
        for text in [
            "jira refused the token for acme.atlassian.net",
            "basic authentication is not offered",
            "kept a page of PAY for job 0193-77",
            "GET /api/v1/issues?limit=500&project=PAY 200",
        ] {
            assert!(matches!(scrub(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
