//! Who reviews how much: reviews that people gave to others in a window.

use domain::ids::ClientId;
use proto::v1::{Answer, Reviewer};
use store::review_load::ReviewLoad;

use super::{Asked, excluded};

/// Answers for a window.
///
/// # Errors
/// The store's.
pub async fn answer(
    facts: &store::Metrics,
    client: ClientId,
    asked: &Asked,
) -> Result<Answer, store::Error> {
    let (window, focus) = (&asked.window, asked.focus.clone());
    let load = facts.review_load(client, window.from, window.to, focus).await?;
    Ok(report(&load, asked))
}

/// The report over what was read. Pure.
pub fn report(load: &ReviewLoad, asked: &Asked) -> Answer {
    let people = load.people.iter().map(|person| Reviewer {
        login: person.login.clone(),
        reviews: person.reviews,
        pull_requests: person.pull_requests,
    });
    let left_out =
        [("bot", load.by_bots), ("own_pull_request", load.own), ("deleted_user", load.by_nobody)];
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let told = proto::v1::ReviewLoad {
        people: people.collect(),
        counted: load.people.iter().map(|person| person.reviews).sum(),
        excluded: excluded(left_out.map(|(reason, count)| (reason, number(count)))),
        formula: "reviews that somebody gave in the window to pull requests of others".to_owned(),
        version: 1,
        empty_reason: why_empty(load),
    };
    Answer { review_load: Some(told), ..asked.window.answer(load.as_of, false) }
}

fn why_empty(load: &ReviewLoad) -> String {
    let left_out = load.by_bots + load.own + load.by_nobody;
    match load.as_of {
        _ if !load.people.is_empty() => String::new(),
        None => "No sync has finished yet: run the GitHub job, and the values appear.".to_owned(),
        Some(_) if left_out > 0 => {
            format!("{left_out} reviews were given in this window, none by a person to another.")
        }
        Some(_) => "No review was given in this window.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use domain::Moment;
    use proto::v1::Excluded;
    use store::focus::Focus;
    use store::review_load::Reviewer as Read;

    use super::super::{Bucket, Window};
    use super::*;

    fn at(text: &str) -> Moment {
        text.parse().unwrap()
    }

    fn told(load: &ReviewLoad) -> proto::v1::ReviewLoad {
        let (from, to) = (at("2026-03-02T00:00:00Z"), at("2026-03-16T00:00:00Z"));
        let asked = Asked {
            window: Window::new(from, to, Tz::UTC, Bucket::Week).unwrap(),
            focus: Focus::default(),
            explain: false,
            bands: crate::bands::NEWEST,
            now: to,
        };
        report(load, &asked).review_load.unwrap()
    }

    #[test]
    fn everybody_is_told_beside_what_is_left_out() {
        let person = |login: &str, reviews, pull_requests| Read {
            login: login.to_owned(),
            reviews,
            pull_requests,
        };
        let load = ReviewLoad {
            as_of: Some(at("2026-03-16T00:00:00Z")),
            people: vec![person("ada", 5, 3), person("grace", 2, 2)],
            by_bots: 4,
            own: 1,
            by_nobody: 0,
        };
        let told = told(&load);
        assert_eq!(told.counted, 7);
        let row = |reason: &str, count| Excluded { reason: reason.to_owned(), count };
        assert_eq!(told.excluded, [row("bot", 4), row("own_pull_request", 1)]);
        assert_eq!((told.people[0].login.as_str(), told.people[0].reviews), ("ada", 5));
        assert_eq!((told.people[1].pull_requests, told.empty_reason.as_str()), (2, ""));
    }

    #[test]
    fn emptiness_is_explained_by_the_first_rule_that_emptied_it() {
        let as_of = Some(at("2026-03-16T00:00:00Z"));
        let cases = [
            (ReviewLoad::default(), "No sync has finished yet"),
            (ReviewLoad { as_of, ..ReviewLoad::default() }, "No review was given"),
            (ReviewLoad { as_of, by_bots: 2, own: 1, ..ReviewLoad::default() }, "3 reviews were"),
        ];
        for (load, reason) in cases {
            let told = told(&load);
            assert!(told.empty_reason.starts_with(reason), "{}", told.empty_reason);
        }
    }
}
