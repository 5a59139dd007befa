//! What each way took, as a plot: an SVG written by hand, as dark as the page it is shown on.

use std::fmt::Write;

use super::{Minute, SECONDS, Taken};
use crate::table::short;

const WIDTH: f64 = 860.0;
/// Where the bars begin, and how long the longest may be.
const LEFT: f64 = 180.0;
const LONGEST: f64 = WIDTH - LEFT - 90.0;
const BAR: f64 = 16.0;
const STEP: f64 = 24.0;
const PANEL: f64 = 46.0;
const HEADING: f64 = 36.0;
/// Panels of a minute.
const FIGURES: usize = 3;

const STYLE: &str = "text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } \
    .heading { font-size: 16px; font-weight: 600 } \
    .ground { fill: #fff } .bar { fill: #2563eb } .rule { stroke: #d0d7de } \
    @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ground { fill: #0d1117 } .bar { fill: #60a5fa } .rule { stroke: #3d444d } }";

/// A figure of every way.
struct Panel {
    title: &'static str,
    scale: Scale,
    figures: Vec<(f64, String)>,
}

/// How long the bar of a figure is.
#[derive(Clone, Copy)]
enum Scale {
    /// In proportion to it.
    Linear,
    /// In proportion to its logarithm; it begins with this one.
    Logarithmic(f64),
}

impl Scale {
    /// The share of the longest bar, which is that of `most`.
    fn share(self, figure: f64, most: f64) -> f64 {
        match self {
            Self::Linear => figure / most,
            Self::Logarithmic(least) => (figure / least).log10() / (most / least).log10(),
        }
    }
}

/// The plot: for each minute three panels, one below the other.
pub(super) fn plot(minutes: &[Minute]) -> String {
    let panels: Vec<(Panel, &Minute)> =
        minutes.iter().flat_map(|minute| panels(minute).map(|panel| (panel, minute))).collect();
    let heights = panels.iter().map(|(_, minute)| PANEL + minute.taken.len() as f64 * STEP);
    let height = heights.sum::<f64>() + minutes.len() as f64 * HEADING + 8.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>The same minute of a log by each way to read it</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n"
    );
    let mut top = 0.0;
    for (number, (panel, minute)) in panels.iter().enumerate() {
        if number % FIGURES == 0 {
            top += HEADING;
            let Minute { pace, lines, bytes, .. } = minute;
            let heading = format!("{}: {lines} lines in {SECONDS} s, {bytes} bytes", pace.name);
            let _ = writeln!(svg, "<text class=\"heading\" x=\"8\" y=\"{}\">{heading}</text>", top - 4.0);
        }
        panel.draw(&minute.taken, top, &mut svg);
        top += PANEL + minute.taken.len() as f64 * STEP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn panels(minute: &Minute) -> [Panel; FIGURES] {
    let of = |figure: &dyn Fn(&Taken) -> (f64, String)| minute.taken.iter().map(figure).collect();
    let overhead = |taken: &Taken| taken.overhead(minute.bytes);
    [
        Panel {
            title: "Bytes on the wire for each byte of log",
            scale: Scale::Linear,
            figures: of(&|taken| (overhead(taken), short(overhead(taken)))),
        },
        Panel {
            title: "Requests (logarithmic)",
            scale: Scale::Logarithmic(0.5),
            figures: of(&|taken| (taken.measured.requests as f64, taken.measured.requests.to_string())),
        },
        Panel {
            title: "From the write of a line to its reader, median, in ms (logarithmic)",
            scale: Scale::Logarithmic(0.01),
            figures: of(&|taken| (taken.median(), short(taken.median()))),
        },
    ]
}

impl Panel {
    fn draw(&self, taken: &[Taken], top: f64, svg: &mut String) {
        let most = self.figures.iter().map(|(figure, _)| *figure).fold(0.0, f64::max);
        let (title, middle) = (self.title, top + 28.0);
        let _ = writeln!(svg, "<text class=\"title\" x=\"{LEFT}\" y=\"{middle}\">{title}</text>");
        let mut y = top + PANEL - 8.0;
        let bottom = y + taken.len() as f64 * STEP;
        let _ =
            writeln!(svg, "<line class=\"rule\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{LEFT}\" y2=\"{bottom}\"/>");
        for (taken, (figure, told)) in taken.iter().zip(&self.figures) {
            let (width, text) = (self.scale.share(*figure, most).max(0.01) * LONGEST, y + BAR - 1.0);
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{text:.0}\" text-anchor=\"end\">{}</text>\
                 <rect class=\"bar\" x=\"{LEFT}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>\
                 <text x=\"{:.1}\" y=\"{text:.0}\">{told}</text>",
                LEFT - 8.0,
                taken.way.name(),
                y + 2.0,
                LEFT + width + 6.0,
            );
            y += STEP;
        }
    }
}
