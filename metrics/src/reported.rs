//! What was reported on days of the past. After each publication the reports that people open first are
//! kept as they are told then, the last of each day in the end.

use chrono::{NaiveDate, TimeDelta};
use domain::Moment;
use domain::ids::ClientId;
use proto::Message;
use proto::convert::timestamp;
use proto::v1::Answer;
use store::focus::Focus;
use tonic::Status;
use tracing::warn;

use crate::bands::NEWEST;
use crate::flow::{day_number, day_of};
use crate::memory::Memory;
use crate::report::forecast::Wanted;
use crate::report::{self, Asked, Bucket, Report, Window};

/// Reports over the days before, about everything, as pages show them first.
const SHOWN: TimeDelta = TimeDelta::days(90);

/// What is kept of each day.
const KEPT: [Report; 5] =
    [Report::Dora, Report::Flow, Report::PullRequests, Report::Forecast, Report::DataQuality];

/// Keeps what is told now. Whoever published needs not mind when that fails: the next publication comes.
pub async fn keep(facts: &store::Metrics, client: ClientId, now: Moment) {
    if let Err(error) = try_keep(facts, client, now).await {
        warn!(%error, client.id = %client, "could not keep what is reported today");
    }
}

async fn try_keep(
    facts: &store::Metrics,
    client: ClientId,
    now: Moment,
) -> Result<(), store::Error> {
    let zone = report::zone(facts, client).await?;
    let window = Window { from: now - SHOWN, to: now, zone, bucket: Bucket::Week };
    let asked = Asked { window, focus: Focus::default(), explain: false, bands: NEWEST, now };
    // Nobody asks this worker again, so nothing is held.
    let memory = Memory::new(0);
    let mut answers = Vec::with_capacity(KEPT.len());
    for report in KEPT {
        let answer = report.answer(facts, &memory, client, &asked, Wanted::default()).await?;
        answers.push((report.name(), answer.encode_to_vec()));
    }
    facts.keep_reported(client, day_number(window.day(now)), now, answers).await
}

/// What a report told on a day, or last before it.
///
/// # Errors
/// `INVALID_ARGUMENT` for a report that is not kept, `NOT_FOUND` where nothing was told by then,
/// `UNAVAILABLE` without the store.
pub async fn told(
    facts: &store::Metrics,
    client: ClientId,
    name: &str,
    day: NaiveDate,
) -> Result<Answer, Status> {
    if !KEPT.iter().any(|report| report.name() == name) {
        let kept = KEPT.map(Report::name).join(", ");
        return Err(Status::invalid_argument(format!("{name} is not kept by day, only {kept}")));
    }
    let found = facts.reported(client, name.to_owned(), day_number(day)).await;
    let Some(found) = found.map_err(report::unavailable)? else {
        let first = facts.first_reported(client, name.to_owned()).await;
        let reason = match first.map_err(report::unavailable)? {
            Some(first) => {
                format!("nothing was reported by {day}, the first day is {}", day_of(first))
            }
            None => "nothing was reported yet: run both jobs".to_owned(),
        };
        return Err(Status::not_found(reason));
    };
    let answer = Answer::decode(&*found.answer);
    let answer = answer.map_err(|_| Status::internal("what was reported cannot be read"))?;
    Ok(Answer { told_at: Some(timestamp(found.told_at)), ..answer })
}
