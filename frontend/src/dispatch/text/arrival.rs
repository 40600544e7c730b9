//! Texts about how good told arrivals are, and where couriers wait.

use doorstep_shared::api::arrival::TRUSTED_INSIDE;

use super::{tone, vehicle};
use crate::dispatch::arrivals::{By, Score, Wait};

/// With fewer arrivals than this a share says little.
const FEW: u32 = 30;

/// A pickup is worth a line when couriers wait there a minute longer than elsewhere.
const LONGER_S: f64 = 60.0;

/// What a button is called that tells arrivals apart.
pub const fn by(by: By) -> &'static str {
    ["Minutes before", "Vehicle", "Pickup", "Courier"][by as usize]
}

/// What a group is called.
pub fn score_title(kind: By, score: &Score) -> String {
    match (kind, score.group.as_str()) {
        (By::Horizon, "1") => "1 minute before".to_owned(),
        (By::Horizon, minutes) => format!("{minutes} minutes before"),
        (By::Vehicle, word) => word.parse().map_or_else(|_| word.to_owned(), |known| vehicle(known).to_owned()),
        (By::Pickup | By::Courier, group) => score.name.as_deref().unwrap_or(group).to_owned(),
    }
}

/// What stands under it: `412 ranges, 8 min wide · 7 % came early, 12 % late`.
pub fn score_line(score: &Score) -> String {
    let ranges = if score.n == 1 { "range" } else { "ranges" };
    format!(
        "{} {ranges}, {} wide · {} came early, {} late",
        score.n,
        minutes(score.width_s),
        percent(score.early),
        percent(score.late)
    )
}

/// How many came inside, and whether that is what customers are told.
pub fn score_badge(score: &Score) -> (String, &'static str) {
    let tone = match (score.n < FEW, TRUSTED_INSIDE.contains(&score.inside)) {
        (true, _) => tone::QUIET,
        (false, true) => tone::OK,
        (false, false) => tone::BAD,
    };
    (format!("{} inside", percent(score.inside)), tone)
}

/// Why arrivals through a pickup are later, such as `Couriers wait 7 min, 11 min on Fridays; elsewhere 4 min`. `None` where
/// they wait no longer than elsewhere.
pub fn wait_line(wait: &Wait) -> Option<String> {
    let long = |wait_s: f64| wait_s >= wait.usual_s + LONGER_S;
    let days: Vec<_> = wait.days.iter().filter(|day| long(day.wait_s) || long(wait.wait_s)).collect();
    if !long(wait.wait_s) && days.is_empty() {
        return None;
    }
    let days = days.iter().map(|day| format!(", {} on {}", minutes(day.wait_s), weekday(day.weekday)));
    let days: String = days.collect();
    Some(format!("Couriers wait {}{days}; elsewhere {}", minutes(wait.wait_s), minutes(wait.usual_s)))
}

const fn weekday(number: u8) -> &'static str {
    ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"]
        [(number as usize).saturating_sub(1) % 7]
}

fn minutes(seconds: f64) -> String {
    format!("{:.0} min", (seconds / 60.0).max(1.0))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::arrivals::WaitDay;

    fn score(inside: f64, n: u32) -> Score {
        Score { group: "10".into(), name: None, n, inside, early: 0.07, late: 0.93 - inside, width_s: 470.0 }
    }

    #[test]
    fn a_group_says_what_it_is_and_how_its_arrivals_went() {
        let ten = score(0.81, 412);
        assert_eq!(score_title(By::Horizon, &ten), "10 minutes before");
        assert_eq!(score_title(By::Vehicle, &Score { group: "bicycle".into(), ..ten.clone() }), "Bicycle");
        assert_eq!(score_title(By::Courier, &Score { name: Some("Ana".into()), ..ten.clone() }), "Ana");
        assert_eq!(score_line(&ten), "412 ranges, 8 min wide · 7 % came early, 12 % late");
    }

    #[test]
    fn ranges_that_hold_too_few_or_too_many_stand_out_once_there_are_enough() {
        let tones = [(0.81, 412), (0.6, 412), (0.95, 412), (0.6, 12)].map(|(inside, n)| score_badge(&score(inside, n)));
        assert_eq!(tones.each_ref().map(|(_, tone)| *tone), [tone::OK, tone::BAD, tone::BAD, tone::QUIET]);
        assert_eq!(tones[0].0, "81 % inside");
    }

    #[test]
    fn a_kitchen_that_makes_couriers_wait_on_fridays_is_known_for_it() {
        let days = vec![WaitDay { weekday: 5, wait_s: 660.0 }];
        let mut wait = Wait { pickup: "Harbour Kitchen".into(), wait_s: 420.0, usual_s: 240.0, days };
        assert_eq!(wait_line(&wait).as_deref(), Some("Couriers wait 7 min, 11 min on Fridays; elsewhere 4 min"));
        wait.wait_s = 250.0;
        assert_eq!(wait_line(&wait).as_deref(), Some("Couriers wait 4 min, 11 min on Fridays; elsewhere 4 min"));
        wait.days[0].wait_s = 180.0;
        assert_eq!(wait_line(&wait), None, "quicker on Fridays is no reason");
    }
}
