//! Waiting for whichever of several greenlets ends next.

use std::sync::Arc;
use std::time::Instant;

use super::park::{self, Wait};
use crate::base::slab::Key;
use crate::sched::board::Board;
use crate::sched::control::{Control, Watcher};
use crate::sched::word::Woken;

/// Yields the places of greenlets in a list, in the order the greenlets end.
pub(crate) struct Ends<'list> {
    targets: Vec<(&'list Arc<Control>, Option<Key>)>,
    board: Arc<Board>,
    left: usize,
}

impl<'list> Ends<'list> {
    /// Those that have ended already come first, in the order of the list. A yield point.
    pub(crate) fn of(targets: impl IntoIterator<Item = &'list Arc<Control>>) -> Ends<'list> {
        park::checkpoint();
        let board = Arc::new(Board::default());
        let watch = |(index, target): (usize, &'list Arc<Control>)| {
            let key = target.watch(Watcher::Report(board.clone(), index));
            if key.is_err() {
                board.report(index);
            }
            (target, key.ok())
        };
        let targets: Vec<_> = targets.into_iter().enumerate().map(watch).collect();
        Ends { left: targets.len(), targets, board }
    }

    /// Waits for the next one; none when all have ended or the deadline passes first. A yield
    /// point when it has to wait.
    pub(crate) fn next(&mut self, deadline: Option<Instant>) -> Option<usize> {
        while self.left > 0 {
            let mut wait = None;
            let next = self.board.next(|| wait.insert(Wait::arm()).waker());
            if let Some(index) = next {
                self.left -= 1;
                self.targets[index].1 = None;
                return Some(index);
            }
            match wait?.park(deadline) {
                Woken::Granted => {}
                Woken::TimedOut => return None,
                Woken::Raised => park::raise(),
            }
        }
        None
    }
}

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        for (target, key) in &self.targets {
            if let Some(key) = key {
                target.unwatch(*key);
            }
        }
    }
}
