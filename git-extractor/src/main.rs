//! `git-extractor`: a worker that reads GitHub.

use std::process::ExitCode;

use git_extractor::Github;
use program::About;

fn main() -> ExitCode {
    let about = About {
        name: "git-extractor",
        does: "Reads pull requests, commits and deployments from GitHub.",
        uses: extractor::program::USES,
    };
    extractor::program::main(about, Github::new)
}
