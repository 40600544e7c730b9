//! How people reach the server: by which address, through which proxy.

use reqwest::Method;

use crate::{
    cli::{Serving, doorstep},
    support::{Answer, eventually, with_app, with_settings},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_page_that_was_opened_at_another_address_says_what_to_set() {
    with_settings(&["--public-url=https://app.example.com"], async |app| {
        let login = |method, host: &str| app.bare(method, "/login").header("host", host);
        let asked = Answer::to(login(Method::GET, "server-1:8080")).await.text();
        assert!(asked.contains("https://app.example.com") && asked.contains("server-1:8080"), "{asked}");
        assert!(asked.contains("DOORSTEP_PUBLIC_URL"), "{asked}");
        let refused = login(Method::POST, "server-1:8080").header("origin", "http://server-1:8080").body("email=x");
        assert!(Answer::to(refused).await.text().contains("DOORSTEP_PUBLIC_URL"), "where it matters most");
        let right = Answer::to(login(Method::GET, "app.example.com")).await.text();
        assert!(!right.contains("DOORSTEP_PUBLIC_URL"), "{right}");
    })
    .await;
    with_app(async |app| {
        let own = Answer::to(app.bare(Method::GET, "/login")).await.text();
        assert!(!own.contains("DOORSTEP_PUBLIC_URL"), "{own}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_trusted_is_mentioned_once_with_what_to_set() {
    with_app(async |app| {
        let data_dir = app.data_dir().join("another").display().to_string();
        let start = async |trust: &str| {
            let mut command = doorstep(&["serve", "--workers", "2", "--data-dir", &data_dir]);
            command.env("DATABASE_URL", &app.database_url).env("DOORSTEP_TRUST_PROXY", trust);
            Serving::start_by(command).await
        };
        for (trust, expected) in [("false", 1), ("true", 0)] {
            let serving = start(trust).await;
            for _ in 0..5 {
                let url = format!("http://{}/health/live", serving.address);
                Answer::to(app.http.get(url).header("x-forwarded-for", "192.0.2.1")).await.expect(200);
            }
            // Logged after what would be said, because a log has an order.
            let url = format!("http://{}/login", serving.address);
            Answer::to(app.http.get(url).header("host", "elsewhere")).await;
            eventually("the last line", async || serving.said("DOORSTEP_PUBLIC_URL") == 1).await;
            assert_eq!(serving.said("DOORSTEP_TRUST_PROXY=true"), expected, "with {trust}");
        }
    })
    .await;
}
