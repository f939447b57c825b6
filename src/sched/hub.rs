//! The hub: one OS thread's run queue, timers, inbox and poller, and the loop over them.
//!
//! The loop runs on the main greenlet's stack, whenever the main greenlet waits, and ends when the
//! main greenlet is to run again. It runs no user code itself: bodies, destructors and callbacks
//! all run on a greenlet's stack, where they may wait.
//!
//! A *turn* is a bounded number of switches, fewer when they take long, followed by one look at the
//! world: poll the driver, drain the inbox, fire the timers. In that order, so that input which is
//! ready beats a kill or a time-out found in the same turn. The poll waits only when there is
//! nobody to run.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::control::{Control, Local};
use super::current::{self, Running};
use super::ids::Ids;
use super::inbox::{Message, Remote};
use super::io::IoTable;
use super::kill::Exception;
use super::pace::Pace;
use super::probe::{self, Moment};
use super::spares::{self, Spares};
use super::stack::{Pool, Stack, Stock, Trimmed};
use super::switch::Switched;
use super::timers::Timer;
use super::{ends, kill, overflow, spawn, unwind};
use crate::base::heap::Heap;
use crate::base::prefetch::prefetch;
use crate::base::slab::{Key, Slab};
use crate::driver::poll::{Driver, Event, Until};
use crate::driver::simulation;

/// How long a stack must not have been needed to lose its memory.
const TRIM_INTERVAL: Duration = Duration::from_secs(1);

/// The pause of a trim that takes several steps.
const TRIM_PAUSE: Duration = Duration::from_millis(10);

/// Tells hubs apart. Zero is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HubId(u64);

impl HubId {
    /// The id that no hub has.
    pub(super) const NONE: HubId = HubId(0);
}

/// A place in the run queue.
struct Turn {
    control: Arc<Control>,
    /// Void unless it is the greenlet's own.
    epoch: u32,
}

impl Turn {
    #[inline]
    fn new(hub: &Hub, control: Arc<Control>) -> Turn {
        let epoch = control.local(hub).epoch.get();
        Turn { control, epoch }
    }

    /// One whose being the next somebody counts on.
    fn placed(hub: &Hub, control: Arc<Control>) -> Turn {
        control.local(hub).placed.set(true);
        Turn::new(hub, control)
    }

    /// Tells it once.
    fn is_placed(&self, hub: &Hub) -> bool {
        self.control.local(hub).placed.take()
    }
}

/// See the module's documentation.
pub(crate) struct Hub {
    id: HubId,
    remote: Arc<Remote>,
    main: Arc<Control>,
    running: Running,
    ready: RefCell<VecDeque<Turn>>,
    pub(super) timers: RefCell<Heap<Timer>>,
    pub(super) io: RefCell<IoTable>,
    pub(super) stacks: RefCell<Pool>,
    pub(super) live: RefCell<Slab<Arc<Control>>>,
    pub(super) spares: Spares,
    ids: Ids,
    driver: RefCell<Driver>,
    /// Kept between turns for their capacity.
    events: Cell<Vec<Event>>,
    messages: Cell<Vec<Message>>,
    pace: Pace,
    /// When to look for stacks that nobody needs.
    trim_at: Cell<Option<Instant>>,
    /// How many polls in a row have failed.
    failed_polls: Cell<u64>,
    /// The loop itself runs, on the main greenlet's stack.
    looping: Cell<bool>,
    /// Inside `run`, whose end drains this hub.
    pub(crate) hosted: Cell<bool>,
    /// A hub stays on its thread; `Bound` depends on it.
    not_send: PhantomData<*const ()>,
}

impl Hub {
    /// Gives this thread a hub.
    pub(super) fn start() -> io::Result<()> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let id = HubId(NEXT_ID.fetch_add(1, Ordering::Relaxed));
        let (driver, handle) = Driver::new()?;
        let remote = Arc::new(Remote::new(id, handle));
        let main = Arc::new(Control::main(remote.clone(), current::thread()));
        ends::watch_thread()?;
        overflow::install();
        unwind::install_hook();
        current::install(Box::new(Hub {
            id,
            remote,
            running: Running::new(&main),
            main,
            ready: RefCell::new(VecDeque::new()),
            timers: RefCell::new(Heap::new()),
            io: RefCell::new(IoTable::new()),
            stacks: RefCell::new(Pool::default()),
            live: RefCell::new(Slab::new()),
            spares: Spares::default(),
            ids: Ids::default(),
            driver: RefCell::new(driver),
            events: Cell::new(Vec::new()),
            messages: Cell::new(Vec::new()),
            pace: Pace::new(),
            trim_at: Cell::new(None),
            failed_polls: Cell::new(0),
            looping: Cell::new(false),
            hosted: Cell::new(false),
            not_send: PhantomData,
        }));
        Ok(())
    }

    #[inline]
    pub(crate) fn id(&self) -> HubId {
        self.id
    }

    pub(crate) fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    /// Who runs.
    #[inline]
    pub(crate) fn running(&self) -> &Control {
        self.running.get()
    }

    #[inline]
    pub(crate) fn running_handle(&self) -> Arc<Control> {
        self.running.get_handle()
    }

    /// The hub's part of who runs.
    #[inline]
    pub(crate) fn running_local(&self) -> &Local {
        self.running().local(self)
    }

    /// The clock of all deadlines.
    pub(crate) fn now(&self) -> Instant {
        self.driver.borrow().now()
    }

    /// Greenlets that are not over, started or not.
    pub(crate) fn live(&self) -> Vec<Arc<Control>> {
        self.live.borrow().iter().cloned().collect()
    }

    /// How many are ready to run.
    #[cfg(feature = "testing")]
    pub(super) fn ready(&self) -> usize {
        self.ready.borrow().len()
    }

    /// A number for a greenlet.
    pub(super) fn next_id(&self) -> u64 {
        self.ids.next()
    }

    /// Counts the stacks.
    pub(crate) fn stock(&self) -> Stock {
        self.stacks.borrow().stock()
    }

    /// Puts `control` at the end of the run queue.
    #[inline]
    pub(super) fn make_ready(&self, control: Arc<Control>) {
        probe::reach(Moment::Woken, &control);
        let turn = Turn::new(self, control);
        self.ready.borrow_mut().push_back(turn);
    }

    /// Puts `control` at the front of the run queue; a place that it has there already is void.
    pub(super) fn make_ready_first(&self, control: Arc<Control>) {
        let epoch = &control.local(self).epoch;
        epoch.set(epoch.get().wrapping_add(1));
        let turn = Turn::placed(self, control);
        self.ready.borrow_mut().push_front(turn);
    }

    /// Lets the first greenlet in the run queue run until it yields, then returns.
    pub(crate) fn switch_to_first(&self) {
        let turn = Turn::placed(self, self.running_handle());
        self.ready.borrow_mut().insert(1, turn);
        self.switch_out();
    }

    /// Lets every greenlet that is ready run, then returns.
    #[inline(always)]
    pub(crate) fn switch_and_requeue(&self) {
        self.make_ready(self.running_handle());
        self.switch_away();
    }

    /// Puts the running greenlet to sleep until somebody queues it.
    #[inline(always)]
    pub(crate) fn switch_out(&self) {
        probe::reach(Moment::Waiting, self.running());
        self.switch_away();
    }

    /// Leaves the running greenlet's stack.
    #[inline(always)]
    fn switch_away(&self) {
        if self.running().is_main() {
            self.run_until_main();
        } else {
            self.running_local().switch.leave();
        }
    }

    /// Whether the code that asks runs in the loop, where nothing may wait.
    #[inline]
    pub(crate) fn is_looping(&self) -> bool {
        self.looping.get()
    }

    #[inline(never)]
    fn run_until_main(&self) {
        self.looping.set(true);
        loop {
            let Some(Turn { control, epoch }) = self.next_turn() else {
                self.look(true);
                continue;
            };
            if self.pace.step() && self.pace.is_over(|| self.now()) {
                self.look(false);
            }
            if epoch != control.local(self).epoch.get() {
                continue;
            }
            simulation::note_switch(|| control.local(self).place.get().map(Key::to_bits));
            if control.is_main() {
                self.looping.set(false);
                return;
            }
            self.run(control);
        }
    }

    /// Takes the first place in the run queue.
    ///
    /// Of a thousand greenlets that take turns, the next one's memory is in no near cache. So what
    /// the next but one will touch first is fetched ahead, and then the stack that is found there.
    #[inline(always)]
    fn next_turn(&self) -> Option<Turn> {
        let mut ready = self.ready.borrow_mut();
        let turn = simulation::choose(&mut ready, |turn| turn.is_placed(self));
        if let Some(next) = ready.front() {
            next.control.local(self).switch.prefetch_stack();
        }
        if let Some(next_but_one) = ready.get(1) {
            prefetch::<128>(Arc::as_ptr(&next_but_one.control).addr());
        }
        turn
    }

    /// Runs one greenlet until it suspends or ends.
    #[inline(always)]
    fn run(&self, control: Arc<Control>) {
        if !control.local(self).switch.is_prepared() && !spawn::prepare(self, &control) {
            return;
        }
        self.running.enter(control);
        self.looping.set(false);
        let switched = self.running_local().switch.resume();
        self.looping.set(true);
        match switched {
            Switched::Suspended => self.running.leave(&self.main),
            Switched::Returned(stack) => {
                let control = self.running_handle();
                self.running.leave(&self.main);
                self.end(stack, control);
            }
        }
    }

    #[inline(never)]
    fn end(&self, stack: Stack, control: Arc<Control>) {
        if self.stacks.borrow_mut().put(stack) {
            self.trim_soon();
        }
        spawn::bury(self, &control);
        spares::recycle(control);
    }

    /// Makes sure that there will be a trim.
    pub(super) fn trim_soon(&self) {
        if self.trim_at.get().is_none() {
            self.trim_at.set(Some(self.pace.began() + TRIM_INTERVAL));
        }
    }

    /// Gives memory back, of stacks and control blocks that nobody has needed for a while. With
    /// nothing left to give, there is no next time, so an idle process comes to rest.
    fn trim(&self, now: Instant) {
        if self.trim_at.get().is_none_or(|at| at > now) {
            return;
        }
        let spares_left = self.spares.trim();
        self.trim_at.set(match self.stacks.borrow_mut().trim() {
            Trimmed::Whole if !spares_left => None,
            Trimmed::Whole | Trimmed::ForNow => Some(now + TRIM_INTERVAL),
            Trimmed::Partly => Some(now + TRIM_PAUSE),
        });
    }

    /// Looks at the world; waits for it to change if `wait` is set and there is nothing to do.
    #[inline(never)]
    fn look(&self, wait: bool) {
        match wait {
            true => self.pace.rest(),
            false => self.pace.adapt(self.now()),
        }
        self.poll(wait);
        self.drain_inbox();
        self.fire_timers();
        let now = self.now();
        self.trim(now);
        self.pace.begin(now);
    }

    fn poll(&self, wait: bool) {
        let until = if wait && self.remote.may_sleep() {
            let timer = self.timers.borrow().next_deadline();
            Until::of(timer.into_iter().chain(self.trim_at.get()).min())
        } else {
            Until::Now
        };
        if matches!(until, Until::Now) && self.io.borrow().len() == 0 {
            self.remote.woke();
            return;
        }
        let mut events = self.events.take();
        let result = self.driver.borrow_mut().poll(until, &mut events);
        self.remote.woke();
        match result {
            Err(error) if error.kind() == io::ErrorKind::Deadlock => self.raise_deadlock(),
            Err(error) => self.do_without_poll(until, &error),
            Ok(()) => self.failed_polls.set(0),
        }
        for event in events.drain(..) {
            self.io_event(event);
        }
        self.events.set(events);
    }

    /// Gets by after a poll that failed, as all may from now on: somebody may have closed the
    /// poller's descriptor. Timers and messages need none. A hub with nothing else to do rests, and
    /// then lets everyone who waits for a descriptor look for itself.
    #[cold]
    fn do_without_poll(&self, until: Until, error: &io::Error) {
        let failed = self.failed_polls.get() + 1;
        self.failed_polls.set(failed);
        if 10_u64.pow(failed.ilog10()) == failed {
            let message = format!("polling for events failed, number {failed} in a row: {error}");
            spawn::report(self, message);
        }
        if !matches!(until, Until::Now) {
            self.driver.borrow().rest(until);
            self.suspect_all();
        }
    }

    /// Ends the wait of the main greenlet in a world where nothing can happen any more.
    #[cold]
    fn raise_deadlock(&self) {
        let mut text = String::from("deadlock: everybody waits, for what cannot happen any more:");
        for control in self.live.borrow().iter() {
            let name = control.name().unwrap_or_else(|| "Greenlet".into());
            text.push_str(&format!(" '{name}' (#{})", control.id()));
        }
        kill::deliver(self, &self.main, Exception::Throw(Box::new(text)));
    }

    /// Does something as if in the loop: what user code it would run is left to a greenlet.
    pub(super) fn as_loop<R>(&self, f: impl FnOnce() -> R) -> R {
        let before = self.looping.replace(true);
        let result = f();
        self.looping.set(before);
        result
    }

    /// Takes what other threads have left.
    pub(crate) fn drain_inbox(&self) {
        self.as_loop(|| self.take_messages());
    }

    fn take_messages(&self) {
        let mut messages = self.messages.take();
        self.remote.take(&mut messages);
        for message in messages.drain(..) {
            match message {
                Message::Ready(control) => self.make_ready(control),
                Message::Start(control) => spawn::start_now(self, &control),
                Message::StartAt(control, deadline) => spawn::arm_start(self, &control, deadline),
                Message::Raise(target, exception) => kill::deliver(self, &target, exception),
                Message::Discard(control) => spawn::discard_now(self, &control),
                Message::Forget(key) => self.io.borrow_mut().remove(key),
            }
        }
        self.messages.set(messages);
    }
}
