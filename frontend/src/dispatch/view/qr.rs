//! QR codes, made in the browser: they hold secrets, which no other service must see.

use std::fmt::Write;

use fast_qr::QRBuilder;

/// The address of an image with the code of `text`; empty when that is too long for any code.
pub fn source(text: &str) -> String {
    let Ok(code) = QRBuilder::new(text).build() else { return String::new() };
    // Four modules of quiet all around, as the standard asks for.
    let side = code.size + 8;
    let mut path = String::new();
    for row in 0..code.size {
        for column in (0..code.size).filter(|column| code[row][*column].value()) {
            let _ = write!(path, "M{} {}h1v1h-1z", column + 4, row + 4);
        }
    }
    let svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {side} {side}' shape-rendering='crispEdges'>\
         <path fill='white' d='M0 0h{side}v{side}H0z'/><path d='{path}'/></svg>"
    );
    picture(&svg)
}

/// The address of an image with this SVG.
pub fn picture(svg: &str) -> String {
    format!("data:image/svg+xml,{}", crate::dispatch::route::encode(svg))
}
