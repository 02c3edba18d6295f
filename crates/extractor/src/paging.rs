//! How many entries to ask for at once. Large pages save calls, so each is as large as can be, until the
//! source finds one too large; then it is half of that, and slowly more again.

use crate::Failure;

/// After a page that came, so many parts of the most are asked for in addition.
const STEPS_TO_GROW: u32 = 20;

/// The size of the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    now: u32,
    least: u32,
    most: u32,
    /// A page was too large: there is a limit, somewhere above.
    refused: bool,
}

/// Even the smallest page was too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmallestRefused;

impl PageSize {
    /// As many as the source gives at once.
    pub const fn up_to(most: u32) -> PageSize {
        PageSize { now: most, least: 1, most, refused: false }
    }

    /// The first page is smaller, because the call for it is often the only one.
    #[must_use]
    pub const fn beginning_with(self, first: u32) -> PageSize {
        PageSize { now: first, ..self }
    }

    /// Never fewer than these.
    #[must_use]
    pub const fn at_least(self, least: u32) -> PageSize {
        PageSize { least, ..self }
    }

    /// How many to ask for.
    pub const fn now(&self) -> u32 {
        self.now
    }

    /// After a page that came.
    pub fn grow(&mut self) {
        let more = self.now + self.most.div_ceil(STEPS_TO_GROW);
        self.now = if self.refused { more.min(self.most) } else { self.most };
    }

    /// After a page that was too large.
    ///
    /// # Errors
    /// It was the smallest.
    pub fn shrink(&mut self) -> Result<(), SmallestRefused> {
        self.refused = true;
        if self.now <= self.least {
            return Err(SmallestRefused);
        }
        self.now = (self.now / 2).max(self.least);
        Ok(())
    }
}

/// Asks for a page of `size`, and for smaller ones as long as it is [`Failure::TooLarge`].
///
/// # Errors
/// Those of `ask`; `TooLarge` when even the smallest is.
pub async fn smaller_until_answered<T, A>(
    size: &mut PageSize,
    ask: impl Fn(u32) -> A + Send,
) -> Result<T, Failure>
where
    A: Future<Output = Result<T, Failure>> + Send,
{
    loop {
        match ask(size.now()).await {
            Err(Failure::TooLarge { .. }) if size.shrink().is_ok() => {}
            Err(failure) => return Err(failure),
            Ok(page) => {
                size.grow();
                return Ok(page);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_shrink_to_the_least_and_grow_slowly() {
        for (mut size, expected) in [
            (PageSize::up_to(100), vec![50, 25, 12, 6, 3, 1]),
            (PageSize::up_to(100).at_least(10), vec![50, 25, 12, 10]),
        ] {
            let least = *expected.last().unwrap();
            let mut seen = Vec::new();
            while size.shrink().is_ok() {
                seen.push(size.now());
            }
            assert_eq!(seen, expected);
            size.grow();
            assert_eq!(size.now(), least + 5);
            (0..30).for_each(|_| size.grow());
            assert_eq!(size.now(), 100);
        }
    }

    #[test]
    fn pages_are_as_large_as_can_be_until_one_is_refused() {
        for first in [100, 25] {
            let mut size = PageSize::up_to(100).beginning_with(first);
            let mut seen = vec![size.now()];
            for _ in 0..2 {
                size.grow();
                seen.push(size.now());
            }
            assert_eq!(seen, [first, 100, 100]);
        }
        let mut size = PageSize::up_to(100);
        size.shrink().unwrap();
        size.grow();
        assert_eq!(size.now(), 55);
    }

    #[tokio::test]
    async fn smaller_pages_are_asked_for_until_one_comes() {
        let bears = |most: u32| {
            move |entries: u32| async move {
                let detail = "too large".to_owned();
                if entries <= most { Ok(entries) } else { Err(Failure::TooLarge { detail }) }
            }
        };
        let mut size = PageSize::up_to(100);
        assert_eq!(smaller_until_answered(&mut size, bears(30)).await.unwrap(), 25);
        assert_eq!(size.now(), 30, "a little more the next time");
        let none = smaller_until_answered(&mut size, bears(0)).await;
        assert!(matches!(none, Err(Failure::TooLarge { .. })), "{none:?}");
    }
}
