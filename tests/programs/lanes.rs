//! Queues and channels, and what became of every item that was put into one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use betterthreads::queue::{Channel, Full, Queue};
use betterthreads::sync::mpsc::{
    self, Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, TrySendError,
};

use crate::actor::Actor;
use crate::life::Waiting;
use crate::program::Patience;
use crate::world::World;

/// How many lanes there are.
pub(crate) const COUNT: usize = 6;

/// How many items each holds.
const ROOM: [usize; COUNT] = [usize::MAX, 1, 0, 0, 2, usize::MAX];

/// Where an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// With a sender that has not returned yet; maybe in the lane.
    Offered,
    /// In the lane, for the sender has returned.
    Sent,
    Received,
    /// Back with its sender, or dropped by a sender that was interrupted.
    Withdrawn,
}

struct Record {
    lane: usize,
    place: Place,
    drops: u32,
}

/// Something to send.
pub(crate) struct Item(usize);

impl Drop for Item {
    fn drop(&mut self) {
        World::with(|world| world.lanes.items.borrow_mut()[self.0].drops += 1);
    }
}

/// The halves of a channel, until they are hung up.
struct Halves<S> {
    sender: RefCell<Option<S>>,
    receiver: RefCell<Option<Rc<Receiver<Item>>>>,
}

impl<S> Halves<S> {
    fn new((sender, receiver): (S, Receiver<Item>)) -> Halves<S> {
        let receiver = RefCell::new(Some(Rc::new(receiver)));
        Halves { sender: RefCell::new(Some(sender)), receiver }
    }
}

pub(crate) struct Lanes {
    unbounded: Queue<Item>,
    bounded: Queue<Item>,
    channel: Channel<Item>,
    meeting: Halves<SyncSender<Item>>,
    buffered: Halves<SyncSender<Item>>,
    endless: Halves<Sender<Item>>,
    items: RefCell<Vec<Record>>,
    sender_gone: [Cell<bool>; COUNT],
    receiver_gone: [Cell<bool>; COUNT],
}

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes {
            unbounded: Queue::new(),
            bounded: Queue::bounded(ROOM[1]),
            channel: Channel::new(),
            meeting: Halves::new(mpsc::sync_channel(ROOM[3])),
            buffered: Halves::new(mpsc::sync_channel(ROOM[4])),
            endless: Halves::new(mpsc::channel()),
            items: RefCell::default(),
            sender_gone: Default::default(),
            receiver_gone: Default::default(),
        }
    }
}

/// One item on its way into a lane. What is not settled in the end was interrupted.
struct Offer<'a> {
    world: &'a World,
    item: usize,
    settled: Cell<bool>,
}

impl<'a> Offer<'a> {
    fn begin(world: &'a World, lane: usize) -> (Offer<'a>, Item) {
        let mut items = world.lanes.items.borrow_mut();
        items.push(Record { lane, place: Place::Offered, drops: 0 });
        let item = items.len() - 1;
        (Offer { world, item, settled: Cell::new(false) }, Item(item))
    }

    /// The sender has returned: with the item, if it was not sent.
    fn settle(&self, result: Result<(), Item>) {
        self.settled.set(true);
        let mut items = self.world.lanes.items.borrow_mut();
        let record = &mut items[self.item];
        match &result {
            Ok(()) if record.place == Place::Offered => record.place = Place::Sent,
            Ok(()) => {}
            Err(item) => {
                let is_right = record.place == Place::Offered && item.0 == self.item;
                record.place = Place::Withdrawn;
                self.world.expect(is_right, || format!("item {} came back wrongly", self.item));
            }
        }
        drop(items);
        drop(result);
    }
}

impl Drop for Offer<'_> {
    fn drop(&mut self) {
        if !self.settled.get() {
            let record = &mut self.world.lanes.items.borrow_mut()[self.item];
            let was_offered = record.place == Place::Offered;
            record.place = if was_offered { Place::Withdrawn } else { record.place };
            let text = || format!("item {} was sent by one who was interrupted", self.item);
            self.world.expect(was_offered, text);
        }
    }
}

impl Lanes {
    /// Items that are in `lane` for sure.
    fn inside(&self, lane: usize) -> usize {
        let is_inside = |item: &&Record| item.lane == lane && item.place == Place::Sent;
        self.items.borrow().iter().filter(is_inside).count()
    }

    /// Whether nobody will ever receive from `lane` any more.
    fn is_abandoned(&self, world: &World, lane: usize) -> bool {
        self.receiver_gone[lane].get() && world.waiting(|w| *w == Waiting::Take(lane)) == 0
    }

    fn is_finished(&self, world: &World, lane: usize) -> bool {
        self.sender_gone[lane].get() && world.waiting(|w| *w == Waiting::Put(lane)) == 0
    }

    pub(crate) fn hang_up_sender(&self, lane: usize) {
        self.sender_gone[lane].set(lane >= 3);
        match lane {
            3 => drop(self.meeting.sender.take()),
            4 => drop(self.buffered.sender.take()),
            5 => drop(self.endless.sender.take()),
            _ => {}
        }
    }

    pub(crate) fn hang_up_receiver(&self, lane: usize) {
        self.receiver_gone[lane].set(lane >= 3);
        match lane {
            3 => drop(self.meeting.receiver.take()),
            4 => drop(self.buffered.receiver.take()),
            5 => drop(self.endless.receiver.take()),
            _ => {}
        }
    }

    /// Where items are put into `lane`; nowhere once it was hung up.
    fn entrance(&self, lane: usize) -> Option<Entrance<'_>> {
        match lane {
            0 => Some(Entrance::Queue(&self.unbounded)),
            1 => Some(Entrance::Queue(&self.bounded)),
            2 => Some(Entrance::Channel(&self.channel)),
            3 => self.meeting.sender.borrow().clone().map(Entrance::Sync),
            4 => self.buffered.sender.borrow().clone().map(Entrance::Sync),
            _ => self.endless.sender.borrow().clone().map(Entrance::Endless),
        }
    }

    /// Where items are taken out of `lane`.
    fn exit(&self, lane: usize) -> Option<Exit<'_>> {
        match lane {
            0 => Some(Exit::Queue(&self.unbounded)),
            1 => Some(Exit::Queue(&self.bounded)),
            2 => Some(Exit::Channel(&self.channel)),
            3 => self.meeting.receiver.borrow().clone().map(Exit::Half),
            4 => self.buffered.receiver.borrow().clone().map(Exit::Half),
            _ => self.endless.receiver.borrow().clone().map(Exit::Half),
        }
    }

    /// Notes that `item` was received while `takers` others wait for one.
    fn received(&self, world: &World, lane: usize, item: &Item, takers: usize) {
        let mut items = self.items.borrow_mut();
        let before = items[item.0].place;
        items[item.0].place = Place::Received;
        let is_right = items[item.0].lane == lane
            && matches!(before, Place::Offered | Place::Sent)
            && items[item.0].drops == 0;
        world.expect(is_right, || format!("item {} was received, which is {before:?}", item.0));
        let is_earlier = |record: &&Record| record.lane == lane && record.place == Place::Sent;
        let overtaken = items[..item.0].iter().filter(is_earlier).count();
        // Whoever was woken for an item takes it when it runs.
        world.expect(overtaken <= takers, || format!("item {} overtook {overtaken}", item.0));
    }

    /// What cannot be when nobody is ready.
    pub(crate) fn audit(&self, world: &World) {
        for (lane, room) in ROOM.into_iter().enumerate() {
            let (inside, abandoned) = (self.inside(lane), self.is_abandoned(world, lane));
            let takers = world.waiting(|w| *w == Waiting::Take(lane));
            let putters = world.waiting(|w| *w == Waiting::Put(lane));
            let text = |what: &str| {
                format!("{what} lane {lane}: {takers} receive, {putters} send, {inside} are inside")
            };
            world.expect(takers == 0 || inside + putters == 0, || text("nobody meets in"));
            let has_room = inside < room;
            world.expect(putters == 0 || !has_room && !abandoned, || text("there is room in"));
            let finished = self.is_finished(world, lane);
            world.expect(takers == 0 || !finished, || text("nobody will send into"));
            let counted = match lane {
                0 => self.unbounded.qsize(),
                1 => self.bounded.qsize(),
                _ => inside,
            };
            world.expect(counted == inside, || text("the count is wrong in"));
            world.expect(inside <= room || abandoned, || text("there is too much in"));
        }
    }

    /// Takes out what is left and looks for what is not there.
    pub(crate) fn audit_end(&self, world: &World) {
        for lane in 0..COUNT {
            while let Some(Ok(item)) = self.exit(lane).map(|exit| exit.take_nowait()) {
                self.received(world, lane, &item, 0);
            }
        }
        let was_abandoned = self.receiver_gone.each_ref().map(Cell::get);
        (0..COUNT).for_each(|lane| self.hang_up_receiver(lane));
        for (item, record) in self.items.borrow().iter().enumerate() {
            let is_lost = record.place == Place::Sent && !was_abandoned[record.lane];
            world.expect(!is_lost, || format!("item {item} of lane {} was lost", record.lane));
            let is_settled = record.drops == 1 && record.place != Place::Offered;
            let text =
                || format!("item {item}, {:?}, dropped {} times", record.place, record.drops);
            world.expect(is_settled, text);
        }
    }
}

enum Entrance<'a> {
    Queue(&'a Queue<Item>),
    Channel(&'a Channel<Item>),
    Sync(SyncSender<Item>),
    Endless(Sender<Item>),
}

impl Entrance<'_> {
    fn put_nowait(&self, item: Item) -> Result<(), Item> {
        match self {
            Entrance::Queue(queue) => queue.put_nowait(item).map_err(|full| full.0),
            Entrance::Channel(channel) => channel.put_nowait(item).map_err(|full| full.0),
            Entrance::Sync(sender) => sender.try_send(item).map_err(|error| match error {
                TrySendError::Full(item) | TrySendError::Disconnected(item) => item,
            }),
            Entrance::Endless(sender) => sender.send(item).map_err(|error| error.0),
        }
    }

    fn put(&self, item: Item) -> Result<(), Item> {
        match self {
            Entrance::Queue(queue) => queue.put(item),
            Entrance::Channel(channel) => channel.put(item),
            Entrance::Sync(sender) => return sender.send(item).map_err(|error| error.0),
            Entrance::Endless(sender) => return sender.send(item).map_err(|error| error.0),
        }
        Ok(())
    }

    fn put_for(&self, actor: &Actor, lane: usize, millis: u8, item: Item) -> Result<(), Item> {
        let (waiting, failed) = (Waiting::Put(lane), |result: &Result<(), Item>| result.is_err());
        let full = |full: Full<Item>| full.0;
        match self {
            Entrance::Queue(queue) => actor
                .timed(waiting, millis, failed, |span| queue.put_timeout(item, span).map_err(full)),
            Entrance::Channel(channel) => actor.timed(waiting, millis, failed, |span| {
                channel.put_timeout(item, span).map_err(full)
            }),
            _ => actor.point(waiting, || self.put(item)),
        }
    }
}

enum Exit<'a> {
    Queue(&'a Queue<Item>),
    Channel(&'a Channel<Item>),
    Half(Rc<Receiver<Item>>),
}

/// Why there is no item.
#[derive(Debug, PartialEq, Eq)]
enum Nothing {
    Yet,
    /// Nobody will send any more.
    Ever,
}

impl Exit<'_> {
    fn take_nowait(&self) -> Result<Item, Nothing> {
        match self {
            Exit::Queue(queue) => queue.get_nowait().map_err(|_| Nothing::Yet),
            Exit::Channel(channel) => channel.get_nowait().map_err(|_| Nothing::Yet),
            Exit::Half(half) => half.try_recv().map_err(|error| match error {
                TryRecvError::Empty => Nothing::Yet,
                TryRecvError::Disconnected => Nothing::Ever,
            }),
        }
    }

    fn take(&self) -> Result<Item, Nothing> {
        match self {
            Exit::Queue(queue) => Ok(queue.get()),
            Exit::Channel(channel) => Ok(channel.get()),
            Exit::Half(half) => half.recv().map_err(|_| Nothing::Ever),
        }
    }

    fn take_for(&self, span: Duration) -> Result<Item, Nothing> {
        match self {
            Exit::Queue(queue) => queue.get_timeout(span).map_err(|_| Nothing::Yet),
            Exit::Channel(channel) => channel.get_timeout(span).map_err(|_| Nothing::Yet),
            Exit::Half(half) => half.recv_timeout(span).map_err(|error| match error {
                RecvTimeoutError::Timeout => Nothing::Yet,
                RecvTimeoutError::Disconnected => Nothing::Ever,
            }),
        }
    }
}

impl Actor {
    pub(crate) fn put(&self, lane: usize, patience: Patience) {
        let Some(entrance) = self.world.lanes.entrance(lane) else { return };
        let (offer, item) = Offer::begin(&self.world, lane);
        let waits = !matches!(entrance, Entrance::Endless(_));
        let result = match patience {
            Patience::Forever if waits => self.unbounded(Waiting::Put(lane), || entrance.put(item)),
            Patience::For(millis) if waits => match entrance {
                // It has no limit of its own.
                Entrance::Sync(_) => {
                    self.limited(millis, || entrance.put_for(self, lane, millis, item))
                }
                _ => Some(entrance.put_for(self, lane, millis, item)),
            },
            _ => Some(entrance.put_nowait(item)),
        };
        if let Some(result) = result {
            offer.settle(result);
        }
    }

    pub(crate) fn take(&self, lane: usize, patience: Patience) {
        let Some(exit) = self.world.lanes.exit(lane) else { return };
        let waiting = Waiting::Take(lane);
        let result = match patience {
            Patience::Forever => self.unbounded(waiting, || exit.take()),
            Patience::For(millis) => {
                let in_vain = |result: &Result<Item, Nothing>| {
                    result.as_ref().is_err_and(|nothing| *nothing == Nothing::Yet)
                };
                Some(self.timed(waiting, millis, in_vain, |span| exit.take_for(span)))
            }
            Patience::Not => Some(exit.take_nowait()),
        };
        let takers = self.world.waiting(|waiting| *waiting == Waiting::Take(lane));
        let lanes = &self.world.lanes;
        match result {
            Some(Ok(item)) => lanes.received(&self.world, lane, &item, takers),
            Some(Err(Nothing::Ever)) => {
                let is_right = lanes.sender_gone[lane].get() && lanes.inside(lane) <= takers;
                self.world.expect(is_right, || format!("lane {lane} is said to have ended"));
            }
            Some(Err(Nothing::Yet)) | None => {}
        }
    }
}
