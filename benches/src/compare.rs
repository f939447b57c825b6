//! `compare` measures betterthreads beside its rivals and prints Markdown tables of medians.
//!
//! This file is the command line only. The same binary plays three parts: the parent that runs
//! rounds and prints (`runner`), the child that takes one measurement (`--one`), and the load
//! generator of the echo benchmarks (`--load`). What is measured is listed in `benchmarks`.

mod benchmark;
mod benchmarks;
mod echo;
mod load;
mod machine;
mod measure;
mod plot;
mod program;
mod readiness;
mod results;
mod rivals;
mod runner;
mod scenario;
mod sockets;
mod svg;
mod table;

use std::process::ExitCode;

use benchmark::{Amount, Benchmark, Size};
use benchmarks::BENCHMARKS;

const USAGE: &str = "usage: compare [--quick] [--plot] [--rounds N] [BENCHMARK...]
       compare --one RIVAL BENCHMARK [--quick]
       compare --load ADDRESS CONNECTIONS REQUESTS_OF_EACH IDLE_CONNECTIONS";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--one", rival, benchmark] => run_one(rival, benchmark, Size::Full),
        ["--one", rival, benchmark, "--quick"] => run_one(rival, benchmark, Size::Quick),
        ["--load", address, connections, each, idle] => {
            run_load(address, [connections, each, idle])
        }
        options => runner::run(&parse_options(options)?),
    }
}

fn run_one(rival: &str, benchmark: &str, size: Size) -> Result<ExitCode, String> {
    measure::end_by_itself();
    let rival = rivals::find(rival).ok_or_else(|| format!("no rival is called {rival}"))?;
    let benchmark = find_benchmark(benchmark)?;
    benchmark.run(rival, size)?;
    Ok(ExitCode::SUCCESS)
}

fn run_load(address: &str, [connections, each, idle]: [&str; 3]) -> Result<ExitCode, String> {
    measure::end_by_itself();
    let address = address.parse().map_err(|error| format!("{address}: {error}"))?;
    let idle = idle.parse().map_err(|_| USAGE)?;
    let amount = Amount { tasks: parse_count(connections)?, each: parse_count(each)?, idle };
    load::generate(address, amount).map_err(|error| format!("load generator: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

fn parse_options(words: &[&str]) -> Result<runner::Options, String> {
    let mut size = Size::Full;
    let mut is_plotting = false;
    let mut rounds = None;
    let mut names = Vec::new();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--quick" => size = Size::Quick,
            "--plot" => is_plotting = true,
            "--rounds" => rounds = Some(parse_count(words.next().ok_or(USAGE)?)?),
            option if option.starts_with('-') => return Err(USAGE.to_string()),
            name => names.push(find_benchmark(name)?.name),
        }
    }
    let is_wanted = |benchmark: &&Benchmark| {
        benchmark.amount(size).is_some()
            && match (names.is_empty(), is_plotting) {
                (false, _) => names.contains(&benchmark.name),
                (true, false) => !benchmark.table.is_for_plots,
                (true, true) => plot::uses(benchmark),
            }
    };
    Ok(runner::Options {
        size,
        rounds: rounds.unwrap_or(size.default_rounds()),
        benchmarks: BENCHMARKS.iter().filter(is_wanted).collect(),
        is_plotting,
    })
}

fn find_benchmark(name: &str) -> Result<&'static Benchmark, String> {
    BENCHMARKS.iter().find(|benchmark| benchmark.name == name).ok_or_else(|| {
        let names: Vec<&str> = BENCHMARKS.iter().map(|benchmark| benchmark.name).collect();
        format!("no benchmark is called {name}; there are: {}\n{USAGE}", names.join(" "))
    })
}

fn parse_count(word: &str) -> Result<usize, String> {
    match word.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err(format!("{word} is not a positive number\n{USAGE}")),
    }
}
