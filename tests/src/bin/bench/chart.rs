//! The table as a picture: one bar a row, seconds on a logarithmic scale, so that STARKs and SNARKs fit one picture.

use std::fmt::Write;

use crate::{Row, measurement::Product};

const WIDTH: f64 = 860.0;
const LABELS: f64 = 330.0;
const BAR: f64 = 22.0;
const STEP: f64 = 32.0;
const TOP: f64 = 44.0;
/// The scale begins here, seconds.
const FROM: f64 = 5.0;

/// An SVG of `rows`.
pub fn draw(rows: &[Row]) -> String {
    let longest = rows.iter().map(|row| row.measurement.seconds).fold(FROM * 2.0, f64::max);
    let scale = (WIDTH - LABELS - 170.0) / (longest / FROM).log10();
    let x = |seconds: f64| (seconds.max(FROM) / FROM).log10() * scale;
    let bottom = TOP + STEP * rows.len() as f64;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" \
         font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LABELS}\" y=\"22\" fill=\"#555\">proving time, seconds (logarithmic), and peak memory</text>\n",
        bottom + 34.0
    );
    for seconds in [5, 10, 20, 50, 100, 200, 500, 1000].map(f64::from).into_iter().filter(|s| *s <= longest) {
        let at = LABELS + x(seconds);
        // Writing to a string does not fail; here and below.
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.0} {:.0}V{bottom:.0}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.0}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#555\">{seconds}</text>",
            TOP - 8.0,
            bottom + 18.0
        );
    }
    for (number, row) in rows.iter().enumerate() {
        let top = TOP + STEP * number as f64;
        let middle = top + BAR / 2.0 + 5.0;
        let m = &row.measurement;
        let colour = match row.product {
            Product::Stark => "#3b6ea8",
            Product::Compressed => "#8a5fa8",
            Product::Wrapped => "#a8763b",
        };
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{middle:.0}\" text-anchor=\"end\">{}, {}</text>\
             <rect x=\"{LABELS}\" y=\"{top:.0}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>\
             <text x=\"{:.0}\" y=\"{middle:.0}\">{:.1} s, {:.1} GiB</text>",
            LABELS - 10.0,
            row.label,
            row.product.name(),
            x(m.seconds),
            LABELS + x(m.seconds) + 8.0,
            m.seconds,
            m.peak_memory as f64 / f64::from(1 << 30),
        );
    }
    svg.push_str("</svg>\n");
    svg
}
