//! Areas made from extracts: uploaded by an admin, and by the command line beside a running server.

use std::{path::Path, time::Duration};

use doorstep_area::{built_in, library::Library};
use doorstep_server::store::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    cli::{doorstep, output, stdout},
    support::{
        Answer, PATIENCE, Socket, TestApp, TestPerson, Way, extract, now_ms, step, text, with_app, with_settings,
        with_two_instances,
    },
};

/// Two streets that meet, in Brandenburg.
fn two_streets() -> Vec<u8> {
    let long: Vec<_> = (0..20).map(|step| (53.55 + f64::from(step) * 0.001, 13.26)).collect();
    let across: Vec<_> = (0..20).map(|step| (53.56, 13.25 + f64::from(step) * 0.001)).collect();
    let across = [&across[..10], &[(53.56, 13.26)], &across[11..]].concat();
    extract(&[Way { name: "Lange Straße", points: &long }, Way { name: "Querweg", points: &across }])
}

/// Asks again and again until the answer is yes. An import gives way to everything else, to the servers of all other tests,
/// too, so it has more time than other effects.
async fn after_import(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(4 * PATIENCE, asking).await.unwrap_or_else(|_| panic!("{what} took too long"));
}

async fn upload(app: &TestApp, admin: &TestPerson, query: &str, body: Vec<u8>) -> Answer {
    let path = format!("/api/v1/areas{query}");
    Answer::to(app.as_person(admin, Method::POST, &path).body(body)).await
}

async fn areas(app: &TestApp, admin: &TestPerson) -> Value {
    Answer::to(app.as_person(admin, Method::GET, "/api/v1/areas")).await.expect(200)
}

/// The running import once it is over.
async fn outcome(app: &TestApp, admin: &TestPerson) -> Value {
    after_import("the import's end", async || areas(app, admin).await["import"]["state"] != "importing").await;
    areas(app, admin).await["import"].clone()
}

/// What lies hidden in the folder of areas, besides the lock.
fn left_behind(data_dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data_dir.join("areas")).expect("there are areas");
    let names = entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.') && name != ".lock").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_uploads_an_extract_and_the_server_delivers_there() {
    with_app(async |app| {
        let admin = app.person("admin@example.com", Role::Admin).await;
        let before = app.get("/api/v1/area").await.expect(200)["id"].clone();
        let taken = upload(app, &admin, "?name=Two%20streets", two_streets()).await.expect(202);
        assert_eq!(taken["state"], "importing");
        let done = outcome(app, &admin).await;
        assert_eq!(done["state"], "done", "{done}");
        let shown = app.get("/api/v1/area").await.expect(200);
        assert_eq!((&shown["id"], &shown["name"]), (&done["id"], &json!("Two streets")));
        assert_eq!((&shown["time_zone"], &shown["country"]), (&json!("Europe/Berlin"), &json!("DE")));
        let [west, south, east, north] =
            [0_usize, 1, 2, 3].map(|side| shown["bounds"][side].as_f64().expect("a number"));
        assert!(west <= 13.251 && south <= 53.551 && east >= 13.268 && north >= 53.568, "{shown}");
        assert!(app.state().areas.current().roads().is_some_and(|roads| roads.node_count() > 2));

        let listed = areas(app, &admin).await;
        let current: Vec<_> =
            listed["items"].as_array().expect("a list").iter().filter(|it| it["current"] == true).collect();
        assert_eq!((current.len(), &current[0]["id"]), (1, &shown["id"]));
        let id = text(&shown["id"]);
        let call = async |method, path: &str| Answer::to(app.as_person(&admin, method, path)).await;
        call(Method::DELETE, &format!("/api/v1/areas/{id}")).await.expect_problem(409, "area_in_use");
        let back = format!("/api/v1/areas/{}/use", text(&before));
        assert_eq!(call(Method::POST, &back).await.status, 204);
        assert_eq!(app.get("/api/v1/area").await.expect(200)["id"], before);
        assert_eq!(call(Method::DELETE, &format!("/api/v1/areas/{id}")).await.status, 204);
        call(Method::POST, &format!("/api/v1/areas/{id}/use")).await.expect_problem(404, "not_found");
        let built_in = format!("/api/v1/areas/{}", built_in::manifest().area.id);
        call(Method::DELETE, &built_in).await.expect_problem(409, "area_built_in");
        assert_eq!(left_behind(&app.data_dir()), Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_extract_leaves_the_area_in_use_and_says_why() {
    with_app(async |app| {
        let admin = app.person("admin@example.com", Role::Admin).await;
        let before = app.get("/api/v1/area").await.expect(200);
        let whole = two_streets();
        let empty = extract(&[]);
        for broken in [b"not an extract, whatever it is called".to_vec(), whole[..whole.len() - 40].to_vec(), empty] {
            upload(app, &admin, "", broken).await.expect(202);
            let failed = outcome(app, &admin).await;
            assert_eq!(failed["state"], "failed", "{failed}");
            let reason = failed["error"].as_str().expect("a sentence");
            assert!(reason.contains("extract") && !reason.contains("panicked"), "{reason}");
        }
        assert_eq!(app.get("/api/v1/area").await.expect(200), before);
        assert_eq!(left_behind(&app.data_dir()), Vec::<String>::new());
        // The way is free again.
        upload(app, &admin, "", whole).await.expect(202);
        assert_eq!(outcome(app, &admin).await["state"], "done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_bounded_and_one_import_runs_at_a_time() {
    with_settings(&["--area-upload-mb=1"], async |app| {
        let admin = app.person("admin@example.com", Role::Admin).await;
        upload(app, &admin, "", vec![0; 1_000_001]).await.expect_problem(413, "too_large");
        for query in ["?bounds=1,2,3", "?bounds=a,b,c,d", "?name=%00"] {
            upload(app, &admin, query, two_streets()).await.expect_problem(400, "bad_request");
        }
        let other = Library::under(&app.data_dir()).stage().expect("nobody imports");
        upload(app, &admin, "", two_streets()).await.expect_problem(409, "import_running");
        drop(other);
        let cancel = app.as_person(&admin, Method::DELETE, "/api/v1/areas/import");
        Answer::to(cancel).await.expect_problem(404, "not_found");
        upload(app, &admin, "", two_streets()).await.expect(202);
        assert_eq!(outcome(app, &admin).await["state"], "done");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_makes_an_area_that_a_running_server_uses() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let folder = app.data_dir();
        let file = folder.join("streets.osm.pbf");
        std::fs::write(&file, two_streets()).expect("it can be written");
        let command = |arguments: &[&str]| {
            let mut command = doorstep(&["area"]);
            command.args(arguments).arg("--data-dir").arg(&folder);
            command
        };
        let file = file.to_str().expect("a plain path");
        let printed = stdout(command(&["import", file, "--name", "Two streets"])).await;
        let id = printed.strip_suffix('\n').expect("one line");
        assert!(id.starts_with("two-streets-") && !id.contains(char::is_whitespace), "{printed:?}");
        let used = async || app.get("/api/v1/area").await.expect(200)["id"] == json!(id);
        after_import("the server's swap", used).await;
        assert_eq!(phone.expect("area").await["id"], json!(id));
        phone.report(1, &[step(now_ms(), 0)]).await;
        let listed = stdout(command(&["list"])).await;
        assert!(listed.lines().any(|line| line.starts_with(&format!("*\t{id}\tTwo streets\tDE\t"))), "{listed}");
        let shown: Value = serde_json::from_str(&stdout(command(&["show"])).await).expect("JSON");
        assert_eq!(shown["id"], json!(id));
        // The same extract makes the same area, and does no harm.
        assert_eq!(stdout(command(&["import", file, "--name", "Two streets"])).await, printed);

        let built_in = built_in::manifest().area.id.to_string();
        for (arguments, reason) in [
            (vec!["remove", id], "is in use"),
            (vec!["remove", &built_in], "part of this program"),
            (vec!["use", "nowhere-1"], "there is no area nowhere-1"),
            (vec!["use", "../etc"], "--help"),
            (vec!["import", "/nowhere.osm.pbf"], "/nowhere.osm.pbf cannot be read"),
            (vec!["import", file, "--bounds", "1,2,3"], "west,south,east,north"),
        ] {
            let refused = output(command(&arguments)).await;
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && refused.stdout.is_empty(), "{arguments:?}: {said}");
            assert!(said.contains(reason) && !said.contains("panicked"), "{arguments:?}: {said}");
        }
        assert_eq!(left_behind(&folder), Vec::<String>::new());
        stdout(command(&["use", &built_in])).await;
        stdout(command(&["remove", id])).await;
        assert!(!folder.join("areas").join(id).exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_swap_while_couriers_report_through_both() {
    with_two_instances(async |a, b, _| {
        let admin = a.person("admin@example.com", Role::Admin).await;
        let (ana, ben) = (a.courier("Ana").await, a.courier("Ben").await);
        let (order, other) = (a.assigned("A-1", &ana).await, b.assigned("A-2", &ben).await);
        let (mut phone_a, mut phone_b) = (a.connect(&ana).await, b.connect(&ben).await);
        // Each customer is connected to the instance to which the courier does not report.
        let (mut page_a, mut page_b) = (b.watch(&order).await, a.watch(&other).await);
        page_a.expect("snapshot").await;
        page_b.expect("snapshot").await;
        let (start_ms, mut id) = (now_ms(), 0);
        let mut report = async || {
            id += 1;
            let fix = step(start_ms + id as i64 * 1_000, id as i64);
            phone_a.report(id, std::slice::from_ref(&fix)).await;
            phone_b.report(id, &[fix]).await;
        };
        report().await;
        upload(a, &admin, "", two_streets()).await.expect(202);
        let swapped = async |app: &TestApp| app.get("/api/v1/area").await.expect(200)["country"] == "DE";
        after_import("both instances' swap", async || {
            report().await;
            swapped(a).await && swapped(b).await
        })
        .await;
        report().await;
        for page in [&mut page_a, &mut page_b] {
            newest(page, start_ms + id as i64 * 1_000).await;
        }
    })
    .await;
}

/// Reads positions until one has this time.
async fn newest(page: &mut Socket, time_ms: i64) {
    while page.expect("position").await["time_ms"] != json!(time_ms) {}
}
