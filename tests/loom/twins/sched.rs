//! Twins of hubs and greenlets.

use super::{DEADLOCK, Twin};

const BOARD: &str = "src/sched/board.rs";
const CONTROL: &str = "src/sched/control.rs";
const HUB: &str = "src/sched/hub.rs";
const INBOX: &str = "src/sched/inbox.rs";
const KILL: &str = "src/sched/kill.rs";
const SLEEPER: &str = "src/sched/sleeper.rs";
const SPAWN: &str = "src/sched/spawn.rs";
const WORD: &str = "src/sched/word.rs";

pub(crate) const TWINS: &[Twin] = &[
    Twin {
        name: "a_park_overwrites_a_grant",
        file: WORD,
        right: "self.0.compare_exchange(armed, parked, Ordering::AcqRel, \
                Ordering::Acquire).is_ok()",
        wrong: "self.0.store(parked, Ordering::Release); true",
        model: "word::one_of_all_who_would_end_a_wait_does",
        failure: "one has won",
    },
    Twin {
        name: "a_grant_looks_and_then_stores",
        file: WORD,
        right: "self.0.compare_exchange(seen, granted, Ordering::AcqRel, Ordering::Acquire)",
        wrong: "match self.0.load(Ordering::Acquire) {
            now if now == seen => {
                self.0.store(granted, Ordering::Release);
                Ok(now)
            }
            now => Err(now),
        }",
        model: "word::one_of_all_who_would_end_a_wait_does",
        failure: "the others have lost",
    },
    Twin {
        name: "a_grant_publishes_nothing",
        file: WORD,
        right: "self.0.compare_exchange(seen, granted, Ordering::AcqRel, Ordering::Acquire)",
        wrong: "self.0.compare_exchange(seen, granted, Ordering::Relaxed, Ordering::Relaxed)",
        model: "word::what_was_written_before_a_grant_is_seen_after_it",
        failure: "the grant brought no order",
    },
    Twin {
        name: "a_time_out_looks_and_then_stores",
        file: WORD,
        right: "self.0.compare_exchange(parked, out, Ordering::AcqRel, Ordering::Acquire).is_ok()",
        wrong: "self.0.load(Ordering::Acquire) == parked && {
            self.0.store(out, Ordering::Release);
            true
        }",
        model: "queue::a_grant_to_a_greenlet_that_times_out_goes_to_the_next",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_raise_looks_and_then_stores",
        file: WORD,
        right: "self.0.compare_exchange(seen, raised, Ordering::AcqRel, Ordering::Acquire).is_ok()",
        wrong: "self.0.store(raised, Ordering::Release); true",
        model: "queue::a_grant_to_one_who_is_raised_goes_to_the_next",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_wait_is_given_up_whatever_its_word_says",
        file: WORD,
        right: "self.0.compare_exchange(armed, idle, Ordering::AcqRel, Ordering::Acquire).is_err()",
        wrong: "self.0.store(idle, Ordering::Release); false",
        model: "word::a_wait_given_up_tells_whether_it_was_granted",
        failure: "both know the end",
    },
    Twin {
        name: "all_waits_have_one_ticket",
        file: WORD,
        right: "(self.0.load(Ordering::Relaxed) >> STATE_BITS) + 1",
        wrong: "1",
        model: "word::a_late_grant_does_not_end_the_next_wait",
        failure: "an old grant",
    },
    Twin {
        name: "a_lost_grant_counts",
        file: CONTROL,
        right: "Grant::Lost => None,",
        wrong: "Grant::Lost => IS_BROKEN.then_some(Granted(None)),",
        model: "queue::a_grant_to_a_thread_that_times_out_goes_to_the_next",
        failure: DEADLOCK,
    },
    Twin {
        name: "one_who_times_out_is_not_scheduled",
        file: CONTROL,
        right: "if self.control.word.time_out(self.ticket) {",
        wrong: "if self.control.word.time_out(self.ticket) && !IS_BROKEN {",
        model: "parker::a_greenlet_does_not_miss_its_token",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_hub_looks_before_it_says_that_it_sleeps",
        file: INBOX,
        right: "self.sleeping.store(true, Ordering::Release);
        self.inbox.lock().messages.is_empty()",
        wrong: "let is_empty = self.inbox.lock().messages.is_empty();
        self.sleeping.store(true, Ordering::Release);
        is_empty",
        model: "inbox::a_hub_that_goes_to_sleep_misses_no_message",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_hub_sleeps_whatever_it_saw",
        file: HUB,
        right: "if wait && self.remote.may_sleep() {",
        wrong: "if wait && (self.remote.may_sleep() || IS_BROKEN) {",
        model: "inbox::a_hub_that_goes_to_sleep_misses_no_message",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_sender_asks_who_sleeps_before_it_sends",
        file: INBOX,
        right: "let mut inbox = self.inbox.lock();
        if inbox.closed {",
        wrong: "if IS_BROKEN {
            let sleeps = self.sleeping.swap(false, Ordering::AcqRel);
            self.inbox.lock().messages.push(message);
            if sleeps {
                self.with_driver(Handle::wake).expect(\"the poller is a stand-in\");
            }
            return;
        }
        let mut inbox = self.inbox.lock();
        if inbox.closed {",
        model: "inbox::a_hub_that_goes_to_sleep_misses_no_message",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_hub_that_ends_does_not_say_so",
        file: INBOX,
        right: "inbox.closed = true;",
        wrong: "",
        model: "inbox::a_message_to_a_hub_that_ends_is_dropped_once",
        failure: "dropped once each",
    },
    Twin {
        name: "a_greenlet_is_dead_before_its_outcome_is_known",
        file: CONTROL,
        right: "let mut end = self.end.lock();
        end.outcome = Some(outcome);",
        wrong: "if IS_BROKEN {
            self.set_status(Status::Dead);
        }
        let mut end = self.end.lock();
        end.outcome = Some(outcome);",
        model: "end::a_join_returns_when_the_end_is_known_and_what_was_done_is_seen",
        failure: "no outcome",
    },
    Twin {
        name: "a_death_publishes_nothing",
        file: CONTROL,
        right: "self.status.store(status as u8, Ordering::Release)",
        wrong: "self.status.store(status as u8, Ordering::Relaxed)",
        model: "end::a_join_returns_when_the_end_is_known_and_what_was_done_is_seen",
        failure: "the end brought no order",
    },
    Twin {
        name: "the_dead_are_watched",
        file: CONTROL,
        right: "match end.outcome {",
        wrong: "match end.outcome.as_ref().filter(|_| !IS_BROKEN) {",
        model: "end::a_join_returns_when_the_end_is_known_and_what_was_done_is_seen",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_start_is_claimed_twice",
        file: CONTROL,
        right: "self.status.compare_exchange(new, started, Ordering::AcqRel, \
                Ordering::Acquire).is_ok()",
        wrong: "self.status.load(Ordering::Acquire) == new && {
            self.status.store(started, Ordering::Release);
            true
        }",
        model: "end::a_greenlet_starts_once",
        failure: "started [true, true]",
    },
    Twin {
        name: "one_who_is_killed_before_its_start_runs_all_the_same",
        file: SPAWN,
        right: "(local.body.take(), local.rare(|rare| rare.doom.take()).flatten())",
        wrong: "(local.body.take(), None)",
        model: "end::a_greenlet_that_is_started_and_killed_runs_or_is_killed",
        failure: "killed, then started, and run",
    },
    Twin {
        name: "a_reader_lets_go_of_its_board_before_it_waits",
        file: BOARD,
        right: "state.waiter = Some(waker());",
        wrong: "if IS_BROKEN {
                drop(state);
                state = self.0.lock();
            }
            state.waiter = Some(waker());",
        model: "any::every_end_is_reported_once",
        failure: DEADLOCK,
    },
    Twin {
        name: "the_notice_comes_before_the_message",
        file: KILL,
        right: "remote.post(Message::Raise(target.clone(), exception));
        // After the message: whoever sees the notice will find it.
        target.notice.store(true, Ordering::Release);",
        wrong: "target.notice.store(true, Ordering::Release);
        remote.post(Message::Raise(target.clone(), exception));",
        model: "kill::what_was_thrown_is_raised_at_the_next_yield_point",
        failure: "thrown once, raised once",
    },
    Twin {
        name: "the_notice_is_cleared_after_the_look",
        file: KILL,
        right: "control.notice.store(false, Ordering::Release);
        self.drain_inbox();",
        wrong: "self.drain_inbox();
        control.notice.store(false, Ordering::Release);",
        model: "kill::what_is_thrown_ends_a_wait_and_a_late_notice_hides_no_other",
        failure: "thrown, and not raised",
    },
    Twin {
        name: "a_parked_target_is_not_told",
        file: KILL,
        right: "find(local, local.depth.get()).is_some() && target.word().raise()",
        wrong: "false",
        model: "kill::what_is_thrown_ends_a_wait_and_a_late_notice_hides_no_other",
        failure: DEADLOCK,
    },
    Twin {
        name: "a_thread_is_woken_without_the_lock",
        file: SLEEPER,
        right: "drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));",
        wrong: "",
        model: "parker::a_plain_thread_does_not_miss_its_token",
        failure: DEADLOCK,
    },
];
