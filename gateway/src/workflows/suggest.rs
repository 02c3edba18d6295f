//! Help with mappings: which step a status probably stands for, and what speaks for it.

use std::collections::{BTreeMap, HashMap};

use actix_web::web::{Data, Json};
use domain::ids::IntegrationId;
use domain::project::StatusCategory;
use domain::text::folded;
use domain::workflow::{Places, Reason, Suggestion, Unplaced, WorkflowStep};
use serde::Serialize;
use store::Workflows;
use store::workflows::{Moves, StatusInUse};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::error::ApiError;
use crate::paging::Items;

/// A status that no mapping names, and the steps that it may stand for.
#[derive(Serialize, ToSchema)]
pub(crate) struct UnplacedJson {
    integration_id: String,
    status: String,
    status_category: &'static str,
    issues: u64,
    suggestions: Vec<SuggestionJson>,
}

#[derive(Serialize, ToSchema)]
struct SuggestionJson {
    step_id: String,
    step: String,
    category: &'static str,
    workflow_id: String,
    /// From 0 to 1.
    confidence: f64,
    /// What speaks for it, strongest first, as sentences.
    reasons: Vec<String>,
    /// The same in the same order, for whoever says it in another language.
    because: Vec<ReasonJson>,
}

/// What speaks for a step.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ReasonJson {
    SameName,
    SharedWord { word: String },
    Meaning { category: &'static str },
    JiraCategory { category: &'static str },
    Between { fitting: u64, all: u64 },
}

/// Which steps the statuses probably stand for that no mapping names.
#[utoipa::path(post, path = "/api/v1/status-mappings/suggest", tag = "workflows",
    responses((status = 200, body = Items<UnplacedJson>)))]
pub(crate) async fn suggest(
    caller: Caller,
    workflows: Data<Workflows>,
) -> Result<Json<Items<UnplacedJson>>, ApiError> {
    let known = workflows.of_client(caller.client).await?;
    let in_use = workflows.statuses_in_use(caller.client).await?;
    let moves = workflows.moves(caller.client).await?;
    let places = Places::new(&known);
    let neighbours = Neighbours::of(&places, &in_use, &moves);
    let unnamed = unnamed(&places, &in_use).into_values().map(|status| {
        let unplaced = Unplaced {
            integration: status.integration,
            status: &status.name,
            category: status.category,
            from: neighbours.before(status.integration, &status.name),
            to: neighbours.behind(status.integration, &status.name),
        };
        let suggestions = known.suggest(&unplaced).into_iter().map(SuggestionJson::from).collect();
        UnplacedJson {
            integration_id: status.integration.to_string(),
            status_category: status.category.as_str(),
            issues: status.issues,
            suggestions,
            status: status.name,
        }
    });
    Ok(Json(Items::whole(unnamed.collect())))
}

struct Status {
    integration: IntegrationId,
    name: String,
    category: StatusCategory,
    issues: u64,
}

/// Statuses that no mapping names, for at least one of the types in them.
fn unnamed(
    places: &Places<'_>,
    in_use: &[StatusInUse],
) -> BTreeMap<(IntegrationId, String), Status> {
    let mut unnamed: BTreeMap<(IntegrationId, String), Status> = BTreeMap::new();
    for row in in_use {
        let issue_type = row.issue_type.as_deref().unwrap_or_default();
        if places.status(row.integration, issue_type, &row.status).is_some() {
            continue;
        }
        let key = (row.integration, folded(&row.status));
        let status = unnamed.entry(key).or_insert_with(|| Status {
            integration: row.integration,
            name: row.status.clone(),
            category: row.category,
            issues: 0,
        });
        status.issues += row.issues;
    }
    unnamed
}

/// Steps that issues came from and went to, by connection and folded name of the status.
#[derive(Default)]
struct Neighbours<'a> {
    before: HashMap<(IntegrationId, String), Vec<(&'a WorkflowStep, u64)>>,
    behind: HashMap<(IntegrationId, String), Vec<(&'a WorkflowStep, u64)>>,
}

impl<'a> Neighbours<'a> {
    fn of(places: &Places<'a>, in_use: &[StatusInUse], moves: &[Moves]) -> Neighbours<'a> {
        let categories: HashMap<(IntegrationId, String), StatusCategory> = in_use
            .iter()
            .map(|row| ((row.integration, folded(&row.status)), row.category))
            .collect();
        let step = |integration: IntegrationId, status: &str| {
            let category = categories.get(&(integration, folded(status))).copied();
            places.step(integration, "", status, category).ok()
        };
        let mut neighbours = Neighbours::default();
        for moved in moves {
            let key = |status: &str| (moved.integration, folded(status));
            if let Some(from) = step(moved.integration, &moved.from) {
                neighbours.before.entry(key(&moved.to)).or_default().push((from, moved.count));
            }
            if let Some(to) = step(moved.integration, &moved.to) {
                neighbours.behind.entry(key(&moved.from)).or_default().push((to, moved.count));
            }
        }
        neighbours
    }

    fn before(&self, integration: IntegrationId, status: &str) -> Vec<(&'a WorkflowStep, u64)> {
        self.before.get(&(integration, folded(status))).cloned().unwrap_or_default()
    }

    fn behind(&self, integration: IntegrationId, status: &str) -> Vec<(&'a WorkflowStep, u64)> {
        self.behind.get(&(integration, folded(status))).cloned().unwrap_or_default()
    }
}

impl From<Suggestion<'_>> for SuggestionJson {
    fn from(suggestion: Suggestion<'_>) -> SuggestionJson {
        SuggestionJson {
            step_id: suggestion.step.id.to_string(),
            step: suggestion.step.name.clone(),
            category: suggestion.step.category.as_str(),
            workflow_id: suggestion.step.workflow.to_string(),
            confidence: (suggestion.confidence * 100.0).round() / 100.0,
            because: suggestion.reasons.iter().map(ReasonJson::from).collect(),
            reasons: suggestion.reasons.iter().map(sentence).collect(),
        }
    }
}

fn sentence(reason: &Reason) -> String {
    match reason {
        Reason::SameName => "It is called like the step.".to_owned(),
        Reason::SharedWord(word) => format!("Both names say \"{word}\"."),
        Reason::Meaning(category) => format!("Its name means {category}."),
        Reason::JiraCategory(category) => format!("Jira groups it with {category}."),
        Reason::Between { fitting, all } => {
            format!("{fitting} of {all} moves come from no later step or go to no earlier one.")
        }
    }
}

impl From<&Reason> for ReasonJson {
    fn from(reason: &Reason) -> ReasonJson {
        match reason {
            Reason::SameName => ReasonJson::SameName,
            Reason::SharedWord(word) => ReasonJson::SharedWord { word: word.clone() },
            Reason::Meaning(category) => ReasonJson::Meaning { category: category.as_str() },
            Reason::JiraCategory(category) => {
                ReasonJson::JiraCategory { category: category.as_str() }
            }
            Reason::Between { fitting, all } => {
                ReasonJson::Between { fitting: *fitting, all: *all }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::workflow::StepCategory;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_reason_is_told_as_a_sentence_and_as_data() {
        let cases = [
            (Reason::SameName, "It is called like the step.", json!({ "kind": "same_name" })),
            (
                Reason::SharedWord("review".to_owned()),
                "Both names say \"review\".",
                json!({ "kind": "shared_word", "word": "review" }),
            ),
            (
                Reason::Meaning(StepCategory::Discarded),
                "Its name means DISCARDED.",
                json!({ "kind": "meaning", "category": "DISCARDED" }),
            ),
            (
                Reason::JiraCategory(StatusCategory::InProgress),
                "Jira groups it with IN_PROGRESS.",
                json!({ "kind": "jira_category", "category": "IN_PROGRESS" }),
            ),
            (
                Reason::Between { fitting: 3, all: 4 },
                "3 of 4 moves come from no later step or go to no earlier one.",
                json!({ "kind": "between", "fitting": 3, "all": 4 }),
            ),
        ];
        for (reason, said, data) in cases {
            assert_eq!(sentence(&reason), said);
            assert_eq!(serde_json::to_value(ReasonJson::from(&reason)).unwrap(), data);
        }
    }
}
