//! How many pull requests to ask for at once. Large pages save calls, so each is as large as can be, until
//! GitHub finds one too large; then it is half of that, and slowly more again. Where few have changed the
//! first page is smaller, because the call for it is the only one.

const FEW: u32 = 25;
/// GitHub gives no more at once, of pull requests and of what is nested in them.
pub const MOST: u32 = 100;
/// So many more are asked for after a page that came, once one was too large.
pub const GROWTH: u32 = 5;
const NESTED_LEAST: u32 = 10;

/// The size of pages, and of the lists nested in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    /// Pull requests per page.
    pub outer: u32,
    /// Entries of each nested list.
    pub nested: u32,
    /// A page was too large: there is a limit, somewhere above.
    refused: bool,
}

/// GitHub refuses even the smallest page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmallestRefused;

impl PageSize {
    /// To read everything.
    pub fn for_all() -> PageSize {
        PageSize { outer: MOST, nested: MOST, refused: false }
    }

    /// To read what has changed.
    pub fn for_changes() -> PageSize {
        PageSize { outer: FEW, ..PageSize::for_all() }
    }

    /// After a page that came.
    pub fn grow(&mut self) {
        self.outer = if self.refused { (self.outer + GROWTH).min(MOST) } else { MOST };
    }

    /// After a page that was too large: half of it, and when there is nothing left to halve,
    /// shorter nested lists.
    pub fn shrink(&mut self) -> Result<(), SmallestRefused> {
        self.refused = true;
        if self.outer > 1 {
            self.outer /= 2;
            return Ok(());
        }
        if self.nested > NESTED_LEAST {
            self.nested /= 2;
            return Ok(());
        }
        Err(SmallestRefused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_shrink_to_the_least_and_grow_slowly() {
        let mut size = PageSize::for_all();
        let mut seen = Vec::new();
        while size.shrink().is_ok() {
            seen.push((size.outer, size.nested));
        }
        let outer = [(50, 100), (25, 100), (12, 100), (6, 100), (3, 100), (1, 100)];
        let nested = [(1, 50), (1, 25), (1, 12), (1, 6)];
        assert_eq!(seen, [&outer[..], &nested[..]].concat());
        size.grow();
        assert_eq!(size.outer, 6);
        (0..30).for_each(|_| size.grow());
        assert_eq!(size.outer, MOST);
    }

    #[test]
    fn pages_are_as_large_as_can_be_until_one_is_refused() {
        for (mut size, first) in [(PageSize::for_all(), MOST), (PageSize::for_changes(), 25)] {
            let mut seen = vec![size.outer];
            for _ in 0..2 {
                size.grow();
                seen.push(size.outer);
            }
            assert_eq!(seen, [first, MOST, MOST]);
        }
        let mut size = PageSize::for_all();
        size.shrink().unwrap();
        size.grow();
        assert_eq!(size.outer, 55);
    }
}
