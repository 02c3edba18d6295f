//! A query as it was sent: one operation, its fragments and its variables.

use std::collections::HashMap;

use graphql_parser::query::{
    Definition, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    TypeCondition, Value,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::Refusal;

type Fields<'q> = SelectionSet<'q, &'q str>;

/// Fields by the key they have in the answer; a key that is asked for twice has several.
pub type Named<'a, 'q> = Vec<(&'q str, Vec<&'a Field<'q, &'q str>>)>;

/// The body of the request.
#[derive(Deserialize)]
pub struct Sent {
    query: String,
    #[serde(default)]
    variables: Option<Map<String, Json>>,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
}

impl Sent {
    /// From JSON.
    pub fn read(body: &[u8]) -> Result<Sent, Refusal> {
        serde_json::from_slice(body).map_err(|_| Refusal::plain("Problems parsing JSON".to_owned()))
    }
}

/// A query that was parsed.
pub struct Query<'q> {
    /// What is asked for.
    pub root: Fields<'q>,
    fragments: HashMap<&'q str, FragmentDefinition<'q, &'q str>>,
    variables: HashMap<&'q str, Json>,
}

impl<'q> Query<'q> {
    /// Whether it asks for things by their global ids.
    pub fn asks_for_nodes(&self) -> bool {
        self.root.items.iter().any(|selection| {
            matches!(selection, Selection::Field(field) if matches!(field.name, "node" | "nodes"))
        })
    }

    /// Parses what was sent.
    pub fn parse(sent: &'q Sent) -> Result<Query<'q>, Refusal> {
        let document = graphql_parser::parse_query::<&str>(&sent.query)
            .map_err(|error| Refusal::plain(format!("Parse error: {error}")))?;
        let mut fragments = HashMap::new();
        let mut operations = Vec::new();
        for definition in document.definitions {
            match definition {
                Definition::Fragment(fragment) => drop(fragments.insert(fragment.name, fragment)),
                Definition::Operation(operation) => operations.push(operation),
            }
        }
        let wanted = sent.operation_name.as_deref().filter(|name| !name.is_empty());
        let chosen = operations.into_iter().find(|operation| match operation {
            OperationDefinition::Query(query) => wanted.is_none() || query.name == wanted,
            OperationDefinition::SelectionSet(_) => wanted.is_none(),
            _ => false,
        });
        let (root, definitions) = match chosen {
            Some(OperationDefinition::Query(query)) => {
                (query.selection_set, query.variable_definitions)
            }
            Some(OperationDefinition::SelectionSet(root)) => (root, Vec::new()),
            _ => {
                return Err(Refusal::plain(
                    "A query attribute must be specified and must be a string.".to_owned(),
                ));
            }
        };
        let mut variables = HashMap::new();
        let given = sent.variables.as_ref();
        for definition in &definitions {
            let value = given.and_then(|given| given.get(definition.name)).filter(|v| !v.is_null());
            let value = match (value, &definition.default_value) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => literal(default, &HashMap::new())?,
                (None, None) => {
                    if matches!(definition.var_type, graphql_parser::query::Type::NonNullType(_)) {
                        return Err(Refusal::plain(format!(
                            "Variable ${} of type {} was provided invalid value",
                            definition.name, definition.var_type
                        )));
                    }
                    Json::Null
                }
            };
            variables.insert(definition.name, value);
        }
        Ok(Query { root, fragments, variables })
    }

    /// The arguments of a field, with variables filled in; nulls count as absent.
    pub fn arguments(&self, field: &Field<'q, &'q str>) -> Result<Arguments, Refusal> {
        let mut arguments = HashMap::new();
        for (name, value) in &field.arguments {
            let value = literal(value, &self.variables)?;
            if !value.is_null() {
                arguments.insert((*name).to_owned(), value);
            }
        }
        Ok(Arguments(arguments))
    }

    /// The fields of a selection that apply to a type, in order, those of one name together.
    pub fn fields<'a>(
        &'a self,
        sets: &[&'a Fields<'q>],
        is: &dyn Fn(&str) -> bool,
    ) -> Result<Named<'a, 'q>, Refusal> {
        let mut found = Vec::new();
        for set in sets {
            self.collect(set, is, &mut found)?;
        }
        Ok(found)
    }

    fn collect<'a>(
        &'a self,
        set: &'a Fields<'q>,
        is: &dyn Fn(&str) -> bool,
        found: &mut Named<'a, 'q>,
    ) -> Result<(), Refusal> {
        for selection in &set.items {
            match selection {
                Selection::Field(field) => {
                    let key = field.alias.unwrap_or(field.name);
                    match found.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, fields)) => fields.push(field),
                        None => found.push((key, vec![field])),
                    }
                }
                Selection::InlineFragment(inline) => {
                    let applies = match &inline.type_condition {
                        Some(TypeCondition::On(name)) => is(name),
                        None => true,
                    };
                    if applies {
                        self.collect(&inline.selection_set, is, found)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.fragments.get(spread.fragment_name).ok_or_else(|| {
                        Refusal::plain(format!(
                            "Fragment {} was used, but not defined",
                            spread.fragment_name
                        ))
                    })?;
                    let TypeCondition::On(name) = &fragment.type_condition;
                    if is(name) {
                        self.collect(&fragment.selection_set, is, found)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The arguments of a field.
#[derive(Debug)]
pub struct Arguments(HashMap<String, Json>);

impl Arguments {
    /// A text or the name of an enum's value.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// A list of texts, where a single one counts as a list.
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        match self.0.get(name)? {
            Json::Array(values) => Some(values.iter().filter_map(Json::as_str).collect()),
            value => value.as_str().map(|text| vec![text]),
        }
    }

    /// A text within an object, such as the `field` of `orderBy`.
    pub fn within(&self, name: &str, key: &str) -> Option<&str> {
        self.0.get(name)?.get(key)?.as_str()
    }
}

fn literal<'q>(
    value: &Value<'q, &'q str>,
    variables: &HashMap<&str, Json>,
) -> Result<Json, Refusal> {
    Ok(match value {
        Value::Variable(name) => variables.get(name).cloned().ok_or_else(|| {
            Refusal::plain(format!("Variable ${name} is used by a field but not declared"))
        })?,
        Value::Int(number) => Json::from(number.as_i64()),
        Value::Float(number) => Json::from(*number),
        Value::String(text) => Json::from(text.as_str()),
        Value::Boolean(flag) => Json::from(*flag),
        Value::Null => Json::Null,
        Value::Enum(name) => Json::from(*name),
        Value::List(values) => Json::Array(
            values.iter().map(|value| literal(value, variables)).collect::<Result<_, _>>()?,
        ),
        Value::Object(fields) => {
            let pairs = fields
                .iter()
                .map(|(key, value)| Ok(((*key).to_owned(), literal(value, variables)?)));
            Json::Object(pairs.collect::<Result<_, Refusal>>()?)
        }
    })
}
