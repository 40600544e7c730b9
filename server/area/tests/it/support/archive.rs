//! The tiles of a PMTiles archive of version 3 whose parts are packed by gzip.

use std::io::Read;

use flate2::read::GzDecoder;

/// Every tile: zoom, column, row and unpacked bytes.
pub(crate) fn tiles(archive: &[u8]) -> Vec<([u32; 3], Vec<u8>)> {
    assert_eq!(&archive[..8], b"PMTiles\x03");
    let number = |at: usize| u64::from_le_bytes(archive[at..at + 8].try_into().expect("eight bytes")) as usize;
    let [root, root_length, leaves, data] = [8, 16, 40, 56].map(number);
    let mut tiles = Vec::new();
    let mut directories = vec![unpacked(&archive[root..root + root_length])];
    while let Some(directory) = directories.pop() {
        for [id, run, length, offset] in entries(&directory) {
            let [offset, length] = [offset, length].map(|value| value as usize);
            if run == 0 {
                directories.push(unpacked(&archive[leaves + offset..leaves + offset + length]));
                continue;
            }
            let bytes = unpacked(&archive[data + offset..data + offset + length]);
            tiles.extend((id..id + run).map(|id| (place(id), bytes.clone())));
        }
    }
    tiles
}

pub(crate) fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).expect("it is packed by gzip");
    bytes
}

/// Id, run, length and offset of each entry.
fn entries(directory: &[u8]) -> Vec<[u64; 4]> {
    let mut rest = directory;
    let count = varint(&mut rest) as usize;
    let mut column = || (0..count).map(|_| varint(&mut rest)).collect::<Vec<_>>();
    let (steps, runs, lengths, offsets) = (column(), column(), column(), column());
    let mut entries: Vec<[u64; 4]> = Vec::with_capacity(count);
    for index in 0..count {
        let before = entries.last().copied().unwrap_or_default();
        let offset = if offsets[index] == 0 { before[3] + before[2] } else { offsets[index] - 1 };
        entries.push([before[0] + steps[index], runs[index], lengths[index], offset]);
    }
    entries
}

/// Zoom, column and row of a number on the Hilbert curves of all zooms, one after the other.
fn place(id: u64) -> [u32; 3] {
    let (mut zoom, mut before) = (0, 0);
    while before + (1 << (2 * zoom)) <= id {
        before += 1 << (2 * zoom);
        zoom += 1;
    }
    let (mut x, mut y, mut rest) = (0_u64, 0_u64, id - before);
    for bit in (0..zoom).map(|bit| 1_u64 << bit) {
        let right = 1 & (rest / 2);
        let down = 1 & (rest ^ right);
        if down == 0 {
            if right == 1 {
                (x, y) = (bit - 1 - x, bit - 1 - y);
            }
            (x, y) = (y, x);
        }
        (x, y) = (x + bit * right, y + bit * down);
        rest /= 4;
    }
    [zoom as u32, x as u32, y as u32]
}

pub(crate) fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = rest[0];
        *rest = &rest[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number of more than 64 bits");
}
