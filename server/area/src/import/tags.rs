//! The tags of an element.
//!
//! What they mean for streets, addresses and tiles is added where it is asked for.

/// Keys and values, as OpenStreetMap has them. Few elements have more than ten, so looking at each is quickest.
#[derive(Debug, Default)]
pub(super) struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    pub(super) fn new(tags: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self(tags.collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key without spaces around it; `None` for an empty one.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let value = self.0.iter().find(|(own, _)| *own == key)?.1.trim();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn is(&self, key: &str, value: &str) -> bool {
        self.get(key) == Some(value)
    }

    /// The values of all keys that `is_key` takes, in the element's order.
    pub(super) fn of_keys(&self, is_key: impl Fn(&str) -> bool) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| is_key(key)).map(|(_, value)| value.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_around_a_value_tell_nothing() {
        let tags = Tags::new([("name", " Ringstraße "), ("note", "  ")].into_iter());
        assert_eq!((tags.get("name"), tags.get("note"), tags.get("ref")), (Some("Ringstraße"), None, None));
        assert!(tags.is("name", "Ringstraße") && !tags.is_empty());
    }
}
