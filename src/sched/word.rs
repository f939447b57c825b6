//! The wait word: one atomic that decides how a wait ends.
//!
//! ```text
//!            arm                  park
//!   decided ─────▶ armed(ticket) ──────▶ parked(ticket)
//!                    │                     │  ├─ grant    (any thread)    ─▶ granted
//!                    └─ grant ─▶ granted   │  └─ time out (hub's thread)  ─▶ timed out
//!                                          └──── raise    (hub's thread)  ─▶ raised
//! ```
//!
//! Every wait has a ticket of its own, one higher than the last, and every transition out of a wait
//! is one compare-and-swap that names the ticket. Whoever comes first decides; everybody else
//! learns that they lost and repairs (a queue gives the permit to the next waiter, a timer is
//! forgotten). A wake-up that belongs to an earlier wait names an old ticket and can do no harm.
//!
//! The winner of a transition out of *parked* owes the owner a place in the run queue; out of
//! *armed* it owes nothing, because the owner is still running and will see the word in `park`.
//! Only the owner arms and parks. Only the hub's thread times out and raises, and only while the
//! owner does not run, so those two never meet a word that is merely armed.

use std::sync::atomic::{AtomicU64, Ordering};

const STATE_BITS: u32 = 3;
const STATE_MASK: u64 = (1 << STATE_BITS) - 1;

const IDLE: u64 = 0;
const ARMED: u64 = 1;
const PARKED: u64 = 2;
const GRANTED: u64 = 3;
const TIMED_OUT: u64 = 4;
const RAISED: u64 = 5;

/// Names one wait of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Ticket {
    fn word(self, state: u64) -> u64 {
        self.0 << STATE_BITS | state
    }
}

/// What became of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The wait was over already: the grant belongs to somebody else.
    Lost,
    /// The owner has it and will not go to sleep.
    Early,
    /// The owner has it and must be scheduled by the caller.
    Parked,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// What was waited for has happened.
    Granted,
    /// The deadline passed first.
    TimedOut,
    /// An exception is to be raised in the owner.
    Raised,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Word(AtomicU64);

impl Word {
    pub(crate) const fn new() -> Word {
        Word(AtomicU64::new(IDLE))
    }

    /// Owner: begins a wait. From here on it can be granted.
    #[inline]
    pub(crate) fn arm(&self) -> Ticket {
        let ticket = Ticket((self.0.load(Ordering::Relaxed) >> STATE_BITS) + 1);
        // Whoever hands the ticket to others publishes it; the word itself orders nothing yet.
        self.0.store(ticket.word(ARMED), Ordering::Relaxed);
        ticket
    }

    /// Owner: goes to sleep, unless the wait was granted already.
    #[inline]
    pub(crate) fn park(&self, ticket: Ticket) -> bool {
        let (armed, parked) = (ticket.word(ARMED), ticket.word(PARKED));
        self.0.compare_exchange(armed, parked, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Owner: gives the wait up before parking. Tells whether it was granted already.
    #[inline]
    pub(crate) fn disarm(&self, ticket: Ticket) -> bool {
        let (armed, idle) = (ticket.word(ARMED), ticket.word(IDLE));
        self.0.compare_exchange(armed, idle, Ordering::AcqRel, Ordering::Acquire).is_err()
    }

    /// Anyone: what was waited for has happened.
    #[inline]
    pub(crate) fn grant(&self, ticket: Ticket) -> Grant {
        let granted = ticket.word(GRANTED);
        let mut seen = ticket.word(PARKED);
        loop {
            match self.0.compare_exchange(seen, granted, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if seen == ticket.word(PARKED) => return Grant::Parked,
                Ok(_) => return Grant::Early,
                Err(now) if now == ticket.word(ARMED) || now == ticket.word(PARKED) => seen = now,
                Err(_) => return Grant::Lost,
            }
        }
    }

    /// Hub's thread: the deadline passed.
    pub(crate) fn time_out(&self, ticket: Ticket) -> bool {
        let (parked, out) = (ticket.word(PARKED), ticket.word(TIMED_OUT));
        self.0.compare_exchange(parked, out, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Hub's thread: an exception ends whatever wait the owner is parked in.
    pub(crate) fn raise(&self) -> bool {
        let seen = self.0.load(Ordering::Acquire);
        let raised = seen & !STATE_MASK | RAISED;
        seen & STATE_MASK == PARKED
            && self.0.compare_exchange(seen, raised, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Owner: how the wait ended, once it runs again.
    #[inline]
    pub(crate) fn outcome(&self) -> Woken {
        match self.0.load(Ordering::Acquire) & STATE_MASK {
            TIMED_OUT => Woken::TimedOut,
            RAISED => Woken::Raised,
            _ => Woken::Granted,
        }
    }

    /// Whether the owner is parked in whatever wait.
    pub(crate) fn is_parked_somehow(&self) -> bool {
        self.0.load(Ordering::Acquire) & STATE_MASK == PARKED
    }

    /// Whether the wait of `ticket` is still undecided: what a sleeper looks at when it wakes.
    #[inline]
    pub(crate) fn is_parked(&self, ticket: Ticket) -> bool {
        self.0.load(Ordering::Acquire) == ticket.word(PARKED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_decide_wins_and_the_others_learn_that_they_lost() {
        let word = Word::new();
        let ticket = word.arm();
        assert!(word.park(ticket));
        assert_eq!(word.grant(ticket), Grant::Parked);
        assert_eq!(word.grant(ticket), Grant::Lost);
        assert!(!word.time_out(ticket));
        assert!(!word.raise());
        assert_eq!(word.outcome(), Woken::Granted);
    }

    #[test]
    fn a_grant_before_the_park_keeps_the_owner_awake() {
        let word = Word::new();
        let ticket = word.arm();
        assert_eq!(word.grant(ticket), Grant::Early);
        assert!(!word.park(ticket));
        assert_eq!(word.outcome(), Woken::Granted);
    }

    #[test]
    fn a_stale_ticket_decides_nothing() {
        let word = Word::new();
        let old = word.arm();
        assert!(word.park(old));
        assert!(word.time_out(old));
        assert_eq!(word.outcome(), Woken::TimedOut);
        let new = word.arm();
        assert_eq!(word.grant(old), Grant::Lost);
        assert!(word.park(new));
        assert_eq!(word.grant(old), Grant::Lost);
        assert!(!word.time_out(old));
        assert!(word.is_parked(new));
        assert!(word.raise());
        assert_eq!(word.outcome(), Woken::Raised);
        assert_eq!(word.grant(new), Grant::Lost);
    }

    #[test]
    fn a_wait_given_up_tells_whether_it_was_granted() {
        let word = Word::new();
        let ticket = word.arm();
        assert!(!word.disarm(ticket));
        assert_eq!(word.grant(ticket), Grant::Lost);
        let ticket = word.arm();
        assert_eq!(word.grant(ticket), Grant::Early);
        assert!(word.disarm(ticket));
    }
}
