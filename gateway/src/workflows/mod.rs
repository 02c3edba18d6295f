//! Workflows, steps and mappings: four nouns with the same verbs.

pub(crate) mod impact;
pub(crate) mod lists;
mod nouns;
pub(crate) mod preview;
mod refusal;
pub(crate) mod suggest;
mod wanted;

use std::str::FromStr;

use actix_web::http::header::{ETAG, IF_MATCH};
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use domain::workflow::{Change, Configuration, Delete, Places, Refused, Seen, Uses};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use store::Workflows;
use store::workflows::StatusInUse;
use uuid::Uuid;

use crate::auth::Caller;
use crate::error::ApiError;
use crate::once::{Once, Repeatable};
use crate::sent::Sent;

use self::impact::measured;
pub(crate) use self::nouns::{
    IssueTypeMappingDraft, IssueTypeMappingJson, StatusMappingDraft, StatusMappingJson, StepDraft,
    StepJson, WorkflowDraft, WorkflowJson,
};

/// What all four nouns can do.
pub(crate) trait Noun: Clone + Sized + 'static {
    /// As people call it.
    const NOUN: &'static str;
    /// As addresses call all of them.
    const LIST: &'static str;
    type Id: Copy + PartialEq + FromStr + From<Uuid> + 'static;
    type Draft: DeserializeOwned + 'static;
    type Json: Repeatable + 'static;

    fn all(known: &Configuration) -> &[Self];
    fn id(&self) -> Self::Id;
    fn version(&self) -> i64;
    fn show(&self, known: &Configuration) -> Self::Json;

    /// What a draft asks for. `before` is the row that it should replace.
    fn changes(
        draft: Self::Draft,
        id: Self::Id,
        before: Option<&Self>,
        seen: Seen,
    ) -> Result<Vec<Change>, ApiError>;
    fn delete(delete: Delete<Self::Id>) -> Change;

    /// What hangs on it.
    fn uses(known: &Configuration, id: Self::Id) -> Result<Uses, Refused>;

    /// Whether it decides where these issues count.
    fn decides(places: &Places<'_>, id: Self::Id, issues: &StatusInUse) -> bool;
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Reassigned {
    /// What takes its place for whatever hangs on it.
    reassign_to: Option<String>,
}

/// One of them.
pub(crate) async fn one<N: Noun>(
    caller: Caller,
    workflows: Data<Workflows>,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let known = workflows.of_client(caller.client).await?;
    Ok(shown(find::<N>(&known, parse::<N>(&id)?)?, &known))
}

/// A new one.
pub(crate) async fn add<N: Noun>(
    caller: Caller,
    workflows: Data<Workflows>,
    once: Once,
    draft: Sent<N::Draft>,
) -> Result<HttpResponse, ApiError> {
    let Sent { body: draft, digest } = draft;
    let added = once.of(&caller, &digest, async || {
        let id = N::Id::from(Uuid::now_v7());
        let changes = N::changes(draft, id, None, Seen::New)?;
        let known = workflows.change(caller.client, changes).await?;
        tracing::info!("a {} was added", N::NOUN);
        Ok(find::<N>(&known, id)?.show(&known))
    });
    Ok(added.await?.answer(HttpResponse::Created()))
}

/// Replaces one.
pub(crate) async fn replace<N: Noun>(
    caller: Caller,
    request: HttpRequest,
    workflows: Data<Workflows>,
    id: Path<String>,
    draft: Json<N::Draft>,
) -> Result<HttpResponse, ApiError> {
    let id = parse::<N>(&id)?;
    let before = workflows.of_client(caller.client).await?;
    let before = find::<N>(&before, id)?;
    let changes = N::changes(draft.into_inner(), id, Some(before), seen(&request))?;
    let known = workflows.change(caller.client, changes).await?;
    tracing::info!("a {} was changed", N::NOUN);
    Ok(shown(find::<N>(&known, id)?, &known))
}

/// Deletes one, and leads what hangs on it elsewhere, in one transaction. Answers what was touched.
pub(crate) async fn delete<N: Noun>(
    caller: Caller,
    request: HttpRequest,
    workflows: Data<Workflows>,
    id: Path<String>,
    reassigned: Query<Reassigned>,
) -> Result<HttpResponse, ApiError> {
    let id = parse::<N>(&id)?;
    let reassign_to = reassigned.reassign_to.as_deref().map(parse::<N>).transpose()?;
    let impact = measured::<N>(&caller, &workflows, id).await?;
    let delete = Delete { id, seen: seen(&request), reassign_to };
    workflows.change(caller.client, vec![N::delete(delete)]).await?;
    tracing::info!(impact.issues, "a {} was deleted", N::NOUN);
    Ok(HttpResponse::Ok().json(impact))
}

fn parse<N: Noun>(id: &str) -> Result<N::Id, ApiError> {
    id.parse().map_err(|_| ApiError::not_found(N::NOUN))
}

fn find<N: Noun>(known: &Configuration, id: N::Id) -> Result<&N, ApiError> {
    let row = N::all(known).iter().find(|row| row.id() == id);
    row.ok_or_else(|| ApiError::not_found(N::NOUN))
}

fn shown<N: Noun>(row: &N, known: &Configuration) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, format!("\"{}\"", row.version())));
    answer.json(row.show(known))
}

/// A caller who says which version they saw changes only that one.
pub(crate) fn seen(request: &HttpRequest) -> Seen {
    let Some(tag) = request.headers().get(IF_MATCH) else { return Seen::Any };
    if tag == "*" {
        return Seen::Any;
    }
    let version = tag.to_str().ok().and_then(|tag| tag.trim_matches('"').parse().ok());
    // What is no version of ours is none that anything has.
    Seen::Version(version.unwrap_or(i64::MIN))
}
