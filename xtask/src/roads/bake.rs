//! From an OpenStreetMap extract to a street graph, in two passes over the file.
//!
//! The extract is not part of the repository, its result is. The same extract always gives the same bytes.
//! Roads that cannot be driven both to and from everywhere else on their island are left out, so that a route
//! exists between any two points of an island.

mod graph;
mod tags;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use doorstep_shared::LatLon;
use doorstep_shared::roads::{RoadData, RoadNetwork, RoadPlace};
use osmpbf::{Element, ElementReader};

use tags::Road;

/// A road as it was drawn: its tags, understood, and the nodes it goes through.
struct Way {
    road: Road,
    street: Option<String>,
    nodes: Vec<i64>,
}

/// Reads `extract`, builds the graph, writes it to `output` and says what is in it.
pub fn run(extract: &Path, output: &Path) -> Result<()> {
    let (ways, places) = read_ways_and_places(extract)?;
    let positions = read_positions(extract, &ways)?;
    let data = bake(&ways, places, &positions);
    let bytes = data.to_bytes();
    let network = RoadNetwork::from_bytes(&bytes).context("what was baked cannot be read back")?;
    ensure!(network.node_count() > 0, "the extract holds no roads");
    std::fs::write(output, &bytes).with_context(|| format!("cannot write {}", output.display()))?;
    let directed = data.edges.iter().map(|edge| if edge.one_way { 1 } else { 2 });
    println!(
        "{}: {} bytes, {} nodes, {} edges ({} directed), {} street names, {} places",
        output.display(),
        bytes.len(),
        data.nodes.len(),
        data.edges.len(),
        directed.sum::<usize>(),
        data.streets.len(),
        data.places.len(),
    );
    Ok(())
}

fn bake(ways: &[Way], places: Vec<RoadPlace>, positions: &HashMap<i64, LatLon>) -> RoadData {
    let names: BTreeMap<&str, u32> =
        ways.iter().filter_map(|way| way.street.as_deref()).map(|street| (street, 0)).collect();
    let streets: Vec<String> = names.keys().map(|street| (*street).to_owned()).collect();
    let numbers: HashMap<&str, u32> = names.into_keys().zip(0..).collect();
    let mut data = graph::split_at_junctions(ways, positions, &numbers);
    data.streets = streets;
    data.places = places;
    graph::keep_islands(&mut data);
    graph::put_neighbours_together(&mut data);
    graph::drop_unused_streets(&mut data);
    data
}

/// First pass: what is a road, and what is a settlement.
fn read_ways_and_places(extract: &Path) -> Result<(Vec<Way>, Vec<RoadPlace>)> {
    let mut ways = Vec::new();
    let mut places = Vec::new();
    reader(extract)?.for_each(|element| match element {
        Element::Way(way) => {
            let tags: HashMap<&str, &str> = way.tags().collect();
            if let Some(road) = Road::from_tags(&tags) {
                let street = tags.get("name").map(|name| (*name).trim().to_owned());
                let street = street.filter(|name| !name.is_empty());
                ways.push(Way { road, street, nodes: way.refs().collect() });
            }
        }
        Element::Node(node) => places.extend(place(node.tags(), node.lat(), node.lon())),
        Element::DenseNode(node) => places.extend(place(node.tags(), node.lat(), node.lon())),
        Element::Relation(_) => {}
    })?;
    places.sort_by(|a, b| a.name.cmp(&b.name).then(a.centre.lat().total_cmp(&b.centre.lat())));
    Ok((ways, places))
}

fn place<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>, lat: f64, lon: f64) -> Option<RoadPlace> {
    let tags: HashMap<&str, &str> = tags.collect();
    // The way it is written on letters, and short enough for a map's label.
    let name = tags::place_name(&tags)?.replace("Saint ", "St ");
    Some(RoadPlace { name, centre: LatLon::try_new(lat, lon).ok()? })
}

/// Second pass: where the roads' nodes lie.
fn read_positions(extract: &Path, ways: &[Way]) -> Result<HashMap<i64, LatLon>> {
    let wanted: HashSet<i64> = ways.iter().flat_map(|way| &way.nodes).copied().collect();
    let mut positions = HashMap::with_capacity(wanted.len());
    let mut take = |id: i64, lat: f64, lon: f64| {
        if wanted.contains(&id)
            && let Ok(point) = LatLon::try_new(lat, lon)
        {
            positions.insert(id, point);
        }
    };
    reader(extract)?.for_each(|element| match element {
        Element::Node(node) => take(node.id(), node.lat(), node.lon()),
        Element::DenseNode(node) => take(node.id(), node.lat(), node.lon()),
        Element::Way(_) | Element::Relation(_) => {}
    })?;
    Ok(positions)
}

fn reader(extract: &Path) -> Result<ElementReader<std::io::BufReader<std::fs::File>>> {
    ElementReader::from_path(extract).with_context(|| format!("cannot read {}", extract.display()))
}
