//! The one list of pages that may frame us, act for people, hear our messages and be returned to.

use actix_web::HttpRequest;
use actix_web::http::header::ORIGIN;
use platform::config::Origin;
use url::{Position, Url};

/// `FRONTEND_ORIGINS`.
#[derive(Debug, Clone)]
pub(crate) struct Origins(Vec<Origin>);

/// Where a request comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// A page of ours.
    Ourselves,
    /// A page on the list.
    Friend(String),
    /// No page, or a browser that does not tell.
    Untold,
    /// Any other page.
    Stranger,
}

impl Origins {
    pub(crate) fn new(list: Vec<Origin>) -> Origins {
        Origins(list)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Origin::as_str)
    }

    /// Where the front end lives, to find what it serves.
    pub(crate) fn first(&self) -> Option<&str> {
        self.iter().next()
    }

    pub(crate) fn of(&self, request: &HttpRequest) -> From {
        let Some(told) = request.headers().get(ORIGIN) else { return From::Untold };
        let Ok(told) = told.to_str() else { return From::Stranger };
        self.judge(told, request.connection_info().host())
    }

    /// Whether a page that is on no list asks.
    pub(crate) fn is_strange(&self, request: &HttpRequest) -> bool {
        self.of(request) == From::Stranger
    }

    fn judge(&self, told: &str, our_host: &str) -> From {
        if let Some(friend) = self.iter().find(|friend| *friend == told) {
            return From::Friend(friend.to_owned());
        }
        // A proxy may speak http to us where the browser speaks https to it, so the host decides.
        let ours = ["http", "https"].into_iter().any(|scheme| {
            let ours = Url::parse(&format!("{scheme}://{our_host}"));
            ours.is_ok_and(|ours| ours.origin().ascii_serialization() == told)
        });
        if ours { From::Ourselves } else { From::Stranger }
    }

    /// The address to return to, if it is one of the pages on the list.
    pub(crate) fn way_back(&self, url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let origin = url.origin().ascii_serialization();
        let plain = url.username().is_empty() && url.password().is_none();
        (plain && self.iter().any(|friend| friend == origin)).then(|| url.to_string())
    }
}

/// A page of ours as an address without a host, if it is one: whatever a browser would read as
/// somebody else's address is none.
pub(crate) fn own_page(address: &str) -> Option<String> {
    let here = Url::parse("http://here.invalid").expect("it is an address");
    let there = here.join(address).ok()?;
    let plain = address.starts_with('/') && there.origin() == here.origin();
    plain.then(|| there[Position::BeforePath..Position::AfterQuery].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        Origins::new(vec!["https://pulse.example.com".parse().unwrap()])
    }

    #[test]
    fn a_page_is_ours_a_friends_or_a_strangers() {
        let cases = [
            ("https://pulse.example.com", From::Friend("https://pulse.example.com".to_owned())),
            ("http://etl.example.com:8000", From::Ourselves),
            ("https://etl.example.com:8000", From::Ourselves),
            ("http://etl.example.com", From::Stranger),
            ("http://etl.example.com:8000.evil.example", From::Stranger),
            ("https://pulse.example.com.evil.example", From::Stranger),
            ("http://pulse.example.com", From::Stranger),
            ("null", From::Stranger),
            ("", From::Stranger),
        ];
        for (told, expected) in cases {
            assert_eq!(origins().judge(told, "etl.example.com:8000"), expected, "{told}");
        }
    }

    #[test]
    fn only_pages_of_ours_are_gone_on_to() {
        let cases = [
            ("/metrics/flow?days=30&project=PAY", Some("/metrics/flow?days=30&project=PAY")),
            ("/mappings", Some("/mappings")),
            ("/jobs#top", Some("/jobs")),
            ("/a/../jobs", Some("/jobs")),
            ("/\tjobs", Some("/jobs")),
            ("//evil.example/", None),
            ("/\\evil.example", None),
            ("\\\\evil.example", None),
            ("/\t/evil.example", None),
            ("https://evil.example/", None),
            ("http://here.invalid/jobs", None),
            ("javascript:alert(1)", None),
            ("jobs", None),
            ("", None),
        ];
        for (address, expected) in cases {
            assert_eq!(own_page(address).as_deref(), expected, "{address:?}");
        }
    }

    #[test]
    fn only_listed_pages_are_returned_to() {
        let cases = [
            ("https://pulse.example.com/admin?tab=1", true),
            ("https://pulse.example.com", true),
            ("https://pulse.example.com@evil.example/", false),
            ("https://pulse.example.com.evil.example/", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("javascript:alert(1)//https://pulse.example.com", false),
            ("http://pulse.example.com/", false),
            ("https://user@pulse.example.com/", false),
            ("data:text/html,hi", false),
            ("", false),
        ];
        for (url, accepted) in cases {
            assert_eq!(origins().way_back(url).is_some(), accepted, "{url}");
        }
    }
}
