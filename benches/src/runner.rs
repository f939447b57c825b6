//! Runs the rounds: every measurement in a fresh child process, all rivals of a benchmark after
//! each other within each round, so that a drift of the machine meets all of them.
//!
//! A child that fails, or that the kernel ends at its time limit, is a result too. What the
//! numbers look like in the end is `table` and `plot`.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};

use crate::benchmark::{Benchmark, Figure, Size};
use crate::measure::TIME_LIMIT_SECONDS;
use crate::plot;
use crate::results::{Measurement, Results};
use crate::rivals::{Means, RIVALS, Rival};
use crate::table;

pub struct Options {
    pub size: Size,
    pub rounds: usize,
    pub benchmarks: Vec<&'static Benchmark>,
    pub is_plotting: bool,
}

pub fn run(options: &Options) -> Result<ExitCode, String> {
    let mut results = take_stock();
    for round in 0..options.rounds {
        for benchmark in &options.benchmarks {
            for rival in results.participants(&[benchmark]) {
                eprintln!("{}/{} {} {}", round + 1, options.rounds, benchmark.name, rival.name);
                results.measurements.push(measure(benchmark, rival, round, options.size)?);
            }
        }
    }
    print!("{}", table::render(options, &results));
    if options.is_plotting {
        plot::write_all(options, &results).map_err(|error| format!("plots: {error}"))?;
    }
    let has_failure = results.measurements.iter().any(|one| one.failure.is_some());
    Ok(if has_failure { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prepares the rivals that are programs, and finds out which of them are missing.
fn take_stock() -> Results {
    let mut results = Results::default();
    for rival in RIVALS {
        let Means::Program(program) = &rival.means else {
            results.present.push(rival);
            continue;
        };
        eprintln!("preparing {}", rival.name);
        match (program.prepare)() {
            Ok(version) => {
                results.present.push(rival);
                results.versions.push(version);
            }
            Err(reason) => results.missing.push((rival.name, reason)),
        }
    }
    results
}

fn measure(
    benchmark: &Benchmark,
    rival: &Rival,
    round: usize,
    size: Size,
) -> Result<Measurement, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["--one", rival.name, benchmark.name]).env("RUST_BACKTRACE", "0");
    if size == Size::Quick {
        command.arg("--quick");
    }
    let output = command.output().map_err(|error| format!("starting a child: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().for_each(|line| eprintln!("    {line}"));
    let values: Vec<(String, f64)> = said.lines().filter_map(parse_figure).collect();
    let failure = describe_failure(output.status, &output.stderr, benchmark.figures, &values);
    failure.iter().for_each(|failure| eprintln!("    failed: {failure}"));
    Ok(Measurement { benchmark: benchmark.name, rival: rival.name, round, values, failure })
}

/// A line is the figure's key, its value, and for times the elapsed time, which only the log has.
fn parse_figure(line: &str) -> Option<(String, f64)> {
    let mut words = line.split(' ');
    let key = words.next()?.to_string();
    Some((key, words.next()?.parse().ok()?))
}

fn describe_failure(
    status: ExitStatus,
    complaint: &[u8],
    figures: &[Figure],
    values: &[(String, f64)],
) -> Option<String> {
    if status.signal() == Some(libc::SIGALRM) {
        return Some(format!("timed out after {TIME_LIMIT_SECONDS} s"));
    }
    if !status.success() {
        let complaint = String::from_utf8_lossy(complaint);
        // A panic says where in its first line and why in its second.
        let lines = complaint.lines().filter(|line| !line.trim().is_empty()).take(2);
        return Some(format!("{status}: {}", lines.collect::<Vec<&str>>().join(" ")));
    }
    let is_missing = |figure: &&Figure| values.iter().all(|(key, _)| key != figure.key);
    figures.iter().find(is_missing).map(|figure| format!("printed no {}", figure.key))
}
