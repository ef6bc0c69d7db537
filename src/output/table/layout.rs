//! How wide each column of a terminal's table is, and which are hidden when there is not room for all.

use unicode_width::UnicodeWidthStr;

/// Between two columns.
pub(super) const GAP: usize = 2;

/// A column narrower than this breaks words so often that it is not worth its place, unless its content is so narrow.
const LEAST: usize = 14;

/// An id or a secret is to be copied, so that it is not broken: a UUID is as wide as this.
const LEAST_WHOLE: usize = 36;

/// What a column holds.
pub(super) struct Extent {
    /// Of its title.
    title: usize,
    /// Of its widest cell.
    cells: usize,
    /// Whether it is rather hidden than broken.
    whole: bool,
}

impl Extent {
    pub(super) fn new<'a>(title: &str, cells: impl Iterator<Item = &'a str>, whole: bool) -> Self {
        Extent { title: title.width(), cells: cells.map(UnicodeWidthStr::width).max().unwrap_or(0), whole }
    }

    /// The same with room for what other rows may hold.
    pub(super) fn roomy(self) -> Self {
        Extent { cells: self.cells.max(if self.whole { LEAST_WHOLE } else { LEAST }), ..self }
    }

    fn natural(&self) -> usize {
        self.title.max(self.cells)
    }

    fn least(&self) -> usize {
        self.natural().min(self.title.max(if self.whole { LEAST_WHOLE } else { LEAST }))
    }
}

/// For each column its width, or `None` if it is hidden.
///
/// If not all fit, columns without content go first, then the last ones; the first one stays.
pub(super) fn widths(extents: &[Extent], available: Option<usize>) -> Vec<Option<usize>> {
    let Some(available) = available else {
        return extents.iter().map(|extent| Some(extent.natural())).collect();
    };
    let mut widths: Vec<_> = extents.iter().map(|extent| Some(extent.least())).collect();
    if total(&widths) > available {
        for (width, extent) in widths.iter_mut().zip(extents).skip(1) {
            if extent.cells == 0 {
                *width = None;
            }
        }
    }
    while total(&widths) > available {
        match widths.iter().skip(1).rposition(Option::is_some) {
            Some(last) => widths[last + 1] = None,
            None => break,
        }
    }
    if let Some(Some(first)) = widths.first_mut() {
        *first = (*first).min(available.max(1));
    }
    grow(&mut widths, extents, available);
    widths
}

/// Shares out what is left, a character at a time, among those that want more.
fn grow(widths: &mut [Option<usize>], extents: &[Extent], available: usize) {
    let mut left = available.saturating_sub(total(widths));
    loop {
        let before = left;
        for (width, extent) in widths.iter_mut().zip(extents) {
            if let Some(width) = width
                && left > 0
                && *width < extent.natural()
            {
                *width += 1;
                left -= 1;
            }
        }
        if left == 0 || left == before {
            return;
        }
    }
}

fn total(widths: &[Option<usize>]) -> usize {
    let shown: Vec<_> = widths.iter().flatten().collect();
    shown.iter().copied().sum::<usize>() + GAP * shown.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_table_is_never_wider_than_the_terminal(
            sizes in prop::collection::vec((1_usize..20, 0_usize..120, any::<bool>()), 1..9),
            available in 1_usize..200,
        ) {
            let extents: Vec<_> = sizes.iter().map(|&(title, cells, whole)| Extent { title, cells, whole }).collect();
            let widths = widths(&extents, Some(available));
            prop_assert!(total(&widths) <= available);
            prop_assert!(widths[0].is_some());
            for (width, extent) in widths.iter().zip(&extents) {
                prop_assert!(width.is_none_or(|width| width >= 1 && width <= extent.natural()));
            }
        }
    }
}
