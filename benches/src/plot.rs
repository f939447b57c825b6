//! Which benchmarks are drawn as curves, and their files in `docs/`. The drawing is `svg`.

use std::io;
use std::path::Path;

use crate::benchmark::{Benchmark, Size};
use crate::machine;
use crate::results::Results;
use crate::rivals::{BETTERTHREADS, Rival};
use crate::runner::Options;
use crate::svg::{self, Chart, Line};

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

struct Plot {
    file: &'static str,
    title: &'static str,
    x_label: &'static str,
    y_label: &'static str,
    /// A benchmark whose name begins so is a point of each curve; x is the number of its tasks.
    prefix: &'static str,
    /// The figures that are drawn, each of each rival.
    keys: &'static [&'static str],
}

static PLOTS: &[Plot] = &[
    Plot {
        file: "echo.svg",
        title: "TCP echo: the server's CPU time per request",
        x_label: "connections, each with a request in flight",
        y_label: "ns per request",
        prefix: "echo-",
        keys: &["time"],
    },
    Plot {
        file: "cost.svg",
        title: "CPU time to spawn, wake and kill a task that blocks",
        x_label: "tasks",
        y_label: "ns per task",
        prefix: "scale-",
        keys: &["spawn", "wake", "kill"],
    },
    Plot {
        file: "memory.svg",
        title: "Resident memory of a task that blocks",
        x_label: "tasks",
        y_label: "bytes per task",
        prefix: "scale-",
        keys: &["resident"],
    },
];

pub fn uses(benchmark: &Benchmark) -> bool {
    PLOTS.iter().any(|plot| benchmark.name.starts_with(plot.prefix))
}

/// Draws what has been measured; a plot that has no point at all is left as it is.
pub fn write_all(options: &Options, results: &Results) -> io::Result<()> {
    for plot in PLOTS {
        let chart = plot.chart(options, results);
        if chart.lines.is_empty() {
            continue;
        }
        let file = Path::new(DIRECTORY).join(plot.file);
        std::fs::write(&file, svg::draw(&chart))?;
        eprintln!("wrote {}", file.display());
    }
    Ok(())
}

impl Plot {
    fn chart(&self, options: &Options, results: &Results) -> Chart {
        let mut points = options.benchmarks.clone();
        points.retain(|benchmark| benchmark.name.starts_with(self.prefix));
        points.sort_by_key(|benchmark| benchmark.full.tasks);
        let mut lines = Vec::new();
        for rival in results.participants(&points) {
            lines.extend(self.keys.iter().map(|key| self.line(rival, key, &points, results)));
        }
        lines.retain(|line| !line.points.is_empty());
        let quick = if options.size == Size::Quick { ", a quick run" } else { "" };
        Chart {
            title: self.title,
            caption: format!("{}{quick}; both axes are logarithmic", machine::summary()),
            x_label: self.x_label,
            y_label: self.y_label,
            lines,
        }
    }

    fn line(&self, rival: &Rival, key: &str, points: &[&Benchmark], results: &Results) -> Line {
        let position = |benchmark: &&Benchmark| {
            let figure = benchmark.figures.iter().find(|figure| figure.key == key)?;
            let median = results.summarize(benchmark, figure, rival.name).median?;
            Some((benchmark.full.tasks as f64, median))
        };
        let suffix = if self.keys.len() > 1 { format!(": {key}") } else { String::new() };
        Line {
            name: format!("{}{suffix}", rival.name),
            is_ours: rival.name == BETTERTHREADS,
            points: points.iter().filter_map(position).collect(),
        }
    }
}
