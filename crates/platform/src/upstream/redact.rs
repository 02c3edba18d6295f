//! Addresses as they may be shown: without passwords and without what their query carries.

use url::Url;

/// An address fit for logs and errors: user, password and query values are left out.
pub fn redact(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return "an address that cannot be read".to_owned();
    };
    if url.has_authority() && (!url.username().is_empty() || url.password().is_some()) {
        let hidden = url.set_username("***").is_ok() && url.set_password(None).is_ok();
        debug_assert!(hidden, "an address with a user can have another one");
    }
    let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    if !names.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(names.iter().map(|name| (name, "***")));
    }
    url.set_fragment(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_left_out() {
        for (address, shown) in [
            ("amqp://pulse:hunter2@rabbit:5672/%2f", "amqp://***@rabbit:5672/%2f"),
            ("redis://:hunter2@redis:6379/0", "redis://***@redis:6379/0"),
            ("https://a.example/x?token=abc&page=2#frag", "https://a.example/x?token=***&page=***"),
            ("https://a.example/x", "https://a.example/x"),
            ("sqlite:data/pulse.db", "sqlite:data/pulse.db"),
            ("memory:", "memory:"),
            ("hunter2@nowhere", "an address that cannot be read"),
        ] {
            assert_eq!(redact(address), shown);
        }
    }
}
