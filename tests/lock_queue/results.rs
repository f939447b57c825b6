//! `gevent.event.AsyncResult`.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use betterthreads::event::AsyncResult;
use betterthreads::{sleep, spawn};

use crate::common::{hosted, parked, settle};

#[test]
fn a_value_reaches_everyone_who_waits() {
    hosted(|| {
        let result = Rc::new(AsyncResult::new());
        assert!(!result.ready() && !result.successful());
        assert_eq!(format!("{result:?}"), "<AsyncResult unset linkcount=0>");
        let waiters = [(); 3].map(|()| {
            let result = result.clone();
            parked(move || result.get().unwrap())
        });
        assert_eq!(result.linkcount(), 3);
        assert!(result.get_nowait().unwrap_err().is_timeout());
        assert!(result.get_timeout(0.001).unwrap_err().is_timeout());
        assert!(!result.wait_timeout(0.001));
        assert_eq!((result.value(), result.exception().is_none()), (None, true));
        result.set(5);
        assert_eq!(waiters.map(|waiter| waiter.get().unwrap()), [5, 5, 5]);
        assert!(result.ready() && result.successful());
        assert_eq!((result.get().unwrap(), result.get_nowait().unwrap()), (5, 5));
        assert_eq!((result.get_timeout(0).unwrap(), result.value()), (5, Some(5)));
        assert!(result.wait_timeout(0));
        result.wait();
    });
}

#[test]
fn an_exception_is_the_failure_of_everyone_who_asks() {
    hosted(|| {
        let result = Rc::new(AsyncResult::<u32>::new());
        let gets = result.clone();
        let waiter = parked(move || gets.get().unwrap_err());
        result.set_exception("went wrong");
        let failure = waiter.get().unwrap();
        assert!(failure.is_thrown());
        assert_eq!(failure.downcast_ref(), Some(&"went wrong"));
        assert!(result.ready() && !result.successful());
        assert_eq!(result.value(), None);
        assert!(result.exception().is_some());
        assert!(result.get_nowait().unwrap_err().is_thrown());
        assert_eq!(format!("{result:?}"), "<AsyncResult exception linkcount=0>");
    });
}

#[test]
fn a_second_set_overwrites() {
    hosted(|| {
        let result = AsyncResult::new();
        result.set(1);
        result.set(2);
        assert_eq!(result.get().unwrap(), 2);
        result.set_exception("no");
        assert!(result.get().unwrap_err().is_thrown());
        result.set(3);
        assert_eq!(result.get().unwrap(), 3);
        assert!(result.successful() && result.exception().is_none());
    });
}

#[test]
fn it_takes_over_how_a_greenlet_ended() {
    hosted(|| {
        let copy = |greenlet: &betterthreads::Greenlet<u32>| {
            let result = Rc::new(AsyncResult::new());
            let target = result.clone();
            greenlet.link(move |greenlet| target.copy_from(&greenlet));
            result.get()
        };
        assert_eq!(copy(&spawn(|| 1)).unwrap(), 1);
        let panics = spawn(|| std::panic::resume_unwind(Box::new("panic")));
        assert_eq!(copy(&panics).unwrap_err().downcast_ref(), Some(&"panic"));
        let killed = spawn(|| 1);
        killed.kill();
        assert!(copy(&killed).unwrap_err().is_killed());
    });
}

/// Cloning it takes a turn of the hub.
#[derive(Debug, PartialEq)]
struct Slow(u32);

impl Clone for Slow {
    fn clone(&self) -> Slow {
        let number = self.0;
        sleep(0.001);
        Slow(number)
    }
}

#[test]
fn a_value_set_while_the_old_one_is_cloned_stays() {
    hosted(|| {
        let result = Rc::new(AsyncResult::new());
        result.set(Slow(1));
        let gets = result.clone();
        let getter = spawn(move || gets.get().unwrap().0);
        sleep(0); // It is cloning now.
        result.set(Slow(2));
        assert_eq!(getter.get().unwrap(), 1);
        assert_eq!(result.get().unwrap(), Slow(2));
    });
}

/// Waits in its destructor, and looks at the result that held it.
#[derive(Clone)]
struct Looks(Rc<AsyncResult<Option<Looks>>>, Rc<Cell<u32>>);

impl Drop for Looks {
    fn drop(&mut self) {
        sleep(0);
        assert!(self.0.ready());
        drop(self.0.get_timeout(0.01).map(|value| assert!(value.is_none())));
        self.1.set(self.1.get() + 1);
    }
}

#[test]
fn an_overwritten_value_may_look_at_its_result_in_its_destructor() {
    hosted(|| {
        let result = Rc::new(AsyncResult::new());
        let dropped = Rc::new(Cell::new(0));
        result.set(Some(Looks(result.clone(), dropped.clone())));
        result.set(None);
        assert_eq!(dropped.get(), 1);
        assert!(result.get().unwrap().is_none());
    });
}

#[test]
fn a_getter_that_comes_while_a_failure_is_replaced_gets_one_or_the_other() {
    hosted(|| {
        struct Waits;
        impl Drop for Waits {
            fn drop(&mut self) {
                sleep(0.001);
            }
        }
        let result = Rc::new(AsyncResult::new());
        result.set_exception(Waits);
        let sets = result.clone();
        let setter = spawn(move || sets.set(1));
        sleep(0); // The old failure is being dropped now.
        match result.get() {
            Ok(value) => assert_eq!(value, 1),
            Err(failure) => assert!(failure.is_thrown(), "{failure:?}"),
        }
        setter.get().unwrap();
        assert_eq!(result.get().unwrap(), 1);
    });
}

#[test]
fn a_result_crosses_threads() {
    hosted(|| {
        let result = Arc::new(AsyncResult::new());
        let plain = std::thread::spawn({
            let result = result.clone();
            move || result.get().unwrap()
        });
        let gets = result.clone();
        let greenlet = parked(move || gets.get().unwrap());
        let sets = result.clone();
        std::thread::spawn(move || sets.set(String::from("from afar"))).join().unwrap();
        assert_eq!(greenlet.get().unwrap(), "from afar");
        assert_eq!(plain.join().unwrap(), "from afar");
        settle();
        assert_eq!(result.linkcount(), 0);
    });
}
