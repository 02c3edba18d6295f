//! Which page a request asks for, however large it wants it.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// Two requests for a page that begins at the same place have the same mark.
pub(crate) fn mark(path: &str, query: &str, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    for pair in query.split('&').filter(|pair| !is_size(pair.split('=').next().unwrap_or(""))) {
        pair.hash(&mut hasher);
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut body) => {
            forget_sizes(&mut body);
            body.to_string().hash(&mut hasher);
        }
        Err(_) => body.hash(&mut hasher),
    }
    hasher.finish()
}

fn is_size(name: &str) -> bool {
    matches!(name, "maxResults" | "per_page" | "p")
}

fn forget_sizes(body: &mut Value) {
    let Value::Object(fields) = body else { return };
    fields.retain(|name, _| !is_size(name));
    for (name, value) in fields {
        match value {
            Value::String(query) if name == "query" => *query = without_sizes(query),
            value => forget_sizes(value),
        }
    }
}

/// A GraphQL query without the sizes of its lists.
fn without_sizes(query: &str) -> String {
    let mut parts = query.split("first:");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_page_does_not_matter_and_its_place_does() {
        let page = |size: u32, after: &str| {
            let body = format!(
                r#"{{"query":"{{a(first:$p){{b(first:{size})}}}}","variables":{{"p":{size},"after":"{after}"}}}}"#
            );
            mark("/graphql", "", body.as_bytes())
        };
        assert_eq!(page(10, "x"), page(100, "x"));
        assert_ne!(page(10, "x"), page(10, "y"));
        let list = |query: &str| mark("/rest", query, b"");
        assert_eq!(list("startAt=50&maxResults=100"), list("startAt=50&maxResults=50"));
        assert_ne!(list("startAt=50&maxResults=50"), list("startAt=100&maxResults=50"));
    }
}
