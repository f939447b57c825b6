//! What a random program is, and how one is made: lists of words that are read as steps. Words are
//! cheap to draw and to shrink; which greenlets exist, and who may start whom, is decided by
//! reading them.

use std::fmt;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

/// How long to wait for something.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    Forever,
    For(u8),
    Not,
}

/// How a greenlet is told to begin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Begin {
    Now,
    Later(u8),
    /// Not before somebody starts it.
    Never,
    InGroup(usize),
}

/// Something that few may have at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    Mutex(usize),
    Reentrant,
    Semaphore,
    Read,
    Write,
}

/// Which ends a link is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    All,
    Value,
    Exception,
}

/// What a parent does about a child of its scope, before the scope does the rest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parting {
    Leave,
    Join,
    Kill,
}

/// A greenlet that borrows from the one that spawns it.
#[derive(Clone, Debug)]
pub(crate) struct Child {
    pub(crate) who: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) parting: Parting,
}

/// One thing to do. Greenlets go by their numbers, times are milliseconds.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Yield,
    Checkpoint,
    Sleep(u8),
    Compute(u8),
    Make(usize, Begin),
    Start(usize),
    Kill(usize),
    KillNowait(usize),
    KillTimeout(usize, u8),
    KillAll(Vec<usize>),
    KillAllNowait(Vec<usize>),
    KillWith(usize),
    Throw(usize),
    Join(usize, Patience),
    JoinAll(Vec<usize>),
    Get(usize),
    GroupKill(usize, Patience),
    GroupJoin(usize, Patience),
    Link(usize, Ends),
    Unlink(usize),
    Park(Patience),
    Unpark(usize),
    Set(usize),
    Clear(usize),
    Wait(usize, Patience),
    Condition(Patience),
    NotifyOne,
    NotifyAll,
    Put(usize, Patience),
    Take(usize, Patience),
    HangUpSender(usize),
    HangUpReceiver(usize),
    Write(usize, u8),
    Read(usize, u8),
    Local,
    Panic,
    Hold(Lock, Patience, Vec<Step>),
    Limit(u8, Vec<Step>),
    Shield(Vec<Step>),
    ShieldFor(u8, Vec<Step>),
    Catch(Vec<Step>),
    /// The first steps are those of a destructor.
    OnDrop(Vec<Step>, Vec<Step>),
    Scope(Vec<Step>, Vec<Child>),
}

/// What one greenlet does.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// What the destructor of a value that it captures does.
    pub(crate) captured: Vec<Step>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone)]
pub(crate) struct Program {
    /// Of the world it runs in.
    pub(crate) seed: u64,
    pub(crate) scripts: Arc<Vec<Script>>,
    /// Greenlets altogether: the scripts, and after them the children of scopes.
    pub(crate) greenlets: usize,
    /// Scripts that no other script makes.
    pub(crate) roots: Vec<usize>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "program in the world of seed {}, begins with {:?}", self.seed, self.roots)?;
        for (number, script) in self.scripts.iter().enumerate() {
            writeln!(
                f,
                "  greenlet {number}, its captured value drops with {:?}",
                script.captured
            )?;
            for step in &script.steps {
                writeln!(f, "    {step:?}")?;
            }
        }
        Ok(())
    }
}

/// What a step is made of: what to do, with whom or what, how long, how many of the next words
/// belong to it.
type Word = (u8, u8, u8, u8);

/// The words of a greenlet: those of its captured value, and its own.
type Words = (Vec<Word>, Vec<Word>);

/// The sum of the odds below.
const ODDS: u8 = 150;

/// How deep steps may be nested: a debug build's frames are large.
const DEEPEST: usize = 3;

/// Of the numbers that name somebody, those from here on name children. Zero is who asks.
const SCRIPTS: usize = 48;

const LANES: usize = super::lanes::COUNT;

/// Random programs. They shrink towards fewer greenlets with fewer and simpler steps.
pub(crate) fn programs() -> impl Strategy<Value = Program> {
    let word = || (0..ODDS, 0..64_u8, 0..16_u8, 0..6_u8);
    let words = (vec(word(), 0..3), vec(word(), 0..14));
    let scripts = prop_oneof![
        5 => vec(words.clone(), 1..8),
        3 => vec(words.clone(), 1..20),
        1 => vec(words, 1..51),
    ];
    (any::<u64>().no_shrink(), scripts).prop_map(|(seed, words)| read(seed, &words))
}

fn read(seed: u64, words: &[Words]) -> Program {
    // How many children there are is known once all has been read.
    let mut reader = Reader { scripts: words.len(), greenlets: words.len(), children: 0, me: 0 };
    words.iter().enumerate().for_each(|(me, words)| drop(reader.script(me, words)));
    let mut reader = Reader { greenlets: words.len() + reader.children, children: 0, ..reader };
    let read = |(me, words)| reader.script(me, words);
    let scripts: Vec<Script> = words.iter().enumerate().map(read).collect();
    let mut made = vec![false; scripts.len()];
    for script in &scripts {
        note_made(&script.captured, &mut made);
        note_made(&script.steps, &mut made);
    }
    let roots = (0..scripts.len()).filter(|who| !made[*who]).collect();
    Program { seed, greenlets: reader.greenlets, scripts: Arc::new(scripts), roots }
}

/// Notes who is made by one of `steps`.
fn note_made(steps: &[Step], made: &mut [bool]) {
    for step in steps {
        match step {
            Step::Make(who, _) => made[*who] = true,
            Step::Hold(_, _, steps)
            | Step::Limit(_, steps)
            | Step::Shield(steps)
            | Step::ShieldFor(_, steps)
            | Step::Catch(steps) => note_made(steps, made),
            Step::OnDrop(cleanup, steps) => {
                note_made(cleanup, made);
                note_made(steps, made);
            }
            Step::Scope(steps, children) => {
                note_made(steps, made);
                children.iter().for_each(|child| note_made(&child.steps, made));
            }
            _ => {}
        }
    }
}

struct Reader {
    scripts: usize,
    greenlets: usize,
    children: usize,
    me: usize,
}

impl Reader {
    fn script(&mut self, me: usize, (captured, steps): &Words) -> Script {
        self.me = me;
        Script {
            captured: self.steps(&mut captured.as_slice(), usize::MAX, 1),
            steps: self.steps(&mut steps.as_slice(), usize::MAX, 0),
        }
    }

    /// Reads at most `count` words as steps.
    fn steps(&mut self, words: &mut &[Word], count: usize, depth: usize) -> Vec<Step> {
        let (mut mine, rest) = words.split_at(count.min(words.len()));
        *words = rest;
        let mut steps = Vec::new();
        while let Some((word, rest)) = mine.split_first() {
            mine = rest;
            steps.push(self.step(*word, &mut mine, depth));
        }
        steps
    }

    /// A script near the one that is read, so that the numbers stay right when those before it
    /// are taken out, or a child.
    fn who(&self, number: u8) -> usize {
        let (number, children) = (usize::from(number), self.greenlets - self.scripts);
        match number.checked_sub(SCRIPTS) {
            Some(child) if children > 0 => self.scripts + child % children,
            _ => (self.me + number) % self.scripts,
        }
    }

    /// Several greenlets, the same one twice now and then.
    fn several(&self, number: u8, count: u8) -> Vec<usize> {
        (0..2 + count % 3).map(|n| self.who(number.wrapping_add(n * (1 + count)))).collect()
    }

    fn step(&mut self, word: Word, rest: &mut &[Word], depth: usize) -> Step {
        let (what, who, long, span) = word;
        match what {
            0..74 => self.plain(what, who, long),
            74..112 => thing(what, usize::from(who), long, patience(span, long)),
            _ if depth == DEEPEST => Step::Sleep(long),
            _ => self.block(word, rest, depth + 1),
        }
    }

    /// A step about time or other greenlets.
    fn plain(&self, what: u8, number: u8, long: u8) -> Step {
        let (who, group) = (self.who(number), usize::from(number) % super::world::GROUPS);
        match what {
            0..6 => Step::Yield,
            6..8 => Step::Checkpoint,
            8..17 => Step::Sleep(long),
            17..19 => Step::Compute(long % 8),
            19..30 => self.make(number, long),
            30 => Step::Start(who),
            31..36 => Step::Kill(who),
            36..40 => Step::KillNowait(who),
            40..42 => Step::KillTimeout(who, long),
            42..44 => Step::KillAll(self.several(number, long)),
            44 => Step::KillAllNowait(self.several(number, long)),
            45..47 => Step::KillWith(who),
            47..50 => Step::Throw(who),
            50..53 => Step::Join(who, Patience::Forever),
            53..55 => Step::Join(who, Patience::For(long)),
            55 => Step::JoinAll(self.several(number, long)),
            56..58 => Step::Get(who),
            58 => Step::GroupKill(group, Patience::Forever),
            59 => Step::GroupKill(group, patience(long, long)),
            60 => Step::GroupJoin(group, Patience::Forever),
            61 => Step::GroupJoin(group, Patience::For(long)),
            62 => Step::Link(who, [Ends::All, Ends::Value, Ends::Exception][usize::from(long % 3)]),
            63 => Step::Unlink(who),
            64..66 => Step::Park(Patience::Forever),
            66 => Step::Park(Patience::For(long)),
            67..70 => Step::Unpark(who),
            70..72 => Step::Local,
            72 => Step::Panic,
            _ => Step::Checkpoint,
        }
    }

    /// Only scripts further down are made, so that nobody waits to be made by whom they make.
    fn make(&self, number: u8, long: u8) -> Step {
        let further = self.scripts - self.me - 1;
        if further == 0 {
            return Step::Yield;
        }
        let who = self.me + 1 + usize::from(number) % further;
        let begin = match long % 8 {
            0..4 => Begin::Now,
            4 => Begin::Later(long),
            5 => Begin::Never,
            _ => Begin::InGroup(usize::from(long) % super::world::GROUPS),
        };
        Step::Make(who, begin)
    }

    /// A step that has others inside.
    fn block(&mut self, word: Word, rest: &mut &[Word], depth: usize) -> Step {
        let (what, who, long, span) = word;
        let count = usize::from(span) + 1;
        match what {
            112..122 => {
                let locks =
                    [Lock::Mutex(0), Lock::Mutex(1), Lock::Reentrant, Lock::Semaphore, Lock::Read];
                let lock = locks.get(usize::from(who % 6)).copied().unwrap_or(Lock::Write);
                Step::Hold(lock, patience(long, long), self.steps(rest, count, depth))
            }
            122..128 => Step::Limit(long, self.steps(rest, count, depth)),
            128..131 => Step::Shield(self.steps(rest, count, depth)),
            131..133 => Step::ShieldFor(long, self.steps(rest, count, depth)),
            133..137 => Step::Catch(self.steps(rest, count, depth)),
            137..146 => {
                let cleanup = self.steps(rest, usize::from(long % 4), depth);
                Step::OnDrop(cleanup, self.steps(rest, count, depth))
            }
            _ => {
                let steps = self.steps(rest, count / 2, depth);
                let children = (0..1 + long % 3).map(|n| self.child(rest, who + n, depth));
                Step::Scope(steps, children.collect())
            }
        }
    }

    fn child(&mut self, rest: &mut &[Word], number: u8, depth: usize) -> Child {
        let who = self.scripts + self.children;
        self.children += 1;
        let partings = [Parting::Leave, Parting::Join, Parting::Kill, Parting::Leave];
        let parting = partings[usize::from(number % 4)];
        Child { who, steps: self.steps(rest, 2, depth), parting }
    }
}

fn patience(which: u8, long: u8) -> Patience {
    match which % 6 {
        0..3 => Patience::Forever,
        3..5 => Patience::For(long),
        _ => Patience::Not,
    }
}

/// A step with something that is shared.
fn thing(what: u8, number: usize, long: u8, patience: Patience) -> Step {
    let (event, lane) = (number % super::world::EVENTS, number % LANES);
    match what {
        74..77 => Step::Set(event),
        77 => Step::Clear(event),
        78..82 => Step::Wait(event, patience),
        82..85 => Step::Condition(patience),
        85..87 => Step::NotifyOne,
        87 => Step::NotifyAll,
        88..97 => Step::Put(lane, patience),
        97..106 => Step::Take(lane, patience),
        106 if number < 32 => Step::HangUpSender(lane),
        106 => Step::HangUpReceiver(lane),
        107..109 => Step::Write(number % 2, long),
        109..111 => Step::Read(number % 2, long),
        _ => Step::Set(event),
    }
}
