//! People at the console.

use doorstep_server::{
    platform::password,
    store::access::{Role, User},
};
use doorstep_shared::UserId;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{Answer, TestApp};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A person who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct TestPerson {
    pub id: UserId,
    /// `name=value` of their session's cookie.
    pub cookie: String,
}

impl TestApp {
    /// Adds a person with [`PASSWORD`].
    pub(crate) async fn register(&self, email: &str, role: Role) -> UserId {
        let hashing = tokio::task::spawn_blocking(|| password::hash(PASSWORD));
        let password_hash = hashing.await.expect("hashing does not panic");
        let user = User { id: UserId::new(), email: email.to_owned(), password_hash, role };
        assert!(self.state().store.create_user(&user).await.expect("the database is there"));
        user.id
    }

    /// Adds a person and signs them in.
    pub(crate) async fn person(&self, email: &str, role: Role) -> TestPerson {
        let id = self.register(email, role).await;
        TestPerson { id, cookie: self.signed_in(email).await }
    }

    /// A new session of a person with [`PASSWORD`].
    pub(crate) async fn signed_in(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = Answer::to(self.bare(Method::POST, "/api/v1/session").json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.cookie()
    }

    /// A request with a person's session.
    pub(crate) fn as_person(&self, person: &TestPerson, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("cookie", &person.cookie)
    }
}

impl Answer {
    /// `name=value` of the cookie that this answer sets.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }
}
