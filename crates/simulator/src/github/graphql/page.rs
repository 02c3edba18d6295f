//! Pages of connections.

use super::node::{Node, Reached};
use super::query::Arguments;
use super::{Refusal, cursor};

/// One page of something that pages.
#[derive(Clone)]
pub struct Connection<'w> {
    pub kind: &'static str,
    pub total: usize,
    pub nodes: Vec<Node<'w>>,
    pub page: PageInfo,
    /// All of them are withheld, because the page is too much for GitHub.
    pub too_much: bool,
}

/// Where a page stands.
#[derive(Clone, Default)]
pub struct PageInfo {
    pub has_next: bool,
    pub has_previous: bool,
    pub start: Option<String>,
    pub end: Option<String>,
}

/// The page of a connection that `first` and `after`, or `last` and `before`, ask for.
pub fn page<'w>(
    kind: &'static str,
    name: &str,
    mut items: Vec<(String, Node<'w>)>,
    given: &Arguments,
) -> Result<Reached<'w>, Refusal> {
    let total = items.len();
    let (mut begin, mut end) = (0, total);
    let position = |cursor: &str| -> Result<usize, Refusal> {
        let wanted = cursor::from(name, cursor)?;
        // What is gone was at the front; whoever stood there starts again.
        Ok(items.iter().position(|(id, _)| *id == wanted).map_or(0, |at| at + 1))
    };
    if let Some(after) = given.text("after") {
        begin = position(after)?;
    }
    if let Some(before) = given.text("before") {
        end = position(before)?.saturating_sub(1);
    }
    match (given.number("first"), given.number("last")) {
        (Some(first), _) => end = end.min(begin + first as usize),
        (None, Some(last)) => begin = begin.max(end.saturating_sub(last as usize)),
        (None, None) => {}
    }
    let to = |at: usize| cursor::to(name, &items[at].0);
    let filled = begin < end;
    let info = PageInfo {
        has_next: end < total,
        has_previous: begin > 0,
        start: filled.then(|| to(begin)),
        end: filled.then(|| to(end - 1)),
    };
    let nodes = items.drain(begin.min(end)..end).map(|(_, node)| node).collect();
    let connection = Connection { kind, total, nodes, page: info, too_much: false };
    Ok(Reached::Node(Node::Connection(Box::new(connection))))
}
