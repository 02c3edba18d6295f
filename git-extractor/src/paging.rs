//! How many pull requests to ask for at once, and how much of what is nested in them.

use extractor::PageSize;
use extractor::paging::SmallestRefused;

/// GitHub gives no more at once, of whatever.
pub const MOST: u32 = 100;
/// Where few have changed the first page is smaller, because the call for it is the only one.
const FEW: u32 = 25;
const NESTED_LEAST: u32 = 10;

/// Pages of pull requests, and of the lists nested in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullPages {
    outer: PageSize,
    nested: PageSize,
}

impl PullPages {
    /// To read everything.
    pub fn for_all() -> PullPages {
        let nested = PageSize::up_to(MOST).at_least(NESTED_LEAST);
        PullPages { outer: PageSize::up_to(MOST), nested }
    }

    /// To read what has changed.
    pub fn for_changes() -> PullPages {
        PullPages { outer: PageSize::up_to(MOST).beginning_with(FEW), ..PullPages::for_all() }
    }

    /// Pull requests per page.
    pub fn outer(&self) -> u32 {
        self.outer.now()
    }

    /// Entries of each nested list.
    pub fn nested(&self) -> u32 {
        self.nested.now()
    }

    /// After a page that came.
    pub fn grow(&mut self) {
        self.outer.grow();
    }

    /// After a page that was too large: fewer pull requests, and when it was one, shorter nested lists.
    ///
    /// # Errors
    /// There is nothing left to shorten.
    pub fn shrink(&mut self) -> Result<(), SmallestRefused> {
        self.outer.shrink().or_else(|_| self.nested.shrink())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_pull_requests_come_before_shorter_lists_and_come_back_alone() {
        let mut pages = PullPages::for_all();
        let mut seen = Vec::new();
        while pages.shrink().is_ok() {
            seen.push((pages.outer(), pages.nested()));
        }
        let outer = [(50, 100), (25, 100), (12, 100), (6, 100), (3, 100), (1, 100)];
        let nested = [(1, 50), (1, 25), (1, 12), (1, 10)];
        assert_eq!(seen, [&outer[..], &nested[..]].concat());
        pages.grow();
        assert_eq!((pages.outer(), pages.nested()), (6, 10));
    }

    #[test]
    fn changes_begin_with_a_few() {
        let mut pages = PullPages::for_changes();
        assert_eq!((pages.outer(), pages.nested()), (25, 100));
        pages.grow();
        assert_eq!(pages.outer(), 100);
    }
}
