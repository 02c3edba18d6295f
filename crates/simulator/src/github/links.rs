//! How GitHub's lists are paged: `page`, `per_page` and the header `Link`.

use crate::json::{self, Object};
use crate::request::{Answer, Request};

/// A page of a list. `path` is where the pages are, from the front.
pub fn paged<T>(
    route: &'static str,
    request: &Request,
    path: &str,
    items: &[T],
    write: impl Fn(&mut Object, &T),
) -> Answer {
    let (page, size) = window(request);
    let body = json::list(|l| {
        for item in items.iter().skip((page - 1) * size).take(size) {
            l.object(|o| write(o, item));
        }
    });
    with_links(Answer::json(route, 200, body), request, path, items.len())
}

/// The page asked for, from 1, and its size.
pub fn window(request: &Request) -> (usize, usize) {
    let page = request.asked_number("page").unwrap_or(1).max(1);
    (page, request.asked_number("per_page").unwrap_or(30).clamp(1, 100))
}

/// With the header that leads to the other pages, if there are any.
pub fn with_links(answer: Answer, request: &Request, path: &str, total: usize) -> Answer {
    let (page, size) = window(request);
    let last = total.div_ceil(size).max(1);
    if last == 1 {
        return answer;
    }
    let link = |to: usize, rel: &str| {
        let kept: Vec<&str> = request
            .raw_query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("page="))
            .collect();
        let query = kept.iter().map(|pair| format!("{pair}&")).collect::<String>();
        format!("<{path}?{query}page={to}>; rel=\"{rel}\"")
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(page - 1, "prev"));
    }
    if page < last {
        links.push(link(page + 1, "next"));
        links.push(link(last, "last"));
    }
    if page > 1 {
        links.push(link(1, "first"));
    }
    answer.with("link", links.join(", "))
}
