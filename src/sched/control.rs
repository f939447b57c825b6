//! The control block: what is known of one greenlet, one main greenlet or one plain OS thread.
//!
//! It is shared by every handle, on any thread. The part that belongs to the hub's thread alone is
//! [`Local`], inside a [`Bound`].

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::board::Board;
use super::bound::Bound;
use super::current;
use super::hub::{Hub, HubId};
use super::ids;
use super::inbox::{Message, Remote};
use super::kill::Exception;
use super::locals::Locals;
use super::sleeper::Sleeper;
use super::spawn;
use super::stack::Class;
use super::switch::Switch;
use super::word::{Grant, Ticket, Woken, Word};
use crate::base::failure::{Failure, Outcome};
use crate::base::few::Few;
use crate::base::lock::Lock;
use crate::base::slab::Key;

/// Code that a greenlet is to run, or to drop.
pub(crate) enum Body {
    Boxed(Box<dyn FnOnce()>),
    Shared(Arc<dyn Run>),
}

/// Code in the same allocation as something else.
///
/// It is dropped by [`discard`](Run::discard), not with the allocation, which may end on another
/// thread.
pub(crate) trait Run {
    /// Runs the code, once.
    fn run(&self);

    /// Drops the code if it has not been run.
    fn discard(&self);
}

impl Body {
    pub(super) fn discard(self) {
        match self {
            Body::Boxed(body) => drop(body),
            Body::Shared(body) => body.discard(),
        }
    }
}

/// How far a greenlet has come. It only ever goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// Made, not told to start.
    New,
    /// Queued, or armed to start later.
    Started,
    /// Will never begin: its captured values are to be dropped when its killer comes to it.
    Withheld,
    /// Its body runs or waits.
    Begun,
    /// Over, and every trace of it gone.
    Dead,
}

impl Status {
    fn from_bits(bits: u8) -> Status {
        match bits {
            0 => Status::New,
            1 => Status::Started,
            2 => Status::Withheld,
            3 => Status::Begun,
            _ => Status::Dead,
        }
    }
}

/// What a control block stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Greenlet,
    Main,
    Thread,
}

/// Where the one it stands for is woken.
enum Home {
    Hub(Arc<Remote>),
    Thread(Box<Sleeper>),
}

/// See the module's documentation.
///
/// What every switch touches comes first, in few cache lines: with a thousand greenlets taking
/// turns those lines are what a switch costs.
#[repr(C)]
pub(crate) struct Control {
    word: Word,
    /// There may be an exception to raise: look before the next wait. Set by anyone.
    pub(super) notice: AtomicBool,
    status: AtomicU8,
    kind: Kind,
    /// Of no use to a plain OS thread.
    local: Bound<Local>,
    home: Home,
    /// Set once for each life.
    id: AtomicU64,
    end: Lock<End>,
    /// How many handles there are, to notice when a greenlet can no longer be started.
    handles: AtomicUsize,
    extras: OnceLock<Box<Extras>>,
    /// Of a main greenlet: its OS thread before it had a hub. The two are one thread to their user.
    thread: Option<Arc<Control>>,
}

/// What most greenlets do without, made when it is needed.
#[derive(Default)]
struct Extras {
    name: Lock<Option<Arc<str>>>,
    token: Lock<Token>,
}

/// The token of `thread::park`.
#[derive(Default)]
pub(crate) struct Token {
    pub(crate) available: bool,
    /// Who waits for it.
    pub(crate) waiter: Option<Waker>,
}

/// What only the hub's thread touches. Everything with a destructor is taken out by the hub before
/// the last handle can be gone.
#[repr(C)]
pub(crate) struct Local {
    /// Which of its places in the run queue is its own.
    pub(super) epoch: Cell<u32>,
    pub(super) switch: Switch,
    pub(super) body: Cell<Option<Body>>,
    pub(super) outcome: Cell<Option<Outcome>>,
    pub(super) class: Cell<Class>,
    /// A stack is promised to this greenlet.
    pub(super) reserved: Cell<bool>,
    /// It runs what the hub's loop must not, and is no concern of the user's.
    pub(super) internal: Cell<bool>,
    /// Its place among the hub's live greenlets.
    pub(super) place: Cell<Option<Key>>,
    /// It has been put into the run queue for its first run, which happens once.
    pub(super) queued: Cell<bool>,
    /// Its place at the front of the run queue is meant.
    pub(super) placed: Cell<bool>,
    /// The panic depth it parked at.
    pub(super) depth: Cell<u32>,
    rare: RefCell<Option<Box<Rare>>>,
    /// I/O calls made since it last let others run.
    pub(crate) spent: Cell<u32>,
}

/// What most greenlets never have, made when one does.
#[derive(Default)]
pub(crate) struct Rare {
    /// Why the body is to be dropped instead of run.
    pub(super) doom: Option<Outcome>,
    /// The timer of a delayed start.
    pub(super) start_timer: Option<Key>,
    /// Exceptions to raise, in order; a kill stays at its place for ever.
    pub(super) pending: VecDeque<Exception>,
    /// The shields that the greenlet is behind, and whether their limits have left them up.
    pub(super) shields: Vec<Rc<Cell<bool>>>,
    /// How often the kill has been raised.
    pub(crate) kills_raised: u64,
    /// The exception thrown last, to tell it from a panic when it arrives at the root.
    thrown: Option<(TypeId, usize)>,
    /// The greenlet-local values that it has made.
    pub(crate) locals: Locals,
}

impl Local {
    pub(super) fn new() -> Local {
        Local {
            switch: Switch::new(),
            body: Cell::new(None),
            outcome: Cell::new(None),
            class: Cell::new(Class::DEFAULT),
            reserved: Cell::new(false),
            internal: Cell::new(false),
            place: Cell::new(None),
            queued: Cell::new(false),
            placed: Cell::new(false),
            epoch: Cell::new(0),
            depth: Cell::new(0),
            rare: RefCell::new(None),
            spent: Cell::new(0),
        }
    }

    /// How many shields the greenlet is behind, also those whose limits have passed.
    pub(crate) fn shields(&self) -> usize {
        self.rare(|rare| rare.shields.len()).unwrap_or(0)
    }

    /// How many of them there are down to the innermost that is up: what was made outside that one
    /// is kept off.
    pub(super) fn shields_up(&self) -> usize {
        let innermost = self.rare(|rare| rare.shields.iter().rposition(|up| up.get()));
        innermost.flatten().map_or(0, |index| index + 1)
    }

    /// Notes the panic depth at which the greenlet parks.
    pub(crate) fn set_depth(&self, depth: u32) {
        self.depth.set(depth);
    }

    /// The addresses of the guard below its stack.
    pub(super) fn guard(&self) -> std::ops::Range<usize> {
        self.switch.guard()
    }

    /// Looks at what is rare, if there is any. `f` runs nobody's code.
    pub(crate) fn rare<R>(&self, f: impl FnOnce(&mut Rare) -> R) -> Option<R> {
        self.rare.borrow_mut().as_deref_mut().map(f)
    }

    /// The same, made if there is none.
    pub(crate) fn make_rare<R>(&self, f: impl FnOnce(&mut Rare) -> R) -> R {
        f(self.rare.borrow_mut().get_or_insert_default())
    }

    /// Takes all of it out.
    pub(super) fn take_rare(&self) -> Option<Box<Rare>> {
        self.rare.take()
    }

    /// Notes what is about to be raised.
    pub(super) fn note_thrown(&self, payload: &(dyn Any + Send)) {
        self.make_rare(|rare| rare.thrown = Some(identity(payload)));
    }

    /// Whether what was thrown last is of type `kind`.
    pub(super) fn has_thrown(&self, kind: TypeId) -> bool {
        self.thrown().is_some_and(|(thrown, _)| thrown == kind)
    }

    /// Forgets what was thrown last: it has been caught.
    pub(super) fn forget_thrown(&self) {
        self.rare(|rare| rare.thrown = None);
    }

    /// Whether `payload` is what was thrown last.
    pub(super) fn was_thrown(&self, payload: &(dyn Any + Send)) -> bool {
        self.thrown() == Some(identity(payload))
    }

    fn thrown(&self) -> Option<(TypeId, usize)> {
        self.rare(|rare| rare.thrown).flatten()
    }
}

fn os_thread_name() -> Option<Arc<str>> {
    std::thread::current().name().map(Arc::from)
}

fn identity(payload: &(dyn Any + Send)) -> (TypeId, usize) {
    (payload.type_id(), std::ptr::from_ref(payload).cast::<()>() as usize)
}

/// The end of a greenlet and who is to be told of it.
struct End {
    outcome: Option<Outcome>,
    watchers: Few<Watcher>,
}

/// Someone who wants to know when a greenlet ends.
pub(crate) enum Watcher {
    /// A waiter.
    Wake(Waker),
    /// Somebody who waits for several, and the number this one has with them.
    Report(Arc<Board>, usize),
    /// A link: a greenlet that starts then, if the end is one of these.
    Start { link: Arc<Control>, on_success: bool, on_failure: bool },
}

impl Watcher {
    fn is_link(&self) -> bool {
        matches!(self, Watcher::Start { .. })
    }
}

impl Control {
    pub(super) fn greenlet(hub: &Hub) -> Control {
        let home = Home::Hub(hub.remote().clone());
        Control::new(Kind::Greenlet, hub.id(), home, None)
    }

    /// Makes it the one of a new greenlet.
    pub(super) fn begin_life(&self, hub: &Hub, class: Class, name: Option<Arc<str>>) {
        self.id.store(hub.next_id(), Ordering::Relaxed);
        self.local(hub).class.set(class);
        name.into_iter().for_each(|name| self.set_name(name));
    }

    /// Makes it as it was when it was made, at the end of a greenlet's life.
    pub(super) fn renew(&mut self, hub: &Hub) {
        self.drop_failure();
        self.notice.store(false, Ordering::Relaxed);
        self.status.store(Status::New as u8, Ordering::Relaxed);
        self.handles.store(1, Ordering::Relaxed);
        drop(self.extras.take());
        let local = self.local(hub);
        local.internal.set(false);
        local.queued.set(false);
        local.placed.set(false);
        local.spent.set(0);
    }

    pub(super) fn main(remote: Arc<Remote>, thread: Arc<Control>) -> Control {
        let (owner, home) = (remote.id(), Home::Hub(remote));
        let mut main = Control::new(Kind::Main, owner, home, thread.name());
        main.id.store(thread.id(), Ordering::Relaxed);
        main.thread = Some(thread);
        main
    }

    pub(super) fn thread() -> Control {
        let home = Home::Thread(Box::default());
        let thread = Control::new(Kind::Thread, HubId::NONE, home, os_thread_name());
        thread.id.store(ids::take(1).start, Ordering::Relaxed);
        thread
    }

    fn new(kind: Kind, owner: HubId, home: Home, name: Option<Arc<str>>) -> Control {
        let status = if kind == Kind::Greenlet { Status::New } else { Status::Begun };
        let control = Control {
            kind,
            local: Bound::new(owner, Local::new()),
            word: Word::new(),
            notice: AtomicBool::new(false),
            status: AtomicU8::new(status as u8),
            home,
            id: AtomicU64::new(0),
            end: Lock::new(End { outcome: None, watchers: Few::None }),
            handles: AtomicUsize::new(1),
            extras: OnceLock::new(),
            thread: None,
        };
        name.into_iter().for_each(|name| control.set_name(name));
        control
    }

    fn extras(&self) -> &Extras {
        self.extras.get_or_init(Box::default)
    }

    /// The token of `thread::park`.
    pub(crate) fn token(&self) -> &Lock<Token> {
        &self.thread.as_deref().unwrap_or(self).extras().token
    }

    /// Unique in the process, never used again.
    pub(crate) fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    pub(crate) fn name(&self) -> Option<Arc<str>> {
        self.extras.get().and_then(|extras| extras.name.lock().clone())
    }

    pub(crate) fn set_name(&self, name: Arc<str>) {
        *self.extras().name.lock() = Some(name);
    }

    /// Calls `f` with the name if it can be had without waiting; for the overflow report.
    pub(super) fn try_name(&self, f: impl FnOnce(Option<&str>)) {
        match self.extras.get().and_then(|extras| extras.name.try_lock()) {
            Some(name) => f(name.as_deref()),
            None => f(None),
        }
    }

    #[inline]
    pub(crate) fn is_main(&self) -> bool {
        self.kind == Kind::Main
    }

    pub(crate) fn is_greenlet(&self) -> bool {
        self.kind == Kind::Greenlet
    }

    pub(super) fn word(&self) -> &Word {
        &self.word
    }

    /// The hub this greenlet belongs to; none for a plain OS thread.
    pub(crate) fn remote(&self) -> Option<&Arc<Remote>> {
        match &self.home {
            Home::Hub(remote) => Some(remote),
            Home::Thread(_) => None,
        }
    }

    /// Whether `hub` is the hub this greenlet belongs to.
    pub(crate) fn is_of(&self, hub: &Hub) -> bool {
        self.local.is_of(hub)
    }

    /// The part that belongs to the hub's thread.
    #[inline]
    pub(crate) fn local(&self, hub: &Hub) -> &Local {
        self.local.get(hub)
    }

    #[inline]
    pub(crate) fn status(&self) -> Status {
        Status::from_bits(self.status.load(Ordering::Acquire))
    }

    pub(super) fn set_status(&self, status: Status) {
        self.status.store(status as u8, Ordering::Release);
    }

    /// Claims the one start that a greenlet has.
    pub(crate) fn claim_start(&self) -> bool {
        let (new, started) = (Status::New as u8, Status::Started as u8);
        self.status.compare_exchange(new, started, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.status() == Status::Dead
    }

    /// How it ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.end.lock().outcome.clone()
    }

    /// How it failed, if it did.
    pub(crate) fn failure(&self) -> Option<Failure> {
        match self.end.lock().outcome.as_ref()? {
            Outcome::Returned => None,
            Outcome::Failed(failure) => Some(failure.clone()),
        }
    }

    /// Takes the failure out for the one who consumes the result.
    ///
    /// Later askers learn how it failed, and the message if there was one.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        match self.end.lock().outcome.as_mut()? {
            Outcome::Returned => None,
            Outcome::Failed(failure) => Some(failure.take()),
        }
    }

    /// Registers `watcher`; gives it back if the greenlet is dead already.
    pub(crate) fn watch(&self, watcher: Watcher) -> Result<Key, Watcher> {
        let mut end = self.end.lock();
        match end.outcome {
            Some(_) => Err(watcher),
            None => Ok(end.watchers.push_back(watcher)),
        }
    }

    /// Takes a watcher out again, if it has not been told yet.
    pub(crate) fn unwatch(&self, key: Key) -> Option<Watcher> {
        self.end.lock().watchers.remove(key)
    }

    /// Takes all links out that have not been told yet.
    pub(crate) fn take_links(&self) -> Vec<Arc<Control>> {
        let taken = self.end.lock().watchers.extract(Watcher::is_link);
        let link = |watcher| match watcher {
            Watcher::Start { link, .. } => Some(link),
            Watcher::Wake(_) | Watcher::Report(..) => None,
        };
        taken.into_iter().filter_map(link).collect()
    }

    /// How many links there are.
    pub(crate) fn links(&self) -> usize {
        self.end.lock().watchers.iter().filter(|watcher| watcher.is_link()).count()
    }

    /// How many want to know when it ends, links included.
    #[cfg(feature = "testing")]
    pub(super) fn watchers(&self) -> usize {
        self.end.lock().watchers.iter().count()
    }

    /// Makes the end known: marks it dead and returns who is to be told.
    pub(super) fn finish(&self, outcome: Outcome) -> Few<Watcher> {
        let mut end = self.end.lock();
        end.outcome = Some(outcome);
        self.set_status(Status::Dead);
        std::mem::take(&mut end.watchers)
    }

    pub(crate) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells whether it was the last handle to one that can now no longer be started. Those of one
    /// that has been started do not matter.
    pub(crate) fn drop_handle(&self) -> bool {
        self.status() == Status::New
            && self.handles.fetch_sub(1, Ordering::AcqRel) == 1
            && self.status() == Status::New
    }

    /// The payload of a failure that nobody asked for may have a destructor that waits. The hub's
    /// loop, when it lets go of a control block last, leaves it to a greenlet.
    fn drop_failure(&mut self) {
        if let Some(Outcome::Failed(failure)) = self.end.get_mut().outcome.take()
            && failure.has_payload()
        {
            let mut failure = Some(failure);
            current::with(|hub| {
                if let Some(failure) = failure.take_if(|_| hub.is_looping()) {
                    spawn::dispose(hub, Box::new(failure));
                }
            });
        }
    }

    /// The sleep of a plain OS thread.
    pub(crate) fn sleep(&self, ticket: Ticket, deadline: Option<Instant>) -> Woken {
        match &self.home {
            Home::Thread(sleeper) => sleeper.sleep(&self.word, ticket, deadline),
            Home::Hub(_) => unreachable!("a greenlet sleeps by switching"),
        }
    }

    /// Owner: parks the word of `ticket`. False if the wait is over already.
    #[inline]
    pub(crate) fn fall_asleep(&self, ticket: Ticket) -> bool {
        self.word.park(ticket)
    }

    /// Whether the wait of `ticket` is still undecided.
    #[inline]
    pub(crate) fn is_asleep(&self, ticket: Ticket) -> bool {
        self.word.is_parked(ticket)
    }

    /// Owner: how the wait ended.
    #[inline]
    pub(crate) fn woken(&self) -> Woken {
        self.word.outcome()
    }

    #[inline]
    pub(crate) fn arm(&self) -> Ticket {
        self.word.arm()
    }

    pub(crate) fn disarm(&self, ticket: Ticket) -> bool {
        self.word.disarm(ticket)
    }
}

// What an unwind leaves behind is whole: atomics, locks, and cells that are set in one step.
impl UnwindSafe for Control {}
impl RefUnwindSafe for Control {}

impl Drop for Control {
    fn drop(&mut self) {
        self.drop_failure();
    }
}

/// Ends one wait of one greenlet or thread, from anywhere.
#[derive(Clone)]
pub(crate) struct Waker {
    control: Arc<Control>,
    ticket: Ticket,
}

impl Waker {
    pub(crate) fn new(control: Arc<Control>, ticket: Ticket) -> Waker {
        Waker { control, ticket }
    }

    /// Grants the wait. False when it had ended already, and the grant belongs to someone else.
    pub(crate) fn wake(self) -> bool {
        match self.grant() {
            Some(granted) => {
                granted.schedule();
                true
            }
            None => false,
        }
    }

    /// The first half of [`wake`](Waker::wake), for one who holds a lock: decides the wait. None
    /// when it had ended already.
    #[inline]
    pub(crate) fn grant(self) -> Option<Granted> {
        match self.control.word.grant(self.ticket) {
            Grant::Lost => None,
            Grant::Early => Some(Granted(None)),
            Grant::Parked => Some(Granted(Some(self.control))),
        }
    }

    /// Hub's thread: the deadline of the wait has passed.
    pub(super) fn time_out(self, hub: &Hub) {
        if self.control.word.time_out(self.ticket) {
            hub.make_ready(self.control);
        }
    }

    /// Whose wait it is.
    pub(crate) fn is_of(&self, control: &Control) -> bool {
        std::ptr::eq(&raw const *self.control, control)
    }
}

/// A wait that was granted and whose owner may have to be scheduled.
#[must_use = "the owner would sleep for ever"]
pub(crate) struct Granted(Option<Arc<Control>>);

impl Granted {
    /// The second half of [`Waker::wake`]: puts the owner where it will run.
    #[inline]
    pub(crate) fn schedule(self) {
        if let Some(control) = self.0 {
            schedule(control);
        }
    }
}

/// Puts the owner of a decided wait where it will run.
#[inline]
fn schedule(control: Arc<Control>) {
    if current::is_here(&control) {
        current::with(|hub| hub.make_ready(control));
    } else {
        schedule_elsewhere(control);
    }
}

#[cold]
fn schedule_elsewhere(control: Arc<Control>) {
    match &control.home {
        Home::Thread(sleeper) => sleeper.wake(),
        Home::Hub(remote) => remote.clone().post(Message::Ready(control)),
    }
}
