//! What text of people may hold, and folding it for search: lower case, without marks.
//!
//! Latin letters lose their marks, those of Maltese, Turkish, Scandinavia, the Baltic, Hungary and Vietnam among them, and
//! letters that only look marked (ø, ł, ħ, ı) become their base; so do Greek letters with their accents and Cyrillic ones
//! such as ё. Letters of other scripts only become lower case and lose their vowel signs. A table of its own, and not all of
//! Unicode, because browsers load it.

/// Whether a character may stand in text that others read: no control character but a line break, and none that turns the
/// direction of what stands around it (Unicode Standard Annex 9, 2.1 to 2.3), with which one name is made to look like
/// another. Text from right to left needs none of them.
pub fn is_plain(c: char) -> bool {
    !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') && (c == '\n' || !c.is_control())
}

/// `text` in lower case without marks.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).filter(|c| !is_combining(*c)).flat_map(unmarked).collect()
}

/// The words of a text, folded: the pieces between characters that are neither letters nor digits. An apostrophe ends a
/// word, as a hyphen does: "Sant'Anna" and "il-Merkanti" are two words each.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Letters with marks, behind what people type for them who lack the marks.
const MARKED: [(&str, &str); 57] = [
    // Latin, with Vietnamese
    ("a", "àáâãäåæāăąǎǟǡǣǻǽȁȃȧḁẚạảấầẩẫậắằẳẵặ"),
    ("b", "ƀḃḅḇ"),
    ("c", "çćĉċčḉ"),
    ("d", "ðďđḋḍḏḑḓ"),
    ("dz", "ǆǳ"),
    ("e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
    ("f", "ḟ"),
    ("g", "ĝğġģǧǵḡ"),
    ("h", "ĥħȟḣḥḧḩḫẖ"),
    ("i", "ìíîïĩīĭįıǐȉȋḭḯỉị"),
    ("ij", "ĳ"),
    ("j", "ĵǰ"),
    ("k", "ķĸǩḱḳḵ"),
    ("l", "ĺļľŀłḷḹḻḽ"),
    ("lj", "ǉ"),
    ("m", "ḿṁṃ"),
    ("n", "ñńņňŉŋǹṅṇṉṋ"),
    ("nj", "ǌ"),
    ("o", "òóôõöøōŏőœơǒǫǭǿȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"),
    ("p", "ṕṗ"),
    ("r", "ŕŗřȑȓṙṛṝṟ"),
    ("s", "śŝşšſșṡṣṥṧṩẛ"),
    ("ss", "ß"),
    ("t", "ţťŧțṫṭṯṱẗ"),
    ("th", "þ"),
    ("u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
    ("v", "ṽṿ"),
    ("w", "ŵẁẃẅẇẉẘ"),
    ("x", "ẋẍ"),
    ("y", "ýÿŷȳẏẙỳỵỷỹ"),
    ("z", "źżžƶẑẓẕ"),
    ("ʒ", "ǯ"),
    // Greek, with the old accents
    ("α", "άἀἁἂἃἄἅἆἇὰάᾀᾁᾂᾃᾄᾅᾆᾇᾰᾱᾲᾳᾴᾶᾷ"),
    ("ε", "έἐἑἒἓἔἕὲέ"),
    ("η", "ήἠἡἢἣἤἥἦἧὴήᾐᾑᾒᾓᾔᾕᾖᾗῂῃῄῆῇ"),
    ("ι", "ΐίϊἰἱἲἳἴἵἶἷὶίιῐῑῒΐῖῗ"),
    ("ο", "όὀὁὂὃὄὅὸό"),
    ("ρ", "ῤῥ"),
    ("σ", "ς"),
    ("υ", "ΰϋύὐὑὒὓὔὕὖὗὺύῠῡῢΰῦῧ"),
    ("ω", "ώὠὡὢὣὤὥὦὧὼώᾠᾡᾢᾣᾤᾥᾦᾧῲῳῴῶῷ"),
    // Cyrillic
    ("а", "ӑӓ"),
    ("г", "ѓ"),
    ("е", "ѐёӗ"),
    ("ж", "ӂӝ"),
    ("з", "ӟ"),
    ("и", "йѝӣӥ"),
    ("к", "ќ"),
    ("о", "ӧ"),
    ("у", "ўӯӱӳ"),
    ("ч", "ӵ"),
    ("ы", "ӹ"),
    ("э", "ӭ"),
    ("і", "ї"),
    ("ѵ", "ѷ"),
    ("ә", "ӛ"),
    ("ө", "ӫ"),
];

/// What is typed for a small letter: itself, unless it has a mark.
fn unmarked(small: char) -> impl Iterator<Item = char> {
    let marked = |(_, letters): &&(&str, &str)| !small.is_ascii() && letters.contains(small);
    let base = MARKED.iter().find(marked).map_or("", |(base, _)| *base);
    base.chars().chain(base.is_empty().then_some(small))
}

/// Marks that stand behind their letter: what some keyboards send for "ż", and the vowels of Hebrew and Arabic.
const fn is_combining(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')
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
        for (name, typed) in [
            ("ŁÓDŹ", "lodz"),
            ("Nguyễn Thị Huệ", "nguyen thi hue"),
            ("Đặng", "dang"),
            ("Ødegård", "odegard"),
            ("Győző Erdős", "gyozo erdos"),
            ("Ērgļi Rēzekne", "ergli rezekne"),
            ("Işık Şişli İSTANBUL Diyarbakır", "isik sisli istanbul diyarbakir"),
            ("Țărmure Ștefan", "tarmure stefan"),
            ("Straße", "strasse"),
            ("STRAẞE", "strasse"),
            ("Αθηνά Παπαδοπούλου", "αθηνα παπαδοπουλου"),
            ("Ἀθῆναι ΟΔΟΣ οδός", "αθηναι οδοσ οδοσ"),
            ("Королёва", "королева"),
            ("Майя Їжак", "маия іжак"),
            ("שְׁלֹמֹה", "שלמה"),
            ("مُحَمَّد", "محمد"),
            ("小王", "小王"),
        ] {
            assert_eq!(fold(name), typed, "{name}");
        }
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
