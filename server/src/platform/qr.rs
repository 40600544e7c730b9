//! QR codes as pictures for pages and printers.
//!
//! One SVG path in `currentColor`-free black on white, whatever the theme: phones' cameras want the contrast, and
//! many cannot read light on dark. The quiet zone of four modules belongs to the code.

use std::fmt::Write;

use fast_qr::QRBuilder;

/// Modules of white around the code, as the standard asks.
const QUIET: usize = 4;

/// `text` as an SVG picture that fills its box; `None` when it is too long for a code.
pub fn svg(text: &str) -> Option<String> {
    let code = QRBuilder::new(text).build().ok()?;
    let side = code.size + 2 * QUIET;
    let mut dark = String::new();
    for row in 0..code.size {
        let mut column = 0;
        while column < code.size {
            let run = (column..code.size).take_while(|x| code[row][*x].value()).count();
            if run > 0 {
                let (x, y) = (column + QUIET, row + QUIET);
                let _ = write!(dark, "M{x} {y}h{run}v1h-{run}z");
            }
            column += run.max(1);
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{dark}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once() {
        let text = "https://app.example.com/t/AbCdEfGhIjKlMnOpQrStUvWx";
        let code = QRBuilder::new(text).build().expect("short enough");
        let dark: usize = (0..code.size).map(|row| (0..code.size).filter(|x| code[row][*x].value()).count()).sum();
        let picture = svg(text).expect("short enough");
        let runs = picture.split("h-").skip(1).filter_map(|rest| rest.split('z').next()?.parse::<usize>().ok());
        assert_eq!(runs.sum::<usize>(), dark);
        assert!(picture.starts_with("<svg ") && !picture.contains("style"));
        assert_eq!(svg(&"x".repeat(10_000)), None);
    }
}
