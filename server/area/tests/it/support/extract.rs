//! Writes a small extract, as the description of the PBF format has it: what a test needs lies before the reader's eyes.

use std::collections::HashMap;

/// An extract in the making.
#[derive(Default)]
pub(crate) struct Extract {
    strings: Vec<String>,
    numbers: HashMap<String, u64>,
    nodes: Vec<Vec<u8>>,
    ways: Vec<Vec<u8>>,
    relations: Vec<Vec<u8>>,
}

type Tags<'a> = &'a [(&'a str, &'a str)];

impl Extract {
    /// An extract without anything.
    pub(crate) fn new() -> Self {
        Self { strings: vec![String::new()], ..Self::default() }
    }

    /// Adds a node at degrees of latitude and longitude, and answers its id.
    pub(crate) fn node(&mut self, [lat, lon]: [f64; 2], tags: Tags<'_>) -> i64 {
        let id = self.nodes.len() as i64 + 1;
        let mut node = Message::default();
        node.number(1, zigzag(id));
        self.tag(&mut node, tags);
        node.number(8, zigzag((lat * 1e7).round() as i64));
        node.number(9, zigzag((lon * 1e7).round() as i64));
        self.nodes.push(node.0);
        id
    }

    /// Adds a way through nodes, and answers its id.
    pub(crate) fn way(&mut self, nodes: &[i64], tags: Tags<'_>) -> i64 {
        let id = self.ways.len() as i64 + 1;
        let mut way = Message::default();
        way.number(1, id as u64);
        self.tag(&mut way, tags);
        way.packed(8, steps(nodes));
        self.ways.push(way.0);
        id
    }

    /// Adds a way of new nodes; one that ends where it begins is closed.
    pub(crate) fn drawn(&mut self, line: &[[f64; 2]], tags: Tags<'_>) -> i64 {
        let mut nodes: Vec<i64> = Vec::new();
        for (index, at) in line.iter().enumerate() {
            let is_closing = index > 0 && *at == line[0];
            nodes.push(if is_closing { nodes[0] } else { self.node(*at, &[]) });
        }
        self.way(&nodes, tags)
    }

    /// Adds a relation of ways with their roles.
    pub(crate) fn relation(&mut self, members: &[(i64, &str)], tags: Tags<'_>) {
        let mut relation = Message::default();
        relation.number(1, self.relations.len() as u64 + 1);
        self.tag(&mut relation, tags);
        let roles: Vec<u64> = members.iter().map(|(_, role)| self.string(role)).collect();
        let ways: Vec<i64> = members.iter().map(|(way, _)| *way).collect();
        relation.packed(8, roles.into_iter());
        relation.packed(9, steps(&ways));
        relation.packed(10, ways.iter().map(|_| 1));
        self.relations.push(relation.0);
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut header = Message::default();
        header.bytes(4, b"OsmSchema-V0.6");
        let mut strings = Message::default();
        self.strings.iter().for_each(|string| strings.bytes(1, string.as_bytes()));
        let mut block = Message::default();
        block.bytes(1, &strings.0);
        for (field, elements) in [(1, &self.nodes), (3, &self.ways), (4, &self.relations)] {
            let mut group = Message::default();
            elements.iter().for_each(|element| group.bytes(field, element));
            block.bytes(2, &group.0);
        }
        [blob("OSMHeader", &header.0), blob("OSMData", &block.0)].concat()
    }

    fn tag(&mut self, element: &mut Message, tags: Tags<'_>) {
        let keys: Vec<u64> = tags.iter().map(|(key, _)| self.string(key)).collect();
        let values: Vec<u64> = tags.iter().map(|(_, value)| self.string(value)).collect();
        element.packed(2, keys.into_iter());
        element.packed(3, values.into_iter());
    }

    fn string(&mut self, text: &str) -> u64 {
        let next = self.strings.len() as u64;
        *self.numbers.entry(text.to_owned()).or_insert_with(|| {
            self.strings.push(text.to_owned());
            next
        })
    }
}

fn blob(kind: &str, content: &[u8]) -> Vec<u8> {
    let mut blob = Message::default();
    blob.bytes(1, content);
    let mut header = Message::default();
    header.bytes(1, kind.as_bytes());
    header.number(3, blob.0.len() as u64);
    [&(header.0.len() as u32).to_be_bytes(), &header.0[..], &blob.0].concat()
}

/// Ids as steps from one to the next.
fn steps(ids: &[i64]) -> impl Iterator<Item = u64> {
    let mut before = 0;
    ids.iter().map(move |id| zigzag(id - std::mem::replace(&mut before, *id)))
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// A message of Protocol Buffers.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn packed(&mut self, field: u64, values: impl Iterator<Item = u64>) {
        let mut packed = Self::default();
        values.for_each(|value| packed.varint(value));
        self.bytes(field, &packed.0);
    }
}
