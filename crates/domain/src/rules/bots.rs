//! Who is a machine, where only people are meant.

use super::glob::Glob;
use super::{Faults, MOST_RULES, Refused};
use crate::pull_request::Actor;

/// Logins of a client that are machines, beside those of which the source says so.
#[derive(Debug, Clone, Default)]
pub struct BotRules {
    written: Vec<String>,
    read: Vec<Glob>,
}

impl BotRules {
    /// Reads logins as a person wrote them, in which `*` stands for any characters.
    ///
    /// # Errors
    /// Everything that is wrong with them, and where.
    pub fn check(written: Vec<String>) -> Result<BotRules, Refused> {
        let mut faults = Faults::default();
        faults.check_count("logins", written.len(), MOST_RULES);
        let (mut tidy, mut read) = (Vec::new(), Vec::new());
        for (at, login) in written.iter().enumerate() {
            let path = format!("logins[{at}]");
            let login = faults.name(path.clone(), login);
            // Logins are kept without the suffix.
            let glob = Glob::read(&Actor::new(&login, false).login);
            if glob.fits_all() {
                faults.add(path, "must leave somebody who is no bot");
            }
            tidy.push(login);
            read.push(glob);
        }
        faults.or(BotRules { written: tidy, read })
    }

    /// As they were written.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// Whether somebody is a machine: the source says so (`marked`), or one of the rules. Deleted users
    /// have no login, and are taken for people.
    pub fn is_bot(&self, login: Option<&str>, marked: bool) -> bool {
        marked || login.is_some_and(|login| self.read.iter().any(|glob| glob.fits(login)))
    }
}
