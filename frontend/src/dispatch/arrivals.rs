//! What customers were told of arrivals against what came, as far as the console shows it.
//!
//! The API tells more of each group. Reading only this much keeps the code for the rest out of the program.

use serde::Deserialize;

/// By what the arrivals are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// How long before the arrival the customer read the range.
    #[default]
    Horizon,
    Vehicle,
    Pickup,
    /// For admins only.
    Courier,
}

impl By {
    /// Every one, in the order of their buttons.
    pub const ALL: [Self; 4] = [Self::Horizon, Self::Vehicle, Self::Pickup, Self::Courier];

    /// What the API calls it.
    pub const fn word(self) -> &'static str {
        ["horizon", "vehicle", "pickup", "courier"][self as usize]
    }
}

/// The arrivals of one group.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Score {
    pub group: String,
    pub name: Option<String>,
    /// How many ranges.
    pub n: u32,
    /// The shares of arrivals inside, before and after their range, from 0 to 1.
    pub inside: f64,
    pub early: f64,
    pub late: f64,
    /// The mean width of a range, in seconds.
    pub width_s: f64,
}

/// How long couriers wait at a pickup.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Wait {
    pub pickup: String,
    /// What is expected there and at any pickup, in seconds.
    pub wait_s: f64,
    pub usual_s: f64,
    /// The weekdays that differ.
    pub days: Vec<WaitDay>,
}

/// A weekday on which a pickup is slower or quicker than on others.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct WaitDay {
    /// 1 is Monday, 7 is Sunday.
    pub weekday: u8,
    pub wait_s: f64,
}

#[cfg(test)]
mod tests {
    use doorstep_shared::api::arrival;

    use super::*;

    #[test]
    fn what_the_server_writes_can_be_read() {
        let score = arrival::ArrivalScore {
            group: "10".into(),
            name: None,
            n: 412,
            inside: 0.81,
            early: 0.07,
            late: 0.12,
            width_s: 480.0,
            bias_s: 12.0,
            mae_s: 95.0,
            interval_score_s: 610.0,
        };
        let read: Score = serde_json::from_str(&serde_json::to_string(&score).expect("JSON")).expect("a score");
        assert_eq!((read.group.as_str(), read.n, read.inside, read.width_s), ("10", 412, 0.81, 480.0));
        let wait = arrival::ArrivalWait {
            pickup: "Harbour Kitchen".into(),
            n: 31,
            wait_s: 400.0,
            usual_s: 240.0,
            days: vec![arrival::ArrivalWaitDay { weekday: 5, wait_s: 560.0 }],
        };
        let read: Wait = serde_json::from_str(&serde_json::to_string(&wait).expect("JSON")).expect("a wait");
        assert_eq!(read.days, [WaitDay { weekday: 5, wait_s: 560.0 }]);
    }

    #[test]
    fn the_words_are_those_of_the_api() {
        for by in By::ALL {
            let known: arrival::ArrivalScoresBy = serde_json::from_value(by.word().into()).expect("a word of the API");
            assert_eq!(known as usize, by as usize);
        }
    }
}
