//! A pipeline of children: `sort | uniq -c | sort -n`, fed by one thread and read by another.

use std::io::{self, BufRead, BufReader, Write};

use crate::platform::process::{Child, Command, Stdio};
use crate::platform::thread;

const TEXT: &str = "it was the best of times it was the worst of times it was the age of wisdom";
/// More text than fits into the pipes.
const TIMES: usize = 2_000;

fn stage(command: &mut Command, input: impl Into<Stdio>) -> io::Result<Child> {
    command.env("LC_ALL", "C").stdin(input).stdout(Stdio::piped()).spawn()
}

pub(crate) fn main() -> io::Result<()> {
    let mut sort = stage(&mut Command::new("sort"), Stdio::piped())?;
    let mut count = stage(Command::new("uniq").arg("-c"), sort.stdout.take().expect("a pipe"))?;
    let last = stage(Command::new("sort").arg("-n"), count.stdout.take().expect("a pipe"))?;

    let mut input = sort.stdin.take().expect("a pipe");
    let feeder = thread::spawn(move || {
        let mut words = TEXT.split(' ').cycle().take(TIMES * TEXT.split(' ').count());
        words.try_for_each(|word| writeln!(input, "{word}"))
    });
    let output = last.wait_with_output()?;
    feeder.join().unwrap()?;
    for line in BufReader::new(&*output.stdout).lines() {
        println!("{}", line?.trim_start());
    }
    for child in [&mut sort, &mut count] {
        assert!(child.wait()?.success());
    }
    let missing = Command::new("no such program").output();
    println!("a program that is not there: {:?}", missing.map_err(|error| error.kind()));
    Ok(())
}
