//! How well one typed word fits a word of a name.

/// What a fit costs; smaller is better. Costs of a whole query are added up.
pub(super) type Cost = u8;

/// No fit.
pub(super) const NO_FIT: Cost = Cost::MAX;

const PREFIX: Cost = 1;
const ONE_TYPO: Cost = 4;
const TWO_TYPOS: Cost = 7;

/// How well `typed` fits `word`, both folded, when nothing was mistyped: the word, or its beginning.
pub(super) fn plain(typed: &str, word: &str) -> Cost {
    match word.strip_prefix(typed) {
        Some("") => 0,
        Some(_) => PREFIX,
        None => NO_FIT,
    }
}

/// The same with slips of the finger: a letter too many, too few, another, or two exchanged. One slip is forgiven in
/// words of four letters, two in words of eight; the first letter is always right.
pub(super) fn forgiving(typed: &str, word: &str) -> Cost {
    let exact = plain(typed, word);
    let typed: Vec<char> = typed.chars().collect();
    let allowed = match typed.len() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    if exact != NO_FIT || allowed == 0 || !word.starts_with(typed[0]) {
        return exact;
    }
    let letters: Vec<char> = word.chars().take(typed.len() + allowed).collect();
    match slips(&typed, &letters) {
        0 => PREFIX,
        1 => ONE_TYPO,
        slips if slips <= allowed => TWO_TYPOS,
        _ => NO_FIT,
    }
}

/// The fewest typing errors that turn `typed` into some beginning of `word`: optimal string alignment, with the end of
/// `word` free.
fn slips(typed: &[char], word: &[char]) -> usize {
    let width = word.len() + 1;
    let mut rows: [Vec<usize>; 3] = [vec![0; width], (0..width).collect(), vec![0; width]];
    for (row, letter) in typed.iter().enumerate() {
        let [before_last, last, this] = &mut rows;
        this[0] = row + 1;
        for column in 1..width {
            let other = word[column - 1];
            let replaced = last[column - 1] + usize::from(*letter != other);
            let mut fewest = replaced.min(last[column] + 1).min(this[column - 1] + 1);
            let exchanged = row > 0 && column > 1 && typed[row - 1] == other && *letter == word[column - 2];
            if exchanged {
                fewest = fewest.min(before_last[column - 2] + 1);
            }
            this[column] = fewest;
        }
        rows.rotate_left(1);
    }
    rows[1].iter().copied().min().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn beginnings_fit_and_small_slips_are_forgiven() {
        let cases = [
            ("merkanti", "merkanti", 0),
            ("merk", "merkanti", PREFIX),
            ("markanti", "merkanti", ONE_TYPO),
            ("merknati", "merkanti", ONE_TYPO),
            ("mekanti", "merkanti", ONE_TYPO),
            ("merkannti", "merkanti", ONE_TYPO),
            ("mrekantti", "merkanti", TWO_TYPOS),
            ("markan", "merkanti", ONE_TYPO),
            ("xerkanti", "merkanti", NO_FIT),
            ("mer", "mar", NO_FIT),
            ("merkxxyy", "merkanti", NO_FIT),
            ("merkantini", "merk", NO_FIT),
        ];
        for (typed, word, cost) in cases {
            assert_eq!(forgiving(typed, word), cost, "{typed} for {word}");
        }
    }

    proptest! {
        #[test]
        fn a_beginning_always_fits(word in "[a-z]{1,12}", length in 1usize..12) {
            let typed: String = word.chars().take(length).collect();
            prop_assert!(forgiving(&typed, &word) <= PREFIX);
        }

        #[test]
        fn one_slip_in_a_long_word_is_forgiven(word in "[a-z]{5,12}", at in 1usize..12, kind in 0u8..4, letter in "[a-z]") {
            let mut typed: Vec<char> = word.chars().collect();
            let at = 1 + at % (typed.len() - 1);
            let letter = letter.chars().next().expect("one letter");
            match kind {
                0 => drop(typed.remove(at)),
                1 => typed.insert(at, letter),
                2 => typed[at] = letter,
                _ if at + 1 < typed.len() => typed.swap(at, at + 1),
                _ => {}
            }
            let typed: String = typed.into_iter().collect();
            prop_assume!(typed.len() >= 4);
            prop_assert!(forgiving(&typed, &word) <= ONE_TYPO, "{typed} for {word}");
        }

        #[test]
        fn nothing_typed_makes_it_panic(typed in "\\PC{0,20}", word in "\\PC{0,20}") {
            let _ = forgiving(&typed, &word);
        }
    }
}
