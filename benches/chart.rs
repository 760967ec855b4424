//! A bar chart as SVG that reads on light and on dark ground.

use std::fmt::Write as _;

const ROW: usize = 26;
const LABEL: usize = 230;
const WIDTH: usize = 720;

/// Horizontal bars, on a scale that ends with the longest.
pub fn bars(title: &str, unit: &str, bars: &[(String, f64)]) -> String {
    let most = bars
        .iter()
        .map(|(_, value)| *value)
        .fold(f64::MIN_POSITIVE, f64::max);
    let height = 44 + bars.len() * ROW;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <style>text {{ fill: #57606a }} .own {{ fill: #2da44e }} .bound {{ fill: #8c959f }} \
         .other {{ fill: #6cb6ff }} @media (prefers-color-scheme: dark) {{ text {{ fill: #adbac7 }} }}</style>\n\
         <text x=\"0\" y=\"18\" font-size=\"15\" font-weight=\"bold\">{}</text>\n",
        escaped(title)
    );
    for (row, (label, value)) in bars.iter().enumerate() {
        bar(&mut svg, row, label, *value, value / most, unit);
    }
    svg.push_str("</svg>\n");
    svg
}

fn bar(svg: &mut String, row: usize, label: &str, value: f64, share: f64, unit: &str) {
    let top = 34 + row * ROW;
    let room = f64::from(u16::try_from(WIDTH - LABEL - 90).unwrap_or(u16::MAX));
    let length = (share * room).max(1.0);
    let class = match label {
        label if label.starts_with("jsorc") => "own",
        label if label.starts_with("raw") => "bound",
        _ => "other",
    };
    let base = top + 14;
    let end = f64::from(u16::try_from(LABEL).unwrap_or(u16::MAX)) + length + 6.0;
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">{}</text>\
         <rect class=\"{class}\" x=\"{LABEL}\" y=\"{top}\" width=\"{length:.1}\" height=\"18\" rx=\"2\"/>\
         <text x=\"{end:.1}\" y=\"{base}\">{value:.0} {unit}</text>",
        LABEL - 8,
        escaped(label),
    )
    .unwrap();
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('`', "")
}
