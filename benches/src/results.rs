//! What a run found out: who took part, every measurement, and medians of them.
//!
//! A ratio is the median of the ratios within each round, because the machine drifts between
//! rounds.

use crate::benchmark::{Benchmark, Figure};
use crate::rivals::Rival;

#[derive(Default)]
pub struct Results {
    pub present: Vec<&'static Rival>,
    /// Of the rivals that are programs.
    pub versions: Vec<String>,
    /// Rivals that are not on this machine, and why.
    pub missing: Vec<(&'static str, String)>,
    pub measurements: Vec<Measurement>,
}

/// What one child said.
pub struct Measurement {
    pub benchmark: &'static str,
    pub rival: &'static str,
    pub round: usize,
    /// Also what a child that failed had printed until then.
    pub values: Vec<(String, f64)>,
    pub failure: Option<String>,
}

/// The rounds of one rival's figure.
pub struct Summary {
    pub median: Option<f64>,
    pub ratio: Option<f64>,
    pub rounds: usize,
    pub failures: usize,
}

impl Results {
    /// Who takes part in any of `benchmarks`.
    pub fn participants(&self, benchmarks: &[&Benchmark]) -> Vec<&'static Rival> {
        let takes_part =
            |rival: &&Rival| benchmarks.iter().any(|benchmark| benchmark.has_rival(rival));
        self.present.iter().copied().filter(takes_part).collect()
    }

    pub fn summarize(&self, benchmark: &Benchmark, figure: &Figure, rival: &str) -> Summary {
        let own = self.values_by_round(benchmark, figure, rival);
        let base = self.values_by_round(benchmark, figure, benchmark.table.baseline);
        let values: Vec<f64> = own.iter().flatten().copied().collect();
        let pairs = own.iter().zip(&base);
        let ratios: Vec<f64> = pairs.filter_map(|(own, base)| Some((*own)? / (*base)?)).collect();
        Summary {
            median: median(&values),
            ratio: median(&ratios),
            rounds: own.len(),
            failures: own.len() - values.len(),
        }
    }

    /// One for each round, none where the child failed before it had the figure.
    fn values_by_round(
        &self,
        benchmark: &Benchmark,
        figure: &Figure,
        rival: &str,
    ) -> Vec<Option<f64>> {
        let is_wanted = |one: &&Measurement| one.benchmark == benchmark.name && one.rival == rival;
        self.measurements.iter().filter(is_wanted).map(|one| one.value(figure)).collect()
    }
}

impl Measurement {
    fn value(&self, figure: &Figure) -> Option<f64> {
        self.values.iter().find(|(key, _)| key == figure.key).map(|(_, value)| *value)
    }
}

/// The mean of the two in the middle when their number is even.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}
