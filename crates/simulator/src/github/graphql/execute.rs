//! Walks a query through the world and writes the answer on the way.

use graphql_parser::query::{Field, SelectionSet};

use super::Refusal;
use super::node::{Node, Place, Reached};
use super::query::Query;
use super::schema::Schema;
use crate::json;
use crate::world::World;

/// An answer, and where the account of its cost belongs.
pub struct Done {
    /// The body.
    pub body: Vec<u8>,
    /// Offsets into the body, with the fields wanted there as (key, field).
    pub rate_limits: Vec<(usize, Vec<(String, String)>)>,
}

/// A part of the answer that could not be given.
struct Gap {
    kind: &'static str,
    message: String,
    path: Vec<Place>,
}

struct Walk<'w, 'q> {
    schema: Schema<'w>,
    query: &'w Query<'q>,
    body: Vec<u8>,
    rate_limits: Vec<(usize, Vec<(String, String)>)>,
    gaps: Vec<Gap>,
    path: Vec<Place>,
}

/// Answers a query.
pub fn run(world: &World, query: &Query, busy_page_max: Option<u64>) -> Result<Done, Refusal> {
    let mut walk = Walk {
        schema: Schema { world, busy_page_max },
        query,
        body: b"{\"data\":".to_vec(),
        rate_limits: Vec::new(),
        gaps: Vec::new(),
        path: Vec::new(),
    };
    walk.object(&Node::Root, &[&query.root])?;
    if !walk.gaps.is_empty() {
        walk.body.extend_from_slice(b",\"errors\":");
        json::list_into(&mut walk.body, |l| {
            for gap in &walk.gaps {
                l.object(|o| {
                    o.put("type", gap.kind).put("path", &gap.path).put("message", &gap.message);
                });
            }
        });
    }
    walk.body.push(b'}');
    Ok(Done { body: walk.body, rate_limits: walk.rate_limits })
}

impl<'q> Walk<'_, 'q> {
    fn object(&mut self, node: &Node, sets: &[&SelectionSet<'q, &'q str>]) -> Result<(), Refusal> {
        let query = self.query;
        let kind = node.kind();
        let fields = query.fields(sets, &|name| node.is(name))?;
        if fields.is_empty() && sets.iter().all(|set| set.items.is_empty()) {
            return Err(Refusal::plain(format!(
                "Field must have selections (an object of type '{kind}' needs subfields)"
            )));
        }
        self.body.push(b'{');
        for (at, (key, fields)) in fields.iter().enumerate() {
            if at > 0 {
                self.body.push(b',');
            }
            json::plain(&mut self.body, *key);
            self.body.push(b':');
            self.path.push(Place::Field((*key).to_owned()));
            self.field(node, fields)?;
            self.path.pop();
        }
        self.body.push(b'}');
        Ok(())
    }

    fn field(&mut self, node: &Node, fields: &[&Field<'q, &'q str>]) -> Result<(), Refusal> {
        let query = self.query;
        let field = fields[0];
        let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
        if matches!(node, Node::Root) && field.name == "rateLimit" {
            return self.rate_limit(&sets);
        }
        let arguments = query.arguments(field)?;
        match self.schema.reach(node, field.name, &arguments)? {
            Reached::Value(value) => {
                if sets.iter().any(|set| !set.items.is_empty()) {
                    return Err(Refusal::plain(format!(
                        "Selections can't be made on scalars (field '{}' returns a scalar but has selections)",
                        field.name
                    )));
                }
                json::plain(&mut self.body, &value);
            }
            Reached::Nothing => self.body.extend_from_slice(b"null"),
            Reached::Node(node) => self.object(&node, &sets)?,
            Reached::Nodes(nodes) => {
                self.body.push(b'[');
                for (at, node) in nodes.iter().enumerate() {
                    if at > 0 {
                        self.body.push(b',');
                    }
                    self.path.push(Place::Index(at));
                    match node {
                        Ok(node) => self.object(node, &sets)?,
                        Err((kind, message)) => self.gap(kind, message.clone()),
                    }
                    self.path.pop();
                }
                self.body.push(b']');
            }
            Reached::Gap(kind, message) => self.gap(kind, message),
        }
        Ok(())
    }

    fn gap(&mut self, kind: &'static str, message: String) {
        self.body.extend_from_slice(b"null");
        self.gaps.push(Gap { kind, message, path: self.path.clone() });
    }

    /// Left out here: what remains is known only when the answer is sent.
    fn rate_limit(&mut self, sets: &[&SelectionSet<'q, &'q str>]) -> Result<(), Refusal> {
        const KNOWN: [&str; 7] =
            ["limit", "cost", "remaining", "used", "resetAt", "nodeCount", "__typename"];
        let mut wanted = Vec::new();
        for (key, fields) in self.query.fields(sets, &|name| name == "RateLimit")? {
            if !KNOWN.contains(&fields[0].name) {
                return Err(super::schema::unknown_field(fields[0].name, "RateLimit"));
            }
            wanted.push((key.to_owned(), fields[0].name.to_owned()));
        }
        self.rate_limits.push((self.body.len(), wanted));
        Ok(())
    }
}
