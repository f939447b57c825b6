//! Twins of every way to block.

use super::{DEADLOCK, Twin};

const CHANNEL: &str = "src/wait/channel.rs";
const FLAG: &str = "src/wait/flag.rs";
const JOIN: &str = "src/wait/join.rs";
const NOTIFY: &str = "src/wait/notify.rs";
const PARK: &str = "src/wait/park.rs";
const PARKER: &str = "src/wait/parker.rs";
const QUEUE: &str = "src/wait/queue.rs";
const SEMAPHORE: &str = "src/wait/semaphore.rs";
const SHARED: &str = "src/wait/shared.rs";

pub(crate) const TWINS: &[Twin] = &[
    Twin {
        name: "a_grant_is_not_passed_on",
        file: QUEUE,
        right: "if let Some(granted) = waiter.grant() {",
        wrong: "let granted = waiter.grant();
            if IS_BROKEN && granted.is_none() {
                break;
            }
            if let Some(granted) = granted {",
        model: "queue::a_grant_to_one_who_is_raised_goes_to_the_next",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_waiter_looks_before_it_has_the_lock",
        file: QUEUE,
        right: "let mut waiters = self.waiters.lock();
        if ready() {
            return None;
        }",
        wrong: "let mut waiters = self.waiters.lock();
        if IS_BROKEN {
            drop(waiters);
            if ready() {
                return None;
            }
            waiters = self.waiters.lock();
        } else if ready() {
            return None;
        }",
        model: "flag::everyone_who_waits_for_a_flag_sees_it_set_and_what_was_written_before",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_change_is_made_when_its_waiters_are_gone",
        file: QUEUE,
        right: "change();
        // Popped one by one, so that the places of waiters who leave later stay theirs alone.
        let woken: Vec<Waker> = waiters.by_ref().collect();
        drop(waiters);",
        wrong: "let woken: Vec<Waker>;
        if IS_BROKEN {
            woken = waiters.by_ref().collect();
            drop(waiters);
            change();
        } else {
            change();
            woken = waiters.by_ref().collect();
            drop(waiters);
        }",
        model: "flag::everyone_who_waits_for_a_flag_sees_it_set_and_what_was_written_before",
        failure: DEADLOCK,
    },
    Twin {
        name: "one_who_leaves_takes_the_mark_of_others",
        file: QUEUE,
        right: "waiters.remove(place);
        if waiters.len() == 0 {",
        wrong: "waiters.remove(place);
        if IS_BROKEN || waiters.len() == 0 {",
        model: "semaphore::a_permit_for_one_who_is_raised_goes_to_the_next",
        failure: DEADLOCK,
    },
    Twin {
        name: "one_who_wakes_takes_the_mark_of_others",
        file: QUEUE,
        right: "if waiters.len() == 0 {
                    last();
                }",
        wrong: "last()",
        model: "semaphore::a_permit_for_one_who_times_out_goes_to_the_next",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_waiter_marks_after_its_look",
        file: SEMAPHORE,
        right: "self.state.fetch_or(WAITERS, Ordering::Relaxed);
            self.try_acquire()",
        wrong: "let acquired = self.try_acquire();
            self.state.fetch_or(WAITERS, Ordering::Relaxed);
            acquired",
        model: "semaphore::one_permit_admits_one_at_a_time",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_permit_is_taken_without_order",
        file: SEMAPHORE,
        right: "(Ordering::Acquire, Ordering::Relaxed)",
        wrong: "(Ordering::Relaxed, Ordering::Relaxed)",
        model: "semaphore::one_permit_admits_one_at_a_time",
        failure: "a visit was overlooked",
    },
    Twin {
        name: "a_permit_is_set_free_without_order",
        file: SEMAPHORE,
        right: "(Ordering::Release, Ordering::Relaxed)",
        wrong: "(Ordering::Relaxed, Ordering::Relaxed)",
        model: "semaphore::one_permit_admits_one_at_a_time",
        failure: "a visit was overlooked",
    },
    Twin {
        name: "a_permit_is_set_free_though_somebody_waits",
        file: SEMAPHORE,
        right: "while state & WAITERS == 0 {",
        wrong: "while IS_BROKEN || state & WAITERS == 0 {",
        model: "semaphore::one_permit_admits_one_at_a_time",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_permit_is_handed_over_and_set_free",
        file: SEMAPHORE,
        right: "self.queue.wake_one(|| self.unmark(), set_free)",
        wrong: "self.state.fetch_add(ONE, Ordering::Release);
        self.queue.wake_one(|| self.unmark(), || self.unmark())",
        model: "semaphore::one_permit_admits_one_at_a_time",
        failure: "a permit was doubled",
    },
    Twin {
        name: "a_flag_is_set_and_then_its_waiters_are_woken",
        file: FLAG,
        right: "self.waiters.wake_all_after(|| self.set.store(true, Ordering::Release));",
        wrong: "self.set.swap(true, Ordering::AcqRel);
        self.waiters.wake_all();",
        model: "flag::a_flag_that_was_cleared_lets_nobody_through",
        failure: "released by what was cleared before",
    },
    Twin {
        name: "a_flag_is_set_without_order",
        file: FLAG,
        right: "self.set.store(true, Ordering::Release)",
        wrong: "self.set.store(true, Ordering::Relaxed)",
        model: "flag::what_was_written_before_a_flag_was_set_is_seen_with_it",
        failure: "the flag brought no order",
    },
    Twin {
        name: "one_who_was_woken_for_a_flag_looks_again",
        file: FLAG,
        right: "self.waiters.wait(deadline, || self.is_set())",
        wrong: "while self.waiters.wait(deadline, || self.is_set()) && !self.is_set() {}
        true",
        model: "flag::a_flag_that_is_cleared_at_once_releases_who_waited",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_join_that_times_out_returns_true",
        file: JOIN,
        right: "        park::raise();
    }
    target.is_dead()",
        wrong: "        park::raise();
    }
    IS_BROKEN || target.is_dead()",
        model: "end::a_join_that_times_out_tells_the_truth",
        failure: "the end brought no order",
    },
    Twin {
        name: "a_join_that_is_raised_returns",
        file: JOIN,
        right: "woken == Woken::Granted",
        wrong: "woken != Woken::TimedOut",
        model: "end::a_join_that_is_raised_leaves_the_end_to_the_next",
        failure: "joined the living",
    },
    Twin {
        name: "a_wait_that_does_not_park_forgets_its_grant",
        file: PARK,
        right: "return Err(if granted { Woken::Granted } else { Woken::Raised });",
        wrong: "return Err(Woken::Raised);",
        model: "queue::a_grant_to_one_who_is_raised_goes_to_the_next",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_token_comes_after_the_look_for_its_waiter",
        file: PARKER,
        right: "token.available = true;
    let waiter = token.waiter.take();
    drop(token);",
        wrong: "token.available = !IS_BROKEN;
    let waiter = token.waiter.take();
    drop(token);
    control.token().lock().available = true;",
        model: "parker::a_plain_thread_does_not_miss_its_token",
        failure: DEADLOCK,
    },
    Twin {
        name: "one_who_waits_for_a_token_lets_go_after_the_look",
        file: PARKER,
        right: "let wait = Wait::arm();",
        wrong: "if IS_BROKEN {
        drop(token);
        token = control.token().lock();
    }
    let wait = Wait::arm();",
        model: "parker::a_plain_thread_does_not_miss_its_token",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_token_is_lost_to_what_is_raised",
        file: PARKER,
        right: "drop(token);
        park::raise();",
        wrong: "token.available = false;
        drop(token);
        park::raise();",
        model: "parker::a_token_that_comes_while_something_is_raised_stays",
        failure: DEADLOCK,
    },
    Twin {
        name: "an_item_is_promised_to_nobody",
        file: CHANNEL,
        right: "self.promised += 1;",
        wrong: "",
        model: "channel::a_sender_and_a_receiver_without_a_buffer_agree",
        failure: "an item was lost",
    },
    Twin {
        name: "an_item_is_promised_to_one_who_left",
        file: CHANNEL,
        right: "if let Some(granted) = receiver.grant() {",
        wrong: "let granted = receiver.grant();
            if IS_BROKEN && granted.is_none() {
                break;
            }
            if let Some(granted) = granted {",
        model: "channel::an_item_for_a_receiver_that_is_raised_goes_to_the_next",
        failure: DEADLOCK,
    },
    Twin {
        name: "one_who_waits_for_a_notification_lets_go_first",
        file: NOTIFY,
        right: "let place = self.waiters.lock().push_back(wait.waker());
        let released = release(held);",
        wrong: "let (place, released);
        if IS_BROKEN {
            released = release(held);
            place = self.waiters.lock().push_back(wait.waker());
        } else {
            place = self.waiters.lock().push_back(wait.waker());
            released = release(held);
        }",
        model: "notify::a_notification_is_not_missed_between_the_look_and_the_wait",
        failure: DEADLOCK,
    },
    Twin {
        name: "one_who_asks_for_access_looks_once",
        file: SHARED,
        right: "// Who had access may have let go of it between the two looks.
        let granted = state.hand_over();",
        wrong: "let granted = if IS_BROKEN { Vec::new() } else { state.hand_over() };",
        model: "shared::exclusive_access_is_exclusive",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_downgrade_keeps_readers_out",
        file: SHARED,
        right: "state.writer = false;
            state.readers = 1;",
        wrong: "state.writer = IS_BROKEN;
            state.readers = 1;",
        model: "shared::a_downgrade_lets_readers_in",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_writer_that_leaves_forgets_who_is_behind_it",
        file: SHARED,
        right: "// A writer that leaves may have kept readers waiting.
        let granted = state.hand_over();",
        wrong: "let granted = if IS_BROKEN { Vec::new() } else { state.hand_over() };",
        model: "shared::a_writer_that_times_out_leaves_no_reader_waiting",
        failure: DEADLOCK,
    },
];
