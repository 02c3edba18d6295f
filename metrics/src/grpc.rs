//! The door: questions in, answers out.

use chrono::{NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::Moment;
use domain::ids::ClientId;
use domain::workflow::Change;
use proto::convert::{moment, parse};
use proto::v1::metrics_server::Metrics as Service;
use proto::v1::{Answer, PreviewReply, PreviewRequest, Question};
use store::focus::Focus;
use tonic::{Request, Response, Status};

use crate::bands::Table;
use crate::memory::Memory;
use crate::preview;
use crate::report::forecast::Wanted;
use crate::report::{self, Asked, Bucket, Report, Window, unavailable};
use crate::reported;

/// Nobody can foretell what is farther away.
const FARTHEST_DAYS: i64 = 3_650;

/// Answers questions from the last publication.
#[derive(Clone)]
pub struct Door {
    facts: store::Metrics,
    memory: Memory,
}

impl Door {
    /// Over the store's facts.
    pub fn new(facts: store::Metrics) -> Door {
        Door { facts, memory: Memory::default() }
    }
}

#[tonic::async_trait]
impl Service for Door {
    async fn ask(&self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let question = request.into_inner();
        let client: ClientId = parse("client_id", &question.client_id)?;
        if !question.on_day.is_empty() {
            let day = parse("on_day", &question.on_day)?;
            return reported::told(&self.facts, client, &question.report, day)
                .await
                .map(Response::new);
        }
        let zone = report::zone(&self.facts, client).await.map_err(unavailable)?;
        let window = window(&question, zone)?;
        let focus = Focus { repositories: question.repositories, projects: question.projects };
        let bands = Table::named(&question.band_table)
            .ok_or_else(|| Status::invalid_argument("bands: must be 2023 or 2021"))?;
        let asked = Asked { window, focus, explain: question.explain, bands, now: Utc::now() };
        let Some(report) = Report::named(&question.report) else {
            let reason = format!("there is no report {:?}", question.report);
            return Err(Status::invalid_argument(reason));
        };
        let until = until(&question.until, &asked.window)?;
        let wanted = Wanted { items: question.items, until };
        let answer = report.answer(&self.facts, &self.memory, client, &asked, wanted).await;
        Ok(Response::new(answer.map_err(unavailable)?))
    }

    async fn preview(
        &self,
        request: Request<PreviewRequest>,
    ) -> Result<Response<PreviewReply>, Status> {
        let asked = request.into_inner();
        let client: ClientId = parse("client_id", &asked.client_id)?;
        let changes = asked.changes.into_iter().map(Change::try_from).collect::<Result<_, _>>()?;
        match preview::lead_times(&self.facts, client, changes, Utc::now()).await {
            Ok(reply) => Ok(Response::new(reply)),
            Err(store::Error::Workflow(refused)) => {
                Err(Status::invalid_argument(refused.to_string()))
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

/// The window that is asked for; the last 90 days where nothing is said.
fn window(question: &Question, zone: Tz) -> Result<Window, Status> {
    let to = question.to.map(|to| moment("to", to)).transpose()?;
    let to = bound("to", to, &question.to_day, zone)?.unwrap_or_else(Utc::now);
    let from = question.from.map(|from| moment("from", from)).transpose()?;
    let from = bound("from", from, &question.from_day, zone)?;
    let from = from.unwrap_or(to - TimeDelta::days(90));
    let bucket = match question.bucket.as_str() {
        "" => Bucket::Week,
        word => {
            word.parse().map_err(|e: report::Unknown| Status::invalid_argument(e.to_string()))?
        }
    };
    Window::new(from, to, zone, bucket).map_err(|e| Status::invalid_argument(e.to_string()))
}

/// A moment, or midnight of a day.
fn bound(
    field: &'static str,
    at: Option<Moment>,
    day: &str,
    zone: Tz,
) -> Result<Option<Moment>, Status> {
    if day.is_empty() {
        return Ok(at);
    }
    Ok(Some(report::midnight(zone, parse(field, day)?)))
}

/// The last day of a forecast from `window`.
fn until(day: &str, window: &Window) -> Result<Option<NaiveDate>, Status> {
    if day.is_empty() {
        return Ok(None);
    }
    let day = parse("until", day)?;
    let today = window.last_day();
    if today < day && day <= today + TimeDelta::days(FARTHEST_DAYS) {
        return Ok(Some(day));
    }
    let reason = format!("until: must be a day after {today}, and at most {FARTHEST_DAYS} days on");
    Err(Status::invalid_argument(reason))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe::Berlin;

    use super::*;

    #[test]
    fn days_begin_in_the_zone_of_the_client() {
        let at = |text: &str| text.parse::<Moment>().unwrap();
        let question = Question {
            from_day: "2026-03-02".to_owned(),
            to_day: "2026-03-30".to_owned(),
            ..Question::default()
        };
        let found = window(&question, Berlin).unwrap();
        // The clock goes forward on 29 March.
        assert_eq!(
            (found.from, found.to),
            (at("2026-03-01T23:00:00Z"), at("2026-03-29T22:00:00Z"))
        );
        let question = Question { from_day: "soon".to_owned(), ..Question::default() };
        assert!(window(&question, Berlin).is_err());
    }

    #[test]
    fn a_forecast_goes_from_tomorrow_to_ten_years_on() {
        let at = |text: &str| text.parse::<Moment>().unwrap();
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-03-01T09:00:00Z"));
        let window = Window::new(from, to, Tz::UTC, Bucket::Week).unwrap();
        assert_eq!(until("", &window).unwrap(), None);
        for day in ["2026-03-02", "2036-02-27"] {
            assert_eq!(until(day, &window).unwrap(), Some(day.parse().unwrap()));
        }
        for day in ["2026-03-01", "2025-01-01", "2036-02-28", "9999-12-31", "soon"] {
            assert!(until(day, &window).is_err(), "{day}");
        }
    }
}
