//! The page on which dispatchers sign in to the console: a form that works without scripts.
//!
//! It holds no script at all and works under `default-src 'none'; style-src 'self'; form-action 'self'`.
//! The address that was typed comes back, escaped; the password never does.

use leptos::prelude::*;

use super::shell::{BACKGROUND, Document, render};
use crate::ui::text::PRODUCT;

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginView {
    /// Where to go afterwards, a path of ours; goes along with the form.
    pub next: String,
    /// What was typed as the address before.
    pub email: String,
    /// Why the last attempt was refused.
    pub problem: Option<LoginProblem>,
    /// The address by which the browser asked, when it is not the one that is set.
    pub other_address: Option<OtherAddress>,
    /// Where the style sheet is.
    pub css: String,
    /// Where the icon is.
    pub icon: String,
}

/// An address by which people reach the server, and by which signing in does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherAddress {
    /// What the browser, or a proxy in between, called the server.
    pub host: String,
    /// Where the server is, as its operator has it.
    pub public_url: String,
}

impl OtherAddress {
    /// What is different, then what to do.
    fn text(&self) -> String {
        let Self { host, public_url } = self;
        format!(
            "This server is set up as {public_url}, and was asked for as {host}. If {public_url} is not what your browser \
             shows, an admin sets DOORSTEP_PUBLIC_URL to what it does show; if it is, the proxy must pass the header Host on."
        )
    }
}

/// Why the sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    /// Address and password do not belong together.
    Wrong,
    /// Something was left empty.
    Incomplete,
    /// Too many attempts.
    TooMany {
        /// Seconds to wait before the next one.
        retry_after_s: u32,
    },
    /// The form came from another site's page.
    Foreign,
    /// The server cannot check just now.
    Unavailable,
}

impl LoginProblem {
    /// What happened, then what to do.
    fn text(self) -> String {
        match self {
            Self::Wrong => "Email and password do not match. Check both and try again.".to_owned(),
            Self::Incomplete => "Enter your email and your password.".to_owned(),
            Self::TooMany { retry_after_s } => {
                format!("Too many tries. Wait {retry_after_s} seconds, then try again.")
            }
            Self::Foreign => "That form did not come from this page. Sign in here instead.".to_owned(),
            Self::Unavailable => "We cannot check your password right now. Try again in a moment.".to_owned(),
        }
    }

    /// Whether what was typed is to blame.
    const fn is_about_the_fields(self) -> bool {
        matches!(self, Self::Wrong | Self::Incomplete)
    }
}

/// The page that `GET /login` answers, and `POST /login` when it did not work.
pub fn login_document(view: &LoginView) -> String {
    let view = view.clone();
    let title = if view.problem.is_some() { "Not signed in" } else { "Sign in" };
    render(move || {
        view! {
            <Document
                lang="en"
                title=title.to_owned()
                css=view.css.clone()
                icon=view.icon.clone()
                colours=BACKGROUND
                preloads=().into_any()
                metas=().into_any()
            >
                <main>
                    <p class="product">
                        <Mark />
                        {PRODUCT}
                    </p>
                    {view
                        .other_address
                        .as_ref()
                        .map(|other| {
                            view! {
                                <p class="notice" role="note">
                                    {other.text()}
                                </p>
                            }
                        })}
                    <Form view />
                    <ul class="help">
                        <li>"No account, or the password is lost? An admin of this server makes one."</li>
                        <li>"Couriers sign in with the link or QR code that dispatch gives them."</li>
                    </ul>
                </main>
            </Document>
        }
    })
}

#[component]
fn Form(view: LoginView) -> impl IntoView {
    let is_refused = view.problem.is_some_and(LoginProblem::is_about_the_fields);
    let invalid = is_refused.then_some("true");
    let described_by = is_refused.then_some("problem");
    let has_email = !view.email.is_empty();
    view! {
        <form class="card" method="post" action="/login">
            <h1>"Sign in"</h1>
            <p class="lead">"To the dispatcher’s console"</p>
            {view
                .problem
                .map(|problem| {
                    view! {
                        <p id="problem" role="alert">
                            {problem.text()}
                        </p>
                    }
                })}
            <input type="hidden" name="next" value=view.next />
            <label for="email">"Email"</label>
            // The field that is still empty gets the focus.
            <input
                id="email"
                name="email"
                type="email"
                value=view.email
                autocomplete="username"
                inputmode="email"
                autocapitalize="none"
                spellcheck="false"
                maxlength="254"
                required=true
                autofocus=!has_email
                aria-invalid=invalid
                aria-describedby=described_by
            />
            <label for="password">"Password"</label>
            <input
                id="password"
                name="password"
                type="password"
                autocomplete="current-password"
                maxlength="1024"
                required=true
                autofocus=has_email
                aria-invalid=invalid
                aria-describedby=described_by
            />
            <button type="submit">"Sign in"</button>
        </form>
    }
}

/// The door of the icon, as a picture that says nothing of its own.
#[component]
pub(super) fn Mark() -> impl IntoView {
    view! {
        <svg viewBox="0 0 24 24" width="28" height="28" aria-hidden="true" focusable="false">
            <path d="M4 11.5 12 5l8 6.5V20h-5.5v-5h-5v5H4z" />
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: &str = "\"><script>alert(1)</script><b x='";

    #[test]
    fn what_was_typed_stays_in_its_attribute() {
        let plain = login_document(&LoginView { email: "x".into(), ..LoginView::default() });
        let hostile = login_document(&LoginView { next: PROBE.into(), email: PROBE.into(), ..LoginView::default() });
        let elements = |html: &str| html.matches('<').count();
        assert_eq!(elements(&hostile), elements(&plain));
        assert!(!hostile.contains("<script") && !hostile.contains("<b "));
    }

    #[test]
    fn a_problem_is_said_and_belongs_to_the_fields_when_these_are_to_blame() {
        let page = |problem| login_document(&LoginView { problem: Some(problem), ..LoginView::default() });
        let wrong = page(LoginProblem::Wrong);
        assert!(wrong.contains("role=\"alert\">Email and password do not match."));
        assert_eq!(wrong.matches("aria-describedby=\"problem\"").count(), 2);
        let busy = page(LoginProblem::TooMany { retry_after_s: 30 });
        assert!(busy.contains("Wait 30 seconds") && !busy.contains("aria-invalid"));
        assert!(!login_document(&LoginView::default()).contains("role=\"alert\""));
    }

    #[test]
    fn another_address_than_the_one_that_is_set_is_named_and_stays_text() {
        let other = OtherAddress { host: PROBE.into(), public_url: "https://track.example.com".into() };
        let html = login_document(&LoginView { other_address: Some(other), ..LoginView::default() });
        assert!(html.contains("role=\"note\"") && html.contains("DOORSTEP_PUBLIC_URL"));
        assert!(html.contains("https://track.example.com") && !html.contains("<script"));
        assert!(!login_document(&LoginView::default()).contains("role=\"note\""));
    }

    #[test]
    fn the_form_needs_no_script_and_every_field_has_a_label() {
        let html = login_document(&LoginView::default());
        assert!(!html.contains("<script") && !html.contains(" style=") && !html.contains(" onclick"));
        for field in ["email", "password"] {
            assert!(html.contains(&format!("<label for=\"{field}\"")) && html.contains(&format!(" id=\"{field}\"")));
        }
        assert!(html.contains("method=\"post\" action=\"/login\""));
    }
}
