//! Rules for the whole description of the REST API, so that what a generator makes of it is right.

use std::collections::BTreeSet;

use doorstep_server::{
    auth::{access::Access, scope::Scope},
    http::routes,
};
use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_str(&routes::document()).expect("JSON")
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Every operation with its method and path in front.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| {
            assert!(METHODS.contains(&method.as_str()), "{path}: {method}");
            (format!("{} {path}", method.to_uppercase()), operation)
        })
    });
    operations.collect()
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// What is wrong, all of it, so that one run shows what there is to do.
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn it_describes_the_routes_of_the_api_and_no_others() {
    let document = document();
    let described: BTreeSet<_> = operations(&document).into_iter().map(|(what, _)| what).collect();
    let is_api = |path: &str| path.starts_with("/api/v1/") || path.starts_with("/ingest/");
    let routes = routes::table().iter().filter(|route| is_api(&route.path));
    let served: BTreeSet<_> = routes.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, served);
}

#[test]
fn it_says_what_it_is() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["info"]["license"]["identifier"], "MIT OR Apache-2.0");
    assert!(is_text(&document["info"]["description"]));
    assert_eq!(document["servers"][0]["url"], "/");
    for tag in document["tags"].as_array().expect("tags") {
        assert!(is_text(&tag["description"]), "{tag}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_known_tag_and_a_description() {
    let document = document();
    let tags = document["tags"].as_array().expect("tags");
    let (mut names, mut wrong) = (BTreeSet::new(), Vec::new());
    for (what, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap_or_default();
        let is_camel_case =
            name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(char::is_alphanumeric);
        if !is_camel_case || !names.insert(name.to_owned()) {
            wrong.push(format!("{what}: operationId {name:?}"));
        }
        let summary = operation["summary"].as_str().unwrap_or_default();
        if !is_text(&operation["description"]) || !summary.ends_with('.') || summary.contains('\n') {
            wrong.push(format!("{what}: {summary:?}, {}", operation["description"]));
        }
        if !tags.iter().any(|tag| operation["tags"] == json!([tag["name"]])) {
            wrong.push(format!("{what}: tags {}", operation["tags"]));
        }
    }
    assert_none(&wrong);
}

#[test]
fn every_response_has_a_description_and_every_body_a_schema() {
    let document = document();
    let mut wrong = Vec::new();
    for (what, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let content = response["content"].as_object();
            let empty = status == "204" || what.contains("/ingest/osmand");
            let has_schemas = content.is_some_and(|content| content.values().all(|it| it["schema"].is_object()));
            if !is_text(&response["description"]) || !(has_schemas || content.is_none() && empty) {
                wrong.push(format!("{what}: {status} {response}"));
            }
            let expected =
                json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
            if status.as_str() >= "400" && response["content"] != expected {
                wrong.push(format!("{what}: {status} is a problem, not {}", response["content"]));
            }
            if ["429", "503"].contains(&status.as_str()) && !response["headers"]["Retry-After"].is_object() {
                wrong.push(format!("{what}: {status} says when to come back"));
            }
        }
        if !operation["responses"]["503"].is_object() {
            wrong.push(format!("{what}: the database may be away"));
        }
        if let Some(body) = operation.get("requestBody") {
            let contents = body["content"].as_object().expect("content");
            if contents.is_empty() || !contents.values().all(|content| content["schema"].is_object()) {
                wrong.push(format!("{what}: {body}"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn an_operation_that_takes_a_body_says_how_it_can_be_wrong() {
    let document = document();
    let mut wrong = Vec::new();
    for (what, operation) in operations(&document) {
        let contents = operation["requestBody"]["content"].as_object();
        let too_slow = if what.contains("/ingest/") { "503" } else { "408" };
        for status in ["400", too_slow, "413", "415"] {
            if contents.is_some() && !operation["responses"][status].is_object() {
                wrong.push(format!("{what}: {status}"));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn a_body_may_be_left_out_only_where_the_query_holds_everything_or_nothing_must_be_said() {
    let document = document();
    let optional = ["POST /api/v1/orders/{id}/attempts", "POST /api/v1/orders/{id}/unassign", "POST /ingest/osmand"];
    let with_body = operations(&document).into_iter().filter(|(_, operation)| operation.get("requestBody").is_some());
    let left_out = with_body.filter(|(_, operation)| operation["requestBody"]["required"] == false);
    let left_out: BTreeSet<_> = left_out.map(|(what, _)| what).collect();
    assert_eq!(left_out, optional.map(str::to_owned).into());
}

#[test]
fn every_parameter_is_described_and_bounded() {
    let document = document();
    let mut wrong = Vec::new();
    for (what, operation) in operations(&document) {
        let mut named = BTreeSet::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (name, schema) = (&parameter["name"], &parameter["schema"]);
            let kinds = [&schema["type"], &schema["type"][0]];
            let unbounded_text = kinds.contains(&&json!("string"))
                && ["format", "maxLength", "enum", "pattern"].iter().all(|rule| schema.get(rule).is_none())
                && name != "token";
            let unbounded_limit = name == "limit" && !(schema["minimum"].is_number() && schema["maximum"].is_number());
            if !is_text(&parameter["description"]) || !schema.is_object() || unbounded_text || unbounded_limit {
                wrong.push(format!("{what}: {parameter}"));
            }
            if !named.insert((parameter["in"].to_string(), name.to_string())) {
                wrong.push(format!("{what}: {name} twice"));
            }
        }
        let (_, path) = what.split_once(' ').expect("a path");
        let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        for variable in in_path {
            if !named.contains(&("\"path\"".to_owned(), format!("{variable:?}"))) {
                wrong.push(format!("{what}: {variable} is not described"));
            }
        }
    }
    assert_none(&wrong);
}

/// The schemes of an operation, each with its scopes.
fn security(operation: &Value) -> Vec<(String, Value)> {
    let alternatives = operation["security"].as_array().expect("security").iter();
    let schemes = alternatives.flat_map(|one| one.as_object().expect("schemes").clone());
    schemes.collect()
}

#[test]
fn every_operation_names_the_credentials_that_its_handler_asks_for() {
    let document = document();
    let known = document["components"]["securitySchemes"].as_object().expect("schemes");
    for scheme in known.values() {
        assert!(is_text(&scheme["description"]), "{scheme}");
    }
    let described: Vec<_> = operations(&document);
    for route in routes::table().iter().filter(|route| route.described.is_some()) {
        let what = format!("{} {}", route.method, route.path);
        let (_, operation) = described.iter().find(|(name, _)| *name == what).expect("every route is described");
        let given = security(operation);
        assert!(given.iter().all(|(scheme, _)| known.contains_key(scheme)), "{what}: {given:?}");
        let names: Vec<_> = given.iter().map(|(name, _)| name.as_str()).collect();
        match route.access {
            Access::Anyone | Access::TrackingLink => assert!(given.is_empty(), "{what}: {given:?}"),
            Access::Scopes(scopes) | Access::AdminOrScopes(scopes) => {
                let words: Vec<_> = scopes.iter().copied().map(Scope::as_str).collect();
                assert_eq!(given, [("apiKey".to_owned(), json!(words)), ("session".to_owned(), json!([]))], "{what}");
            }
            Access::ScopesOrCourier(scopes) => {
                let words: Vec<_> = scopes.iter().copied().map(Scope::as_str).collect();
                assert_eq!(given[0], ("apiKey".to_owned(), json!(words)), "{what}");
                assert_eq!(names[1..], ["session", "deviceToken", "courierSession"], "{what}");
            }
            Access::SignedIn | Access::Person | Access::Admin => assert_eq!(names, ["session"], "{what}"),
            Access::Courier => assert_eq!(names, ["deviceToken", "courierSession"], "{what}"),
            Access::Tracker => assert!(names.iter().all(|name| name.starts_with("deviceToken")), "{what}: {names:?}"),
        }
        let refuses = !matches!(route.access, Access::Anyone | Access::TrackingLink | Access::Tracker);
        for status in ["401", "429"] {
            assert!(!refuses || operation["responses"][status].is_object(), "{what}: {status}");
        }
    }
}

/// Every `$ref` below a value.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn nothing_refers_to_what_is_not_there() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{found:?}");
    let dangling: BTreeSet<_> = found
        .into_iter()
        .filter(|reference| reference.strip_prefix('#').is_none_or(|pointer| document.pointer(pointer).is_none()))
        .collect();
    assert!(dangling.is_empty(), "{dangling:?}");
}

#[test]
fn a_repeatable_operation_takes_an_idempotency_key() {
    let document = document();
    for (what, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array();
        let key = parameters.into_iter().flatten().find(|parameter| parameter["name"] == "Idempotency-Key");
        if let Some(key) = key {
            assert_eq!((&key["in"], &key["required"]), (&json!("header"), &json!(false)), "{what}");
            assert_eq!((&key["schema"]["minLength"], &key["schema"]["maxLength"]), (&json!(1), &json!(255)), "{what}");
            assert!(operation["responses"]["409"].is_object(), "{what}");
        }
    }
    for path in ["/api/v1/orders", "/api/v1/couriers", "/api/v1/orders/import"] {
        let parameters = document["paths"][path]["post"]["parameters"].as_array().expect("parameters");
        assert!(parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key"), "{path}");
    }
}
