//! How connections do, as the jobs that read them tell.

use chrono::Utc;
use domain::ids::ClientId;
use domain::job::JobState;
use domain::work::Gap;
use store::integrations::Integration;
use store::jobs::{JobView, RunView};
use store::{Error, Integrations, Jobs};

const GAPS_NAMED: usize = 3;

/// All connections of a client, each with its health and the time of its last complete sync.
pub(crate) async fn of_client(
    integrations: &Integrations,
    jobs: &Jobs,
    client: ClientId,
) -> Result<Vec<Integration>, Error> {
    let stored = integrations.of_client(client).await?;
    let mut lately = Vec::new();
    for job in jobs.of_client(client, Utc::now()).await? {
        let last_run = jobs.runs(client, job.job_type, None, 1).await?.pop();
        lately.push((job, last_run));
    }
    Ok(stored.into_iter().map(|integration| graded(integration, &lately)).collect())
}

/// The connection as the job that reads its kind has left it.
fn graded(integration: Integration, lately: &[(JobView, Option<RunView>)]) -> Integration {
    let reads_it = |job: &JobView| job.job_type.source() == integration.kind;
    let known = lately.iter().find(|(job, _)| integration.active && reads_it(job));
    let Some((job, last_run)) = known else { return integration };
    // A sync of before the connection was made says nothing about it.
    let last_sync_at = job.last_success_at.filter(|at| *at > integration.created_at);
    let gaps = last_run.as_ref().map_or(&[][..], |run| &run.gaps);
    let (health, health_detail) = match (job.state, job.waiting_until, last_sync_at) {
        (JobState::Error, ..) => ("down", job.error.clone()),
        (_, Some(until), _) => {
            let detail = format!("Its quota is used up until {}.", until.format("%H:%M UTC"));
            ("warning", Some(detail))
        }
        (_, None, Some(_)) if !gaps.is_empty() => ("warning", Some(missing(gaps))),
        (_, None, Some(_)) => ("healthy", None),
        (_, None, None) => ("unknown", None),
    };
    Integration { health: health.to_owned(), health_detail, last_sync_at, ..integration }
}

/// What a run had to leave out; a long list is in the run itself.
fn missing(gaps: &[Gap]) -> String {
    let named = gaps.iter().take(GAPS_NAMED).map(|gap| format!("`{}` ({})", gap.scope, gap.reason));
    let named = named.collect::<Vec<_>>().join("; ");
    match gaps.len().saturating_sub(GAPS_NAMED) {
        0 => format!("The last run could not read {named}."),
        more => format!("The last run could not read {named}, and {more} more."),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::Moment;
    use domain::ids::IntegrationId;
    use domain::job::JobType;
    use domain::work::SourceKind;

    use super::*;

    fn made_at() -> Moment {
        "2026-03-01T09:00:00Z".parse().unwrap()
    }

    fn integration(active: bool) -> Integration {
        let client = ClientId(Default::default());
        let base_url = "https://acme.example";
        let new = Integration::new(client, SourceKind::Jira, "Jira", base_url, made_at());
        Integration { id: IntegrationId(Default::default()), active, ..new }
    }

    fn job(state: JobState, last_success_at: Option<Moment>) -> JobView {
        JobView {
            job_type: JobType::JiraSync,
            state,
            version: 1,
            active: true,
            steps: Vec::new(),
            rows_per_second: None,
            eta_seconds: None,
            waiting_until: None,
            next_run_at: None,
            last_run: None,
            run_started_at: None,
            last_success_at,
            error: (state == JobState::Error).then(|| "Jira refused the token.".to_owned()),
            leased: 0,
        }
    }

    #[test]
    fn a_connection_does_as_its_job_left_it() {
        let (before, after) = (made_at() - TimeDelta::hours(1), made_at() + TimeDelta::hours(1));
        let cases = [
            (JobState::NotStarted, None, true, "unknown", None),
            (JobState::Finished, Some(before), true, "unknown", None),
            (JobState::Finished, Some(after), true, "healthy", Some(after)),
            (JobState::Running, Some(after), true, "healthy", Some(after)),
            (JobState::Error, Some(after), true, "down", Some(after)),
            (JobState::Error, Some(after), false, "unknown", None),
        ];
        for (state, success, active, health, last_sync) in cases {
            let graded = graded(integration(active), &[(job(state, success), None)]);
            assert_eq!(graded.health, health, "{state} {success:?} {active}");
            assert_eq!(graded.last_sync_at, last_sync, "{state} {success:?} {active}");
        }
        let refused = graded(integration(true), &[(job(JobState::Error, None), None)]);
        assert_eq!(refused.health_detail.as_deref(), Some("Jira refused the token."));
    }

    #[test]
    fn what_a_run_left_out_is_named() {
        let gap = |n| Gap { scope: format!("acme/{n}"), reason: "404".to_owned() };
        let gaps: Vec<_> = (0..4).map(gap).collect();
        let two = "The last run could not read `acme/0` (404); `acme/1` (404).";
        assert_eq!(missing(&gaps[..2]), two);
        assert!(missing(&gaps).ends_with("`acme/2` (404), and 1 more."), "{}", missing(&gaps));
    }
}
