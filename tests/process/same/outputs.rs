//! A child from its beginning to its end in one call.

use super::hosted;
use super::process::{Command, Stdio};
use super::thread;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_status_tells_how_it_ended() {
    hosted(|| {
        assert!(Command::new("true").status().unwrap().success());
        let status = Command::new("false").status().unwrap();
        assert!(!status.success());
        assert_eq!(status.code(), Some(1));
        assert_eq!(status.to_string(), "exit status: 1");
    });
}

#[test]
fn an_output_is_both_streams_and_the_end() {
    hosted(|| {
        let output = shell("echo out; echo err >&2; exit 2").output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    });
}

#[test]
fn either_stream_may_be_long() {
    hosted(|| {
        let long = "yes 0123456789 | head -c 1000000";
        for (script, stdout, stderr) in [
            (format!("{long} >&2; {long}"), 1_000_000, 1_000_000),
            (format!("{long}; {long} >&2; echo end"), 1_000_004, 1_000_000),
            (format!("{long} & {long} >&2; wait"), 1_000_000, 1_000_000),
        ] {
            let output = shell(&script).output().unwrap();
            assert_eq!((output.stdout.len(), output.stderr.len()), (stdout, stderr), "{script}");
        }
    });
}

#[test]
fn a_stream_may_end_before_the_other() {
    hosted(|| {
        let output = shell("exec >&-; sleep 0.05; echo late >&2").output().unwrap();
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b""[..], &b"late\n"[..]));
    });
}

#[test]
fn an_output_has_no_input_unless_one_was_set() {
    hosted(|| {
        let output = Command::new("cat").output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty());
        // A pipe that nobody writes to is at its end as well.
        let output = Command::new("cat").stdin(Stdio::piped()).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty());
        assert!(Command::new("cat").stdin(Stdio::piped()).status().unwrap().success());
    });
}

#[test]
fn a_stream_that_was_set_is_not_collected() {
    hosted(|| {
        let output = shell("echo out; echo err >&2").stdout(Stdio::null()).output().unwrap();
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b""[..], &b"err\n"[..]));
        let output = shell("echo out; echo err >&2").stderr(Stdio::null()).output().unwrap();
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b""[..]));
    });
}

#[test]
fn several_at_a_time_do_not_mix() {
    hosted(|| {
        let children: Vec<_> = (0..8)
            .map(|number: usize| {
                thread::spawn(move || {
                    let script = format!("yes {number} | head -c 100000; exit {number}");
                    shell(&script).output().unwrap()
                })
            })
            .collect();
        for (number, child) in children.into_iter().enumerate() {
            let output = child.join().unwrap();
            assert_eq!(output.status.code(), Some(number as i32));
            assert_eq!(output.stdout.len(), 100_000);
            assert!(output.stdout.starts_with(format!("{number}\n").as_bytes()));
        }
    });
}
