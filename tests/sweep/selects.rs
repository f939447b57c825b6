//! Waiting for any of several descriptors: the input stays for whoever reads it.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::select::select;
use socket2::SockRef;

use crate::stage::Stage;
use crate::tools::{Transfer, socket_pair};

sweeps_in_both_worlds! {
    one_who_selects_takes_nothing => watch_streams,
    one_who_selects_with_a_time_limit_leaves_no_timer => watch_in_time,
    one_who_selects_among_pipes_leaves_nothing_open => watch_pipes,
    one_who_waits_for_room_takes_none => wait_for_room,
}

/// The victim waits for one of three streams, which others read from.
fn watch_streams(stage: &Stage) {
    let transfers: Vec<_> = (0..3)
        .map(|late| {
            let ((here, there), transfer) = (socket_pair(), Transfer::default());
            let (fed, read, here) = (transfer.clone(), transfer.clone(), Rc::new(here));
            let (pause, stream) = (stage.pause(), here.clone());
            stage.rival(move || {
                (0..late).for_each(|_| pause());
                fed.write_all(&there, 10);
                pause();
            });
            let pause = stage.pause();
            stage.rival(move || {
                // Readable for a while.
                (0..3).for_each(|_| pause());
                read.read_to_end(&*stream, 4, || {});
            });
            (transfer, here)
        })
        .collect();
    let streams: Vec<_> = transfers.iter().map(|(_, stream)| stream.clone()).collect();
    stage.victim(move || {
        let watched: Vec<_> = streams.iter().map(|stream| stream.as_fd()).collect();
        for count in 1..=3 {
            let ready = select(&watched[count - 1..count], &[], &watched, Duration::MAX);
            assert_eq!(ready.expect("readiness").0.len(), 1);
        }
        let ready = select(&watched, &watched, &[], Duration::MAX).expect("readiness");
        assert!(ready.1.len() == 3);
    });
    stage.afterwards(move |_| transfers.iter().for_each(|(transfer, _)| transfer.settle()));
}

fn watch_in_time(stage: &Stage) {
    let (here, mut there) = socket_pair();
    let (pause, span) = (stage.pause(), stage.span());
    stage.victim(move || {
        let ready = |limit| select(&[here.as_fd()], &[], &[], limit).expect("readiness").0.len();
        assert_eq!(ready(span / 2), 0);
        assert_eq!(ready(span * 9), 1);
        assert!(select(&[], &[], &[], span).is_ok(), "a sleep");
    });
    stage.rival(move || {
        pause();
        // Closed by one that is gone.
        let _written = there.write_all(b"x");
        pause();
    });
}

/// Descriptors that are nothing to the hub otherwise.
fn watch_pipes(stage: &Stage) {
    let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
    let (other, kept) = std::io::pipe().expect("a pipe");
    let (watched, pause) = (reader.try_clone().expect("a duplicate"), stage.pause());
    stage.victim(move || {
        let both = [watched.as_fd(), other.as_fd()];
        let ready = select(&both, &[], &[], Duration::MAX).expect("readiness");
        assert_eq!(ready.0.len(), 1);
    });
    stage.rival(move || {
        pause();
        writer.write_all(b"x").expect("a reader");
    });
    stage.afterwards(move |_| {
        drop(kept);
        let mut text = Vec::new();
        reader.read_to_end(&mut text).expect("the end");
        assert_eq!(text, b"x", "taken by somebody");
    });
}

/// The victim waits until a stream can be written to, and a rival writes.
fn wait_for_room(stage: &Stage) {
    let ((here, there), transfer) = (socket_pair(), Transfer::default());
    SockRef::from(&here).set_send_buffer_size(1).expect("the smallest there is");
    let here = Rc::new(here);
    let stream = here.clone();
    stage.victim(move || {
        for _ in 0..2 {
            let ready = select(&[], &[stream.as_fd()], &[], Duration::MAX).expect("readiness");
            assert_eq!(ready.1.len(), 1);
        }
    });
    let write = transfer.clone();
    stage.rival(move || write.write_all(&*here, 12_000));
    let (read, pause) = (transfer.clone(), stage.pause());
    stage.rival(move || read.read_to_end(&there, 4000, pause));
    stage.afterwards(move |_| transfer.settle());
}
