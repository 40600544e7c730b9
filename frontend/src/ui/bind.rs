//! Ties spots of a page to what the page knows.
//!
//! Each spot is a plain function of a signal's value. What comes out is boxed, so all texts have one type, whatever signal
//! they read, and a browser's build holds the code of a reactive text once; closures written in place would each bring
//! their own. For the same reason fixed words become owned texts, and classes that come and go are attributes.
//!
//! What a page says and may say otherwise later is [`Live`], written as `inner_html=live(…)` into an element that holds
//! nothing else. A page translator takes text nodes out of the page and puts its own elements in their place: what is
//! written to such a node afterwards is never seen, so everything here is written to the element around it.

use leptos::{
    prelude::*,
    tachys::{
        html::{attribute::IntoAttributeValue, element::InnerHtmlValue},
        renderer::types::Element,
    },
};

/// A text, or an attribute that always has a value.
pub type Text = Box<dyn Fn() -> String + Send>;

/// An attribute that is there or not.
pub type Flag = Box<dyn Fn() -> bool + Send>;

/// An attribute that is absent where it has no value: an address that is empty would be the page's own.
pub type Value = Box<dyn Fn() -> Option<String> + Send>;

/// The text of an element.
pub struct Live(Box<dyn Fn() -> Words + Send>);

/// Words that an element holds alone. They are plain: what looks like markup in them is shown as it is.
#[derive(Clone, Debug)]
pub struct Words(String);

/// The text of an element that follows a signal.
pub fn live<P: Send + Sync + 'static>(signal: RwSignal<P>, text: fn(&P) -> String) -> Live {
    Live(Box::new(move || Words(signal.with(text))))
}

/// The text of an element that is one of a few fixed ones.
pub fn live_word<P: Send + Sync + 'static>(signal: RwSignal<P>, word: fn(&P) -> &'static str) -> Live {
    Live(Box::new(move || Words(signal.with(word).to_owned())))
}

/// The text of one of several alike elements.
pub fn live_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    signal: RwSignal<P>,
    key: K,
    text: fn(&P, K) -> String,
) -> Live {
    Live(Box::new(move || Words(signal.with(|value| text(value, key)))))
}

/// The text of an element that follows whatever `text` reads.
pub fn live_text<T: Into<String>>(text: impl Fn() -> T + Send + 'static) -> Live {
    Live(Box::new(move || Words(text().into())))
}

/// The text of an element that is a signal's value.
pub fn live_value<T: Into<String>>(signal: impl Get<Value = T> + Send + 'static) -> Live {
    live_text(move || signal.get())
}

/// The text of an element that is drawn anew in place when something else is shown there.
pub fn words(text: impl Into<String>) -> Words {
    Words(text.into())
}

impl Words {
    /// As HTML that shows nothing but these words.
    fn escaped(&self) -> String {
        self.0.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }
}

impl IntoAttributeValue for Live {
    type Output = Box<dyn Fn() -> Words + Send>;

    fn into_attribute_value(self) -> Self::Output {
        self.0
    }
}

impl IntoAttributeValue for Words {
    type Output = Self;

    fn into_attribute_value(self) -> Self {
        self
    }
}

/// The element, and what was written to it last.
impl InnerHtmlValue for Words {
    type AsyncOutput = Self;
    type State = (Element, String);
    type Cloneable = Self;
    type CloneableOwned = Self;

    fn html_len(&self) -> usize {
        self.0.len()
    }

    fn to_html(self, html: &mut String) {
        html.push_str(&self.escaped());
    }

    fn to_template(_: &mut String) {}

    fn hydrate<const FROM_SERVER: bool>(self, element: &Element) -> Self::State {
        if FROM_SERVER { (element.clone(), self.0) } else { self.build(element) }
    }

    fn build(self, element: &Element) -> Self::State {
        element.set_text_content(Some(&self.0));
        (element.clone(), self.0)
    }

    fn rebuild(self, (element, written): &mut Self::State) {
        if self.0 != *written {
            element.set_text_content(Some(&self.0));
            *written = self.0;
        }
    }

    fn into_cloneable(self) -> Self {
        self
    }

    fn into_cloneable_owned(self) -> Self {
        self
    }

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }
}

/// A text that follows a signal.
pub fn text<P: Send + Sync + 'static>(signal: RwSignal<P>, text: fn(&P) -> String) -> Text {
    Box::new(move || signal.with(text))
}

/// An attribute with one of a few fixed values.
pub fn word<P: Send + Sync + 'static>(signal: RwSignal<P>, word: fn(&P) -> &'static str) -> Text {
    Box::new(move || signal.with(word).to_owned())
}

/// An attribute that is there or not.
pub fn flag<P: Send + Sync + 'static>(signal: RwSignal<P>, flag: fn(&P) -> bool) -> Flag {
    Box::new(move || signal.with(flag))
}

/// A text for one of several alike spots.
pub fn text_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    signal: RwSignal<P>,
    key: K,
    text: fn(&P, K) -> String,
) -> Text {
    Box::new(move || signal.with(|value| text(value, key)))
}

/// An attribute of one of several alike spots, there or not.
pub fn flag_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    signal: RwSignal<P>,
    key: K,
    flag: fn(&P, K) -> bool,
) -> Flag {
    Box::new(move || signal.with(|value| flag(value, key)))
}

/// An attribute of one of several alike spots, absent where it has no value.
pub fn value_of<P: Send + Sync + 'static, K: Copy + Send + 'static>(
    signal: RwSignal<P>,
    key: K,
    value: fn(&P, K) -> Option<String>,
) -> Value {
    Box::new(move || signal.with(|held| value(held, key)))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_and_never_markup() {
        let owner = Owner::new_root(None);
        owner.set();
        let hostile = RwSignal::new("</p><script>\"a\" & 'b'</script>".to_owned());
        let html = view! { <p inner_html=live(hostile, Clone::clone)></p> }.to_html();
        assert_eq!(html, "<p>&lt;/p&gt;&lt;script&gt;\"a\" &amp; 'b'&lt;/script&gt;</p>");
        let none = view! { <p inner_html=live_text(String::new)></p> }.to_html();
        assert_eq!(none, "<p></p>");
    }
}
