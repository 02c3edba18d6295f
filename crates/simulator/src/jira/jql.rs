//! The part of JQL that extractors use: clauses joined by AND, OR and parentheses, and an order.

use std::collections::HashSet;

use chrono::{NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;

use crate::moment::{DAY, HOUR, MINUTE, Moment};
use crate::world::World;
use crate::world::jira::{Issue, STATUSES};

/// A query that was understood.
#[derive(Debug)]
pub struct Query {
    filter: Expression,
    /// Most important first.
    order: Vec<(Key, Direction)>,
}

#[derive(Debug)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Projects(HashSet<usize>),
    Issues(HashSet<usize>),
    Statuses(HashSet<usize>),
    Types(HashSet<String>),
    Labels(HashSet<String>),
    Time(Time, Compare, Moment),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Created,
    Updated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Created,
    Updated,
    /// The issue key: by project, then by number.
    Name,
    Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Query {
    /// Reads a query the way an account in `zone` means it. The error is what Jira would say.
    pub fn read(text: &str, world: &World, zone: Tz) -> Result<Query, String> {
        let words = words(text)?;
        let mut reader = Reader { words: &words, at: 0, world, zone };
        if words.is_empty() || reader.sees("order") {
            return Err("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.".to_owned());
        }
        let filter = reader.any()?;
        let order = reader.order()?;
        match reader.words.get(reader.at) {
            None => Ok(Query { filter, order }),
            Some(word) => Err(format!(
                "Error in the JQL Query: Expecting either 'OR' or 'AND' but got '{}'.",
                word.text
            )),
        }
    }

    /// Whether an issue is found, given when it was last touched as far as the index knows.
    pub fn finds(&self, issue: &Issue, index: usize, updated: Moment) -> bool {
        self.filter.holds(issue, index, updated)
    }

    /// What decides the place of an issue among the results.
    pub fn place(&self, world: &World, issue: &Issue, index: usize) -> Vec<i64> {
        let mut place = Vec::with_capacity(2 * self.order.len() + 1);
        for (key, direction) in &self.order {
            let sign = if *direction == Direction::Up { 1 } else { -1 };
            match key {
                Key::Created => place.push(sign * issue.created.0),
                Key::Updated => place.push(sign * issue.updated.0),
                Key::Id => place.push(sign * issue.id as i64),
                Key::Name => {
                    let key = &world.jira.projects[issue.project].key;
                    let before = world.jira.projects.iter().filter(|p| p.key < *key).count();
                    place.extend([sign * before as i64, sign * i64::from(issue.number)]);
                }
            }
        }
        place.push(index as i64);
        place
    }
}

impl Expression {
    fn holds(&self, issue: &Issue, index: usize, updated: Moment) -> bool {
        match self {
            Expression::All(parts) => parts.iter().all(|part| part.holds(issue, index, updated)),
            Expression::Any(parts) => parts.iter().any(|part| part.holds(issue, index, updated)),
            Expression::Not(part) => !part.holds(issue, index, updated),
            Expression::Projects(wanted) => wanted.contains(&issue.project),
            Expression::Issues(wanted) => wanted.contains(&index),
            Expression::Statuses(wanted) => wanted.contains(&issue.status),
            Expression::Types(wanted) => [true, false]
                .iter()
                .any(|&own| wanted.contains(&issue.kind.name(own).to_lowercase())),
            Expression::Labels(wanted) => issue.labels.iter().any(|label| wanted.contains(*label)),
            Expression::Time(time, compare, bound) => {
                let time = if *time == Time::Created { issue.created } else { updated };
                match compare {
                    Compare::Less => time < *bound,
                    Compare::AtMost => time <= *bound,
                    Compare::Equal => time == *bound,
                    Compare::AtLeast => time >= *bound,
                    Compare::More => time > *bound,
                }
            }
        }
    }
}

#[derive(Debug)]
struct Word {
    text: String,
    quoted: bool,
}

/// Cuts a query into words, signs and quoted strings.
fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, quoted, len) = match first {
            '"' | '\'' => {
                let end = rest[1..].find(first).ok_or_else(|| {
                    format!(
                        "Error in the JQL Query: The quoted string '{}' has not been completed.",
                        &rest[1..]
                    )
                })?;
                (&rest[1..=end], true, end + 2)
            }
            '(' | ')' | ',' => (&rest[..1], false, 1),
            '=' | '<' | '>' | '!' => {
                let len = if rest[1..].starts_with('=') { 2 } else { 1 };
                (&rest[..len], false, len)
            }
            _ => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || "(),=<>!\"'".contains(c))
                    .unwrap_or(rest.len());
                (&rest[..end], false, end)
            }
        };
        words.push(Word { text: word.to_owned(), quoted });
        rest = rest[len..].trim_start();
    }
    Ok(words)
}

struct Reader<'a> {
    words: &'a [Word],
    at: usize,
    world: &'a World,
    zone: Tz,
}

impl Reader<'_> {
    fn sees(&self, word: &str) -> bool {
        self.words.get(self.at).is_some_and(|w| !w.quoted && w.text.eq_ignore_ascii_case(word))
    }

    fn takes(&mut self, word: &str) -> bool {
        let seen = self.sees(word);
        self.at += usize::from(seen);
        seen
    }

    fn word(&mut self) -> Result<&Word, String> {
        let word = self
            .words
            .get(self.at)
            .ok_or("Error in the JQL Query: Expecting a value but got the end of the query.")?;
        self.at += 1;
        Ok(word)
    }

    fn any(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(Expression::Any(parts))
    }

    fn all(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.clause()?];
        while self.takes("and") {
            parts.push(self.clause()?);
        }
        Ok(Expression::All(parts))
    }

    fn clause(&mut self) -> Result<Expression, String> {
        if self.takes("not") {
            return Ok(Expression::Not(Box::new(self.clause()?)));
        }
        if self.takes("(") {
            let inner = self.any()?;
            return if self.takes(")") {
                Ok(inner)
            } else {
                Err("Error in the JQL Query: Expecting ')'.".to_owned())
            };
        }
        let field = self.word()?.text.clone();
        if let "created" | "createddate" | "updated" | "updateddate" = &*field.to_lowercase() {
            return self.time(&field);
        }
        let negated = self.takes("!=") || {
            let not = self.takes("not");
            not && self.sees("in")
        };
        let values = if self.takes("in") {
            self.list()?
        } else if negated || self.takes("=") {
            vec![self.word()?.text.clone()]
        } else {
            return Err(format!("Error in the JQL Query: Expecting operator after '{field}'."));
        };
        let found = self.values(&field, &values)?;
        Ok(if negated { Expression::Not(Box::new(found)) } else { found })
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.takes("(") {
            return Err("Error in the JQL Query: Expecting '(' after 'in'.".to_owned());
        }
        let mut values = vec![self.word()?.text.clone()];
        while self.takes(",") {
            values.push(self.word()?.text.clone());
        }
        if self.takes(")") {
            Ok(values)
        } else {
            Err("Error in the JQL Query: Expecting ')' or ','.".to_owned())
        }
    }

    fn values(&self, field: &str, values: &[String]) -> Result<Expression, String> {
        let jira = &self.world.jira;
        let unknown =
            |value: &String| format!("The value '{value}' does not exist for the field '{field}'.");
        let lower = || values.iter().map(|value| value.to_lowercase()).collect::<HashSet<_>>();
        match &*field.to_lowercase() {
            "project" => {
                let find = |value: &String| jira.project(value).ok_or_else(|| unknown(value));
                Ok(Expression::Projects(values.iter().map(find).collect::<Result<_, _>>()?))
            }
            "key" | "issuekey" | "issue" | "id" => {
                let find = |value: &String| {
                    let issue = jira.find(value).and_then(|issue| Issue::index_of(issue.id));
                    issue.ok_or_else(|| {
                        format!("An issue with key '{value}' does not exist for field '{field}'.")
                    })
                };
                Ok(Expression::Issues(values.iter().map(find).collect::<Result<_, _>>()?))
            }
            "status" => {
                let wanted = lower();
                let named = |at: &usize| {
                    let status = &STATUSES[*at];
                    wanted.contains(&status.name.to_lowercase()) || wanted.contains(status.id)
                };
                Ok(Expression::Statuses((0..STATUSES.len()).filter(named).collect()))
            }
            "statuscategory" => {
                let wanted = lower();
                let fits = |at: &usize| {
                    let (_, key, name) = STATUSES[*at].category;
                    wanted.contains(key) || wanted.contains(&name.to_lowercase())
                };
                Ok(Expression::Statuses((0..STATUSES.len()).filter(fits).collect()))
            }
            "issuetype" | "type" => Ok(Expression::Types(lower())),
            "labels" => Ok(Expression::Labels(values.iter().cloned().collect())),
            _ => Err(format!(
                "Field '{field}' does not exist or you do not have permission to view it."
            )),
        }
    }

    fn time(&mut self, field: &str) -> Result<Expression, String> {
        let compare = match &*self.word()?.text {
            "<" => Compare::Less,
            "<=" => Compare::AtMost,
            "=" => Compare::Equal,
            ">=" => Compare::AtLeast,
            ">" => Compare::More,
            other => {
                return Err(format!(
                    "The operator '{other}' is not supported by the '{field}' field."
                ));
            }
        };
        let (now, zone) = (self.world.now, self.zone);
        let value = self.word()?;
        let moment = moment(&value.text, value.quoted, now, zone).ok_or_else(|| {
            format!("Date value '{}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.", value.text)
        })?;
        let time =
            if field.to_lowercase().starts_with("created") { Time::Created } else { Time::Updated };
        Ok(Expression::Time(time, compare, moment))
    }

    fn order(&mut self) -> Result<Vec<(Key, Direction)>, String> {
        if !self.takes("order") {
            return Ok(vec![(Key::Created, Direction::Down)]);
        }
        if !self.takes("by") {
            return Err("Error in the JQL Query: Expecting 'by' after 'order'.".to_owned());
        }
        let mut order = Vec::new();
        loop {
            let field = self.word()?.text.clone();
            let key = match &*field.to_lowercase() {
                "created" | "createddate" => Key::Created,
                "updated" | "updateddate" => Key::Updated,
                "key" | "issuekey" => Key::Name,
                "id" => Key::Id,
                _ => {
                    return Err(format!(
                        "Field '{field}' does not exist or this field cannot be viewed by anonymous users."
                    ));
                }
            };
            let down = self.takes("desc");
            let _ = !down && self.takes("asc");
            order.push((key, if down { Direction::Down } else { Direction::Up }));
            if !self.takes(",") {
                break;
            }
        }
        if order.len() > 7 {
            return Err("The maximum number of fields in ORDER BY is 7.".to_owned());
        }
        Ok(order)
    }
}

/// A number without quotes counts milliseconds; a date has no zone but the account's, and minutes.
fn moment(text: &str, quoted: bool, now: Moment, zone: Tz) -> Option<Moment> {
    if let Some(period) = text.strip_prefix('-') {
        let mut back = 0;
        for part in period.split_whitespace() {
            let (number, unit) = part.split_at_checked(part.len().checked_sub(1)?)?;
            let unit = match unit {
                "m" => MINUTE,
                "h" => HOUR,
                "d" => DAY,
                "w" => 7 * DAY,
                _ => return None,
            };
            back += number.parse::<i64>().ok()? * unit;
        }
        return Some(now + -back);
    }
    if !quoted && let Ok(milliseconds) = text.parse::<i64>() {
        return Some(Moment(milliseconds));
    }
    let text = text.replace('/', "-");
    let local = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M")
        .ok()
        .or_else(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    let zoned = zone.from_local_datetime(&local).earliest()?;
    Some(Moment(zoned.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Size;

    fn world() -> World {
        let size = Size { issues: 80, pull_requests: 0, projects: 3, repositories: 1, days: 60 };
        World::create("acme", 0, 5, size, Moment(1_790_844_067_000))
    }

    #[test]
    fn what_jira_refuses_is_refused() {
        let world = world();
        let cases = [
            ("order by key", "Unbounded"),
            ("", "Unbounded"),
            ("project = NONE", "The value 'NONE' does not exist for the field 'project'."),
            ("key = PAY-99999", "does not exist for field 'key'"),
            ("updated >= \"2026-10-01T08:30\"", "is invalid"),
            ("updated >= \"1790844067000\"", "is invalid"),
            ("nonsense = 3", "Field 'nonsense' does not exist"),
            ("project = PAY ORDER BY rank", "Field 'rank' does not exist"),
            ("project = PAY AND", "end of the query"),
            ("project = \"PAY", "has not been completed"),
        ];
        for (text, says) in cases {
            let error = Query::read(text, &world, Tz::UTC).unwrap_err();
            assert!(error.contains(says), "{text:?} says {error:?}");
        }
    }

    #[test]
    fn clauses_find_what_they_say() {
        let world = world();
        let bound = world.now.0 - 20 * DAY;
        let key = world.jira.key(&world.jira.issues[7]);
        type Rule = Box<dyn Fn(usize, &Issue) -> bool>;
        let cases: Vec<(String, Rule)> = vec![
            ("project = pay".to_owned(), Box::new(|_, i| i.project == 0)),
            ("project in (PAY, 10002)".to_owned(), Box::new(|_, i| i.project < 2)),
            ("project != PAY".to_owned(), Box::new(|_, i| i.project != 0)),
            ("project not in (PAY)".to_owned(), Box::new(|_, i| i.project != 0)),
            (format!("updated >= {bound}"), Box::new(move |_, i| i.updated.0 >= bound)),
            (
                format!("project = CORE AND created < {bound} ORDER BY updated ASC, key DESC"),
                Box::new(move |_, i| i.project == 1 && i.created.0 < bound),
            ),
            (format!("key in ({key}, 20001)"), Box::new(|at, _| at == 7 || at == 0)),
            (
                "statusCategory = Done".to_owned(),
                Box::new(|_, i| STATUSES[i.status].category.1 == "done"),
            ),
            (
                "type = Bug OR (project = PAY AND issuetype in (Story))".to_owned(),
                Box::new(|_, i| {
                    let name = i.kind.name(false);
                    name == "Bug" || (i.project == 0 && name == "Story")
                }),
            ),
        ];
        for (text, rule) in cases {
            let query = Query::read(&text, &world, Tz::UTC).unwrap();
            for (index, issue) in world.jira.issues.iter().enumerate() {
                assert_eq!(query.finds(issue, index, issue.updated), rule(index, issue), "{text}");
            }
        }
    }

    #[test]
    fn a_date_means_the_zone_of_the_account() {
        let now = Moment(0);
        let berlin = moment("2026-10-01 10:41", true, now, Tz::Europe__Berlin).unwrap();
        assert_eq!(berlin.exact(), "2026-10-01T08:41:00.000Z");
        assert_eq!(
            moment("2026/10/01", true, now, Tz::UTC).unwrap().exact(),
            "2026-10-01T00:00:00.000Z"
        );
        assert_eq!(moment("-1d 2h", true, now, Tz::UTC).unwrap().0, -26 * HOUR);
        assert_eq!(moment("1790844067512", false, now, Tz::UTC).unwrap().0, 1_790_844_067_512);
    }
}
