//! A Mapbox Vector Tile of version 2.

use std::collections::BTreeMap;

use super::archive::varint;

#[derive(Debug, Default)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) features: Vec<Feature>,
}

#[derive(Debug)]
pub(crate) struct Feature {
    /// 1 is a point, 2 a line, 3 an area.
    pub(crate) kind: u64,
    /// Points, lines or rings; rings do not repeat their first point.
    pub(crate) parts: Vec<Vec<[i64; 2]>>,
    pub(crate) texts: BTreeMap<String, String>,
}

/// The layers of a tile.
pub(crate) fn layers(tile: &[u8]) -> Vec<Layer> {
    fields(tile).into_iter().filter(|(number, _)| *number == 3).map(|(_, field)| layer(field.bytes())).collect()
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self {
            Field::Bytes(bytes) => bytes,
            Field::Number(number) => panic!("{number} where bytes belong"),
        }
    }

    fn number(&self) -> u64 {
        match self {
            Field::Number(number) => *number,
            Field::Bytes(_) => panic!("bytes where a number belongs"),
        }
    }
}

fn fields(mut rest: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut rest)),
            2 => {
                let length = varint(&mut rest) as usize;
                let (bytes, after) = rest.split_at(length);
                rest = after;
                Field::Bytes(bytes)
            }
            other => panic!("a field of type {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn layer(bytes: &[u8]) -> Layer {
    let fields = fields(bytes);
    let all = |number: u64| fields.iter().filter(move |(it, _)| *it == number).map(|(_, field)| field);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it is UTF-8");
    assert_eq!(all(15).next().map(Field::number), Some(2), "the version");
    assert_eq!(all(5).next().map(Field::number), Some(4096), "the extent");
    let keys: Vec<String> = all(3).map(|field| text(field.bytes())).collect();
    let values: Vec<Option<String>> = all(4).map(|field| value(field.bytes())).collect();
    let name = all(1).next().map(|field| text(field.bytes())).expect("a layer has a name");
    Layer { name, features: all(2).map(|field| feature(field.bytes(), &keys, &values)).collect() }
}

/// `None` for a number.
fn value(bytes: &[u8]) -> Option<String> {
    let (number, field) = fields(bytes).pop().expect("a value");
    (number == 1).then(|| String::from_utf8(field.bytes().to_vec()).expect("it is UTF-8"))
}

fn feature(bytes: &[u8], keys: &[String], values: &[Option<String>]) -> Feature {
    let fields = fields(bytes);
    let numbers = |number: u64| {
        let mut rest = fields.iter().find(|(it, _)| *it == number).map_or(&[][..], |(_, field)| field.bytes());
        let mut numbers = Vec::new();
        while !rest.is_empty() {
            numbers.push(varint(&mut rest));
        }
        numbers
    };
    let text = |pair: &[u64]| Some((keys[pair[0] as usize].clone(), values[pair[1] as usize].clone()?));
    let kind = fields.iter().find(|(it, _)| *it == 3).map_or(0, |(_, field)| field.number());
    Feature { kind, parts: parts(kind, &numbers(4)), texts: numbers(2).chunks(2).filter_map(text).collect() }
}

fn parts(kind: u64, geometry: &[u64]) -> Vec<Vec<[i64; 2]>> {
    let (mut parts, mut at, mut rest) = (Vec::<Vec<[i64; 2]>>::new(), [0, 0], geometry.iter().copied());
    while let Some(command) = rest.next() {
        match (command & 7, command >> 3) {
            (7, count) => assert!(kind == 3 && count == 1 && parts.last().is_some_and(|ring| ring.len() >= 3)),
            (command @ (1 | 2), count) => {
                for _ in 0..count {
                    let mut step =
                        || rest.next().map(|it| (it >> 1) as i64 ^ -((it & 1) as i64)).expect("a coordinate");
                    at = [at[0] + step(), at[1] + step()];
                    if command == 1 {
                        parts.push(Vec::new());
                    }
                    parts.last_mut().expect("a line begins with a move").push(at);
                }
            }
            (other, _) => panic!("a command {other}"),
        }
    }
    parts
}
