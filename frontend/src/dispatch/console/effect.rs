//! What the console asks the driver to do.

use doorstep_shared::{CourierId, ExceptionId, protocol::fleet::FleetMessage};

use super::{ApiCall, Movable};
use crate::map::plane::LonLat;

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open the feed's socket.
    Connect,
    /// Drop the feed's socket.
    Disconnect,
    /// Send this over the feed's socket.
    Send(FleetMessage),
    /// Lead to the sign-in page.
    SignIn,
    /// Call the REST API.
    Call(ApiCall),
    /// Show this address; `is_new` for a step that the back button takes back.
    Url { url: String, is_new: bool },
    /// Put the focus on the element with this id.
    Focus(&'static str),
    /// Put the focus on the button that acknowledges this exception, if it was lost with the card before it.
    FocusAcknowledge(ExceptionId),
    /// Put the focus on what moves this in the plan.
    FocusHandle(Movable),
    /// Scroll the list to this offset, in CSS pixels.
    Scroll(f64),
    /// Bring these points into view on the map.
    Fit { points: Vec<LonLat> },
    /// Put this text on the clipboard.
    Copy(String),
    /// Open the print dialog.
    Print,
    /// Save this text as a file.
    Save { name: String, media_type: &'static str, text: String },
    /// Fetch a courier's positions as a file and save it.
    Export { courier: CourierId, from_ms: i64, until_ms: i64, format: Format, name: String },
    /// Keep this text for the next load of the page in this tab, or nothing when it is empty.
    Keep(String),
    /// Ask which area there is and show it on the map.
    RenewArea,
    /// Send the chosen extract, and tell how far it is.
    UploadArea { name: String },
    /// Stop sending it.
    StopUpload,
    /// Switch between light, dark, and the device's own theme.
    Theme,
}

/// A format of an exported track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Gpx,
    GeoJson,
    Csv,
}

impl Format {
    /// Every format, in the order of its buttons.
    pub const ALL: [Self; 3] = [Self::Gpx, Self::GeoJson, Self::Csv];

    /// The button's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gpx => "GPX",
            Self::GeoJson => "GeoJSON",
            Self::Csv => "CSV",
        }
    }

    /// For `Accept`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Gpx => "application/gpx+xml",
            Self::GeoJson => "application/geo+json",
            Self::Csv => "text/csv",
        }
    }

    /// The end of the file's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Gpx => "gpx",
            Self::GeoJson => "geojson",
            Self::Csv => "csv",
        }
    }
}
