//! What a person typed about a connection, and whether it can be one.

use actix_web::http::StatusCode;
use domain::work::SourceKind;
use serde::Deserialize;
use store::integrations::Integration;
use url::Url;
use utoipa::ToSchema;

use crate::error::{ApiError, FieldError};

const LONGEST_NAME: usize = 100;
const LONGEST_TEXT: usize = 2048;
const MOST_SCOPES: usize = 10_000;
/// In the place of a repository's name: all that the owner has.
const ALL: &str = "*";

/// A connection as it is sent to us. It has no `Debug`: it may hold a credential.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Draft {
    /// A stored connection, whose credential is used where none is sent.
    pub(super) id: Option<String>,
    r#type: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    base_url: String,
    username: Option<String>,
    api_token: Option<String>,
    token: Option<String>,
    projects: Option<Vec<String>>,
    repositories: Option<Vec<String>>,
    pub(super) active: Option<bool>,
}

/// A draft that can be a connection.
pub(super) struct Wanted {
    pub(super) kind: SourceKind,
    pub(super) name: String,
    pub(super) base_url: String,
    pub(super) username: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) scopes: Vec<String>,
}

impl Draft {
    /// Names every field that cannot be accepted.
    pub(super) fn check(self) -> Result<Wanted, ApiError> {
        let name = self.name.trim().to_owned();
        let is_named = !name.is_empty() && name.chars().count() <= LONGEST_NAME;
        let name_fault = (!is_named)
            .then(|| FieldError::new("name", format!("must have 1 to {LONGEST_NAME} characters")));
        let (wanted, mut faults) = self.read(name);
        faults.extend(name_fault);
        match wanted {
            Some(wanted) if faults.is_empty() => Ok(wanted),
            _ => Err(ApiError::invalid(faults)),
        }
    }

    /// Whether nothing was typed: the stored connection is meant as it is.
    pub(super) fn is_only_an_id(&self) -> bool {
        self.r#type.is_none() && self.base_url.is_empty()
    }

    /// A test needs no name.
    pub(super) fn check_for_test(self) -> Result<Wanted, ApiError> {
        let (wanted, faults) = self.read(String::new());
        match wanted {
            Some(wanted) if faults.is_empty() => Ok(wanted),
            _ => Err(ApiError::invalid(faults)),
        }
    }

    fn read(self, name: String) -> (Option<Wanted>, Vec<FieldError>) {
        let mut faults = Vec::new();
        let Some(kind) = self.r#type.as_deref().and_then(|word| word.parse::<SourceKind>().ok())
        else {
            faults.push(FieldError::new("type", "must be jira or github"));
            return (None, faults);
        };
        let base_url = address(&self.base_url).unwrap_or_else(|reason| {
            faults.push(FieldError::new("base_url", reason));
            String::new()
        });
        let username = tidy(self.username);
        if kind == SourceKind::Jira && username.is_none() {
            faults.push(FieldError::new(
                "username",
                "is needed: the e-mail address that the token belongs to",
            ));
        }
        let (secret, scopes) = match kind {
            SourceKind::Jira => (self.api_token, self.projects),
            SourceKind::Github => (self.token, self.repositories),
        };
        let secret = tidy(secret);
        if secret.as_ref().is_some_and(|secret| secret.len() > LONGEST_TEXT || !secret.is_ascii()) {
            faults.push(FieldError::new(secret_field(kind), "is no token"));
        }
        let scopes = scopes.unwrap_or_default();
        if let Some(fault) = scope_fault(kind, &scopes) {
            faults.push(fault);
        }
        (Some(Wanted { kind, name, base_url, username, secret, scopes }), faults)
    }
}

impl Wanted {
    pub(super) fn secret_missing(&self) -> ApiError {
        let field = secret_field(self.kind);
        ApiError::invalid(vec![FieldError::new(
            field,
            "is needed: paste the token for this address",
        )])
    }

    pub(super) fn must_be(&self, kind: SourceKind) -> Result<(), ApiError> {
        if self.kind == kind {
            return Ok(());
        }
        Err(ApiError::invalid(vec![FieldError::new(
            "type",
            format!("is {kind} and cannot be changed"),
        )]))
    }

    /// Whether both would read some of the same rows, as far as their lists tell.
    pub(super) fn reads_the_same_as(&self, other: &Integration) -> bool {
        if self.kind != other.kind || self.base_url != other.base_url {
            return false;
        }
        match (self.scopes.is_empty(), other.scopes.is_empty()) {
            (true, true) => true,
            // Another GitHub token may see other repositories; a Jira site is the same for all.
            (true, false) | (false, true) => self.kind == SourceKind::Jira,
            (false, false) => self
                .scopes
                .iter()
                .any(|scope| other.scopes.iter().any(|theirs| overlap(scope, theirs))),
        }
    }

    pub(super) fn connected_already(&self, other: &str) -> ApiError {
        let what = match self.kind {
            SourceKind::Jira => "projects of this Jira site are",
            SourceKind::Github => "of these repositories are",
        };
        ApiError::new(
            StatusCode::CONFLICT,
            "connected_already",
            format!("Some {what} connected already by \"{other}\"; rows would count twice."),
        )
        .hint(format!("Edit \"{other}\", or choose others here."))
    }
}

/// Whether two scopes share anything: `acme/*` stands for all of acme's.
fn overlap(one: &str, other: &str) -> bool {
    if one.eq_ignore_ascii_case(other) {
        return true;
    }
    let (Some((owner, name)), Some((other_owner, other_name))) =
        (one.split_once('/'), other.split_once('/'))
    else {
        return false;
    };
    owner.eq_ignore_ascii_case(other_owner) && (name == ALL || other_name == ALL)
}

fn secret_field(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Jira => "api_token",
        SourceKind::Github => "token",
    }
}

fn tidy(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Only the shape is checked here; where it leads is checked by whoever connects, each time.
fn address(text: &str) -> Result<String, &'static str> {
    const EXAMPLE: &str =
        "must be an address such as https://acme.atlassian.net or https://api.github.com";
    let text = text.trim();
    if text.len() > LONGEST_TEXT {
        return Err("is too long");
    }
    let url = Url::parse(text).map_err(|_| EXAMPLE)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(EXAMPLE);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with the path");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn scope_fault(kind: SourceKind, scopes: &[String]) -> Option<FieldError> {
    let (field, example): (_, fn(&str) -> bool) = match kind {
        SourceKind::Jira => ("projects", is_project_key),
        SourceKind::Github => ("repositories", is_repository_name),
    };
    if scopes.len() > MOST_SCOPES {
        return Some(FieldError::new(field, format!("must not list more than {MOST_SCOPES}")));
    }
    let odd = scopes.iter().find(|scope| !example(scope))?;
    let looks_like =
        if kind == SourceKind::Jira { "PAY" } else { "acme/payments, or acme/* for all of acme" };
    Some(FieldError::new(field, format!("{odd:?} cannot be read; write it like {looks_like}")))
}

fn is_project_key(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    (1..=255).contains(&text.len()) && text.chars().all(plain)
}

fn is_repository_name(text: &str) -> bool {
    let plain = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        (1..=100).contains(&part.len())
            && part.chars().all(known)
            && !part.chars().all(|c| c == '.')
    };
    text.split_once('/').is_some_and(|(owner, name)| plain(owner) && (name == ALL || plain(name)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(draft: Value) -> Vec<String> {
        let draft: Draft = serde_json::from_value(draft).unwrap();
        match draft.check() {
            Ok(_) => Vec::new(),
            Err(error) => error.fields().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn every_fault_of_a_draft_is_named() {
        let jira = json!({"type": "jira", "name": "Acme", "base_url": "https://acme.atlassian.net/",
            "username": "ada@example.com", "api_token": "t", "projects": ["PAY"]});
        let with = |field: &str, value: Value| {
            let mut draft = jira.clone();
            draft[field] = value;
            faults(draft)
        };
        assert_eq!(faults(jira.clone()), [""; 0]);
        assert_eq!(with("type", json!("svn")), ["type",]);
        assert_eq!(with("name", json!(" ")), ["name"]);
        assert_eq!(with("username", json!("")), ["username"]);
        assert_eq!(with("projects", json!(["PAY", "a b"])), ["projects"]);
        for address in [
            "",
            "acme",
            "ftp://acme",
            "https://u:p@acme",
            "https://acme?x=1",
            "javascript:alert(1)",
        ] {
            assert_eq!(with("base_url", json!(address)), ["base_url"], "{address}");
        }
        let github =
            json!({"type": "github", "name": "", "base_url": "x", "repositories": ["acme"]});
        assert_eq!(faults(github), ["base_url", "repositories", "name"]);
    }

    #[test]
    fn repositories_are_named_with_their_owner() {
        for good in ["acme/payments", "a-b/c.d_e", "acme/*"] {
            assert!(is_repository_name(good), "{good}");
        }
        for bad in ["acme", "acme/", "/x", "a/b/c", "../..", "a b/c", "acme/..", "*/x", "acme/p*"] {
            assert!(!is_repository_name(bad), "{bad}");
        }
    }

    #[test]
    fn all_of_an_owner_shares_rows_with_each_of_its_repositories() {
        let cases = [
            ("acme/payments", "Acme/Payments", true),
            ("acme/*", "ACME/payments", true),
            ("acme/payments", "acme/*", true),
            ("acme/*", "acme/*", true),
            ("acme/*", "acme-labs/payments", false),
            ("acme/payments", "acme/website", false),
            ("PAY", "pay", true),
            ("PAY", "OPS", false),
        ];
        for (one, other, shared) in cases {
            assert_eq!(overlap(one, other), shared, "{one} {other}");
        }
    }
}
