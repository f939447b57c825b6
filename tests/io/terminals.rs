//! The standard streams of a process that has a terminal, which `script` of util-linux makes.

use std::io::{BufRead, Read, Write};
use std::process::{Command, Stdio};

use betterthreads::io;
use betterthreads::{sleep, spawn};

use crate::player::{Face, player};

/// The scenarios for terminals.
pub(crate) const OWN: &[(&str, fn())] = &[("talk to a terminal", talk_to_a_terminal)];

fn talk_to_a_terminal() {
    assert!(io::stdin().is_terminal() && io::stdout().lock().is_terminal());
    writeln!(io::stdout(), "ready").expect("a terminal");
    let ticking = spawn(|| {
        for _ in 0..20 {
            sleep(0.001);
        }
        writeln!(io::stdout(), "ticked").expect("a terminal");
    });
    let line = io::stdin().lines().next().expect("not the end").expect("a line");
    ticking.join();
    writeln!(io::stdout(), "it said {line}").expect("a terminal");
    // Ctrl-D, and then more: the end of a terminal's input is not for ever.
    assert_eq!(io::stdin().read(&mut [0; 8]).expect("the end"), 0);
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("a line");
    writeln!(io::stdout(), "and then {}", line.trim_end()).expect("a terminal");
}

#[test]
fn a_terminal_is_waited_for_without_blocking_the_others() {
    for face in [Face::Greenlet, Face::Main] {
        let player = player(face, "talk to a terminal");
        let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_string_lossy());
        let mut words = vec![quoted(player.get_program())];
        words.extend(player.get_args().map(quoted));
        let mut script = Command::new("script");
        script.args(["-qec", &words.join(" "), "/dev/null"]);
        let variables = player.get_envs().filter_map(|(key, value)| Some((key, value?)));
        script.envs(variables).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = match script.spawn() {
            // It is not everywhere.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            child => child.expect("a terminal"),
        };
        let mut input = child.stdin.take().expect("its input");
        let mut output = std::io::BufReader::new(child.stdout.take().expect("its output"));
        let mut expect = |text: &str| {
            let mut line = String::new();
            while line.trim_end() != text {
                line.clear();
                assert!(output.read_line(&mut line).expect("a line") > 0, "never: {text}");
            }
        };
        expect("ready");
        expect("ticked");
        input.write_all(b"hello\n").expect("a terminal");
        expect("it said hello");
        input.write_all(b"\x04").expect("a terminal");
        input.write_all(b"more\n").expect("a terminal");
        expect("and then more");
        assert!(child.wait().expect("its end").success());
    }
}
