//! Making a hub in the first place.

use std::thread;

use betterthreads::run;
use betterthreads::testing::Call;
use betterthreads::thread::Builder;

use crate::common::caught;
use crate::errors::errors_of;
use crate::notes::plain_thread;
use crate::support::{open_fds, within};
use crate::sweep::{Fault, Recorder, alone};

/// Runs `f` on a thread that has no hub yet.
fn on_a_new_thread<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(f).join()).expect("no panic")
}

/// Spawns where there is no hub yet. Says which calls were made, and which one failed.
fn spawn_first(fault: Option<Fault>) -> (Vec<Call>, Option<Call>) {
    on_a_new_thread(|| {
        let recorder = Recorder::start(fault, plain_thread);
        let error = Builder::new().spawn(|| ()).map(|handle| handle.greenlet().join()).err();
        let (calls, failed) = (recorder.calls(), recorder.failed());
        drop(recorder);
        assert_eq!(error.and_then(|error| error.raw_os_error()), fault.map(|fault| fault.error));
        // The next attempt makes one, and it is all there.
        assert_eq!(run(|| betterthreads::spawn(|| 7).get().expect("a value")), 7);
        (calls, failed.map(|(call, _)| call))
    })
}

fn is_for_a_stack(call: Call) -> bool {
    matches!(call, Call::Map | Call::Advise | Call::Protect)
}

#[test]
fn a_hub_that_cannot_be_made_is_an_error_and_is_made_later() {
    let _alone = alone();
    within(60, || {
        let (mut calls, _) = spawn_first(None);
        calls.retain(|call| !is_for_a_stack(*call));
        let makes = |call| calls.contains(&call);
        assert!([Call::EpollCreate, Call::Eventfd, Call::Duplicate].into_iter().all(makes));
        let before = open_fds();
        for (index, &call) in calls.iter().enumerate() {
            for &error in errors_of(call) {
                let (_, failed) = spawn_first(Some(Fault { index, error }));
                assert_eq!(failed, Some(call));
                assert_eq!(open_fds(), before, "after {call:?} failed with {error}");
            }
        }
    });
}

#[test]
fn run_says_why_there_is_no_hub_and_another_run_has_one() {
    let _alone = alone();
    within(60, || {
        on_a_new_thread(|| {
            let recorder =
                Recorder::start(Some(Fault { index: 1, error: libc::EMFILE }), plain_thread);
            let message = caught(|| run(|| ())).unwrap_err().downcast::<String>().expect("a text");
            assert!(message.contains("failed to make a hub: "), "{message}");
            assert_eq!(run(|| 1), 1);
            drop(recorder);
        });
    });
}
