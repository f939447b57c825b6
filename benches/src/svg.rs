//! A line chart with logarithmic axes as SVG: no background, and only colors that can be read on
//! white and on black. It knows nothing of benchmarks.

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 690.0;
const TOP: f64 = 90.0;
const BOTTOM: f64 = 430.0;
/// Between two names at the ends of lines.
const LABEL_HEIGHT: f64 = 15.0;
/// Between an axis and its numbers.
const GAP: f64 = 8.0;

const INK: &str = "#7d8590";
const COLORS: [&str; 9] = [
    "#e5532d", "#3d7fd9", "#1f9e89", "#9b6bdf", "#d0529b", "#a88420", "#4f9a3a", "#b0703c",
    "#7d8590",
];

pub struct Chart {
    pub title: &'static str,
    pub caption: String,
    pub x_label: &'static str,
    pub y_label: &'static str,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub name: String,
    /// Drawn thicker.
    pub is_ours: bool,
    /// From left to right; positive numbers.
    pub points: Vec<(f64, f64)>,
}

/// Maps the numbers between two round ones to a span of the picture.
struct Axis {
    ticks: Vec<f64>,
    start: f64,
    end: f64,
}

/// The chart has a line, and each line has a point.
pub fn draw(chart: &Chart) -> String {
    let points = || chart.lines.iter().flat_map(|line| &line.points);
    let x = Axis::new(points().map(|point| point.0), LEFT, RIGHT);
    let y = Axis::new(points().map(|point| point.1), BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"{INK}\">\n"
    );
    svg += &text(GAP, 24.0, "start", chart.title, "font-size=\"17\" font-weight=\"bold\"");
    svg += &text(GAP, 44.0, "start", &chart.caption, "font-size=\"11\"");
    svg += &draw_axes(chart, &x, &y);
    let mut colored: Vec<(&Line, &str)> =
        chart.lines.iter().zip(COLORS.iter().copied().cycle()).collect();
    // What is drawn last lies on top.
    colored.sort_by_key(|(line, _)| line.is_ours);
    for (line, color) in &colored {
        svg += &draw_line(line, color, &x, &y);
    }
    svg += &draw_names(&colored, &y);
    svg + "</svg>\n"
}

fn draw_axes(chart: &Chart, x: &Axis, y: &Axis) -> String {
    let mut svg = String::new();
    for &tick in &x.ticks {
        let at = x.position(tick);
        svg += &rule((at, BOTTOM), (at, TOP));
        svg += &text(at, BOTTOM + 2.0 * GAP, "middle", &render_number(tick), "");
    }
    for &tick in &y.ticks {
        let at = y.position(tick);
        svg += &rule((LEFT, at), (RIGHT, at));
        svg += &text(LEFT - GAP, at + 4.0, "end", &render_number(tick), "");
    }
    svg += &text(f64::midpoint(LEFT, RIGHT), BOTTOM + 5.0 * GAP, "middle", chart.x_label, "");
    svg + &text(GAP, TOP - 2.0 * GAP, "start", chart.y_label, "")
}

fn draw_line(line: &Line, color: &str, x: &Axis, y: &Axis) -> String {
    let width = if line.is_ours { 3.5 } else { 1.6 };
    let places: Vec<(f64, f64)> =
        line.points.iter().map(|point| (x.position(point.0), y.position(point.1))).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let mut svg = format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"/>\n",
        path.join(" ")
    );
    for (x, y) in places {
        svg += &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{width}\" fill=\"{color}\"/>\n");
    }
    svg
}

/// Each name stands right of its line's end, or as far below as the names above it need.
fn draw_names(lines: &[(&Line, &str)], y: &Axis) -> String {
    let end = |line: &Line| line.points.last().map_or(BOTTOM, |point| y.position(point.1));
    let mut names: Vec<(f64, &Line, &str)> =
        lines.iter().map(|(line, color)| (end(line), *line, *color)).collect();
    names.sort_by(|one, next| one.0.total_cmp(&next.0));
    let mut svg = String::new();
    let mut room_from = 0.0;
    for (at, line, color) in names {
        let at = f64::max(at, room_from);
        room_from = at + LABEL_HEIGHT;
        let weight = if line.is_ours { "bold" } else { "normal" };
        let style = format!("style=\"fill:{color}\" font-weight=\"{weight}\"");
        svg += &text(RIGHT + GAP, at + 4.0, "start", &line.name, &style);
    }
    svg
}

impl Axis {
    /// From the round number below all `values` to the one above them.
    fn new(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (least, most) = values.fold((f64::INFINITY, 0.0), |(least, most), value| {
            (f64::min(least, value), f64::max(most, value))
        });
        let first = least.log10().floor() as i32;
        let last = most.log10().ceil() as i32;
        let powers = (first..=last).map(|power| 10_f64.powi(power));
        let round: Vec<f64> = powers.flat_map(|power| [power, 2.0 * power, 5.0 * power]).collect();
        let below = round.iter().rposition(|number| *number <= least).unwrap_or(0);
        let above = round.iter().position(|number| *number >= most).unwrap_or(round.len() - 1);
        // One number alone would be no span.
        let above = above.max(below + 1).min(round.len() - 1);
        Axis { ticks: round[below..=above].to_vec(), start, end }
    }

    fn position(&self, value: f64) -> f64 {
        let (first, last) = (self.ticks[0].log10(), self.ticks[self.ticks.len() - 1].log10());
        self.start + (value.log10() - first) / (last - first) * (self.end - self.start)
    }
}

fn rule(from: (f64, f64), to: (f64, f64)) -> String {
    format!(
        "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"{INK}\" stroke-opacity=\"0.3\"/>\n",
        from.0, from.1, to.0, to.1
    )
}

/// What is written is ours: it has nothing to be escaped.
fn text(x: f64, y: f64, anchor: &str, words: &str, style: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{words}</text>\n")
}

fn render_number(number: f64) -> String {
    match number {
        1e6.. => format!("{}M", number / 1e6),
        1e3.. => format!("{}k", number / 1e3),
        _ => number.to_string(),
    }
}
