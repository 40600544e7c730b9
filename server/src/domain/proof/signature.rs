//! Draws a signature: numbers in, our own SVG out. The server never stores another party's markup.

use std::fmt::Write;

use doorstep_shared::api::proof::MAX_SIGNATURE_POINTS;

/// The media type of a drawn signature.
pub const MEDIA_TYPE: &str = "image/svg+xml";

/// The picture's size; strokes come with both coordinates between 0 and 1 in a box of this shape.
const WIDTH: f32 = 600.0;
const HEIGHT: f32 = 200.0;

/// The strokes as a picture, black on white so that it reads on every background.
///
/// # Errors
/// A sentence, when there are too many points or some are not inside the box.
pub fn draw(strokes: &[Vec<[f32; 2]>]) -> Result<Vec<u8>, &'static str> {
    if strokes.iter().map(Vec::len).sum::<usize>() > MAX_SIGNATURE_POINTS {
        return Err("has too many points");
    }
    if !strokes.iter().flatten().flatten().all(|number| (0.0..=1.0).contains(number)) {
        return Err("has points outside the box from 0 to 1");
    }
    let mut path = String::new();
    for stroke in strokes.iter().filter(|stroke| !stroke.is_empty()) {
        for (index, [x, y]) in stroke.iter().enumerate() {
            let pen = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{pen}{:.1} {:.1}", x * WIDTH, y * HEIGHT);
        }
        if let [[x, y]] = stroke[..] {
            // A line of no length: the round cap makes it a dot.
            let _ = write!(path, "L{:.1} {:.1}", x * WIDTH, y * HEIGHT);
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\
         <path d=\"{path}\" fill=\"none\" stroke=\"#17181c\" stroke-width=\"4\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\"/></svg>"
    )
    .into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_become_a_picture_of_their_own() {
        let svg = draw(&[vec![[0.0, 0.0], [0.5, 1.0]], vec![], vec![[1.0, 0.5]]]).expect("a signature");
        let svg = String::from_utf8(svg).expect("text");
        assert!(svg.contains("M0.0 0.0L300.0 200.0M600.0 100.0L600.0 100.0"), "{svg}");
    }

    #[test]
    fn strokes_that_are_not_a_drawing_are_refused() {
        for point in [[f32::NAN, 0.0], [0.0, -0.1], [1.1, 0.0], [f32::INFINITY, 0.0]] {
            assert!(draw(&[vec![point]]).is_err(), "{point:?}");
        }
        assert!(draw(&[vec![[0.5, 0.5]; MAX_SIGNATURE_POINTS + 1]]).is_err());
        assert!(draw(&[vec![[0.5, 0.5]; MAX_SIGNATURE_POINTS]]).is_ok());
    }
}
