//! Waiting for whichever of several greenlets ends next.

use loom::thread;

use super::end::noting;
use super::{check, hosted};
use crate::wait::any::Ends;
use crate::wait::join;

#[test]
pub(crate) fn every_end_is_reported_once() {
    check(|| {
        hosted(|_| {
            let greenlets = [noting().0, noting().0];
            let waiter = thread::spawn({
                let greenlets = greenlets.clone();
                move || {
                    let mut ends = Ends::of(&greenlets);
                    let mut ended = [ends.next(None), ends.next(None)];
                    ended.sort_unstable();
                    assert_eq!(ended, [Some(0), Some(1)]);
                    assert_eq!(ends.next(None), None);
                }
            });
            assert!(greenlets.iter().all(|greenlet| join::join(greenlet, None)));
            waiter.join().unwrap();
        });
    });
}
