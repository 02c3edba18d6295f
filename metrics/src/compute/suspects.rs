//! Which issues are incidents by the client's rules, and what these say of each.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use domain::Moment;
use domain::ids::{ClientId, IntegrationId};
use domain::rules::{IncidentRule, IncidentRules, Suspect};
use store::metrics::{By, IncidentRead, SuspectRead};

use super::references::Reference;

/// Suspects in memory at a time: with labels and components, all issues may be.
const SUSPECTS: i64 = 2_000;

/// An issue that is an incident by a rule.
pub(super) struct Incident {
    pub(super) read: IncidentRead,
    pub(super) began_at: Moment,
    pub(super) window: Option<TimeDelta>,
    pub(super) reference: Option<Reference>,
}

/// What a rule says of an incident: when it began and which deployment caused it, if fields are to tell,
/// and how far back its cause may lie.
struct Ruled {
    began_at: Option<Moment>,
    window: Option<TimeDelta>,
    reference: Option<Reference>,
}

impl Ruled {
    fn of(rule: &IncidentRule, suspect: &SuspectRead) -> Ruled {
        let told = |field: &String| suspect.moments.iter().find(|(id, _)| id == field);
        let began_at = rule.started_at_field.as_ref().and_then(told).map(|(_, at)| *at);
        let named = |field: &String| suspect.mentions.iter().find(|(id, _)| id == field);
        let reference = rule.deployment_field.as_ref().and_then(named);
        let reference = reference.map(|(_, text)| Reference::read(text));
        Ruled { began_at, window: rule.window(), reference }
    }
}

pub(super) async fn incidents(
    facts: &store::Metrics,
    client: ClientId,
    rules: &IncidentRules,
) -> Result<Vec<Incident>, store::Error> {
    let mut connections: BTreeMap<IntegrationId, HashMap<i64, String>> = BTreeMap::new();
    for (integration, type_id, name) in facts.issue_types(client).await? {
        connections.entry(integration).or_default().insert(type_id, name);
    }
    let mut incidents = Vec::new();
    for (integration, types) in connections {
        let meant = types.iter().filter(|(_, name)| rules.mean_type(integration, name));
        let meant: Vec<i64> = meant.map(|(type_id, _)| *type_id).collect();
        let by = By {
            names: rules.look_at_names(integration),
            fields: rules.look_at_fields(integration),
        };
        let mut ruled: BTreeMap<i64, Ruled> = BTreeMap::new();
        let mut last = i64::MIN;
        loop {
            let suspects = facts.suspects(client, integration, &meant, by, last, SUSPECTS);
            let suspects = suspects.await?;
            let Some(end) = suspects.last() else { break };
            last = end.id;
            for suspect in suspects {
                let Some(issue_type) = types.get(&suspect.type_id) else { continue };
                let (labels, components) = (&suspect.labels, &suspect.components);
                let values = &suspect.mentions;
                let suspected = Suspect { integration, issue_type, labels, components, values };
                if let Some(rule) = rules.of(suspected) {
                    ruled.insert(suspect.id, Ruled::of(rule, &suspect));
                }
            }
        }
        let ids = ruled.keys().copied().collect();
        for read in facts.incidents(client, integration, ids).await? {
            let Some(Ruled { began_at, window, reference }) = ruled.remove(&read.id) else {
                continue;
            };
            let began_at = began_at.unwrap_or(read.created_at);
            incidents.push(Incident { read, began_at, window, reference });
        }
    }
    Ok(incidents)
}
