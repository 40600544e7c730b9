//! A plot as SVG, made by hand: a few lines over a logarithmic axis.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 44.0;

/// One line: a name, a colour and its points.
pub(super) struct Line<'a> {
    pub name: &'a str,
    pub colour: &'a str,
    pub points: Vec<(f64, f64)>,
}

/// One diagram: its title and its lines. The vertical axis begins at zero.
pub(super) struct Diagram<'a> {
    pub title: &'a str,
    pub lines: Vec<Line<'a>>,
}

/// Diagrams below each other, over the same logarithmic horizontal axis with these marks.
pub(super) fn drawn(diagrams: &[Diagram<'_>], axis: &str, marks: &[f64]) -> String {
    let height = HEIGHT * diagrams.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\" role=\"img\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (index, diagram) in diagrams.iter().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate(0 {})\">", HEIGHT * index as f64);
        draw(&mut svg, diagram, axis, marks);
        svg.push_str("</g>\n");
    }
    svg + "</svg>\n"
}

fn draw(svg: &mut String, diagram: &Diagram<'_>, axis: &str, marks: &[f64]) {
    let (least, most) = (marks.first().copied().unwrap_or(1.0), marks.last().copied().unwrap_or(10.0));
    let x = |value: f64| LEFT + (value / least).ln() / (most / least).ln() * (WIDTH - LEFT - RIGHT);
    let values = diagram.lines.iter().flat_map(|line| line.points.iter().map(|(_, value)| *value));
    let step = step(values.fold(0.0, f64::max));
    let y = |value: f64| HEIGHT - BOTTOM - value / (5.0 * step) * (HEIGHT - TOP - BOTTOM);
    let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"20\" font-size=\"14\" font-weight=\"bold\">{}</text>", diagram.title);
    for number in 0..=5 {
        let value = f64::from(number) * step;
        let (at, end) = (y(value), WIDTH - RIGHT);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#ddd\"/>");
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>", LEFT - 8.0, at + 4.0);
    }
    for mark in marks {
        let label = HEIGHT - BOTTOM + 16.0;
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{label}\" text-anchor=\"middle\">{mark}</text>", x(*mark));
    }
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{axis}</text>", WIDTH - RIGHT, HEIGHT - 10.0);
    for (index, line) in diagram.lines.iter().enumerate() {
        let points: Vec<_> = line.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        let colour = line.colour;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        for point in &points {
            let (x, y) = point.split_once(',').unwrap_or_default();
            let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{colour}\"/>");
        }
        let at = LEFT + 160.0 * index as f64;
        let _ = writeln!(svg, "<text x=\"{at}\" y=\"36\" fill=\"{colour}\">● {}</text>", line.name);
    }
}

/// A round number, five of which reach `most`.
fn step(most: f64) -> f64 {
    let least = (most / 5.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(least.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    round.into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_round_number_above_every_point() {
        for (most, expected) in [(4.9, 1.0), (10.1, 2.5), (62.0, 20.0), (5_000.0, 1_000.0)] {
            assert!((step(most) - expected).abs() < 1e-9, "{most}: {}", step(most));
        }
    }

    #[test]
    fn every_point_is_drawn_inside_the_picture() {
        let line = Line { name: "a", colour: "#000", points: vec![(100.0, 1.0), (1_000.0, 9.0), (10_000.0, 4.0)] };
        let svg = drawn(&[Diagram { title: "t", lines: vec![line] }], "viewers", &[100.0, 1_000.0, 10_000.0]);
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(svg.contains("cx=\"64.0\"") && svg.contains("cx=\"696.0\""), "{svg}");
    }
}
