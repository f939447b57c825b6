//! `local!`: values of a greenlet's own.

mod common;

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use betterthreads::thread::LocalKey;
use betterthreads::{Greenlet, getcurrent, local, sleep, spawn};

use common::{Journal, caught, hosted, on_drop, parked, settle};

local! {
    static NUMBER: Cell<u32> = Cell::new(7);
    /// With documentation, and a constant for an initializer.
    pub static CONSTANT: Cell<u32> = const { Cell::new(3) };
    static LIST: RefCell<Vec<u32>> = RefCell::new(Vec::new());
    static MADE_BY: u64 = {
        sleep(0);
        getcurrent().id()
    }
}

#[test]
fn each_greenlet_has_a_value_of_its_own() {
    hosted(|| {
        NUMBER.set(100);
        let greenlets: Vec<Greenlet<(u32, u32)>> = (0..5)
            .map(|n| {
                spawn(move || {
                    let before = NUMBER.get();
                    NUMBER.set(n);
                    sleep(0);
                    (before, NUMBER.replace(0))
                })
            })
            .collect();
        for (n, greenlet) in greenlets.iter().enumerate() {
            assert_eq!(greenlet.get().unwrap(), (7, n as u32));
        }
        assert_eq!(NUMBER.get(), 100, "the main greenlet's");
    });
}

#[test]
fn an_initializer_may_yield_and_belongs_to_its_greenlet() {
    hosted(|| {
        let greenlets: Vec<_> = (0..4).map(|_| spawn(|| MADE_BY.with(|id| *id))).collect();
        for greenlet in greenlets {
            assert_eq!(greenlet.get().unwrap(), greenlet.id());
        }
    });
}

#[test]
fn the_conveniences_of_cells_work_as_in_std() {
    hosted(|| {
        spawn(|| {
            assert_eq!(CONSTANT.replace(4), 3);
            assert_eq!((CONSTANT.take(), CONSTANT.get()), (4, 0));
            LIST.with_borrow_mut(|list| list.extend([1, 2]));
            assert_eq!(LIST.with_borrow(Vec::len), 2);
            assert_eq!(LIST.replace(vec![3]), [1, 2]);
            assert_eq!(LIST.take(), [3]);
            LIST.set(vec![4, 5]);
            LIST.with(|list| assert_eq!(*list.borrow(), [4, 5]));
            let borrowed = caught(|| LIST.with_borrow(|_| LIST.with_borrow_mut(Vec::clear)));
            assert!(borrowed.is_err());
            assert_eq!(format!("{LIST:?}"), "LocalKey { .. }");
        })
        .get()
        .unwrap();
    });
}

#[test]
fn a_value_that_is_set_first_is_not_made() {
    betterthreads::local! {
        static CELL: Cell<i32> = panic!("made");
        static REF_CELL: RefCell<Vec<i32>> = panic!("made");
    }
    let greenlet = spawn(|| {
        CELL.set(1);
        CELL.set(2);
        REF_CELL.set(vec![1]);
        REF_CELL.set(vec![2]);
        (CELL.get(), REF_CELL.take())
    });
    assert_eq!(greenlet.get().unwrap(), (2, vec![2]));
}

#[test]
fn a_value_may_be_used_while_another_is_used() {
    hosted(|| {
        let sum = spawn(|| {
            NUMBER.with(|a| CONSTANT.with(|b| NUMBER.with(|c| a.get() + b.get() + c.get())))
        });
        assert_eq!(sum.get().unwrap(), 17);
    });
}

#[test]
fn a_use_may_wait_while_others_use_theirs() {
    hosted(|| {
        let greenlets: Vec<_> = (0..3)
            .map(|n| {
                spawn(move || {
                    NUMBER.with(|number| {
                        number.set(n);
                        sleep(0.001);
                        number.get()
                    })
                })
            })
            .collect();
        assert_eq!(greenlets.iter().map(|g| g.get().unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
    });
}

/// Notes its name in its greenlet's journal when it is dropped, after `before_end` of it.
struct Noisy {
    name: &'static str,
    journal: OnceCell<Journal>,
    at_end: Cell<fn()>,
}

impl Noisy {
    fn new(name: &'static str) -> Noisy {
        Noisy { name, journal: OnceCell::new(), at_end: Cell::new(|| ()) }
    }

    fn tell(&self, journal: &Journal) {
        let _ = self.journal.set(journal.clone());
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        self.at_end.get()();
        if let Some(journal) = self.journal.get() {
            journal.note(self.name);
        }
    }
}

local! {
    static FIRST: Noisy = Noisy::new("first");
    static SECOND: Noisy = Noisy::new("second");
    static THIRD: Noisy = Noisy::new("third");
}

/// Makes the first two values in order and ends as `end` does.
fn ends(journal: &Journal, end: fn()) -> Greenlet<()> {
    let journal = journal.clone();
    spawn(move || {
        FIRST.with(|noisy| noisy.tell(&journal));
        SECOND.with(|noisy| noisy.tell(&journal));
        let _frame = journal.note_on_drop("frame");
        end();
    })
}

#[test]
fn values_are_dropped_once_after_the_body_the_last_made_first() {
    hosted(|| {
        let journal = Journal::default();
        ends(&journal, || ()).get().unwrap();
        assert_eq!(journal.take(), ["frame", "second", "first"]);
        let killed = ends(&journal, || sleep(3600));
        sleep(0);
        killed.kill();
        assert_eq!(journal.take(), ["frame", "second", "first"]);
        let panics = ends(&journal, || resume_unwind(Box::new("panic")));
        panics.join();
        assert_eq!(journal.take(), ["frame", "second", "first"]);
        assert!(panics.get().unwrap_err().is_panicked());
    });
}

#[test]
fn one_that_never_began_has_none() {
    hosted(|| {
        let journal = Journal::default();
        ends(&journal, || ()).kill();
        settle();
        assert!(journal.take().is_empty());
    });
}

#[test]
fn destructors_may_wait_also_when_killed_again() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let greenlet = parked(move || {
            FIRST.with(|noisy| {
                noisy.tell(&noted);
                noisy.at_end.set(|| sleep(0.003));
            });
            sleep(3600);
        });
        greenlet.kill_nowait();
        sleep(0);
        assert!(!greenlet.dead() && journal.take().is_empty());
        greenlet.kill_nowait();
        greenlet.throw("more");
        greenlet.join();
        assert_eq!(journal.take(), ["first"]);
        assert!(greenlet.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_returning_greenlet_is_not_disturbed_in_its_values_destructors() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let greenlet = spawn(move || {
            FIRST.with(|noisy| {
                noisy.tell(&noted);
                noisy.at_end.set(|| sleep(0.003));
            });
            "value"
        });
        sleep(0);
        assert!(!greenlet.dead(), "it drops its values");
        greenlet.kill();
        assert_eq!(journal.take(), ["first"]);
        assert_eq!(greenlet.get().unwrap(), "value");
    });
}

#[test]
fn destructors_may_make_other_values_which_are_dropped_too() {
    hosted(|| {
        let journal = Journal::default();
        thread_local! {
            static JOURNAL: RefCell<Option<Journal>> = const { RefCell::new(None) };
        }
        JOURNAL.set(Some(journal.clone()));
        let noted = journal.clone();
        spawn(move || {
            FIRST.with(|noisy| {
                noisy.tell(&noted);
                noisy.at_end.set(|| {
                    let journal = JOURNAL.with_borrow(Clone::clone).unwrap();
                    THIRD.with(|third| third.tell(&journal));
                });
            });
        })
        .get()
        .unwrap();
        assert_eq!(journal.take(), ["first", "third"]);
    });
}

#[test]
fn a_panic_in_a_destructor_is_the_outcome_and_the_other_values_are_dropped() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let greenlet = spawn(move || {
            FIRST.with(|noisy| noisy.tell(&noted));
            SECOND.with(|noisy| noisy.at_end.set(|| resume_unwind(Box::new("in a destructor"))));
        });
        let failure = greenlet.get().unwrap_err();
        assert_eq!(failure.downcast_ref(), Some(&"in a destructor"));
        assert_eq!(journal.take(), ["first"]);
    });
}

#[test]
fn values_are_gone_when_the_greenlet_is_dead() {
    hosted(|| {
        local! { static HELD: RefCell<Option<Rc<()>>> = const { RefCell::new(None) } }
        let counted = Rc::new(());
        let held = counted.clone();
        let greenlet = spawn(move || HELD.set(Some(held)));
        greenlet.join();
        assert_eq!(Rc::strong_count(&counted), 1);
    });
}

#[test]
fn a_killed_initializer_leaves_no_value() {
    hosted(|| {
        thread_local! { static MADE: Cell<u32> = const { Cell::new(0) } }
        local! {
            static SLOW: u32 = {
                MADE.set(MADE.get() + 1);
                sleep(if MADE.get() == 1 { 3600.0 } else { 0.0 });
                MADE.get()
            }
        }
        let greenlet = spawn(|| {
            assert!(caught(|| SLOW.with(|_| ())).is_err());
            SLOW.with(|value| *value)
        });
        sleep(0);
        greenlet.throw("once");
        assert_eq!(greenlet.get().unwrap(), 2);
    });
}

#[test]
fn a_body_that_goes_on_in_its_clean_up_still_has_its_values() {
    hosted(|| {
        let seen = Rc::new(Cell::new(0));
        let sees = seen.clone();
        let greenlet = parked(move || {
            NUMBER.set(9);
            let _clean_up = on_drop(move || {
                sleep(0);
                sees.set(NUMBER.get());
            });
            sleep(3600);
        });
        greenlet.kill();
        assert_eq!(seen.get(), 9);
    });
}

#[test]
fn a_plain_thread_has_the_values_of_its_thread() {
    let journal = Journal::default();
    let noted = journal.clone();
    std::thread::spawn(move || {
        assert_eq!(NUMBER.replace(1), 7);
        FIRST.with(|noisy| noisy.tell(&noted));
        assert_eq!(NUMBER.get(), 1);
        assert!(noted.take().is_empty());
    })
    .join()
    .unwrap();
    assert_eq!(journal.take(), ["first"]);
}

#[test]
fn a_main_greenlet_has_those_of_its_thread_before_during_and_after_run() {
    std::thread::spawn(|| {
        NUMBER.set(1);
        betterthreads::run(|| {
            assert_eq!(NUMBER.replace(2), 1);
            assert_eq!(spawn(|| NUMBER.get()).get().unwrap(), 7);
        });
        assert_eq!(NUMBER.get(), 2);
    })
    .join()
    .unwrap();
}

#[test]
fn an_initializer_that_asks_for_its_own_value_once_more_is_as_in_std() {
    macro_rules! asks_again {
        ($declare:ident) => {{
            thread_local! { static DEEP: Cell<u32> = const { Cell::new(0) } }
            $declare! {
                static AGAIN: Cell<u32> = {
                    DEEP.set(DEEP.get() + 1);
                    let depth = DEEP.get();
                    if depth == 1 {
                        AGAIN.with(|inner| assert_eq!(inner.get(), 2));
                    }
                    Cell::new(depth)
                };
            }
            DEEP.set(0);
            let first = AGAIN.with(Cell::get);
            (first, AGAIN.get(), DEEP.get())
        }};
    }
    use std::thread_local as of_std;
    let expected = std::thread::spawn(|| asks_again!(of_std)).join();
    let on_thread = std::thread::spawn(|| asks_again!(local)).join();
    let in_greenlet = hosted(|| spawn(|| asks_again!(local)).get().unwrap());
    // std may also refuse.
    if let Ok(expected) = expected {
        assert_eq!(on_thread.unwrap(), expected);
        assert_eq!(in_greenlet, expected);
    }
}

#[test]
fn the_destructor_of_an_os_threads_value_may_use_another() {
    struct Uses(Arc<AtomicUsize>);
    impl Drop for Uses {
        fn drop(&mut self) {
            self.0.store(OTHER.get(), Ordering::SeqCst);
        }
    }
    local! {
        static USES: RefCell<Option<Uses>> = RefCell::new(None);
        static OTHER: Cell<usize> = Cell::new(7);
    }
    let seen = Arc::new(AtomicUsize::new(0));
    let tells = seen.clone();
    std::thread::spawn(move || USES.set(Some(Uses(tells)))).join().unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 7);
}

static JOURNAL: LazyLock<Journal> = LazyLock::new(Journal::default);

/// Looks for the value that it is itself when it is dropped.
struct Looks(&'static LocalKey<Looks>);

impl Drop for Looks {
    fn drop(&mut self) {
        let is_there = self.0.try_with(|_| ()).is_ok();
        JOURNAL.note(if is_there { "there" } else { "gone" });
    }
}

local! {
    static LOOKS: Looks = Looks(&LOOKS);
}

#[test]
fn a_value_is_not_made_again_in_its_destructor() {
    hosted(|| spawn(|| LOOKS.with(|_| ())).join());
    assert_eq!(JOURNAL.take(), ["gone"], "of a greenlet");
    std::thread::spawn(|| LOOKS.with(|_| ())).join().unwrap();
    assert_eq!(JOURNAL.take(), ["gone"], "of an OS thread");
}
