//! The GraphQL texts. Fields of a pull request's nested lists are written once, and asked for both
//! inside a page and when the rest of a long list is fetched.

/// The rest of what every query tells: what is left of the quota.
const RATE_LIMIT: &str = "rateLimit{limit cost remaining resetAt}";

const ACTOR: &str = "author{__typename login}";

/// A commit of a history, with its parents.
const COMMIT: &str = "oid message authoredDate committedDate parents(first:10){nodes{oid}} \
    author{name user{login}}";

/// A list of statuses of a deployment.
const STATUSES: &str = "pageInfo{hasNextPage endCursor} nodes{state createdAt}";

/// The nested lists of a pull request, by the name of the connection.
pub const NESTED: [&str; 4] = ["commits", "reviews", "comments", "timelineItems"];

/// One nested list of a pull request: `size` entries behind `after`.
fn nested(connection: &str, size: u32, after: Option<&str>) -> String {
    let after = after.map(|cursor| format!(",after:{}", quoted(cursor))).unwrap_or_default();
    let (arguments, fields) = match connection {
        "commits" => (
            "",
            "commit{oid message authoredDate committedDate author{name user{login}}}".to_owned(),
        ),
        "reviews" => ("", format!("fullDatabaseId state submittedAt {ACTOR}")),
        "comments" => ("", format!("fullDatabaseId createdAt {ACTOR}")),
        _ => (
            ",itemTypes:[READY_FOR_REVIEW_EVENT]",
            "__typename ... on ReadyForReviewEvent{createdAt}".to_owned(),
        ),
    };
    format!(
        "{connection}(first:{size}{after}{arguments}){{pageInfo{{hasNextPage endCursor}} nodes{{{fields}}}}}"
    )
}

/// A page of pull requests, last updated first, with the head of every nested list.
/// Variables: `o`, `r`, `p` pull requests, `after`.
pub fn pull_requests(nested_size: u32) -> String {
    let lists: Vec<_> = NESTED.iter().map(|name| nested(name, nested_size, None)).collect();
    format!(
        "query($o:String!,$r:String!,$p:Int!,$after:String){{{RATE_LIMIT} \
         repository(owner:$o,name:$r){{pullRequests(first:$p,after:$after,\
         orderBy:{{field:UPDATED_AT,direction:DESC}}){{pageInfo{{hasNextPage endCursor}} \
         nodes{{id fullDatabaseId number state isDraft title createdAt updatedAt closedAt mergedAt \
         additions deletions changedFiles headRefName headRefOid baseRefName mergeCommit{{oid}} \
         {ACTOR} {}}}}}}}}}",
        lists.join(" ")
    )
}

/// More of several nested lists at once: for each its pull request, connection and cursor. The
/// answers are named `a0`, `a1`, ….
pub fn rest_of<'a>(lists: impl Iterator<Item = (&'a str, &'static str, &'a str)>) -> String {
    let parts: Vec<_> = lists
        .enumerate()
        .map(|(position, (id, connection, after))| {
            let list = nested(connection, 100, Some(after));
            format!("a{position}:node(id:{}){{... on PullRequest{{{list}}}}}", quoted(id))
        })
        .collect();
    format!("query{{{RATE_LIMIT} {}}}", parts.join(" "))
}

/// Several repositories by owner and name. The answers are named `r0`, `r1`, ….
pub fn repositories<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let parts: Vec<_> = names
        .enumerate()
        .map(|(position, (owner, name))| {
            format!(
                "r{position}:repository(owner:{},name:{})\
                 {{databaseId nameWithOwner isArchived defaultBranchRef{{name}}}}",
                quoted(owner),
                quoted(name)
            )
        })
        .collect();
    format!("query{{{RATE_LIMIT} {}}}", parts.join(" "))
}

/// A page of deployments, newest first, with their statuses. Variables: `o`, `r`, `p`, `after`.
pub fn deployments() -> String {
    format!(
        "query($o:String!,$r:String!,$p:Int!,$after:String){{{RATE_LIMIT} \
         repository(owner:$o,name:$r){{deployments(first:$p,after:$after,\
         orderBy:{{field:CREATED_AT,direction:DESC}}){{pageInfo{{hasNextPage endCursor}} \
         nodes{{id databaseId commitOid environment state createdAt updatedAt \
         statuses(first:30){{{STATUSES}}}}}}}}}}}"
    )
}

/// More statuses of several deployments at once: for each its id and a cursor. The answers are named `a0`,
/// `a1`, ….
pub fn more_statuses<'a>(lists: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let parts: Vec<_> = lists
        .enumerate()
        .map(|(position, (id, after))| {
            format!(
                "a{position}:node(id:{}){{... on Deployment{{\
                 statuses(first:100,after:{}){{{STATUSES}}}}}}}",
                quoted(id),
                quoted(after)
            )
        })
        .collect();
    format!("query{{{RATE_LIMIT} {}}}", parts.join(" "))
}

/// A page of releases, newest first, with the commits of their tags. Variables: `o`, `r`, `p`, `after`.
pub fn releases() -> String {
    format!(
        "query($o:String!,$r:String!,$p:Int!,$after:String){{{RATE_LIMIT} \
         repository(owner:$o,name:$r){{releases(first:$p,after:$after,\
         orderBy:{{field:CREATED_AT,direction:DESC}}){{pageInfo{{hasNextPage endCursor}} \
         nodes{{id databaseId tagName isDraft createdAt publishedAt tagCommit{{oid}}}}}}}}}}"
    )
}

/// A page of the default branch's history, newest first. Variables: `o`, `r`, `p`, `after`, `since`.
pub fn history() -> String {
    format!(
        "query($o:String!,$r:String!,$p:Int!,$after:String,$since:GitTimestamp){{{RATE_LIMIT} \
         repository(owner:$o,name:$r){{defaultBranchRef{{target{{... on Commit{{\
         history(first:$p,after:$after,since:$since){{pageInfo{{hasNextPage endCursor}} \
         nodes{{{COMMIT}}}}}}}}}}}}}}}"
    )
}

/// The last `size` commits of several histories, each up to the commit with one of these shas. Answers have
/// the names that [`history_name`] gives. Variables: `o`, `r`.
pub fn histories<'a>(shas: impl Iterator<Item = &'a str>, size: u32) -> String {
    let parts: Vec<_> = shas
        .enumerate()
        .map(|(position, sha)| {
            format!(
                "{}:object(oid:{}){{... on Commit{{history(first:{size}){{\
                 pageInfo{{hasNextPage endCursor}} nodes{{{COMMIT}}}}}}}}}",
                history_name(position),
                quoted(sha)
            )
        })
        .collect();
    format!(
        "query($o:String!,$r:String!){{{RATE_LIMIT} repository(owner:$o,name:$r){{{}}}}}",
        parts.join(" ")
    )
}

/// What [`histories`] calls the history at a position.
pub fn history_name(position: usize) -> String {
    format!("c{position}")
}

/// A GraphQL string. JSON's escapes are GraphQL's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_close_and_texts_are_quoted() {
        let rest = rest_of([("PR_1", "commits", "a\"b"), ("PR_2", "reviews", "c")].into_iter());
        assert!(rest.contains(r#"after:"a\"b""#), "{rest}");
        let repositories = repositories([("acme", "pay")].into_iter());
        let histories = histories(["9f3c", "77aa"].into_iter(), 4);
        let texts = [
            pull_requests(50),
            rest,
            repositories,
            deployments(),
            more_statuses([("DE_1", "x"), ("DE_2", "y")].into_iter()),
            releases(),
            history(),
            histories,
        ];
        for text in texts {
            let opened = text.matches('{').count();
            assert_eq!(opened, text.matches('}').count(), "{text}");
        }
    }
}
