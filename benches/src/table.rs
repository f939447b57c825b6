//! The report in Markdown: the machine, the medians with their ratios, what failed, and the
//! rivals' notes.
//!
//! A ratio is the median of the ratios within each round, because the machine drifts between
//! rounds.

use crate::benchmarks::{Benchmark, Figure, Size};
use crate::machine;
use crate::rivals::{RIVALS, Rival};
use crate::runner::{Measurement, Options};

pub fn render(options: &Options, measurements: &[Measurement]) -> String {
    let mut text = machine::description();
    let is_quick = options.size == Size::Quick;
    let size = if is_quick { ", quick, so only roughly right" } else { "" };
    text += &format!("- rounds: {}{size}\n", options.rounds);
    for benchmarks in options.benchmarks.chunk_by(|one, next| one.baseline == next.baseline) {
        text += &render_table(benchmarks, measurements);
    }
    text += &render_failures(measurements);
    text += &render_notes(&options.benchmarks);
    text
}

/// The benchmarks have one baseline.
fn render_table(benchmarks: &[&Benchmark], measurements: &[Measurement]) -> String {
    let rivals = participants(benchmarks);
    let names: Vec<&str> = rivals.iter().map(|rival| rival.name).collect();
    let baseline = benchmarks[0].baseline;
    let mut text = format!("\nMedian of the rounds (ratio to {baseline}); times are CPU time\n\n");
    text += &format!("| | unit | {} |\n", names.join(" | "));
    text += &format!("|---|---|{}\n", "---:|".repeat(names.len()));
    for benchmark in benchmarks {
        for figure in benchmark.figures {
            let cell = |rival: &&Rival| render_cell(benchmark, figure, rival, measurements);
            let cells: Vec<String> = rivals.iter().map(cell).collect();
            let (title, unit) = (figure.title, figure.unit);
            text += &format!("| {title} | {unit} | {} |\n", cells.join(" | "));
        }
    }
    text
}

fn render_cell(
    benchmark: &Benchmark,
    figure: &Figure,
    rival: &Rival,
    measurements: &[Measurement],
) -> String {
    if !benchmark.is_offered_by(rival) {
        return "–".to_string();
    }
    let own = values_by_round(benchmark, figure, rival.name, measurements);
    let baseline = values_by_round(benchmark, figure, benchmark.baseline, measurements);
    let values: Vec<f64> = own.iter().flatten().copied().collect();
    let Some(value) = median(&values) else {
        return "failed".to_string();
    };
    let mut cell = render_number(value);
    let pairs = own.iter().zip(&baseline);
    let ratios: Vec<f64> = pairs.filter_map(|(own, base)| Some((*own)? / (*base)?)).collect();
    if let Some(ratio) = median(&ratios) {
        cell += &format!(" ({ratio:.2})");
    }
    if values.len() < own.len() {
        cell += &format!(", failed {} of {}", own.len() - values.len(), own.len());
    }
    cell
}

/// One for each round, none where the child failed before it had the figure.
fn values_by_round(
    benchmark: &Benchmark,
    figure: &Figure,
    rival: &str,
    measurements: &[Measurement],
) -> Vec<Option<f64>> {
    let is_wanted = |measurement: &&Measurement| {
        measurement.benchmark == benchmark.name && measurement.rival == rival
    };
    measurements.iter().filter(is_wanted).map(|measurement| measurement.value(figure)).collect()
}

fn render_failures(measurements: &[Measurement]) -> String {
    let mut text = String::new();
    for measurement in measurements {
        let Some(failure) = &measurement.failure else {
            continue;
        };
        let Measurement { benchmark, rival, round, .. } = measurement;
        text += &format!("- {rival}, {benchmark}, round {}: {failure}\n", round + 1);
    }
    if text.is_empty() { text } else { format!("\nFailed:\n\n{text}") }
}

fn render_notes(benchmarks: &[&Benchmark]) -> String {
    let rivals = participants(benchmarks);
    let described = rivals.iter().filter(|rival| !rival.notes.is_empty());
    let lines = described.map(|rival| format!("- {}: {}.\n", rival.name, rival.notes.join("; ")));
    format!("\nNotes:\n\n{}", lines.collect::<String>())
}

fn participants(benchmarks: &[&Benchmark]) -> Vec<&'static Rival> {
    let takes_part =
        |rival: &&Rival| benchmarks.iter().any(|benchmark| benchmark.is_offered_by(rival));
    RIVALS.iter().filter(takes_part).collect()
}

/// The mean of the two in the middle when their number is even.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

/// One decimal below a hundred, none above, thousands apart.
fn render_number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits"))
        .collect();
    groups.join(",")
}
