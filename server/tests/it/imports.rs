//! Orders from a spreadsheet.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, BUILT_IN_AREA, Socket, TestApp, text, with_app, with_settings};

const FILE: &str = "\u{feff}Reference;Pickup address;Pickup lat;Pickup lon;Dropoff address;Customer name;Promised until;Proof;Shelf\r\n\
    S-1;\"Kitchen; back door\";35,898;14,5125;12 Triq il-Merkanti, Valletta;Eve;18:30;pin;7\r\n\
    S-2;Kitchen;35,898;14,5125;Triq ir-Repubblika, Flat 3, Valletta;Adam;;;\r\n\
    S-3;Kitchen;95;14,5;Nowhere at all;;soon;;\r\n";

async fn send(app: &TestApp, query: &str, file: &str, key: Option<&str>) -> Answer {
    let request = app.request(Method::POST, &format!("/api/v1/orders/import{query}"));
    let request = request.header("content-type", "text/csv; charset=utf-8").body(file.to_owned());
    Answer::to(match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    })
    .await
}

/// A file as a browser sends it: bytes, without a word about their encoding.
async fn send_bytes(app: &TestApp, query: &str, file: &[u8]) -> Answer {
    let request = app.request(Method::POST, &format!("/api/v1/orders/import{query}"));
    Answer::to(request.header("content-type", "text/csv").body(file.to_owned())).await
}

async fn references(app: &TestApp) -> Vec<String> {
    let orders = app.get("/api/v1/orders?limit=1000").await.expect(200);
    let items = orders["items"].as_array().expect("items").iter();
    items.map(|order| order["reference"].as_str().expect("a reference").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_says_what_each_row_would_become_and_creates_nothing() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let preview = send(app, "?preview=true", FILE, None).await.expect(200);
        assert_eq!((&preview["valid"], &preview["invalid"]), (&json!(2), &json!(1)));
        assert_eq!(preview["ignored_columns"], json!(["Shelf"]));
        let rows = preview["rows"].as_array().expect("rows");
        let merchants = &rows[0]["order"];
        assert_eq!((&rows[0]["line"], &merchants["pickup"]["address"]), (&json!(2), &json!("Kitchen; back door")));
        assert_eq!(merchants["dropoff"]["address"], json!("12 Triq il-Merkanti, Valletta"));
        assert!((35.89..35.91).contains(&merchants["dropoff"]["lat"].as_f64().expect("degrees")), "{merchants}");
        assert_eq!(merchants["proof"], json!(["pin"]));
        assert!(rows[1]["order"].is_object(), "a flat that no map knows does not hide its street: {}", rows[1]);
        let complaints: Vec<_> =
            rows[2]["errors"].as_array().expect("errors").iter().map(|error| error["column"].clone()).collect();
        assert_eq!(complaints, ["pickup_lat", "dropoff_address", "promised_until", "customer_name"], "{}", rows[2]);
        assert_eq!((&rows[2]["line"], &rows[2]["errors"][0]["position"]), (&json!(4), &json!(3)));
        assert!(references(app).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_in_a_cell_is_its_row_s_error() {
    with_app(async |app| {
        let head = "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,dropoff_lat,dropoff_lon,customer_name,note\n";
        let cells = ["S-1", "Kitchen", "35.898", "14.5125", "Here", "35.9", "14.51", "Eve", "x"];
        for at in [0, 1, 4, 7, 8] {
            let mut row = cells.map(str::to_owned);
            row[at].push('\0');
            let file = format!("{head}{}\nS-2{}\n", row.join(","), cells.join(",").trim_start_matches("S-1"));
            let preview = send(app, "?preview=true", &file, None).await.expect(200);
            assert_eq!((&preview["valid"], &preview["invalid"]), (&json!(1), &json!(1)), "{at}: {preview}");
            assert!(preview["rows"][0]["errors"].as_array().is_some_and(|errors| !errors.is_empty()), "{at}");
            send(app, "", &file, None).await.expect_problem(422, "invalid_fields");
        }
        let found = send(app, "?preview=true", &format!("{head}S-1,K\0,,,H\0,,,Eve,\n"), None).await;
        assert_eq!(found.expect(200)["invalid"], json!(1), "looked up nowhere");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_orders_all_or_only_the_right_ones_and_once() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let refused = send(app, "", FILE, Some("monday")).await.expect_problem(422, "invalid_fields");
        assert_eq!(refused["errors"][0]["field"], json!("line 4, Pickup lat"));
        assert!(references(app).await.is_empty(), "one wrong row, no order");
        let imported = send(app, "?only_valid=true", FILE, Some("tuesday")).await.expect(201);
        let created = imported["created"].as_array().expect("orders");
        assert_eq!(created.iter().map(|order| order["reference"].clone()).collect::<Vec<_>>(), ["S-1", "S-2"]);
        assert_eq!(imported["skipped"][0]["line"], json!(4));
        assert_eq!(created[0]["delivery_pin"].as_str().map(str::len), Some(4));
        assert!(created[1].get("delivery_pin").is_none());
        for order in created {
            let url = order["tracking_url"].as_str().expect("a link");
            assert_eq!(Answer::to(app.http.get(url)).await.status, 200, "{url}");
        }
        let again = send(app, "?only_valid=true", FILE, Some("tuesday")).await;
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(again.expect(201), imported);
        assert_eq!(references(app).await.len(), 2);
        let preview = send(app, "?preview=true", FILE, None).await.expect(200);
        let warnings = preview["rows"][1]["warnings"].to_string();
        assert!(warnings.contains("there is an order with this reference already"), "{warnings}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_two_thousand_orders_is_taken_and_a_longer_one_refused() {
    with_app(async |app| {
        let header =
            "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,dropoff_lat,dropoff_lon,customer_name\n";
        let rows =
            |count: usize| (0..count).map(|n| format!("B-{n},Kitchen,35.9,14.5,Door {n},35.91,14.51,Customer {n}\n"));
        let file: String = std::iter::once(header.to_owned()).chain(rows(2_000)).collect();
        let imported = send(app, "", &file, None).await.expect(201);
        assert_eq!(imported["created"].as_array().map(Vec::len), Some(2_000));
        let counts: Value = app.get("/api/v1/orders/counts").await.expect(200);
        assert_eq!(counts["unassigned"], json!(2_000));
        let longer: String = std::iter::once(header.to_owned()).chain(rows(2_001)).collect();
        let refused = send(app, "", &longer, None).await.expect_problem(422, "invalid_fields");
        assert!(
            refused["errors"][0]["message"].as_str().is_some_and(|words| words.contains("more than 2000")),
            "{refused}"
        );
        send(app, "", &"x".repeat(1024 * 1024 + 1), None).await.expect_problem(413, "too_large");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_such_file_is_refused_in_words() {
    with_app(async |app| {
        let missing = send(app, "", "reference,customer_name\n", None).await.expect_problem(422, "invalid_fields");
        assert!(
            missing["errors"][0]["message"].as_str().is_some_and(|words| words.contains("pickup_address")),
            "{missing}"
        );
        let preview = send(app, "?preview=true", "reference,customer_name\n", None).await.expect(200);
        assert_eq!(preview["missing_columns"], json!(["pickup_address", "dropoff_address"]));
        for query in ["", "?preview=true"] {
            send(app, query, "", None).await.expect_problem(422, "invalid_fields");
        }
        let json = app.post("/api/v1/orders/import", &json!([])).await;
        json.expect_problem(415, "unsupported_media_type");
        send(app, "?preview=perhaps", FILE, None).await.expect_problem(400, "bad_request");
        let anonymous = app.bare(Method::POST, "/api/v1/orders/import").header("content-type", "text/csv").body(FILE);
        Answer::to(anonymous).await.expect_problem(401, "unauthorized");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatchers_see_the_orders_of_a_file_appear_and_nothing_of_a_preview() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let authorization = format!("Bearer {}", app.key);
        let mut console = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
        assert_eq!(console.expect("snapshot").await["orders"], json!([]));
        send(app, "?preview=true", FILE, None).await.expect(200);
        let created = send(app, "?only_valid=true", FILE, None).await.expect(201)["created"].clone();
        let mut expected: Vec<_> = created.as_array().expect("orders").iter().map(|order| text(&order["id"])).collect();
        let mut seen = Vec::new();
        for _ in 0..expected.len() {
            let order = console.expect("order").await["order"].clone();
            assert_eq!(order["status"], "created");
            seen.push(text(&order["id"]));
        }
        expected.sort();
        seen.sort();
        assert_eq!((seen.len(), seen), (2, expected));
        let later = console.everything_so_far().await;
        assert!(later.iter().all(|message| message["type"] != "order"), "each once, and no others: {later:?}");
    })
    .await;
}

const FOREIGN: &str = "Nr,Who,Where from,Where to,Phone,Box,Remarks\n\
    W-1,Eve,\"Triq ir-Repubblika, Valletta\",\"12 Triq il-Merkanti, Valletta\",21000001,3,fragile\n\
    W-2,Adam,\"Triq ir-Repubblika, Valletta\",Nowhere at all,,many,\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_headings_of_its_own_is_mapped_column_by_column() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let preview = send(app, "?preview=true", FOREIGN, None).await.expect(200);
        assert_eq!((&preview["rows"], &preview["valid"]), (&json!([]), &json!(0)));
        assert_eq!(
            preview["missing_columns"],
            json!(["reference", "pickup_address", "dropoff_address", "customer_name"])
        );
        let columns = preview["columns"].as_array().expect("columns");
        assert_eq!(columns[1], json!({ "position": 2, "heading": "Who", "samples": ["Eve", "Adam"] }));
        assert_eq!(columns[4]["column"], json!("customer_phone"), "what it knows by itself");
        send(app, "", FOREIGN, None).await.expect_problem(422, "invalid_fields");

        let mapping = "columns=reference,customer_name,pickup_address,dropoff_address,customer_phone,size,";
        let preview = send(app, &format!("?preview=true&{mapping}"), FOREIGN, None).await.expect(200);
        assert_eq!((&preview["valid"], &preview["invalid"]), (&json!(1), &json!(1)), "{preview}");
        assert!(preview.get("missing_columns").is_none());
        assert_eq!(preview["ignored_columns"], json!(["Remarks"]), "left out, though its heading is known");
        let order = &preview["rows"][0]["order"];
        assert_eq!((&order["customer"]["phone"], &order["size"]), (&json!("21000001"), &json!(3)));
        let complaints: Vec<_> = preview["rows"][1]["errors"].as_array().expect("errors").iter().collect();
        assert_eq!(
            (&complaints[0]["heading"], &complaints[0]["column"]),
            (&json!("Where to"), &json!("dropoff_address"))
        );
        let refused = send(app, &format!("?{mapping}"), FOREIGN, None).await.expect_problem(422, "invalid_fields");
        assert_eq!(refused["errors"][1]["field"], json!("line 3, Box"), "{refused}");
        let imported = send(app, &format!("?only_valid=true&{mapping}"), FOREIGN, None).await.expect(201);
        assert_eq!(imported["created"][0]["reference"], json!("W-1"));

        for (wrong, words) in [
            ("columns=reference,shelf", "shelf"),
            ("columns=reference,reference", "reference is there twice"),
            ("columns=,,,,,,,note", "8 columns; the file has 7"),
        ] {
            let refused = send(app, &format!("?preview=true&{wrong}"), FOREIGN, None).await;
            let refused = refused.expect_problem(422, "invalid_fields");
            let message = refused["errors"][0]["message"].as_str().expect("words");
            assert!(message.contains(words), "{message}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_is_a_file_that_the_import_takes() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let template = app.get("/api/v1/orders/import/template").await;
        assert_eq!((template.status.as_u16(), template.header("content-type")), (200, "text/csv; charset=utf-8"));
        assert!(template.header("content-disposition").contains("orders-template.csv"));
        let file = template.text();
        assert!(file.starts_with("\u{feff}Reference,Pickup address,"), "{file}");
        let preview = send(app, "?preview=true", &file, None).await.expect(200);
        assert_eq!((&preview["valid"], &preview["invalid"]), (&json!(2), &json!(0)), "{preview}");
        assert_eq!(preview["ignored_columns"], json!([]));
        let order = &preview["rows"][1]["order"];
        assert_eq!((&order["requires"], &order["service_s"]), (&json!(["cold"]), &json!(120)));
    })
    .await;
}

const COLUMNS: &str = "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,dropoff_lat,dropoff_lon,\
    customer_name,customer_phone,promised_from,promised_until";
const EVES: &str = "A-1,Kitchen,35.8935,14.5005,12 Triq il-Merkanti,35.8989,14.5145,Eve,+35679000000,,";

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// An `ë` of Windows-1252 in the place of the `_` behind "Zo".
fn windows(text: &str) -> Vec<u8> {
    let at = text.find("Zo_").expect("a name") + 2;
    [&text.as_bytes()[..at], &[0xeb], &text.as_bytes()[at + 1..]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_as_spreadsheets_and_shops_save_it() {
    let plain = format!("{COLUMNS}\r\n{EVES}\r\n");
    let files: [(&str, Vec<u8>, &str); 8] = [
        (
            "declared",
            format!("\u{feff}sep=;\r\n{}", plain.replace(',', ";").replace("35.8935", "35,8935")).into(),
            "UTF-8",
        ),
        ("declared comma", format!("sep=,\r\n{plain}").into(), "UTF-8"),
        ("tabs", plain.replace(',', "\t").into(), "UTF-8"),
        ("old Macintosh", plain.replace("\r\n", "\r").into(), "UTF-8"),
        ("UTF-16", utf16(&plain), "UTF-16LE"),
        ("quoted headings", format!("\u{feff}\"{}\"\r\n{EVES}\r\n", COLUMNS.replace(',', "\",\"")).into(), "UTF-8"),
        (
            "German headings",
            plain.replace("reference", "Bestellnummer").replace("dropoff_address", "Lieferadresse").into(),
            "UTF-8",
        ),
        ("Windows", windows(&plain.replace(",Eve,", ",Zo_,")), "windows-1252"),
    ];
    with_settings(&[BUILT_IN_AREA], async |app| {
        for (name, file, encoding) in files {
            let is_windows = encoding == "windows-1252";
            let preview = send_bytes(app, "?preview=true", &file).await.expect(200);
            assert_eq!((&preview["encoding"], &preview["valid"]), (&json!(encoding), &json!(1)), "{name}: {preview}");
            let row = &preview["rows"][0];
            let order = &row["order"];
            assert_eq!(
                (&order["pickup"]["lat"], &order["dropoff"]["lon"]),
                (&json!(35.8935), &json!(14.5145)),
                "{name}"
            );
            assert_eq!(order["customer"]["name"], json!(if is_windows { "Zo\u{eb}" } else { "Eve" }), "{name}");
            assert_eq!(row["warnings"], json!([]), "{name}");
            assert_eq!(row["line"], json!(if name.starts_with("declared") { 3 } else { 2 }), "{name}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cells_may_have_lines_and_addresses_become_one() {
    let file = format!(
        "{COLUMNS},dropoff_instructions\r\n{EVES},\"Gate 12\r\n\r\nSecond floor\"\r\n\
         {}\r\n",
        EVES.replace("A-1", "A-2").replace("12 Triq il-Merkanti", "\"12 Triq il-Merkanti,\nValletta\"") + ",ring twice"
    );
    with_settings(&[BUILT_IN_AREA], async |app| {
        let preview = send_bytes(app, "?preview=true", file.as_bytes()).await.expect(200);
        assert_eq!(preview["valid"], json!(2), "{preview}");
        let dropoff = |row: usize| preview["rows"][row]["order"]["dropoff"].clone();
        assert_eq!(dropoff(0)["instructions"], json!("Gate 12\nSecond floor"));
        assert_eq!(dropoff(1)["address"], json!("12 Triq il-Merkanti, Valletta"));
        assert_eq!(preview["rows"][1]["line"], json!(5), "the row before spans three lines");
        send_bytes(app, "", file.as_bytes()).await.expect(201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_wrong_is_said_by_the_preview_and_by_the_import_alike() {
    let row = |lat: &str, lon: &str, phone: &str| {
        let row = EVES.replace("35.8989,14.5145", &format!("{lat},{lon}")).replace("+35679000000", phone);
        format!("{COLUMNS}\n{row}\n")
    };
    let phone = "+35679000000";
    with_settings(&[BUILT_IN_AREA], async |app| {
        for (file, column, words) in [
            (
                row("14.5145", "35.8989", phone),
                "dropoff_lat",
                "km from its pickup; latitude and longitude look exchanged",
            ),
            (row("0", "0", phone), "dropoff_lat", "km from its pickup; 0, 0 is a point in the Atlantic"),
            (row("35.8989", "145.145", phone), "dropoff_lat", "km from its pickup"),
            (row("36.5", "14.5", phone), "dropoff_lat", "outside the area"),
            (row("35.8989", "14.5145", "7900 0001 Paul"), "customer_phone", "does not look like a phone number"),
        ] {
            let preview = send_bytes(app, "?preview=true", file.as_bytes()).await.expect(200);
            let warnings = preview["rows"][0]["warnings"].clone();
            let message = warnings[0]["message"].as_str().expect("a warning");
            assert!(warnings[0]["column"] == column && message.contains(words), "{preview}");
            let imported = send_bytes(app, "", file.as_bytes()).await.expect(201);
            // The import before has left an order with this reference.
            let without_reference = |warnings: &Value| {
                let warnings = warnings.as_array().expect("warnings").iter();
                warnings.filter(|warning| warning["column"] != "reference").cloned().collect::<Vec<_>>()
            };
            let created = &imported["created"][0];
            assert_eq!(without_reference(&created["warnings"]), without_reference(&warnings));
            assert_eq!(imported["encoding"], preview["encoding"]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_spreadsheet_destroyed_is_refused_by_the_preview_and_by_the_import_alike() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        for (from, to, column, words) in [
            ("+35679000000", "3.5679E+11", "customer_phone", "a spreadsheet turned this number into 3.5679E+11"),
            ("35.8989", "358989", "dropoff_lat", "358989 has lost its decimal point"),
            (",,", ",,46347.77", "promised_until", "a spreadsheet's number of a day"),
        ] {
            let file = format!("{COLUMNS}\n{}\n", EVES.replace(from, to));
            let preview = send_bytes(app, "?preview=true", file.as_bytes()).await.expect(200);
            let error = &preview["rows"][0]["errors"][0];
            assert_eq!(error["column"], json!(column), "{preview}");
            assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{preview}");
            let refused = send_bytes(app, "", file.as_bytes()).await.expect_problem(422, "invalid_fields");
            assert_eq!(refused["errors"][0]["message"], error["message"]);
        }
        let workbook = send_bytes(app, "", b"PK\x03\x04and so on").await.expect_problem(422, "invalid_fields");
        assert!(workbook["errors"][0]["message"].as_str().is_some_and(|words| words.contains("CSV UTF-8")));
        assert!(references(app).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_is_of_its_own_day_and_may_pass_midnight() {
    let promised = |from: &str, until: &str| format!("{COLUMNS}\n{}{from},{until}\n", &EVES[..EVES.len() - 1]);
    with_settings(&[BUILT_IN_AREA], async |app| {
        let order = async |file: String| {
            let preview = send_bytes(app, "?preview=true", file.as_bytes()).await.expect(200);
            let order = preview["rows"][0]["order"].clone();
            let time = |end: &str| {
                order[end].as_str().expect("a time").parse::<chrono::DateTime<chrono::Utc>>().expect("RFC 3339")
            };
            (time("promised_from"), time("promised_until"))
        };
        let utc = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().expect("a time");
        let summer = order(promised("2027-03-29 12:00", "2027-03-29 14:00")).await;
        assert_eq!(summer, (utc("2027-03-29T10:00:00Z"), utc("2027-03-29T12:00:00Z")));
        let written = order(promised("29/03/2027 12:00", "2 PM")).await;
        assert_eq!(written, summer);
        let (from, until) = order(promised("23:30", "00:30")).await;
        assert_eq!((until - from).num_minutes(), 60);
        let (from, until) = order(promised("", "23:30–00:30")).await;
        assert_eq!((until - from).num_minutes(), 60, "both ends in one cell");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_pickup_is_known_by_its_name() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let place = json!({ "lat": 35.8935, "lon": 14.5005, "address": "Xatt il-Barriera, Valletta",
            "instructions": "at the back", "phone": "+356 2100 0002" });
        app.post("/api/v1/pickups", &json!({ "name": "Żebbuġ Kitchen", "place": place })).await.expect(201);
        let rows = async |file: &str| send(app, "?preview=true", file, None).await.expect(200)["rows"].clone();
        let named = rows(
            "reference,pickup,dropoff_address,customer_name\n\
             A-1,zebbug kitchen,\"12 Triq il-Merkanti, Valletta\",Eve\n\
             A-2,Nowhere Kitchen,\"12 Triq il-Merkanti, Valletta\",Eve\n",
        )
        .await;
        assert_eq!(named[0]["order"]["pickup"], place, "{named}");
        assert_eq!(named[1]["errors"][0]["column"], json!("pickup"));
        let message = named[1]["errors"][0]["message"].as_str().expect("words");
        assert!(message.starts_with("no saved pickup has this name"), "{message}");

        let beside = rows(
            "reference,pickup,pickup_address,pickup_instructions,dropoff_address,customer_name\n\
             A-1,,Żebbuġ Kitchen,,\"12 Triq il-Merkanti, Valletta\",Eve\n\
             A-2,Żebbuġ Kitchen,\"Triq ir-Repubblika, Valletta\",at the front,\"12 Triq il-Merkanti, Valletta\",Eve\n\
             A-3,Another,\"Triq ir-Repubblika, Valletta\",,\"12 Triq il-Merkanti, Valletta\",Eve\n",
        )
        .await;
        assert_eq!(beside[0]["order"]["pickup"], place, "its name in the place of its address");
        let own = &beside[1]["order"]["pickup"];
        assert_eq!((&own["address"], &own["phone"]), (&json!("Triq ir-Repubblika, Valletta"), &place["phone"]));
        assert_eq!(own["instructions"], json!("at the front"), "what the row says itself counts");
        assert_ne!(own["lat"], place["lat"], "another address is another point");
        assert_eq!(
            beside[2]["warnings"][0]["message"],
            json!("no saved pickup has this name; the pickup address counts")
        );
    })
    .await;
}
