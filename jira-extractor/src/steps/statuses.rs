//! Issue types and statuses: two short lists.

use domain::facts::Facts;
use extractor::{Failure, Page};

use crate::mapping;
use crate::source::Site;

pub(crate) struct Statuses {
    pub(crate) site: Site,
}

impl Statuses {
    pub(crate) fn new(site: Site) -> Statuses {
        Statuses { site }
    }

    pub(crate) async fn page(&mut self) -> Result<Page, Failure> {
        let client = &self.site.client;
        let (types, statuses) = futures::try_join!(client.issue_types(), client.statuses())?;
        let facts = Facts {
            issue_types: types.into_iter().map(mapping::issue_type).collect(),
            statuses: statuses.into_iter().map(mapping::status).collect(),
            ..Facts::default()
        };
        Ok(Page { facts, ..Page::default() })
    }
}
