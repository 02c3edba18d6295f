//! How far the numbers can be trusted: what is missing from the data, and what mends it.

use domain::ids::ClientId;
use proto::convert::timestamp;
use proto::v1::{Answer, Quality, QualityCheck};
use store::quality::Found;

use super::{Asked, count_as_number, excluded};

/// Looks at the client's data as of now, whatever window is asked for.
///
/// # Errors
/// The store's.
pub async fn answer(
    facts: &store::Metrics,
    client: ClientId,
    asked: &Asked,
) -> Result<Answer, store::Error> {
    let found = facts.quality(client, asked.now).await?;
    Ok(Answer {
        quality: Some(report(&found)),
        as_of: Some(timestamp(asked.now)),
        timezone: asked.window.zone.name().to_owned(),
        ..Answer::default()
    })
}

/// The report over what was found. Pure.
pub fn report(found: &[Found]) -> Quality {
    let shares: Vec<f64> = found.iter().filter_map(share).collect();
    let score = (!shares.is_empty())
        .then(|| 1.0 - shares.iter().sum::<f64>() / count_as_number(shares.len()));
    Quality {
        score,
        formula: "1 - mean of the shares of all checks that have rows".to_owned(),
        version: 1,
        empty_reason: if score.is_none() { NOTHING.to_owned() } else { String::new() },
        checks: found.iter().map(check).collect(),
        counted: shares.len() as u64,
        excluded: excluded([("nothing_to_look_at", found.len() - shares.len())]),
    }
}

const NOTHING: &str = "Nothing was read yet: connect Jira and GitHub, and run both jobs.";

fn share(found: &Found) -> Option<f64> {
    let number = |count: u64| count_as_number(usize::try_from(count).unwrap_or(usize::MAX));
    (found.all > 0).then(|| number(found.bad) / number(found.all))
}

fn check(found: &Found) -> QualityCheck {
    QualityCheck {
        name: found.name.to_owned(),
        count: found.bad,
        total: found.all,
        share: share(found),
        examples: found.examples.clone(),
        fix: fix(found.name).to_owned(),
    }
}

fn fix(check: &str) -> &'static str {
    match check {
        "unmapped_statuses" => "Map each to a step under Mappings; suggestions wait there.",
        "unmapped_issue_types" => {
            "Say under Mappings what each of them is, or switch it off there."
        }
        "issues_unmapped" => {
            "Map the statuses that they are in or came through: unmapped_statuses names them."
        }
        "issues_without_history" => {
            "Run the Jira job once more: it reads on where a changelog was cut off."
        }
        "pull_requests_without_issue" => {
            "Name the issue's key in the branch or the title, for example PAY-311."
        }
        "pull_requests_without_review" => {
            "Have them reviewed before they are merged, for example by a branch protection rule."
        }
        "deployments_without_environment" => {
            "Add a deployment rule for its name, or call the environment as the rules know it."
        }
        "deployments_of_unknown_commits" => {
            "Keep deployed commits on GitHub, by a branch or a tag, so that it can tell what they brought."
        }
        "incidents_without_deployment" => {
            "Link the incident to the issue that caused it, with \"is caused by\"."
        }
        "stale_connections" => "Look at the job of this connection: it has not finished for long.",
        "gaps" => "Grant the token access to what it could not read, or take it off the list.",
        _ => "Look at the examples.",
    }
}

#[cfg(test)]
mod tests {
    use store::quality::CHECKS;

    use super::*;

    fn found(name: &'static str, bad: u64, all: u64) -> Found {
        Found { name, bad, all, examples: vec!["PAY-1".to_owned()] }
    }

    #[test]
    fn the_score_is_what_is_left_of_trust_on_average() {
        let quality =
            report(&[found("gaps", 1, 4), found("issues_unmapped", 0, 10), found("none", 0, 0)]);
        assert_eq!(quality.score, Some(0.875));
        let shares: Vec<_> = quality.checks.iter().map(|check| check.share).collect();
        assert_eq!(shares, [Some(0.25), Some(0.0), None]);
        // Two checks had something to look at, one had not.
        let excluded: Vec<_> =
            quality.excluded.iter().map(|e| (e.reason.as_str(), e.count)).collect();
        assert_eq!((quality.counted, excluded), (2, vec![("nothing_to_look_at", 1)]));
        assert_eq!(quality.checks[0].examples, ["PAY-1"]);
    }

    #[test]
    fn without_data_there_is_no_score_but_a_reason() {
        let quality = report(&[found("gaps", 0, 0)]);
        assert_eq!((quality.score, quality.empty_reason.is_empty()), (None, false));
    }

    #[test]
    fn every_check_has_a_fix_of_its_own() {
        let mut fixes: Vec<_> = CHECKS.iter().map(|check| fix(check.name)).collect();
        assert!(!fixes.contains(&fix("unknown")));
        fixes.sort_unstable();
        fixes.dedup();
        assert_eq!(fixes.len(), CHECKS.len());
    }
}
