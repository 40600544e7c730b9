//! The document and the service worker of the courier's app.

use serde_json::Value;

use crate::support::{TestApp, with_app};

async fn get(app: &TestApp, path: &str) -> reqwest::Response {
    app.http.get(format!("http://{}{path}", app.address)).send().await.expect("the server answers")
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn the_courier_app_alone_may_ask_for_the_position_and_runs_no_inline_script() {
    with_app(async |app| {
        let page = get(app, "/courier").await;
        assert_eq!(page.status(), 200);
        assert!(header(&page, "permissions-policy").contains("geolocation=(self)"));
        let policy = header(&page, "content-security-policy").to_owned();
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && policy.contains("frame-ancestors 'none'"), "{policy}");
        let html = page.text().await.expect("a page");
        assert!(html.contains("rel=\"manifest\""), "{html}");
        let elsewhere = get(app, "/t/nothing").await;
        assert!(header(&elsewhere, "permissions-policy").contains("geolocation=()"));
    })
    .await;
}

#[tokio::test]
async fn everything_the_service_worker_keeps_is_there_and_nothing_of_it_is_the_api() {
    with_app(async |app| {
        let worker = get(app, "/courier/sw.js").await;
        assert_eq!(header(&worker, "service-worker-allowed"), "/courier");
        let script = worker.text().await.expect("a script");
        let first = script.lines().next().expect("the build's files stand in the first line");
        let shell = first.strip_prefix("const SHELL = ").and_then(|rest| rest.strip_suffix(';'));
        let shell: Value = serde_json::from_str(shell.expect("a constant")).expect("it is JSON");
        let files = shell["files"].as_array().expect("a list");
        assert!(files.len() >= 5, "{shell}");
        for file in files.iter().chain([&shell["page"]]) {
            let path = file.as_str().expect("a path");
            assert!(path.starts_with("/assets/") || path == "/courier", "{path}");
            assert_eq!(get(app, path).await.status(), 200, "{path}");
        }
        let again = get(app, "/courier/sw.js").await.text().await.expect("a script");
        assert_eq!(script, again, "the same build has the same worker, or phones would load it for ever");
    })
    .await;
}
