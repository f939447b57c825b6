//! Signals: each arrives at everybody who listens, whoever of them dies, and none ends the process.

use std::rc::Rc;

use betterthreads::signal::{
    KeyboardInterrupt, SIGINT, SIGUSR1, SIGUSR2, Signals, catch_keyboard_interrupt,
};
use signal_hook::low_level::raise;

use crate::stage::Stage;

sweeps_in_both_worlds! {
    a_signal_reaches_the_other_listeners => wait,
    one_signal_of_several_goes_to_who_waits => wait_for_either,
    an_interrupt_reaches_who_catches_it_or_nobody => interrupt,
    nested_catchers_are_interrupted_from_within => nested_interrupts,
}

/// Listens as long as the stage stands, so that the default action is suspended.
fn listen(stage: &Stage, signal: i32) -> Rc<Signals> {
    let signals = Rc::new(Signals::new([signal]).expect("a listener"));
    let kept = signals.clone();
    stage.afterwards(move |_| drop(kept));
    signals
}

/// Raises `signal` when everybody waits.
fn raise_later(stage: &Stage, signal: i32) {
    let pause = stage.pause();
    stage.rival(move || {
        pause();
        raise(signal).expect("a signal");
    });
}

fn wait(stage: &Stage) {
    let ours = listen(stage, SIGUSR1);
    stage.victim(|| {
        let signals = Signals::new([SIGUSR1]).expect("a listener");
        assert_eq!(signals.wait().expect("a signal"), SIGUSR1);
    });
    stage.rival(move || assert_eq!(ours.wait().expect("a signal"), SIGUSR1));
    raise_later(stage, SIGUSR1);
}

/// The victim and a rival share a listener.
fn wait_for_either(stage: &Stage) {
    let signals = Rc::new(Signals::new([SIGUSR1, SIGUSR2]).expect("a listener"));
    let theirs = signals.clone();
    stage.victim(move || {
        theirs.wait().expect("a signal");
    });
    let (theirs, pause) = (signals.clone(), stage.pause());
    let waits = stage.rival(move || {
        theirs.wait().expect("a signal");
    });
    let gone = stage.gone();
    stage.rival(move || {
        for signal in [SIGUSR1, SIGUSR2] {
            pause();
            raise(signal).expect("a signal");
        }
        gone.wait();
        waits.join();
    });
    stage.afterwards(move |_| drop(signals));
}

fn interrupt(stage: &Stage) {
    let kept = listen(stage, SIGINT);
    let pause = stage.pause();
    stage.victim(move || {
        let result = catch_keyboard_interrupt(|| (0..5).for_each(|_| pause()));
        assert_eq!(result, Err(KeyboardInterrupt));
    });
    raise_later(stage, SIGINT);
    stage.rival(move || assert_eq!(kept.wait().expect("a signal"), SIGINT));
}

fn nested_interrupts(stage: &Stage) {
    let _kept = listen(stage, SIGINT);
    let pause = stage.pause();
    stage.victim(move || {
        let outer = catch_keyboard_interrupt(|| {
            let inner = catch_keyboard_interrupt(|| (0..5).for_each(|_| pause()));
            assert_eq!(inner, Err(KeyboardInterrupt));
            pause();
        });
        assert_eq!(outer, Ok(()));
    });
    raise_later(stage, SIGINT);
}
