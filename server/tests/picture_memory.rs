//! How much memory a photo takes while it is read: a program of its own, because the kernel tells the peak of a process.

use std::io::Cursor;

use doorstep_server::domain::proof::picture::clean;
use image::{DynamicImage, ImageFormat, RgbImage};

/// What `picture.rs` states, and some for everything else that the program does.
const MOST_KIB: u64 = (192 + 24) * 1024;

fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// By how much the most memory of the process, while it reads the photo, is above what it had before.
fn peak_kib(photo: &[u8]) -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak can be forgotten");
    let before = status_kib("VmRSS:");
    clean(photo).expect("a photo within the limits");
    status_kib("VmHWM:").saturating_sub(before)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("it can be written");
    bytes.into_inner()
}

#[test]
fn the_largest_photos_are_read_within_the_memory_that_is_stated() {
    let forty_million = DynamicImage::ImageRgb8(RgbImage::new(8_000, 5_000));
    let jpeg = encoded(&forty_million, ImageFormat::Jpeg);
    drop(forty_million);
    let deep = DynamicImage::new_rgba16(5_000, 5_000);
    let png = encoded(&deep, ImageFormat::Png);
    drop(deep);
    for (name, photo) in [("a JPEG of 40 million pixels", jpeg), ("a PNG of 16 bits", png)] {
        let peak = peak_kib(&photo);
        assert!(peak < MOST_KIB, "{name} took {peak} KiB");
    }
}
