//! Which step a status probably stands for, and what speaks for it. Names are read in several
//! languages, because statuses are named by people.

use super::{Configuration, Scope, StepCategory, WorkflowStep};
use crate::ids::IntegrationId;
use crate::project::StatusCategory;
use crate::text::folded;

/// A status that wants a step.
#[derive(Debug, Clone)]
pub struct Unplaced<'a> {
    /// The connection.
    pub integration: IntegrationId,
    /// Its name.
    pub status: &'a str,
    /// Jira's grouping of it.
    pub category: StatusCategory,
    /// Moves into it from statuses that have a step already: the step and how many.
    pub from: Vec<(&'a WorkflowStep, u64)>,
    /// Moves out of it, likewise.
    pub to: Vec<(&'a WorkflowStep, u64)>,
}

/// A step that may be meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion<'a> {
    /// The step.
    pub step: &'a WorkflowStep,
    /// From 0 to 1.
    pub confidence: f64,
    /// What speaks for it, strongest first.
    pub reasons: Vec<Reason>,
}

/// What speaks for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The status is called like the step.
    SameName,
    /// A word of the status's name is one of the step's.
    SharedWord(String),
    /// The status's name, in some language, means the step's category.
    Meaning(StepCategory),
    /// Jira groups the status with the step's category.
    JiraCategory(StatusCategory),
    /// Issues come from no later and go to no earlier steps.
    Between {
        /// Of all moves in and out, how many fit.
        fitting: u64,
        /// All moves in and out.
        all: u64,
    },
}

impl Reason {
    fn weight(&self) -> f64 {
        match self {
            Reason::SameName => 0.6,
            Reason::Meaning(_) => 0.4,
            Reason::JiraCategory(_) => 0.25,
            Reason::SharedWord(_) => 0.15,
            Reason::Between { fitting, all } => {
                // Shares of moves need no more than a few digits.
                let share = u32::try_from(fitting * 1_000 / all.max(&1)).unwrap_or(0);
                0.2 * f64::from(share) / 1_000.0
            }
        }
    }
}

/// Least confidence that is worth showing.
const WORTH_SHOWING: f64 = 0.2;
/// Nothing is certain that nobody has confirmed.
const MOST: f64 = 0.99;
const SHOWN: usize = 3;

impl Configuration {
    /// The steps that a status probably stands for, the most probable first.
    pub fn suggest<'a>(&'a self, unplaced: &Unplaced<'a>) -> Vec<Suggestion<'a>> {
        let meaning = meaning(unplaced.status);
        let mut suggestions: Vec<Suggestion<'a>> = self
            .steps
            .iter()
            .filter(|step| step.active && is_in_reach(step.scope, unplaced.integration))
            .filter(|step| self.is_active(step.workflow))
            .map(|step| suggestion(step, unplaced, meaning))
            .filter(|suggestion| suggestion.confidence >= WORTH_SHOWING)
            .collect();
        suggestions.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        suggestions.truncate(SHOWN);
        suggestions
    }
}

fn is_in_reach(scope: Scope, integration: IntegrationId) -> bool {
    scope.is_none_or(|scope| scope == integration)
}

fn suggestion<'a>(
    step: &'a WorkflowStep,
    unplaced: &Unplaced<'a>,
    meaning: Option<StepCategory>,
) -> Suggestion<'a> {
    let mut reasons = Vec::new();
    if folded(&step.name) == folded(unplaced.status) {
        reasons.push(Reason::SameName);
    }
    if meaning == Some(step.category) {
        reasons.push(Reason::Meaning(step.category));
    }
    if is_grouped(step.category, unplaced.category) {
        reasons.push(Reason::JiraCategory(unplaced.category));
    }
    reasons.extend(between(step, unplaced));
    if let Some(word) = shared_word(&step.name, unplaced.status) {
        reasons.push(Reason::SharedWord(word));
    }
    let mut confidence: f64 = reasons.iter().map(Reason::weight).sum();
    if meaning.is_some_and(|meaning| meaning != step.category) {
        confidence -= 0.2;
    }
    reasons.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
    Suggestion { step, confidence: confidence.clamp(0.0, MOST), reasons }
}

/// Jira knows no discarded issues: it groups them with those that are done.
fn is_grouped(step: StepCategory, status: StatusCategory) -> bool {
    step == StepCategory::from(status)
        || (step == StepCategory::Discarded && status == StatusCategory::Done)
}

fn between(step: &WorkflowStep, unplaced: &Unplaced<'_>) -> Option<Reason> {
    let of_workflow = |(other, _): &&(&WorkflowStep, u64)| other.workflow == step.workflow;
    let mut all = 0;
    let mut fitting = 0;
    for (other, count) in unplaced.from.iter().filter(of_workflow) {
        all += count;
        fitting += if other.position <= step.position { *count } else { 0 };
    }
    for (other, count) in unplaced.to.iter().filter(of_workflow) {
        all += count;
        fitting += if other.position >= step.position { *count } else { 0 };
    }
    (fitting > 0).then_some(Reason::Between { fitting, all })
}

/// Words that many names have and that tell nothing.
const IDLE: &[&str] = &["in", "to", "for", "the", "of", "is", "zu", "en", "de", "la", "do", "da"];

fn shared_word(one: &str, other: &str) -> Option<String> {
    if folded(one) == folded(other) {
        return None;
    }
    let other = folded(other);
    let others: Vec<&str> = words(&other).collect();
    let one = folded(one);
    words(&one).find(|word| !IDLE.contains(word) && others.contains(word)).map(str::to_owned)
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty())
}

/// What a status's name means. Whole names and beginnings are listed, folded; the longest that fits
/// decides, so that `not started` is not read as `started`.
fn meaning(status: &str) -> Option<StepCategory> {
    let name = folded(status);
    let fits = |phrase: &&str| name == **phrase || phrase_is_in(&name, phrase);
    MEANINGS
        .iter()
        .flat_map(|(category, phrases)| phrases.iter().map(move |phrase| (*category, phrase)))
        .filter(|(_, phrase)| fits(phrase))
        .max_by_key(|(_, phrase)| phrase.chars().count())
        .map(|(category, _)| category)
}

/// Whether the phrase stands in the name as whole words. Scripts without spaces have no such words.
fn phrase_is_in(name: &str, phrase: &str) -> bool {
    if !phrase.is_ascii() && !phrase.chars().any(|c| c.is_lowercase()) {
        return name.contains(phrase);
    }
    name.match_indices(phrase).any(|(start, _)| {
        let before = name[..start].chars().next_back();
        let after = name[start + phrase.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian, Chinese, Japanese.
#[rustfmt::skip]
const MEANINGS: &[(StepCategory, &[&str])] = &[
    (StepCategory::ToDo, &[
        "to do", "todo", "open", "new", "backlog", "selected for development", "ready", "not started", "planned",
        "offen", "neu", "zu erledigen", "geplant", "à faire", "ouvert", "nouveau", "por hacer", "pendiente",
        "abierto", "nuevo", "a fazer", "aberto", "pendente", "da fare", "aperto", "te doen", "nieuw",
        "do zrobienia", "nowe", "сделать", "новый", "к выполнению", "открыт", "待办", "新建", "未着手", "未対応",
    ]),
    (StepCategory::InProgress, &[
        "in progress", "doing", "started", "in development", "development", "developing", "building", "review",
        "in review", "code review", "testing", "in testing", "test", "qa", "investigating", "blocked", "on hold",
        "in bearbeitung", "in arbeit", "in prüfung", "im test", "begonnen", "en cours", "en revue", "en test",
        "en curso", "en progreso", "en revisión", "em andamento", "em progresso", "em revisão", "in corso",
        "in revisione", "bezig", "in uitvoering", "w toku", "w trakcie", "в работе", "в процессе",
        "на проверке", "进行中", "处理中", "審査中", "進行中", "対応中", "レビュー中",
    ]),
    (StepCategory::Done, &[
        "done", "closed", "resolved", "finished", "completed", "complete", "released", "deployed", "shipped",
        "live", "fertig", "erledigt", "geschlossen", "abgeschlossen", "gelöst", "terminé", "fait", "fermé",
        "résolu", "hecho", "terminado", "cerrado", "resuelto", "finalizado", "concluído", "feito", "fechado",
        "resolvido", "fatto", "completato", "chiuso", "klaar", "gereed", "gesloten", "gotowe", "zakończone",
        "готово", "выполнено", "закрыт", "完成", "已完成", "已关闭", "完了", "解決済み", "クローズ",
    ]),
    (StepCategory::Discarded, &[
        "won't do", "wont do", "won't fix", "wontfix", "cancelled", "canceled", "rejected", "declined",
        "discarded", "abandoned", "duplicate", "obsolete", "invalid", "abgebrochen", "verworfen", "abgelehnt",
        "wird nicht erledigt", "annulé", "rejeté", "abandonné", "cancelado", "rechazado", "descartado",
        "rejeitado", "annullato", "rifiutato", "geannuleerd", "afgewezen", "anulowane", "odrzucone", "отменено",
        "отклонено", "已取消", "已拒绝", "却下", "キャンセル", "中止",
    ]),
];

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::{ClientId, WorkflowStepId};

    const JIRA: IntegrationId = IntegrationId(Uuid::from_u128(9));

    /// To Do, Building, Code Review, Done, Dropped.
    fn known() -> Configuration {
        use StepCategory::{Discarded, Done, InProgress, ToDo};
        let mut known = Configuration::unsaid(ClientId(Uuid::from_u128(1 << 70)), Vec::new());
        let pattern = known.steps[0].clone();
        let named = [
            ("To Do", ToDo),
            ("Building", InProgress),
            ("Code Review", InProgress),
            ("Done", Done),
            ("Dropped", Discarded),
        ];
        known.steps = (1..)
            .zip(named)
            .map(|(position, (name, category))| WorkflowStep {
                id: WorkflowStepId(Uuid::from_u128(position as u128)),
                name: name.to_owned(),
                position,
                category,
                ..pattern.clone()
            })
            .collect();
        known
    }

    fn unplaced(status: &str, category: StatusCategory) -> Unplaced<'_> {
        Unplaced { integration: JIRA, status, category, from: Vec::new(), to: Vec::new() }
    }

    #[test]
    fn a_status_is_placed_by_its_name_in_many_languages_and_by_its_category() {
        use StatusCategory::{Done, InProgress, ToDo};
        let cases = [
            ("to do", ToDo, "To Do"),
            ("Zu erledigen", ToDo, "To Do"),
            ("待办", ToDo, "To Do"),
            ("In Bearbeitung", InProgress, "Building"),
            ("En cours", InProgress, "Building"),
            ("進行中", InProgress, "Building"),
            ("Peer review", InProgress, "Code Review"),
            ("Erledigt", Done, "Done"),
            ("Hecho", Done, "Done"),
            ("Закрыт", Done, "Done"),
            // Jira calls these done, their names do not.
            ("Won't Do", Done, "Dropped"),
            ("ABGEBROCHEN", Done, "Dropped"),
            ("已取消", Done, "Dropped"),
            // `started` is in the name, but not what it means.
            ("Not started", ToDo, "To Do"),
            // A name that means nothing to us goes by Jira's category.
            ("Zorp", Done, "Done"),
        ];
        let known = known();
        for (status, category, expected) in cases {
            let best = &known.suggest(&unplaced(status, category))[0];
            assert_eq!(best.step.name, expected, "{status}");
        }
    }

    #[test]
    fn confidence_grows_with_what_speaks_for_a_step() {
        let known = known();
        let of = |status, category| known.suggest(&unplaced(status, category))[0].clone();
        let same = of("code review", StatusCategory::InProgress);
        let meant = of("Peer review", StatusCategory::InProgress);
        let grouped = of("Zorp", StatusCategory::Done);
        assert!(same.confidence > meant.confidence && meant.confidence > grouped.confidence);
        assert_eq!(same.reasons[0], Reason::SameName);
        assert_eq!(grouped.reasons, [Reason::JiraCategory(StatusCategory::Done)]);
        assert!(same.confidence <= MOST);
    }

    #[test]
    fn moves_tell_between_which_steps_a_status_lies() {
        let known = known();
        let [_, building, review, done, _] = &known.steps[..] else { panic!("five steps") };
        let late = Unplaced {
            from: vec![(review, 90), (building, 10)],
            to: vec![(done, 95), (building, 5)],
            ..unplaced("Zorp", StatusCategory::InProgress)
        };
        let suggestions = known.suggest(&late);
        assert_eq!(suggestions[0].step.name, "Code Review");
        let fitting = Reason::Between { fitting: 195, all: 200 };
        assert!(suggestions[0].reasons.contains(&fitting), "{:?}", suggestions[0].reasons);
    }

    #[test]
    fn what_is_switched_off_or_out_of_reach_is_not_suggested() {
        let mut known = known();
        known.steps[3].active = false;
        let suggested = |known: &Configuration| -> Vec<String> {
            let all = known.suggest(&unplaced("Done", StatusCategory::Done));
            all.into_iter().map(|suggestion| suggestion.step.name.clone()).collect()
        };
        assert!(!suggested(&known).contains(&"Done".to_owned()));
        known.steps[3].active = true;
        assert_eq!(suggested(&known)[0], "Done");
        known.steps[3].scope = Some(IntegrationId(Uuid::from_u128(10)));
        assert!(!suggested(&known).contains(&"Done".to_owned()));
    }
}
