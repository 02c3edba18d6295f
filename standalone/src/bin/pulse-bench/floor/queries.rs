//! The floor's GraphQL: what the product asks for, in the same sizes.

const ACTOR: &str = "author{__typename login}";
const COMMIT: &str = "oid message authoredDate committedDate author{name user{login}}";

/// Entries of nested lists at once.
const NESTED: usize = 100;

fn nested(list: &str, size: usize, after: &str) -> String {
    let fields = match list {
        "commits" => format!("commit{{{COMMIT}}}"),
        "reviews" => format!("fullDatabaseId state submittedAt {ACTOR}"),
        _ => format!("fullDatabaseId createdAt {ACTOR}"),
    };
    format!("{list}(first:{size}{after}){{pageInfo{{hasNextPage endCursor}} nodes{{{fields}}}}}")
}

pub fn pull_requests() -> String {
    let [commits, reviews, comments] =
        ["commits", "reviews", "comments"].map(|list| nested(list, NESTED, ""));
    format!(
        "query($o:String!,$r:String!,$p:Int!,$after:String){{repository(owner:$o,name:$r){{\
         pullRequests(first:$p,after:$after,orderBy:{{field:UPDATED_AT,direction:DESC}}){{\
         pageInfo{{hasNextPage endCursor}} nodes{{id fullDatabaseId number state isDraft title \
         createdAt updatedAt closedAt mergedAt additions deletions changedFiles headRefName \
         headRefOid baseRefName mergeCommit{{oid}} {ACTOR} {commits} {reviews} {comments} \
         timelineItems(first:{NESTED},itemTypes:[READY_FOR_REVIEW_EVENT]){{\
         pageInfo{{hasNextPage endCursor}} nodes{{__typename ... on ReadyForReviewEvent{{createdAt}}}}\
         }}}}}}}}}}"
    )
}

/// More of several nested lists: for each its pull request, name and cursor.
pub fn rest_of<'a>(lists: impl Iterator<Item = (&'a str, &'static str, &'a str)>) -> String {
    let parts = lists.enumerate().map(|(at, (pull, list, after))| {
        let list = nested(list, NESTED, &format!(",after:\"{after}\""));
        format!("a{at}:node(id:\"{pull}\"){{... on PullRequest{{{list}}}}}")
    });
    format!("query{{{}}}", parts.collect::<Vec<_>>().join(" "))
}

pub fn repositories(names: &[String]) -> String {
    let parts = names.iter().enumerate().filter_map(|(at, full_name)| {
        let (owner, name) = full_name.split_once('/')?;
        Some(format!(
            "r{at}:repository(owner:\"{owner}\",name:\"{name}\"){{databaseId nameWithOwner \
             isArchived defaultBranchRef{{name}}}}"
        ))
    });
    format!("query{{{}}}", parts.collect::<Vec<_>>().join(" "))
}

pub fn deployments() -> String {
    "query($o:String!,$r:String!,$p:Int!,$after:String){repository(owner:$o,name:$r){\
     deployments(first:$p,after:$after,orderBy:{field:CREATED_AT,direction:DESC}){\
     pageInfo{hasNextPage endCursor} nodes{databaseId commitOid environment state createdAt \
     updatedAt statuses(first:30){nodes{state createdAt}}}}}}"
        .to_owned()
}

pub fn history() -> String {
    format!(
        "query($o:String!,$r:String!,$p:Int!,$after:String){{repository(owner:$o,name:$r){{\
         defaultBranchRef{{target{{... on Commit{{history(first:$p,after:$after){{\
         pageInfo{{hasNextPage endCursor}} nodes{{{COMMIT} parents(first:10){{nodes{{oid}}}}}}\
         }}}}}}}}}}}}"
    )
}
