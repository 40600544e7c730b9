//! Addresses without a network.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, BUILT_IN_AREA, TestApp, with_app, with_settings};

async fn ask(app: &TestApp, query: &[(&str, &str)]) -> Vec<Value> {
    let answer = Answer::to(app.request(Method::GET, "/api/v1/places").query(query)).await.expect(200);
    answer["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_found_by_what_is_typed_and_by_a_click() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let found = ask(app, &[("q", "triq merk"), ("near", "35.8980,14.5125")]).await;
        assert_eq!(found[0]["address"], json!("Triq il-Merkanti, Valletta"));
        assert_eq!((&found[0]["kind"], &found[0]["town"]), (&json!("street"), &json!("Valletta")));
        assert!(found[0]["distance_m"].as_u64().is_some_and(|metres| metres < 1_000), "{}", found[0]);
        let at = format!("{},{}", found[0]["lat"], found[0]["lon"]);
        let here = ask(app, &[("at", &at)]).await;
        assert!(
            here.iter().any(|place| place["name"].as_str().is_some_and(|name| name.ends_with("Triq il-Merkanti"))),
            "{here:?}"
        );
        assert_eq!(ask(app, &[("q", "gzira"), ("limit", "1")]).await.len(), 1);
        assert!(ask(app, &[("q", "")]).await.is_empty());
        let town = &ask(app, &[("q", "hamrun")]).await[0];
        assert_eq!((&town["kind"], town.get("town"), &town["address"]), (&json!("town"), None, &json!("Hamrun")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_places_is_one_of_two() {
    with_app(async |app| {
        for query in [
            "",
            "at=35.9",
            "at=91,0",
            "at=x,y",
            "q=a&at=35.9,14.5",
            "near=35.9,14.5",
            "q=a&limit=0",
            "q=a&limit=21",
            "q=a&near=NaN,0",
        ] {
            app.get(&format!("/api/v1/places?{query}")).await.expect_problem(400, "bad_request");
        }
        let long = format!("/api/v1/places?q={}", "x".repeat(201));
        app.get(&long).await.expect_problem(400, "bad_request");
        Answer::to(app.bare(Method::GET, "/api/v1/places?q=a")).await.expect_problem(401, "unauthorized");
    })
    .await;
}
