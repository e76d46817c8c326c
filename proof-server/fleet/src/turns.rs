//! The order in which a worker asks its lines.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::Line;

/// One turn in so many begins with the last line: what may take its time is not put off for ever.
const LAST_FIRST: u32 = 8;

/// The lines of one worker, the most urgent first.
#[derive(Debug)]
pub struct Turns {
    lines: Vec<Line>,
    taken: AtomicU32,
}

impl Turns {
    /// Turns over `lines`, the most urgent first.
    #[must_use]
    pub fn new(lines: Vec<Line>) -> Self {
        Self { lines, taken: AtomicU32::new(0) }
    }

    /// The lines for the next [`take`](crate::Queue::take).
    #[must_use]
    pub fn next(&self) -> Vec<Line> {
        let turn = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
        let mut lines = self.lines.clone();
        if turn.is_multiple_of(LAST_FIRST) {
            lines.rotate_right(1);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lane, Release, Stage};

    #[test]
    fn the_last_line_comes_first_now_and_then() {
        let line = |lane| Line { stage: Stage::literal("core"), release: Release::literal("r"), lane };
        let turns = Turns::new(vec![line(Lane::Hi), line(Lane::Lo)]);
        let first: Vec<_> = (0..16).map(|_| turns.next()[0].lane).collect();
        assert_eq!(first.iter().filter(|lane| **lane == Lane::Lo).count(), 2);
        assert_eq!((first[0], first[7]), (Lane::Hi, Lane::Lo));
    }
}
