//! A small OpenStreetMap extract, written by hand: streets as ways of nodes, in the protocol buffers of the format.
//!
//! <https://wiki.openstreetmap.org/wiki/PBF_Format>: blobs, each behind a header with its type and size; we compress
//! nothing.

/// A street: its name, and its points in degrees, latitude first.
pub(crate) struct Way<'a> {
    pub name: &'a str,
    pub points: &'a [(f64, f64)],
}

/// An extract with these streets, all residential.
pub(crate) fn extract(ways: &[Way<'_>]) -> Vec<u8> {
    let header = [text(4, "OsmSchema-V0.6"), text(4, "DenseNodes")].concat();
    [blob("OSMHeader", &header), blob("OSMData", &block(ways))].concat()
}

fn blob(kind: &str, content: &[u8]) -> Vec<u8> {
    let blob = [bytes(1, content), number(2, content.len() as u64)].concat();
    let header = [text(1, kind), number(3, blob.len() as u64)].concat();
    let length = u32::try_from(header.len()).expect("a header is short").to_be_bytes();
    [&length[..], &header, &blob].concat()
}

/// A block with its strings, one group of nodes and one of ways. Its granularity is 100 nanodegrees, the default.
fn block(ways: &[Way<'_>]) -> Vec<u8> {
    let mut strings: Vec<&str> = vec!["", "highway", "residential", "name"];
    strings.extend(ways.iter().map(|way| way.name));
    let table: Vec<u8> = strings.iter().flat_map(|string| text(1, string)).collect();
    let (mut nodes, mut lines, mut next) = (Vec::new(), Vec::new(), 1_i64);
    for (number_of_way, way) in (0_i64..).zip(ways) {
        let ids: Vec<i64> = way.points.iter().zip(next..).map(|(_, id)| id).collect();
        nodes.extend(ids.iter().copied().zip(way.points.iter().copied()));
        lines.extend(bytes(3, &line(1 + number_of_way, 4 + number_of_way as u64, &ids)));
        next += ids.len() as i64;
    }
    [bytes(1, &table), bytes(2, &bytes(2, &dense(&nodes))), bytes(2, &lines)].concat()
}

/// Its id, and its latitude and longitude in degrees.
type Node = (i64, (f64, f64));

fn dense(nodes: &[Node]) -> Vec<u8> {
    let e7 = |degrees: f64| (degrees * 1e7).round() as i64;
    let column = |value: &dyn Fn(&Node) -> i64| differences(nodes.iter().map(value));
    [
        bytes(1, &column(&|node| node.0)),
        bytes(8, &column(&|node| e7(node.1.0))),
        bytes(9, &column(&|node| e7(node.1.1))),
    ]
    .concat()
}

fn line(id: i64, name: u64, nodes: &[i64]) -> Vec<u8> {
    let keys = [varint(1), varint(3)].concat();
    let values = [varint(2), varint(name)].concat();
    [number(1, id as u64), bytes(2, &keys), bytes(3, &values), bytes(8, &differences(nodes.iter().copied()))].concat()
}

/// Zigzag-encoded differences between neighbours.
fn differences(values: impl Iterator<Item = i64>) -> Vec<u8> {
    let mut before = 0;
    let differences = values.map(|value| {
        let difference = value - std::mem::replace(&mut before, value);
        varint(((difference << 1) ^ (difference >> 63)) as u64)
    });
    differences.flatten().collect()
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn text(field: u64, text: &str) -> Vec<u8> {
    bytes(field, text.as_bytes())
}

fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
