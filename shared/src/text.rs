//! Folds text for search: lower case, without marks.
//!
//! The same folding as `search_fold` in the database, so that a search means the same everywhere. Letters of the Latin
//! alphabets of Europe lose their marks, Maltese ħ, ġ, ż and ċ among them; all others only become lower case.

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
