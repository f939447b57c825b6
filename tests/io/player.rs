//! Plays a scenario in a process of its own, whose standard streams are the test's to choose.

use std::env;
use std::io::Write;
use std::process::{Command, Output, Stdio, exit};
use std::thread;
use std::time::Duration;

use crate::{scenarios, streams, support, terminals};

/// Names the scenario to the process.
const VARIABLE: &str = "BETTERTHREADS_STREAMS";

/// Where the scenario's own output begins, behind what the test harness prints.
const BEGIN: &str = "BEGIN\n";

/// Longer than any scenario takes on a busy machine.
const LIMIT: u64 = 60;

/// Whose streams, and who uses them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Face {
    Std,
    Greenlet,
    Main,
    Thread,
}

impl Face {
    pub(crate) const OURS: [Face; 3] = [Face::Greenlet, Face::Main, Face::Thread];

    fn host(self, scenario: fn()) {
        match self {
            Face::Std | Face::Thread => support::within(LIMIT, scenario),
            Face::Main => support::hosted(LIMIT, scenario),
            Face::Greenlet => {
                support::hosted(LIMIT, move || betterthreads::spawn(scenario).get().unwrap());
            }
        }
    }
}

/// A process that plays `scenario`, to be started.
pub(crate) fn player(face: Face, scenario: &str) -> Command {
    let this = env::current_exe().expect("the path of this program");
    let mut command = Command::new(this);
    command
        .args(["player::play", "--exact", "--nocapture"])
        .env(VARIABLE, format!("{face:?}/{scenario}"));
    command
}

/// Plays it with `input` to be read, and returns what it wrote.
pub(crate) fn played(face: Face, scenario: &str, input: &'static [u8]) -> Output {
    let mut player = player(face, scenario);
    player.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = player.spawn().expect("this program");
    let mut stdin = child.stdin.take().expect("its input");
    // It may not read all of it.
    let feeding = thread::spawn(move || drop(stdin.write_all(input)));
    let mut output = child.wait_with_output().expect("its output");
    feeding.join().expect("no panic");
    output.stdout = own(&output.stdout).into();
    output
}

/// What the scenario itself wrote.
pub(crate) fn own(output: &[u8]) -> &[u8] {
    let begin = output.windows(BEGIN.len()).position(|window| window == BEGIN.as_bytes());
    &output[begin.expect("it began") + BEGIN.len()..]
}

/// Does nothing, unless it is another process that asks for it.
#[test]
fn play() {
    let Ok(asked) = env::var(VARIABLE) else { return };
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(LIMIT)); // real time: the scenario may hang
        exit(3);
    });
    let (face, name) = asked.split_once('/').expect("a face and a scenario");
    print!("{BEGIN}");
    let (face, all) = match face {
        "Std" => (Face::Std, scenarios::on_std::same::ALL),
        "Greenlet" => (Face::Greenlet, scenarios::on_ours::same::ALL),
        "Main" => (Face::Main, scenarios::on_ours::same::ALL),
        _ => (Face::Thread, scenarios::on_ours::same::ALL),
    };
    let of_streams = all.iter().map(|(name, run, _)| (*name, *run));
    let others = streams::OWN.iter().chain(terminals::OWN).copied();
    let found = of_streams.chain(others).find(|(other, _)| *other == name);
    face.host(found.expect("a scenario").1);
    exit(0);
}
