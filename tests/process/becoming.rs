//! A process that becomes another program: in processes of their own, which a failed attempt leaves
//! changed.

use std::io::ErrorKind;

use betterthreads::io::pipe;
use betterthreads::os::unix::process::CommandExt;
use betterthreads::process::Command;

use crate::common::{in_a_process, text};

#[test]
fn to_become_what_is_not_there_fails() {
    let output = in_a_process(|| {
        let error = Command::new("no-such-program-anywhere").exec();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn nothing_comes_back_from_what_it_became() {
    let output = in_a_process(|| {
        let _lost = crate::common::on_drop(|| println!("dropped"));
        betterthreads::spawn(|| {
            let (reader, writer) = pipe().expect("a pipe");
            std::io::Write::write_all(&mut &writer, b"through a pipe").expect("room");
            drop(writer);
            panic!("{}", Command::new("cat").stdin(reader).exec());
        })
        .join();
    });
    assert!(output.status.success(), "{}", text(&output));
    assert!(output.stdout.ends_with(b"\nthrough a pipe"), "{output:?}");
}
