//! A reader per step: what to ask for next, and what the answers mean together.

mod deletions;
mod issues;
mod projects;
mod sprints;
mod statuses;

pub(crate) use deletions::Deletions;
pub(crate) use issues::Issues;
pub(crate) use projects::Projects;
pub(crate) use sprints::Sprints;
pub(crate) use statuses::Statuses;

use extractor::Failure;

/// Requests of one task that are under way side by side.
const SIDE_BY_SIDE: usize = 8;

/// The token of the next page. One that repeats would lead in circles.
fn following(token: Option<&str>, next: Option<String>) -> Result<Option<String>, Failure> {
    let next = next.filter(|next| !next.is_empty());
    if next.is_some() && next.as_deref() == token {
        return Err(Failure::Unreadable {
            detail: "Jira repeats a page of its search for ever. It is tried again next time."
                .to_owned(),
        });
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_token_ends_the_walk() {
        let some = |text: &str| Some(text.to_owned());
        assert!(following(Some("a"), some("a")).is_err());
        assert_eq!(following(Some("a"), some("b")).unwrap(), some("b"));
        assert_eq!(following(None, None).unwrap(), None);
        assert_eq!(following(None, some("")).unwrap(), None);
    }
}
