//! Names for the values of a statement: neither database's own way is understood by the other.

/// Replaces each `:name` by `$1`, `$2`, … in the order of first appearance, and tells the names in
/// that order. SQLite takes `$1` for a name and numbers it the same way.
pub(crate) fn numbered(sql: &str) -> (String, Vec<&str>) {
    let mut text = String::with_capacity(sql.len());
    let mut names: Vec<&str> = Vec::new();
    let mut rest = sql;
    while let Some((before, behind)) = rest.split_once(':') {
        let end =
            behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
        let (name, after) = behind.split_at(end);
        let number = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        text.push_str(before);
        text.push('$');
        text.push_str(&(number + 1).to_string());
        rest = after;
    }
    text.push_str(rest);
    (text, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_in_the_order_in_which_they_appear() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("SELECT 1", "SELECT 1", &[]),
            ("a = :b", "a = $1", &["b"]),
            (
                "(:y IS NULL OR y = :y) AND x = :x_1)",
                "($1 IS NULL OR y = $1) AND x = $2)",
                &["y", "x_1"],
            ),
        ];
        for (sql, text, names) in cases {
            assert_eq!(numbered(sql), ((*text).to_owned(), names.to_vec()), "{sql}");
        }
    }
}
