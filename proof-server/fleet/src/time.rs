//! Wall-clock time, which only deadlines and ages go by.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds that two machines' clocks may differ by.
pub(crate) const CLOCKS_DIFFER_BY: u64 = 60_000;

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    unix_ms_of(SystemTime::now())
}

/// `time` in milliseconds since 1970.
pub(crate) fn unix_ms_of(time: SystemTime) -> u64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Whole milliseconds, saturating.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
