//! What text of people may hold, and folding it for search: lower case, without marks.
//!
//! The same folding as `search_fold` in the database, so that a search means the same everywhere. Letters of the Latin
//! alphabets of Europe lose their marks, Maltese ħ, ġ, ż and ċ among them; all others only become lower case.

/// Whether a character may stand in text that others read: no control character but a line break, and none that turns the
/// direction of what stands around it (Unicode Standard Annex 9, 2.1 to 2.3), with which one name is made to look like
/// another. Text from right to left needs none of them.
pub fn is_plain(c: char) -> bool {
    !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') && (c == '\n' || !c.is_control())
}

/// `text` in lower case without marks.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(unmarked).filter(|c| !is_combining(*c)).collect()
}

/// The words of a text, folded: the pieces between characters that are neither letters nor digits. An apostrophe ends a
/// word, as a hyphen does: "Sant'Anna" and "il-Merkanti" are two words each.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

const fn unmarked(small: char) -> char {
    match small {
        'ħ' => 'h',
        'ġ' => 'g',
        'ż' | 'ž' => 'z',
        'ċ' | 'ç' | 'č' | 'ć' => 'c',
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ą' => 'a',
        'è' | 'é' | 'ê' | 'ë' | 'ę' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ñ' | 'ń' => 'n',
        'ý' | 'ÿ' => 'y',
        'š' | 'ś' => 's',
        'ł' => 'l',
        other => other,
    }
}

/// Marks that stand behind their letter: what some keyboards send for "ż".
const fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_hides_in_text_is_known_and_no_script_is() {
        for plain in ["Ana\nGalea", "שרה כהן", "مريم", "Łódź", "王小明", "O\u{2019}Neill", "👩\u{200d}🍳"]
        {
            assert!(plain.chars().all(is_plain), "{plain:?}");
        }
        for hidden in ['\0', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{202e}', '\u{202a}', '\u{2066}', '\u{2069}'] {
            assert!(!is_plain(hidden), "{hidden:?}");
        }
    }

    #[test]
    fn marks_and_capitals_do_not_matter() {
        assert_eq!(fold("Ħaż-Żebbuġ"), "haz-zebbug");
        assert_eq!(fold("Z\u{307}ebbuG\u{307}"), "zebbug");
        assert_eq!(fold("ŁÓDŹ"), "lodź", "a letter that is not listed keeps its mark");
        assert_eq!(words("12, Triq Sant'Anna / il-Furjana"), ["12", "triq", "sant", "anna", "il", "furjana"]);
        assert!(words(" -'., ").is_empty());
    }

    proptest! {
        #[test]
        fn what_is_folded_stays_as_it_is(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
