//! Couriers who sign in with a link, in a browser.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Answer, Socket, TestApp, api::text};

/// A courier with a phone that has not signed in yet.
pub(crate) struct Invited {
    pub courier: String,
    pub device: String,
    pub device_token: String,
    pub code: String,
}

impl Invited {
    /// The path of the courier's devices.
    pub(crate) fn devices(&self) -> String {
        format!("/api/v1/couriers/{}/devices", self.courier)
    }

    /// The path of the phone.
    pub(crate) fn device(&self) -> String {
        format!("{}/{}", self.devices(), self.device)
    }
}

/// The secret of a sign-in link.
pub(crate) fn code_in(link: &Value) -> String {
    let url = link["sign_in_url"].as_str().expect("a link");
    url.split_once("/courier#").expect("the code is behind the #").1.to_owned()
}

/// The cookie of an answer, as a browser sends it back.
pub(crate) fn set_cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

impl TestApp {
    /// A courier named Ana, with a phone and its link.
    pub(crate) async fn invite(&self) -> Invited {
        let body = json!({ "name": "Ana", "vehicle": "scooter" });
        let courier = text(&self.post("/api/v1/couriers", &body).await.expect(201)["id"]);
        let path = format!("/api/v1/couriers/{courier}/devices");
        let device = self.post(&path, &json!({ "label": "Ana's phone" })).await.expect(201);
        let (id, device_token) = (text(&device["id"]), text(&device["token"]));
        Invited { courier, device: id, device_token, code: code_in(&device) }
    }

    pub(crate) fn exchange(&self, code: &str) -> RequestBuilder {
        self.bare(Method::POST, "/api/v1/courier/session").json(&json!({ "code": code }))
    }

    /// Exchanges a link's code for a session; its cookie.
    pub(crate) async fn sign_in(&self, code: &str) -> String {
        let answer = Answer::to(self.exchange(code)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        set_cookie(&answer)
    }

    /// The `Origin` that a browser on our own page sends.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connects as the courier who has this cookie, and reads the welcome.
    pub(crate) async fn connect_browser(&self, cookie: &str) -> Socket {
        let headers = [("cookie", cookie), ("origin", &*self.origin())];
        let mut socket = Socket::connect(self, "/ws/courier", &headers).await;
        socket.expect("welcome").await;
        socket
    }
}
