//! The vocabulary of the company: what issues, commits and comments say.

use crate::chance::Chance;

const VERBS: [&str; 16] = [
    "Retry", "Cache", "Validate", "Rename", "Split", "Paginate", "Log", "Encrypt", "Document",
    "Simplify", "Speed up", "Migrate", "Round", "Localise", "Throttle", "Archive",
];
const THINGS: [&str; 20] = [
    "card capture",
    "the invoice export",
    "login sessions",
    "refund webhooks",
    "the nightly import",
    "customer search",
    "the price table",
    "stock levels",
    "push messages",
    "the audit trail",
    "report filters",
    "feature flags",
    "the order form",
    "tax rules",
    "address lookup",
    "the settings page",
    "payment retries",
    "image uploads",
    "the job queue",
    "rate limits",
];
const TAILS: [&str; 8] =
    ["", "", "", " for partners", " on mobile", " behind a flag", " in the new region", " 🚀"];
const TROUBLES: [&str; 8] = [
    "Checkout answers 502",
    "Payments are captured twice",
    "Search returns nothing",
    "Login loops on mobile",
    "Invoices are missing lines",
    "Queue grows without end",
    "Prices are shown without tax",
    "Uploads time out",
];
/// What looks like an issue key and is none.
const LOOKALIKES: [&str; 8] = [
    "Read files as UTF-8",
    "Hash with SHA-256",
    "Fix CVE-2024-3094",
    "Parse ISO-8601 dates",
    "Follow RFC-7231 for dates",
    "Update log4j after LOG4J-2",
    "Prepare release-2.8",
    "Allow AES-128 keys",
];
const PACKAGES: [&str; 6] = ["serde", "left-pad", "spring-core", "numpy", "rollup", "tokio"];
const REMARKS: [&str; 8] = [
    "Looks good.",
    "Can we test the empty case?",
    "Nit: naming.",
    "Done 👍",
    "Why not reuse it?",
    "Please rebase.",
    "I would split this.",
    "Works on my side.",
];

/// What an issue or a pull request is about.
pub fn task(chance: &mut Chance) -> String {
    format!("{} {}{}", chance.pick(&VERBS), chance.pick(&THINGS), chance.pick(&TAILS))
}

/// What an incident is about.
pub fn trouble(chance: &mut Chance) -> String {
    chance.pick(&TROUBLES).to_owned()
}

/// A title that seems to name an issue.
pub fn lookalike(chance: &mut Chance) -> String {
    chance.pick(&LOOKALIKES).to_owned()
}

/// What a bot that updates dependencies writes.
pub fn bump(chance: &mut Chance) -> String {
    let (minor, patch) = (chance.between(0, 20), chance.between(0, 9));
    format!("Bump {} from 1.{minor}.{patch} to 1.{minor}.{}", chance.pick(&PACKAGES), patch + 1)
}

/// A remark of a colleague.
pub fn remark(chance: &mut Chance) -> String {
    chance.pick(&REMARKS).to_owned()
}

/// Words as they stand in a branch name.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}
