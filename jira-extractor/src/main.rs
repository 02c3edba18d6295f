//! `jira-extractor`: a worker that reads Jira.

use std::process::ExitCode;

use jira_extractor::Jira;
use program::About;

fn main() -> ExitCode {
    let about = About {
        name: "jira-extractor",
        does: "Reads issues and their histories from Jira.",
        uses: extractor::program::USES,
    };
    extractor::program::main(about, Jira::new)
}
