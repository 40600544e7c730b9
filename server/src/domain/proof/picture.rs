//! Makes a stored photo out of the bytes that a phone sent.
//!
//! The type follows from the content, the size is read before anything is decoded, and the stored photo is encoded
//! anew: EXIF with its place, time and comments is lost, and nothing that a decoder did not understand can come
//! through.

use std::io::Cursor;

use doorstep_shared::api::proof::MAX_PHOTO_SIDE_PX;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder};

/// The media type of a stored photo.
pub const MEDIA_TYPE: &str = "image/jpeg";

/// More than the cameras of phones make in their usual mode, and few enough to be decoded beside others.
const MAX_PIXELS: u64 = 40_000_000;

/// Memory that decoding one picture may take, in bytes: its pixels, and what its decoder holds beside them.
const MAX_DECODING_BYTES: u64 = 192 * 1024 * 1024;

/// What a decoder holds for each pixel until the last one is known, beside the pixels: of a progressive JPEG the
/// coefficients of three colours, of a WebP the frame before it became colours. Others go line by line.
const PROGRESSIVE_BYTES_PER_PIXEL: u64 = 6;
const WEBP_BYTES_PER_PIXEL: u64 = 4;

/// Good enough to read a house number, a tenth of the size.
const JPEG_QUALITY: u8 = 82;

/// Why a picture was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Neither JPEG nor PNG nor WebP.
    #[error("this is not a photo: send a JPEG, PNG or WebP")]
    Unsupported,
    /// It has too many pixels.
    #[error("the picture has too many pixels: at most 40 million, and fewer of a progressive JPEG, a WebP or 16 bits")]
    TooManyPixels,
    /// It begins like a picture and cannot be read to its end.
    #[error("the picture is damaged")]
    Damaged,
}

/// Reads a photo, turns it upright, makes it at most [`MAX_PHOTO_SIDE_PX`] large and writes it as a plain JPEG.
///
/// Blocks for up to a second and takes up to `MAX_DECODING_BYTES` of memory: call it on a blocking thread, few at a
/// time.
///
/// # Errors
/// [`PictureError`]; the phone should not send the same bytes again.
pub fn clean(bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
    let format = image::guess_format(bytes).map_err(|_| PictureError::Unsupported)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return Err(PictureError::Unsupported);
    }
    let upright = decode(bytes, format)?;
    let opaque = opaque(upright);
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY);
    opaque.write_with_encoder(encoder).map_err(|_| PictureError::Damaged)?;
    Ok(jpeg)
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, PictureError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODING_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let memory = decoder.total_bytes().saturating_add(pixels.saturating_mul(beside_pixels(bytes, format)));
    if pixels > MAX_PIXELS || memory > MAX_DECODING_BYTES {
        return Err(PictureError::TooManyPixels);
    }
    let orientation = decoder.orientation().map_err(refusal)?;
    // Made smaller before it is turned: both would copy the large picture.
    let mut picture = smaller(DynamicImage::from_decoder(decoder).map_err(refusal)?);
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Bytes for each pixel that decoding takes beside the pixels.
fn beside_pixels(bytes: &[u8], format: ImageFormat) -> u64 {
    match format {
        ImageFormat::Jpeg if is_progressive(bytes) => PROGRESSIVE_BYTES_PER_PIXEL,
        ImageFormat::WebP => WEBP_BYTES_PER_PIXEL,
        _ => 0,
    }
}

/// Whether the first frame of a JPEG is not sequential (ITU-T T.81, table B.1). What has no frame is damaged anyway.
fn is_progressive(jpeg: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xFF, marker]) = jpeg.get(at..at + 2) {
        match marker {
            // Fill bytes before a marker, and markers without a length.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            0xC0 | 0xC1 => return false,
            0xC2..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => return true,
            _ => match jpeg.get(at + 2..at + 4) {
                Some(&[high, low]) => at += 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
        }
    }
    false
}

fn refusal(error: ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::TooManyPixels,
        _ => PictureError::Damaged,
    }
}

/// Scales down where needed, with the mean of the pixels that become one: that takes no memory beside the result, where
/// other filters take sixteen bytes for each pixel of half the work.
fn smaller(picture: DynamicImage) -> DynamicImage {
    match picture.width().max(picture.height()) > MAX_PHOTO_SIDE_PX {
        true => picture.thumbnail(MAX_PHOTO_SIDE_PX, MAX_PHOTO_SIDE_PX),
        false => picture,
    }
}

/// Removes transparency: JPEG has none, and transparent pixels become white rather than black.
fn opaque(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.into_rgb8());
    }
    let mut opaque = image::RgbaImage::from_pixel(picture.width(), picture.height(), image::Rgba([255; 4]));
    image::imageops::overlay(&mut opaque, &picture.into_rgba8(), 0, 0);
    DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(opaque).into_rgb8())
}

#[cfg(test)]
mod tests {
    use image::{ImageEncoder, RgbImage, codecs::png::PngEncoder, codecs::webp::WebPEncoder};
    use proptest::prelude::*;

    use super::*;

    /// A picture whose left half is dark and whose right half is bright.
    fn two_halves(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| image::Rgb(if x < width / 2 { [10; 3] } else { [240; 3] }))
    }

    fn jpeg(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        picture.write_with_encoder(JpegEncoder::new(&mut bytes)).expect("it can be written");
        bytes
    }

    /// An EXIF block as cameras write it: turned by 90°, and taken at a place.
    fn exif() -> Vec<u8> {
        let mut tiff = b"II*\0\x08\0\0\0".to_vec();
        tiff.extend(2_u16.to_le_bytes());
        // Orientation, SHORT, 1 value: 6, turn right.
        tiff.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
        // The GPS block is at 38.
        tiff.extend([0x25, 0x88, 4, 0, 1, 0, 0, 0, 38, 0, 0, 0]);
        tiff.extend(0_u32.to_le_bytes());
        tiff.extend(1_u16.to_le_bytes());
        // GPSMapDatum as text, where a reader of the bytes finds it again.
        tiff.extend([0x12, 0, 2, 0, 12, 0, 0, 0, 56, 0, 0, 0]);
        tiff.extend(0_u32.to_le_bytes());
        tiff.extend(b"SECRET-PLACE");
        tiff
    }

    fn with_exif_in_jpeg(plain: &[u8]) -> Vec<u8> {
        let body = [b"Exif\0\0".as_slice(), &exif()].concat();
        let length = u16::try_from(body.len() + 2).expect("a short block").to_be_bytes();
        [&plain[..2], &[0xff, 0xe1], &length, &body, &plain[2..]].concat()
    }

    fn finds(bytes: &[u8], text: &[u8]) -> bool {
        bytes.windows(text.len()).any(|window| window == text)
    }

    fn is_plain(jpeg: &[u8]) {
        for trace in [b"SECRET-PLACE".as_slice(), b"Exif", b"GPS", b"http://ns.adobe.com", b"ICC_PROFILE"] {
            assert!(!finds(jpeg, trace), "{}", String::from_utf8_lossy(trace));
        }
    }

    #[test]
    fn a_photo_with_a_place_leaves_none_behind_and_stands_upright() {
        let sent = with_exif_in_jpeg(&jpeg(&two_halves(64, 32)));
        assert!(finds(&sent, b"SECRET-PLACE"));
        let stored = clean(&sent).expect("a photo");
        is_plain(&stored);
        let upright = image::load_from_memory(&stored).expect("a photo").into_rgb8();
        assert_eq!(upright.dimensions(), (32, 64), "turned");
        assert!(upright.get_pixel(16, 4)[0] < 60 && upright.get_pixel(16, 60)[0] > 200, "to the right");
    }

    #[test]
    fn places_in_png_and_webp_go_too() {
        let picture = two_halves(8, 8);
        for sent in [png_with_exif(&picture), webp_with_exif(&picture)] {
            assert!(finds(&sent, b"SECRET-PLACE"));
            is_plain(&clean(&sent).expect("a photo"));
        }
    }

    fn png_with_exif(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif()).expect("PNG has a place for it");
        picture.write_with_encoder(encoder).expect("it can be written");
        bytes
    }

    fn webp_with_exif(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = WebPEncoder::new_lossless(&mut bytes);
        encoder.set_exif_metadata(exif()).expect("WebP has a place for it");
        picture.write_with_encoder(encoder).expect("it can be written");
        bytes
    }

    #[test]
    fn a_large_photo_becomes_smaller_and_a_small_one_stays() {
        let stored = clean(&jpeg(&two_halves(3_200, 1_000))).expect("a photo");
        let smaller = image::load_from_memory(&stored).expect("a photo");
        assert_eq!((smaller.width(), smaller.height()), (1_600, 500));
        let stored = clean(&jpeg(&two_halves(40, 20))).expect("a photo");
        let same = image::load_from_memory(&stored).expect("a photo");
        assert_eq!((same.width(), same.height()), (40, 20));
    }

    #[test]
    fn transparent_pixels_become_white() {
        let clear = image::RgbaImage::from_pixel(8, 8, image::Rgba([0, 0, 0, 0]));
        let mut png = Vec::new();
        clear.write_with_encoder(PngEncoder::new(&mut png)).expect("it can be written");
        let stored = image::load_from_memory(&clean(&png).expect("a photo")).expect("a photo").into_rgb8();
        assert!(stored.get_pixel(4, 4)[0] > 250);
    }

    #[test]
    fn bytes_that_are_not_a_photo_are_refused_by_their_content() {
        for text in ["<!doctype html><script>alert(1)</script>", "<svg xmlns='x'/>", "GIF89a", "", "%PDF-1.7"] {
            assert_eq!(clean(text.as_bytes()), Err(PictureError::Unsupported), "{text}");
        }
        let whole = jpeg(&two_halves(64, 64));
        assert_eq!(clean(&whole[..40]), Err(PictureError::Damaged));
    }

    /// A PNG of one colour with this many pixels to a side, which compresses to almost nothing.
    fn bomb(side: u32) -> Vec<u8> {
        let mut header = b"IHDR".to_vec();
        header.extend(side.to_be_bytes());
        header.extend(side.to_be_bytes());
        header.extend([8, 2, 0, 0, 0]);
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        png.extend((header.len() as u32 - 4).to_be_bytes());
        png.extend(&header);
        png.extend(crc32(&header).to_be_bytes());
        png.extend([0, 0, 0, 0]);
        png.extend(b"IDAT");
        png.extend(crc32(b"IDAT").to_be_bytes());
        png
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |mut crc, byte| {
            crc ^= u32::from(*byte);
            (0..8).for_each(|_| crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 });
            crc
        })
    }

    #[test]
    fn a_decompression_bomb_is_refused_before_it_is_decoded() {
        assert_eq!(clean(&bomb(50_000)), Err(PictureError::TooManyPixels));
        assert_eq!(clean(&bomb(u32::MAX >> 1)), Err(PictureError::TooManyPixels));
    }

    /// A JPEG that says that it is progressive and has so many pixels.
    fn progressive(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = jpeg(&two_halves(64, 64));
        let frame = bytes.windows(2).position(|marker| marker == [0xFF, 0xC0]).expect("a sequential frame");
        assert!(!is_progressive(&bytes));
        bytes[frame + 1] = 0xC2;
        bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        bytes
    }

    #[test]
    fn what_a_decoder_holds_beside_the_pixels_counts() {
        let (large, small) = (progressive(6_000, 5_000), progressive(64, 64));
        assert!(is_progressive(&large) && is_progressive(&small) && is_progressive(&with_exif_in_jpeg(&small)));
        assert_eq!(clean(&large), Err(PictureError::TooManyPixels), "270 MB for 30 million pixels");
        assert_ne!(clean(&small), Err(PictureError::TooManyPixels));
        for end in 0..large.len().min(400) {
            let _ = is_progressive(&large[..end]);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = clean(&bytes);
        }

        #[test]
        fn no_damage_to_a_photo_makes_it_panic(at in 0_usize..600, value: u8) {
            let picture = two_halves(24, 24);
            for mut bytes in [jpeg(&picture), png_with_exif(&picture), webp_with_exif(&picture)] {
                let at = at % bytes.len();
                bytes[at] = value;
                if let Ok(stored) = clean(&bytes) {
                    is_plain(&stored);
                }
            }
        }
    }
}
