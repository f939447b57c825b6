//! `compare` measures betterthreads beside its rivals and prints Markdown tables of medians.
//!
//! This file is the command line only. The same binary plays three parts: the parent that runs
//! rounds and prints (`runner`), the child that takes one measurement (`--one`), and the load
//! generator of the echo benchmark (`--load`). What is measured is listed in `benchmarks`.

mod benchmarks;
mod echo;
mod load;
mod machine;
mod measure;
mod readiness;
mod rivals;
mod runner;
mod scenario;
mod table;

use std::process::ExitCode;

use benchmarks::{BENCHMARKS, Benchmark, Size};

const USAGE: &str = "usage: compare [--quick] [--rounds N] [BENCHMARK...]
       compare --one RIVAL BENCHMARK [--quick]
       compare --load ADDRESS CONNECTIONS REQUESTS";

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
        ["--load", address, connections, requests] => run_load(address, connections, requests),
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

fn run_load(address: &str, connections: &str, requests: &str) -> Result<ExitCode, String> {
    measure::end_by_itself();
    let address = address.parse().map_err(|error| format!("{address}: {error}"))?;
    load::generate(address, parse_count(connections)?, parse_count(requests)?)
        .map_err(|error| format!("load generator: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

fn parse_options(words: &[&str]) -> Result<runner::Options, String> {
    let mut size = Size::Full;
    let mut rounds = None;
    let mut names = Vec::new();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "--quick" => size = Size::Quick,
            "--rounds" => rounds = Some(parse_count(words.next().ok_or(USAGE)?)?),
            option if option.starts_with('-') => return Err(USAGE.to_string()),
            name => names.push(find_benchmark(name)?.name),
        }
    }
    let is_wanted = |benchmark: &&Benchmark| names.is_empty() || names.contains(&benchmark.name);
    Ok(runner::Options {
        size,
        rounds: rounds.unwrap_or(size.default_rounds()),
        benchmarks: BENCHMARKS.iter().filter(is_wanted).collect(),
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
