//! What is known of one greenlet: what was asked of it, what keeps that off, what it waits for.
//!
//! From this follows what may be raised in it at any moment, what must be, and how it may end. The
//! rules are those of docs/KILL.md, not those of the scheduler: whatever is left open there is left
//! open here.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::time::Duration;

use betterthreads::thread::Thread;
use betterthreads::timeout::Expired;
use betterthreads::{Greenlet, GreenletExit};

use crate::world::{Ball, Mark};

/// How far a greenlet has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Unborn,
    Made,
    /// It drops what it captured; its body never runs.
    Doomed,
    Begun,
    /// Its body is over.
    Finished,
}

/// How a body ended, or an unwind in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Value,
    Killed,
    /// By a ball that was thrown at it.
    Thrown(u64),
    /// By a ball that it dropped itself.
    Panicked(u64),
    Expired(Duration),
    /// By a panic of the library, which has one good reason: a child of a scope failed.
    Text(String),
}

/// What a scope raises when a child failed that nobody joined.
const CHILD_FAILED: &str = "a scoped thread panicked";

impl Ending {
    pub(crate) fn of(payload: &(dyn Any + Send)) -> Ending {
        if payload.is::<GreenletExit>() {
            return Ending::Killed;
        }
        if let Some(ball) = payload.downcast_ref::<Ball>() {
            return if ball.thrown { Ending::Thrown(ball.id) } else { Ending::Panicked(ball.id) };
        }
        if let Some(expired) = payload.downcast_ref::<Expired>() {
            return Ending::Expired(expired.duration());
        }
        let text = payload.downcast_ref::<&str>().map(|text| String::from(*text));
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Ending::Text(text.unwrap_or_else(|| "an unknown payload".into()))
    }

    pub(crate) fn is_of_child(&self) -> bool {
        matches!(self, Ending::Text(text) if text == CHILD_FAILED)
    }
}

/// Something that was asked of a greenlet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    Kill,
    Throw(u64),
}

/// How a demand gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// At once.
    Direct,
    /// By a greenlet of the library's, which is ready to run.
    Helper,
    /// It may come or not: the target joined a group that is being killed.
    Perhaps,
}

#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) demand: Demand,
    pub(crate) way: Way,
    pub(crate) at: Mark,
}

impl Pending {
    /// Whether it has arrived by now for sure: the clock moves when nobody is ready.
    fn is_certain(&self, now: &Mark) -> bool {
        match self.way {
            Way::Direct => true,
            Way::Helper => now.jumped > self.at.jumped,
            Way::Perhaps => false,
        }
    }
}

/// A `with_timeout` that the greenlet is in.
#[derive(Clone, Debug)]
pub(crate) struct Limit {
    pub(crate) span: Duration,
    pub(crate) deadline: Duration,
    depth: u32,
    /// The shields that were up when it began: those do not keep it off.
    shields: usize,
    pub(crate) raised: Option<Expired>,
}

/// What a greenlet waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// For its turn.
    Turn,
    Time,
    Lock(usize),
    Put(usize),
    Take(usize),
    Event(usize),
    /// For a notification, and then for the mutex; with what was counted when it began.
    Condition {
        ones: u64,
        alls: u64,
        returns: u64,
    },
    Token,
    Ends(Vec<usize>),
    /// For the end of its scope.
    Scope(Vec<usize>),
    Group(usize),
    Write(usize),
    Read(usize),
}

/// A wait, from its beginning.
#[derive(Clone, Debug)]
pub(crate) struct Blocked {
    pub(crate) waiting: Waiting,
    pub(crate) deadline: Option<Duration>,
    pub(crate) since: Mark,
}

/// How sure it is that a shield keeps exceptions off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shielded {
    No,
    /// Its limit has passed; the hub may not have noticed yet.
    Perhaps,
    Surely,
}

/// See the module's documentation.
pub(crate) struct Life {
    pub(crate) stage: Cell<Stage>,
    pub(crate) greenlet: RefCell<Option<Greenlet<()>>>,
    pub(crate) valued: RefCell<Option<Greenlet<usize>>>,
    pub(crate) thread: RefCell<Option<Thread>>,
    /// When it was told to begin.
    pub(crate) begins: Cell<Option<Duration>>,
    /// Whose scope it is a child of.
    pub(crate) parent: Cell<Option<usize>>,
    /// How many unwinds its code runs in, one inside the other.
    pub(crate) depth: Cell<u32>,
    /// The shields that are up, with their limits.
    pub(crate) shields: RefCell<Vec<Option<Duration>>>,
    pub(crate) limits: RefCell<Vec<Limit>>,
    pub(crate) pending: RefCell<Vec<Pending>>,
    pub(crate) blocked: RefCell<Option<Blocked>>,
    /// The ways in which it may have ended, once that is decided.
    pub(crate) endings: RefCell<Vec<Ending>>,
    /// Its result was moved out; only the kind is left.
    pub(crate) is_taken: Cell<bool>,
    /// The token of `park`.
    pub(crate) token: Cell<bool>,
    /// Values with destructors that it has on its stack.
    pub(crate) guards: Cell<usize>,
    pub(crate) captured_drops: Cell<usize>,
    pub(crate) locals: Cell<usize>,
}

impl Default for Life {
    fn default() -> Life {
        Life {
            stage: Cell::new(Stage::Unborn),
            greenlet: RefCell::default(),
            valued: RefCell::default(),
            thread: RefCell::default(),
            begins: Cell::default(),
            parent: Cell::default(),
            depth: Cell::default(),
            shields: RefCell::default(),
            limits: RefCell::default(),
            pending: RefCell::default(),
            blocked: RefCell::default(),
            endings: RefCell::default(),
            is_taken: Cell::default(),
            token: Cell::default(),
            guards: Cell::default(),
            captured_drops: Cell::default(),
            locals: Cell::default(),
        }
    }
}

impl Life {
    /// What the library says; of a child that never began nobody has a handle.
    pub(crate) fn is_dead(&self) -> bool {
        let has_dropped_all = self.stage.get() == Stage::Doomed && self.guards.get() == 0;
        self.greenlet.borrow().as_ref().map_or(has_dropped_all, Greenlet::dead)
    }

    /// Where nothing but its own limits could end a wait: every wait must be bounded there.
    pub(crate) fn is_protected(&self) -> bool {
        self.depth.get() > 0 || !self.shields.borrow().is_empty()
    }

    /// Whether shields keep something off that was begun when there were `before` of them.
    fn shielded(&self, before: usize, now: Duration) -> Shielded {
        let shields = self.shields.borrow();
        let inner = shields.get(before..).unwrap_or_default();
        let is_up = |limit: &Option<Duration>| limit.is_none_or(|limit| limit > now);
        match inner {
            [] => Shielded::No,
            inner if inner.iter().any(is_up) => Shielded::Surely,
            _ => Shielded::Perhaps,
        }
    }

    fn may_raise(&self, now: &Mark) -> bool {
        self.depth.get() == 0 && self.shielded(0, now.now) != Shielded::Surely
    }

    fn must_raise(&self, now: &Mark) -> bool {
        self.depth.get() == 0 && self.shielded(0, now.now) == Shielded::No
    }

    /// What must be raised at a yield point that is entered now.
    pub(crate) fn due(&self, now: &Mark) -> Option<Pending> {
        let pending = self.pending.borrow();
        let due = pending.iter().find(|pending| pending.is_certain(now));
        due.filter(|_| self.must_raise(now)).cloned()
    }

    fn is_within_reach(&self, limit: &Limit) -> bool {
        limit.raised.is_none() && limit.depth == self.depth.get()
    }

    /// The time limits that must be raised if they pass.
    pub(crate) fn reachable_limits(&self, now: &Mark) -> Vec<Limit> {
        let reachable = |limit: &&Limit| {
            self.is_within_reach(limit) && self.shielded(limit.shields, now.now) == Shielded::No
        };
        self.limits.borrow().iter().filter(reachable).cloned().collect()
    }

    /// Whether something may end a wait of this greenlet from outside.
    pub(crate) fn may_be_disturbed(&self, now: &Mark) -> bool {
        let passed = |limit: &Limit| {
            let unshielded = self.shielded(limit.shields, now.now) != Shielded::Surely;
            limit.deadline <= now.now && self.is_within_reach(limit) && unshielded
        };
        let own = |blocked: &Blocked| blocked.deadline.is_some_and(|deadline| deadline <= now.now);
        (self.may_raise(now) && !self.pending.borrow().is_empty())
            || self.limits.borrow().iter().any(passed)
            || self.blocked.borrow().as_ref().is_some_and(own)
    }

    /// What should have ended the present wait at a time when nobody is ready: shields whose limits
    /// have passed are down by then, and helpers have done what they were made for.
    pub(crate) fn overdue(&self, now: &Mark) -> Option<String> {
        let up = |before: usize| self.shielded(before, now.now) == Shielded::Surely;
        let limits = self.limits.borrow();
        let passed = |limit: &&Limit| {
            limit.deadline <= now.now && self.is_within_reach(limit) && !up(limit.shields)
        };
        if let Some(limit) = limits.iter().find(passed) {
            return Some(format!("its limit of {:?} has passed", limit.span));
        }
        let pending = self.pending.borrow();
        let certain = pending.iter().find(|pending| pending.way != Way::Perhaps);
        let due = certain.filter(|_| self.depth.get() == 0 && !up(0));
        due.map(|pending| format!("{:?} was asked for", pending.demand))
    }

    pub(crate) fn enter_limit(&self, span: Duration, deadline: Duration) {
        let (depth, shields) = (self.depth.get(), self.shields.borrow().len());
        self.limits.borrow_mut().push(Limit { span, deadline, depth, shields, raised: None });
    }

    /// Notes that `payload` was raised. Says what is wrong with that, if something is.
    pub(crate) fn account(&self, payload: &(dyn Any + Send), now: &Mark) -> Option<String> {
        match Ending::of(payload) {
            Ending::Killed => self.account_demand(Demand::Kill, now),
            Ending::Thrown(ball) => self.account_demand(Demand::Throw(ball), now),
            Ending::Expired(span) => {
                self.account_limit(span, payload.downcast_ref::<Expired>().copied(), now)
            }
            other => Some(format!("{other:?} was raised, which nobody asked for")),
        }
    }

    fn account_demand(&self, demand: Demand, now: &Mark) -> Option<String> {
        let mut pending = self.pending.borrow_mut();
        let Some(place) = pending.iter().position(|pending| pending.demand == demand) else {
            return Some(format!("{demand:?} was raised, which nobody asked for"));
        };
        if !self.may_raise(now) {
            return Some(format!("{demand:?} was raised in an unwind or behind a shield"));
        }
        let came = pending[place].at.order;
        let is_earlier = |other: &&Pending| {
            other.demand != demand && other.way == Way::Direct && other.at.order < came
        };
        let earlier = pending.iter().find(is_earlier).filter(|_| self.must_raise(now));
        let wrong = earlier.map(|earlier| format!("{demand:?} was raised before {earlier:?}"));
        match demand {
            // It stays, and what has not been raised before it never will be.
            Demand::Kill => {
                let at = Mark { order: 0, ..now.clone() };
                pending[place] = Pending { demand, way: Way::Direct, at };
            }
            Demand::Throw(_) => drop(pending.remove(place)),
        }
        wrong
    }

    fn account_limit(
        &self,
        span: Duration,
        expired: Option<Expired>,
        now: &Mark,
    ) -> Option<String> {
        let pending = self.pending.borrow();
        let mut limits = self.limits.borrow_mut();
        let Some(place) = limits.iter().position(|limit| limit.span == span) else {
            return Some(format!("a limit of {span:?} was raised that is over"));
        };
        let limit = &limits[place];
        let wrong = if limit.raised.is_some() {
            "twice"
        } else if limit.deadline > now.now {
            "before it passed"
        } else if limit.depth != self.depth.get() {
            "in an unwind that it was not begun in, or outside"
        } else if self.shielded(limit.shields, now.now) == Shielded::Surely {
            "behind a shield"
        } else if self.must_raise(now)
            && pending.iter().any(|p| p.way == Way::Direct && p.at.now < limit.deadline)
        {
            "though something else was asked for earlier"
        } else if limits.iter().any(|other| {
            self.is_within_reach(other)
                && other.deadline < limit.deadline
                && self.shielded(other.shields, now.now) == Shielded::No
        }) {
            "before another that passed earlier"
        } else {
            ""
        };
        limits[place].raised = expired;
        (!wrong.is_empty()).then(|| format!("a limit of {span:?} was raised {wrong}"))
    }

    /// The ways in which one that never began may end: by the first demand, though nobody knows
    /// when a helper's arrives.
    pub(crate) fn dooms(&self) -> Vec<Ending> {
        let mut dooms = Vec::new();
        for pending in self.pending.borrow().iter() {
            dooms.push(match pending.demand {
                Demand::Kill => Ending::Killed,
                Demand::Throw(ball) => Ending::Thrown(ball),
            });
            if pending.way == Way::Direct {
                break;
            }
        }
        dooms
    }
}
