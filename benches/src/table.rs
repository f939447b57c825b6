//! The report in Markdown: the machine, the medians with their ratios, what failed, and the
//! rivals' notes.

use crate::benchmark::{Benchmark, Figure, Size};
use crate::machine;
use crate::results::{Measurement, Results};
use crate::rivals::Rival;
use crate::runner::Options;

pub fn render(options: &Options, results: &Results) -> String {
    let mut text = machine::description();
    if !results.versions.is_empty() {
        text += &format!("- programs: {}\n", results.versions.join(", "));
    }
    for (rival, reason) in &results.missing {
        text += &format!("- **{rival} is missing**: {reason}\n");
    }
    let is_quick = options.size == Size::Quick;
    let size = if is_quick { ", quick: smaller amounts, so only roughly right" } else { "" };
    text += &format!("- rounds: {}{size}\n", options.rounds);
    for benchmarks in options.benchmarks.chunk_by(|one, next| one.table.title == next.table.title) {
        text += &render_table(benchmarks, results);
    }
    text += &render_failures(&results.measurements);
    text += &render_notes(&results.participants(&options.benchmarks));
    text
}

/// The benchmarks are of one table.
fn render_table(benchmarks: &[&Benchmark], results: &Results) -> String {
    let rivals = results.participants(benchmarks);
    let names: Vec<&str> = rivals.iter().map(|rival| rival.name).collect();
    let table = benchmarks[0].table;
    let (title, baseline) = (table.title, table.baseline);
    let mut text = format!("\n{title}: median of the rounds (ratio to {baseline})\n\n");
    text += &format!("| | unit | {} |\n", names.join(" | "));
    text += &format!("|---|---|{}\n", "---:|".repeat(names.len()));
    for benchmark in benchmarks {
        for figure in benchmark.figures {
            let cell = |rival: &&Rival| render_cell(benchmark, figure, rival, results);
            let cells: Vec<String> = rivals.iter().map(cell).collect();
            let title = format!("{}{}", benchmark.title, figure.title);
            text += &format!("| {title} | {} | {} |\n", figure.unit, cells.join(" | "));
        }
    }
    text
}

fn render_cell(benchmark: &Benchmark, figure: &Figure, rival: &Rival, results: &Results) -> String {
    if !benchmark.has_rival(rival) {
        return "–".to_string();
    }
    let summary = results.summarize(benchmark, figure, rival.name);
    let Some(median) = summary.median else {
        return "failed".to_string();
    };
    let mut cell = render_number(median);
    if let Some(ratio) = summary.ratio {
        cell += &format!(" ({})", render_ratio(ratio));
    }
    if summary.failures > 0 {
        cell += &format!(", failed {} of {}", summary.failures, summary.rounds);
    }
    cell
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

fn render_notes(rivals: &[&Rival]) -> String {
    let described = rivals.iter().filter(|rival| !rival.notes.is_empty());
    let lines = described.map(|rival| format!("- {}: {}.\n", rival.name, rival.notes.join("; ")));
    format!("\nNotes:\n\n{}", lines.collect::<String>())
}

/// Three digits, or all of them.
fn render_ratio(ratio: f64) -> String {
    match ratio {
        ..10.0 => format!("{ratio:.2}"),
        ..100.0 => format!("{ratio:.1}"),
        _ => format!("{ratio:.0}"),
    }
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
