//! Kills, throws and time limits while somebody waits for a child: none is left as a zombie, and
//! nothing is left open.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::rc::Rc;

use betterthreads::process::{Child, Command, Stdio};
use betterthreads::{shield, sleep, spawn};

use crate::common::{hosted, hosted_alone, meanwhile, on_drop, parked};
use crate::interrupt::{ALL, interrupt};
use crate::list::{children, is_alive, state, wait_for};
use crate::support::open_fds;

/// Nobody waits for its output if a test fails and leaves it behind.
fn sleeper() -> Command {
    let mut command = Command::new("sleep");
    command.arg("1000").stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn end(mut child: Child) {
    child.kill().expect("our child");
    assert_eq!(child.wait().expect("its end").signal(), Some(9));
}

#[test]
fn a_status_and_an_output_take_their_child_along() {
    hosted_alone(|| {
        let calls: [fn(); 3] = [
            || drop(sleeper().status()),
            || drop(sleeper().stdout(Stdio::piped()).output()),
            // It reads, and nothing comes; then it waits, though the streams have ended.
            || drop(Command::new("sh").args(["-c", "exec >&- 2>&-; exec sleep 1000"]).output()),
        ];
        let round = || {
            for how in ALL {
                for call in calls {
                    interrupt(how, call);
                    assert_eq!(children(), [], "{how:?}: alive or not reaped");
                }
            }
        };
        round();
        let before = open_fds();
        round();
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn one_who_is_killed_while_a_child_talks_takes_it_along() {
    hosted_alone(|| {
        for how in ALL {
            interrupt(how, || drop(Command::new("yes").output()));
            assert_eq!(children(), [], "{how:?}");
        }
    });
}

#[test]
fn a_call_that_is_killed_at_its_beginning_starts_nothing() {
    hosted_alone(|| {
        let calls: [fn(); 2] = [|| drop(sleeper().status()), || drop(sleeper().output())];
        for call in calls {
            let target = spawn(move || {
                shield(|| betterthreads::sleep(0.01));
                call();
            });
            sleep(0);
            target.kill_nowait();
            assert_eq!(children(), []);
            target.join();
            assert_eq!(children(), []);
        }
    });
}

#[test]
fn a_child_that_is_waited_for_runs_on_and_may_be_waited_for_again() {
    hosted_alone(|| {
        for how in ALL {
            let child = Rc::new(std::cell::RefCell::new(sleeper().spawn().expect("sleep")));
            let id = child.borrow().id();
            let theirs = child.clone();
            interrupt(how, move || drop(theirs.borrow_mut().wait()));
            assert!(is_alive(id), "{how:?}");
            let child = Rc::into_inner(child).expect("the only one").into_inner();
            end(child);
            assert_eq!(children(), []);
        }
    });
}

#[test]
fn a_destructor_kills_a_child_and_waits_for_it() {
    hosted_alone(|| {
        let target = parked(|| {
            let mut child = sleeper().spawn().expect("sleep");
            let _end = on_drop(|| {
                child.kill().expect("our child");
                child.wait().expect("its end");
            });
            sleep(3600);
        });
        assert_eq!(children().len(), 1);
        target.kill();
        assert_eq!(children(), []);
    });
}

#[test]
fn a_child_that_is_dropped_is_a_zombie_when_it_has_ended_as_on_std() {
    hosted_alone(|| {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat");
        let (id, stdin) = (child.id(), child.stdin.take());
        drop(child);
        assert!(is_alive(id));
        drop(stdin);
        wait_for(id, Some('Z'));
    });
}

#[test]
fn the_pipes_of_one_that_is_killed_are_closed() {
    hosted_alone(|| {
        for how in ALL {
            let mut child = Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("cat");
            let (mut stdin, mut stdout) =
                (child.stdin.take().expect("its input"), child.stdout.take().expect("its output"));
            interrupt(how, move || {
                stdin.write_all(b"hello").expect("a reader");
                stdout.read_exact(&mut [0; 6]).expect("more");
            });
            // It reads to the end, or its answer finds nobody.
            let status = child.wait().expect("its end");
            assert!(status.success() || status.signal() == Some(libc::SIGPIPE), "{how:?}");
        }
        assert_eq!(children(), []);
    });
}

#[test]
fn bytes_of_a_child_that_one_was_killed_for_are_there_for_the_next() {
    hosted(|| {
        for how in ALL {
            let mut child = Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("cat");
            let mut stdin = child.stdin.take().expect("its input");
            let stdout = Rc::new(std::cell::RefCell::new(child.stdout.take().expect("its output")));
            let theirs = stdout.clone();
            interrupt(how, move || drop(theirs.borrow_mut().read(&mut [0; 8])));
            stdin.write_all(b"all of it").expect("a reader");
            drop(stdin);
            let mut text = String::new();
            stdout.borrow_mut().read_to_string(&mut text).expect("text");
            assert_eq!(text, "all of it", "{how:?}");
            assert!(child.wait().expect("its end").success());
        }
    });
}

#[test]
fn an_end_that_came_before_the_kill_counts() {
    hosted_alone(|| {
        let (reader, writer) = betterthreads::io::pipe().expect("a pipe");
        let target = parked(move || {
            let mut command = Command::new("cat");
            let status = command.stdin(reader).status();
            shield(|| status.expect("its end").code())
        });
        let [id] = children()[..] else { panic!("one child") };
        // The hub finds both in one turn: what is ready comes first.
        meanwhile(|| {
            drop(writer);
            while state(id) != Some('Z') {
                std::thread::yield_now();
            }
            target.kill_nowait();
        });
        assert_eq!(target.get().expect("its end"), Some(0));
        assert_eq!(children(), []);
    });
}
