//! Searches as people type them, on a few streets.

use proptest::prelude::*;

use super::*;
use doorstep_shared::LatLon;

fn at(lat: f64, lon: f64) -> LatLon {
    LatLon::try_new(lat, lon).expect("on earth")
}

fn spot(lat: f64, lon: f64) -> Spot {
    Spot::of(at(lat, lon))
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

fn street(of: &[&str], towns: &[u32], from: (f64, f64), houses: &[(&str, f64, f64)]) -> StreetDraft {
    let house = |(number, lat, lon): &(&str, f64, f64)| {
        let (number, postcode) =
            number.split_once('|').map_or((*number, None), |(number, code)| (number, Some(code.to_owned())));
        HouseDraft { number: number.to_owned(), postcode, at: spot(*lat, *lon), is_guessed: false }
    };
    let line = (0..3).map(|step| spot(from.0 + 0.001 * f64::from(step), from.1)).collect();
    StreetDraft {
        names: names(of),
        towns: towns.to_vec(),
        lines: vec![line],
        houses: houses.iter().map(house).collect(),
        ..StreetDraft::default()
    }
}

const VALLETTA: u32 = 0;
const HAMRUN: u32 = 1;
const ZEBBUG: u32 = 2;

fn malta() -> PlacesData {
    let mut builder = PlacesBuilder::new(true);
    builder.town(&names(&["Valletta", "Il-Belt Valletta"]), TownKind::City, spot(35.898, 14.512));
    builder.town(&names(&["Ħamrun", "Il-Ħamrun"]), TownKind::Town, spot(35.886, 14.489));
    builder.town(&names(&["Ħaż-Żebbuġ"]), TownKind::Village, spot(35.872, 14.441));
    builder.town(&names(&["Malta"]), TownKind::Region, spot(35.9, 14.4));
    let houses = [
        ("12", 35.8971, 14.5131),
        ("16", 35.8973, 14.5131),
        ("20|VLT 1171", 35.8977, 14.5131),
        ("Casa Rosa", 35.8964, 14.5131),
    ];
    builder.street(street(&["Triq il-Merkanti", "Merchants Street"], &[VALLETTA], (35.896, 14.513), &houses));
    builder.street(street(&["Triq San Pawl", "Saint Paul's Street"], &[VALLETTA], (35.897, 14.515), &[]));
    builder.street(street(&["Triq San Pawl"], &[HAMRUN], (35.885, 14.490), &[]));
    builder.street(street(&["Triq Santa Luċija"], &[VALLETTA], (35.899, 14.511), &[]));
    builder.street(street(&["Sqaq il-Merżuq"], &[ZEBBUG], (35.871, 14.440), &[]));
    builder.street(street(&["Misraħ il-Mosta"], &[ZEBBUG], (35.874, 14.443), &[]));
    builder.point(&names(&["Merkanti Bar"]), Some(VALLETTA), spot(35.8975, 14.5132));
    builder.point(&names(&["7-Eleven"]), Some(HAMRUN), spot(35.8861, 14.4891));
    builder.finish()
}

const NEUSTADT: u32 = 0;
const NORD: u32 = 1;
const ALTDORF: u32 = 2;

fn germany() -> PlacesData {
    let mut builder = PlacesBuilder::new(false);
    builder.town(&names(&["Neustadt"]), TownKind::Town, spot(53.55, 13.26));
    builder.town(&names(&["Nord"]), TownKind::Suburb, spot(53.57, 13.26));
    builder.town(&names(&["Altdorf"]), TownKind::Village, spot(53.75, 13.30));
    builder.town(&names(&["Deutschland", "Germany"]), TownKind::Region, spot(51.0, 10.0));
    let houses = [
        ("1|17033", 53.5501, 13.2602),
        ("5|17033", 53.5505, 13.2602),
        ("12a|17033", 53.5512, 13.2602),
        ("14-18|17033", 53.5515, 13.2602),
    ];
    builder.street(street(&["Ahornstraße"], &[NEUSTADT], (53.550, 13.260), &houses));
    builder.street(street(&["Ahornstraße"], &[NEUSTADT, NORD], (53.570, 13.262), &[("5|17034", 53.5705, 13.2622)]));
    builder.street(street(&["Ahornweg"], &[NEUSTADT], (53.552, 13.265), &[("5|17033", 53.5523, 13.2652)]));
    builder.street(street(&["Käthe-Müller-Straße"], &[ALTDORF], (53.750, 13.301), &[("7|17099", 53.7501, 13.3012)]));
    builder.street(street(&["Straße des 17. Juni"], &[NEUSTADT], (53.553, 13.27), &[("135", 53.5531, 13.2702)]));
    builder.street(street(&["Am Damm"], &[NEUSTADT], (53.556, 13.28), &[("10450", 53.5561, 13.2802)]));
    builder.finish()
}

fn found_in(data: PlacesData, text: &str, near: Option<LatLon>) -> Vec<String> {
    let place = |found: Found| match found.town {
        Some(town) => format!("{}, {town}", found.name),
        None => found.name,
    };
    Gazetteer::new(data).search(text, near, 5).into_iter().map(place).collect()
}

fn found(text: &str, near: Option<LatLon>) -> Vec<String> {
    found_in(malta(), text, near)
}

/// The first answer, what it is, where, and what speaks against it.
fn first(data: PlacesData, text: &str) -> Option<(String, Kind, Spot, Option<Doubt>)> {
    let found = Gazetteer::new(data).search(text, None, 1).pop()?;
    Some((found.name, found.kind, Spot::of(found.point), found.doubt))
}

#[test]
fn what_was_written_is_read_back() {
    for data in [malta(), germany(), PlacesData::default()] {
        assert_eq!(PlacesData::from_bytes(&data.to_bytes()), Ok(data));
    }
}

#[test]
fn an_estates_name_is_a_house_though_its_words_stand_before_flats_elsewhere() {
    let mut builder = PlacesBuilder::new(true);
    builder.town(&names(&["Valletta"]), TownKind::City, spot(35.898, 14.512));
    let houses = [("12", 35.8971, 14.5131), ("Block C St. Paul's Court", 35.8975, 14.5131)];
    builder.street(street(&["Triq il-Merkanti"], &[0], (35.896, 14.513), &houses));
    let data = builder.finish();
    for text in ["Triq il-Merkanti Block C St. Paul's Court, Valletta", "Block C St Paul's Court, Triq il-Merkanti"] {
        let (name, kind, at, doubt) = first(data.clone(), text).expect("it is there");
        assert_eq!((kind, at, doubt), (Kind::House, spot(35.8975, 14.5131), None), "{text}: {name}");
    }
}

#[test]
fn a_house_is_in_the_named_town_though_the_middle_of_its_street_is_in_another() {
    let mut builder = PlacesBuilder::new(true);
    builder.town(&names(&["Sliema"]), TownKind::Town, spot(35.9120, 14.5040));
    builder.town(&names(&["Gzira"]), TownKind::Town, spot(35.9058, 14.4960));
    builder.street(street(&["The Strand"], &[0], (35.9110, 14.5030), &[("115", 35.9072, 14.4983)]));
    builder.street(street(&["The Strand"], &[1], (35.9000, 14.4955), &[("207", 35.9045, 14.4957)]));
    let (_, kind, at, doubt) = first(builder.finish(), "115 The Strand, Gzira").expect("it is there");
    assert_eq!((kind, at, doubt), (Kind::House, spot(35.9072, 14.4983), None));
}

#[test]
fn of_two_houses_with_one_number_the_one_in_the_named_town_is_meant() {
    let mut builder = PlacesBuilder::new(false);
    builder.town(&names(&["Altdorf"]), TownKind::Village, spot(53.750, 13.300));
    builder.town(&names(&["Neudorf"]), TownKind::Village, spot(53.765, 13.300));
    let houses = [("5", 53.7502, 13.3003), ("5", 53.7648, 13.3003)];
    builder.street(street(&["Dorfstraße"], &[0, 1], (53.756, 13.300), &houses));
    let data = builder.finish();
    for (town, lat) in [("Altdorf", 53.7502), ("Neudorf", 53.7648)] {
        let text = format!("Dorfstr. 5, {town}");
        let (.., at, doubt) = first(data.clone(), &text).expect("it is there");
        assert_eq!((at, doubt), (spot(lat, 13.3003), None), "{text}");
    }
}

#[test]
fn a_street_is_found_by_pieces_of_its_words() {
    let merchants = ["Triq il-Merkanti, Valletta", "Merkanti Bar, Valletta"];
    for text in
        ["merkanti", "triq merk", "TRIQ IL-MERKANTI", "merk triq", "il merkanti valletta", "TRIQ IL-MERKANTI VALLETTA"]
    {
        assert_eq!(found(text, None)[..1], merchants[..1], "{text}");
    }
    assert_eq!(found("merkanti", None), merchants);
    assert_eq!(found("merchants street", None), merchants[..1], "its English name leads to the sign's");
    assert_eq!(found("merkanti street", None)[..1], merchants[..1], "a street is a triq");
}

#[test]
fn marks_and_slips_do_not_matter() {
    assert_eq!(found("santa lucija", None), ["Triq Santa Luċija, Valletta"]);
    assert_eq!(found("merzuq", None), ["Sqaq il-Merżuq, Ħaż-Żebbuġ"]);
    assert_eq!(found("markanti", None)[0], "Triq il-Merkanti, Valletta");
    assert_eq!(found("vallleta", None), ["Valletta"]);
    assert_eq!(found("hamrun", None), ["Ħamrun"]);
    assert_eq!(found("nothing like it", None), [""; 0]);
    for text in [
        "Käthe-Müller-Straße 7",
        "kathe muller str. 7",
        "Kaethe Mueller Strasse 7",
        "KÄTHE-MÜLLER-STR 7",
        "Käthemüllerstraße 7",
    ] {
        assert_eq!(found_in(germany(), text, None)[0], "Käthe-Müller-Straße 7, Altdorf", "{text}");
    }
}

#[test]
fn of_two_the_nearer_comes_first_and_the_town_decides() {
    let (hamrun, valletta) = ("Triq San Pawl, Ħamrun", "Triq San Pawl, Valletta");
    assert_eq!(found("san pawl", Some(at(35.885, 14.49))), [hamrun, valletta]);
    assert_eq!(found("san pawl", Some(at(35.897, 14.515))), [valletta, hamrun]);
    for text in ["san pawl hamrun", "Triq San Pawl, Il-Ħamrun", "Triq San Pawl\nHamrun, Malta"] {
        assert_eq!(found(text, Some(at(35.897, 14.515)))[0], hamrun, "{text}");
    }
}

#[test]
fn a_house_is_found_where_it_is_known_and_its_number_kept_where_not() {
    let merchants = |text: &str| first(malta(), text).expect("a place");
    for text in [
        "12 triq il-merkanti",
        "Triq il-Merkanti 12",
        "12, Triq il-Merkanti, Valletta",
        "Triq il-Merkanti, 12",
        "12/3 Triq il-Merkanti",
    ] {
        let (name, kind, place, doubt) = merchants(text);
        assert_eq!(
            (name.as_str(), kind, place, doubt),
            ("12 Triq il-Merkanti", Kind::House, spot(35.8971, 14.5131), None),
            "{text}"
        );
    }
    let (name, kind, place, _) = merchants("14 Triq il-Merkanti, Valletta");
    assert_eq!(
        (name.as_str(), kind, place),
        ("14 Triq il-Merkanti", Kind::Street, spot(35.8972, 14.5131)),
        "between its neighbours"
    );
    let (name, kind, ..) = merchants("Triq il-Merkanti 99b");
    assert_eq!((name.as_str(), kind), ("99B Triq il-Merkanti", Kind::Street));
    let (name, kind, ..) = merchants("Casa Rosa, Triq il-Merkanti, Valletta");
    assert_eq!((name.as_str(), kind), ("Casa Rosa Triq il-Merkanti", Kind::House));
}

#[test]
fn town_and_postcode_say_which_of_two_houses_is_meant() {
    let house = |text: &str| first(germany(), text).expect("a place");
    for (text, lat, lon) in [
        ("Ahornstraße 5, 17033 Neustadt", 53.5505, 13.2602),
        ("Ahornstraße 5, 17034 Neustadt", 53.5705, 13.2622),
        ("Ahornstr. 5\n17034 Neustadt\nDeutschland", 53.5705, 13.2622),
        ("Ahornstraße 5, Neustadt-Nord", 53.5705, 13.2622),
        ("Ahornstrasse 16 17033 Neustadt", 53.5515, 13.2602),
        ("Ahornweg 5, 17033 Neustadt", 53.5523, 13.2652),
        ("c/o Schmidt, Wohnung 3, Ahornweg 5, Neustadt", 53.5523, 13.2652),
        ("Straße des 17. Juni 135, Neustadt", 53.5531, 13.2702),
        ("Am Damm 10450, Neustadt", 53.5561, 13.2802),
    ] {
        let (name, kind, place, doubt) = house(text);
        assert_eq!((kind, place, doubt), (Kind::House, spot(lat, lon), None), "{text}: {name}");
    }
    assert_eq!(house("Ahornstraße 5").3, Some(Doubt::Several), "there are two");
}

#[test]
fn what_is_not_certain_says_why() {
    let doubt = |text: &str| first(malta(), text).and_then(|(.., doubt)| doubt);
    assert_eq!(doubt("Valletta"), Some(Doubt::NoStreet));
    assert_eq!(doubt("12 Triq il-Merkanti, Ħaż-Żebbuġ"), Some(Doubt::OtherTown));
    assert_eq!(doubt("Misraħ il-Merkanti, Valletta"), Some(Doubt::OtherKind));
    assert_eq!(doubt("Triq il-Markanti, Valletta"), Some(Doubt::Spelling));
    assert_eq!(doubt("Triq San Pawl"), Some(Doubt::Several));
    assert_eq!(doubt("Triq il-Merkanti, Atlantis"), Some(Doubt::OtherWords));
    assert_eq!(doubt("Triq il-Merkanti, Valletta, MT, Europe"), None, "words behind the town tell nothing");
    assert!(first(malta(), "Nowhere Street 5, Valletta").is_none_or(|(.., doubt)| doubt.is_some()));
}

#[test]
fn a_postcode_is_found_by_itself() {
    let (name, kind, place, _) = first(germany(), "17099").expect("its houses");
    assert_eq!((name.as_str(), kind, place), ("17099", Kind::Town, spot(53.7501, 13.3012)));
    assert_eq!(first(malta(), "vlt1171").map(|(name, ..)| name).as_deref(), Some("VLT 1171"));
}

#[test]
fn a_point_is_in_the_street_beside_it() {
    let gazetteer = Gazetteer::new(malta());
    let kinds = |point| gazetteer.at(point).into_iter().map(|found| (found.kind, found.name)).collect::<Vec<_>>();
    let street = (Kind::Street, "Triq il-Merkanti".to_owned());
    assert_eq!(kinds(at(35.8971, 14.51313)), [(Kind::House, "12 Triq il-Merkanti".to_owned()), street.clone()]);
    assert_eq!(kinds(at(35.8960, 14.5130)), [street]);
    assert_eq!(kinds(at(35.8985, 14.5055)), [(Kind::Town, "Valletta".to_owned())]);
    assert_eq!(kinds(at(35.95, 14.52)), [], "nothing is named after what is kilometres away");
    let beside = &gazetteer.at(at(35.8960, 14.5131))[0];
    assert!((beside.point.lon() - 14.513).abs() < 1e-6, "the point on the street: {beside:?}");
    assert!(beside.distance_m.is_some_and(|metres| (8.0..10.0).contains(&metres)), "{beside:?}");
}

#[test]
fn damaged_files_are_refused() {
    let bytes = malta().to_bytes();
    assert_eq!(Gazetteer::from_bytes(b"nonsense").err(), Some(PlacesError::NotPlaces));
    assert_eq!(Gazetteer::from_bytes(b"").err(), Some(PlacesError::NotPlaces));
    let newer = [&bytes[..6], &[9, 0], &bytes[8..]].concat();
    assert_eq!(Gazetteer::from_bytes(&newer).err(), Some(PlacesError::UnsupportedVersion(9)));
    for length in 8..bytes.len() {
        assert!(matches!(Gazetteer::from_bytes(&bytes[..length]), Err(PlacesError::Damaged(_))), "{length}");
    }
    let larger = [&bytes[..8], &[255; 4], &bytes[12..]].concat();
    assert_eq!(Gazetteer::from_bytes(&larger).err(), Some(PlacesError::Damaged("it is too large")));
}

proptest! {
    #[test]
    fn changed_content_is_refused_or_harmless(at in 0usize..2_000, value in any::<u8>(), text in "[a-z ]{0,12}") {
        let mut plain = postcard::to_allocvec(&malta()).expect("lengths are known");
        let length = plain.len();
        plain[at % length] = value;
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&plain, 1);
        let bytes = [&malta().to_bytes()[..8], &(length as u32).to_le_bytes(), &packed].concat();
        if let Ok(gazetteer) = Gazetteer::from_bytes(&bytes) {
            let _ = (gazetteer.search(&text, None, 5), gazetteer.at(spot(35.897, 14.513).point()));
        }
    }

    #[test]
    fn nothing_typed_makes_it_panic(text in "\\PC{0,60}", lat in -90.0..=90.0, lon in -180.0..=180.0, limit in 0usize..40) {
        let gazetteer = Gazetteer::new(malta());
        let found = gazetteer.search(&text, Some(at(lat, lon)), limit);
        prop_assert!(found.len() <= limit.min(MAX_RESULTS));
        prop_assert!(gazetteer.at(at(lat, lon)).iter().all(|found| found.distance_m.is_some_and(|metres| metres <= 1_000.0)));
    }

    #[test]
    fn an_address_of_words_and_numbers_never_makes_it_panic(text in "(Ahorn|Straße|Nord|17033|Neustadt|5|12a|,| |flat|st|17){0,14}") {
        let _ = Gazetteer::new(germany()).search(&text, None, 5);
    }

    #[test]
    fn every_street_is_found_by_its_own_name(number in 0usize..5, letters in 3usize..20) {
        let gazetteer = Gazetteer::new(malta());
        let street = gazetteer.street(number);
        let typed: String = street.name.chars().take(letters.max(9)).collect();
        let found = gazetteer.search(&typed, Some(street.point), 20);
        prop_assert!(found.iter().any(|found| found.name == street.name), "{typed}: {found:?}");
    }
}

#[test]
fn examples_are_streets_that_the_search_finds_again() {
    let gazetteer = Gazetteer::new(malta());
    let examples = gazetteer.examples(3);
    assert_eq!(examples.len(), 3);
    for street in &examples {
        let address = format!("{}, {}", street.name, street.town.as_deref().expect("a town"));
        assert_eq!(gazetteer.search(&address, None, 1)[0].point, street.point, "{address}");
    }
    assert_eq!(gazetteer.examples(3), examples, "the same ones every time");
    assert!(Gazetteer::new(PlacesData::default()).examples(3).is_empty());
}

/// Addresses that led to another town, or nowhere, in the field.
#[test]
fn addresses_from_the_field_are_right_or_doubted() {
    let bytes = crate::built_in::file(crate::files::ADDRESSES).expect("the built-in area has addresses");
    let gazetteer = Gazetteer::from_bytes(bytes).expect("whole");
    let kitchen = LatLon::try_new(35.9, 14.5).ok();
    let merchants = "Triq il-Merkanti, Valletta";
    for (text, name) in [
        ("12 Triq il-Merkanti, Valletta", "12 Triq il-Merkanti, Valletta"),
        ("Flat 3, 12 Triq il-Merkanti, Valletta", "12 Triq il-Merkanti, Valletta"),
        ("Flat 3, 12, Triq il-Merkanti, Valletta", "12 Triq il-Merkanti, Valletta"),
        ("Apt 4, Block B, Triq il-Merkanti, Valletta VLT 1171", merchants),
        ("12A Triq il-Merkanti, Valletta", "12A Triq il-Merkanti, Valletta"),
        ("12 bis Triq il-Merkanti, Valletta", "12 bis Triq il-Merkanti, Valletta"),
        ("12/3 Triq il-Merkanti, Valletta", "12/3 Triq il-Merkanti, Valletta"),
        ("12-14 Triq il-Merkanti, Valletta", "12-14 Triq il-Merkanti, Valletta"),
        ("Dar il-Paci, Triq il-Kbira, Mosta", "Triq il-Kbira, Mosta"),
        ("Casa Rosa, Triq il-Kbira, Mosta", "Triq il-Kbira, Mosta"),
        ("Triq il-Kbira, Mosta", "Triq il-Kbira, Mosta"),
        ("Main Street, Mosta", "Triq il-Kbira, Mosta"),
        ("Triq il-Merkanti 12, Valletta", "12 Triq il-Merkanti, Valletta"),
        ("12, Triq il-Merkanti, Valletta, Malta", "12 Triq il-Merkanti, Valletta"),
        ("12 Triq il-Merkanti, VLT 1171", "12 Triq il-Merkanti, Valletta"),
        ("Triq San Pawl, San Pawl il-Baħar", "Triq San Pawl, St Paul's Bay"),
        ("St Paul's Street, St Paul's Bay", "Triq San Pawl, St Paul's Bay"),
        ("St. Paul Street, Valletta", "Triq San Pawl, Valletta"),
        ("Saint Paul Street, Valletta", "Triq San Pawl, Valletta"),
        ("Triq il-Merkanti\nValletta", merchants),
        ("Tower Road, Sliema", "Triq it-Torri, Sliema"),
        ("Triq it-Torri, Tas-Sliema", "Triq it-Torri, Sliema"),
        ("Triq Sant’Anna, Floriana", "Triq Sant'Anna, Floriana"),
        ("Triq Sant`Anna, Floriana", "Triq Sant'Anna, Floriana"),
        ("TRIQ IL-MERKANTI VALLETTA", merchants),
        ("Triq il-Merkanti,Valletta,MT", merchants),
        ("Shop 2, Republic Street, Valletta", "Triq ir-Repubblika, Valletta"),
        ("c/o Hotel Castille, Valletta", "Castille Hotel, Valletta"),
    ] {
        let found = gazetteer.search(text, kitchen, 1).pop().expect(text);
        let full = format!("{}, {}", found.name, found.town.as_deref().unwrap_or_default());
        assert_eq!((full.as_str(), found.doubt), (name, None), "{text}");
    }
    for (text, doubt) in [
        ("Valletta", Doubt::NoStreet),
        ("Hal Qormi", Doubt::NoStreet),
        ("Ħal Qormi", Doubt::NoStreet),
        ("Qormi", Doubt::NoStreet),
    ] {
        let found = gazetteer.search(text, kitchen, 1).pop().expect(text);
        assert_eq!(found.doubt, Some(doubt), "{text}");
    }
    let nowhere = gazetteer.search("Nowhere Street 5, Mosta", kitchen, 1);
    assert!(nowhere.iter().all(|found| found.doubt.is_some()), "{nowhere:?}");
}

/// What may stand before the street, or be wrong behind it.
#[test]
fn what_stands_before_the_street_never_leads_to_another_town() {
    let bytes = crate::built_in::file(crate::files::ADDRESSES).expect("the built-in area has addresses");
    let gazetteer = Gazetteer::from_bytes(bytes).expect("whole");
    let kitchen = LatLon::try_new(35.9, 14.5).ok();
    let merchants = |number: &str| format!("{number} Triq il-Merkanti, Valletta: None").trim_start().to_owned();
    let (main_street, elsewhere) =
        ("Triq il-Kbira, Mosta: None".to_owned(), |found: &str| format!("{found}: Some(OtherTown)"));
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("Flt 3, Blk 2, 12 Triq il-Merkanti, Valletta", merchants("12")),
        ("Office 5, Casa Rosa, Triq il-Merkanti, Valletta", merchants("")),
        ("Sliema Court, Triq il-Merkanti, Valletta", merchants("")),
        ("Mr Borg, 12 Triq il-Merkanti, Valletta", merchants("12")),
        ("Nru 12, Triq il-Merkanti, Valletta", merchants("12")),
        ("No. 12A, Triq il-Merkanti, Valletta", merchants("12A")),
        ("12½ Triq il-Merkanti, Valletta", merchants("12½")),
        ("12/14 Triq il-Merkanti, Valletta", merchants("12/14")),
        ("12 Triq il-Merkanti, VLT", merchants("12")),
        ("Valletta House, Triq il-Kbira, Mosta", main_street.clone()),
        ("Castille Hotel, Triq il-Kbira, Mosta", main_street),
        ("Penthouse 8, Marina Court, Tower Road, Sliema", "Triq it-Torri, Sliema: Some(OtherWords)".to_owned()),
        ("Level 2, 171, Old Bakery Street, Valletta", "171 Triq il-Fran, Valletta: None".to_owned()),
        ("Mosta Road, Lija", "Triq Il-Mosta, Lija: None".to_owned()),
        ("12 Triq il-Merkanti, Mosta", elsewhere("12 Triq il-Merkanti, Valletta")),
        ("Triq il-Merkanti, MST 1171", elsewhere("Triq il-Merkanti, Valletta")),
    ] {
        let found = gazetteer.search(text, kitchen, 1).pop().expect(text);
        let shown = format!("{}, {}: {:?}", found.name, found.town.as_deref().unwrap_or_default(), found.doubt);
        if shown != expected {
            wrong.push(format!("{text}: {shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
