//! What a courier chose for this phone alone: the colours, the sound, and that the hint about installing was read.
//!
//! Kept in the browser's local storage. Where that is closed (private windows) a choice lasts until the app is left.
//! `js/theme.js` reads the theme before the first paint, under the same name.

/// Light, dark, or as the phone says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the phone says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// Every theme, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// The value of `data-theme`; none follows the phone.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    /// The theme of a word; an unknown one follows the phone.
    pub fn from_word(word: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|theme| theme.word() == word).unwrap_or_default()
    }
}

/// The theme that was chosen on this phone.
pub fn theme() -> Theme {
    Theme::from_word(store::get(store::THEME).as_deref())
}

/// Keeps a theme and shows the page in it.
pub fn set_theme(theme: Theme) {
    store::set(store::THEME, theme.word());
    store::show(theme);
}

/// Whether what dispatch changes is told by sound and vibration.
pub fn is_sound_on() -> bool {
    store::get(store::SOUND).is_none()
}

/// Keeps whether it is.
pub fn set_sound(is_on: bool) {
    store::set(store::SOUND, (!is_on).then_some("off"));
}

/// Whether the hint about installing was read.
pub fn is_install_hint_read() -> bool {
    store::get(store::INSTALL_HINT).is_some()
}

/// The hint about installing was read.
pub fn read_install_hint() {
    store::set(store::INSTALL_HINT, Some("read"));
}

#[cfg(feature = "courier")]
mod store {
    use super::Theme;

    pub const THEME: &str = "doorstep.theme";
    pub const INSTALL_HINT: &str = "doorstep.install-hint";
    pub const SOUND: &str = "doorstep.sound";

    fn storage() -> Option<web_sys::Storage> {
        web_sys::window()?.local_storage().ok().flatten()
    }

    pub fn get(name: &str) -> Option<String> {
        storage()?.get_item(name).ok().flatten()
    }

    pub fn set(name: &str, value: Option<&str>) {
        let Some(storage) = storage() else { return };
        // A full or closed storage costs no more than the choice.
        let _ = match value {
            Some(value) => storage.set_item(name, value),
            None => storage.remove_item(name),
        };
    }

    pub fn show(theme: Theme) {
        let Some(page) = web_sys::window().and_then(|window| window.document()?.document_element()) else { return };
        let _ = match theme.word() {
            Some(word) => page.set_attribute("data-theme", word),
            None => page.remove_attribute("data-theme"),
        };
    }
}

#[cfg(not(feature = "courier"))]
mod store {
    use super::Theme;

    pub const THEME: &str = "";
    pub const INSTALL_HINT: &str = "";
    pub const SOUND: &str = "";

    pub fn get(_: &str) -> Option<String> {
        None
    }

    pub fn set(_: &str, _: Option<&str>) {}

    pub fn show(_: Theme) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_is_found_again_by_its_word() {
        for theme in Theme::ALL {
            assert_eq!(Theme::from_word(theme.word()), theme);
        }
        assert_eq!(Theme::from_word(Some("blue")), Theme::Auto);
    }
}
