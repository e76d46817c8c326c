//! The log: one line an event, as text for people or as JSON for programs. Whatever comes from outside is escaped and
//! cut, so that no client writes lines of its own, colours a terminal or fills a disk with one message.

use std::{
    fmt::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::config::LogFormat;

/// Longest value of a field, characters.
const MAX_VALUE: usize = 500;

/// Starts logging to standard error. What is logged, `RUST_LOG` decides.
pub fn start(format: LogFormat) {
    // Standard output belongs to the protocol in a worker and to the one announcement in a server.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(
            EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| EnvFilter::new("warn,proof_server=info,worker=info")),
        )
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // A second start, in a test, changes nothing.
    let _ = builder.event_format(Lines(format)).try_init();
}

/// Writes events.
struct Lines(LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        writeln!(writer, "{}", line(self.0, &timestamp(SystemTime::now()), level.as_str(), target, &fields))
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = cut(&format!("{value:?}"));
        match field.name() {
            "message" => self.message = value,
            name => self.others.push((name, value)),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = cut(value),
            name => self.others.push((name, cut(value))),
        }
    }
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

fn line(format: LogFormat, time: &str, level: &str, target: &str, fields: &Fields) -> String {
    match format {
        LogFormat::Text => {
            let mut line = format!("{time} {level:>5} {target}: {}", escaped(&fields.message));
            for (name, value) in &fields.others {
                // Quoted where it would not stand as one word, so that a value cannot pass for another field.
                let plain = !value.is_empty() && !value.contains([' ', '=', '"']);
                let value = escaped(value);
                let _ = if plain {
                    write!(line, " {name}={value}")
                } else {
                    write!(line, " {name}=\"{}\"", value.replace('"', "\\\""))
                };
            }
            line
        }
        LogFormat::Json => {
            let mut object = serde_json::Map::new();
            let mut put = |name: &str, value: &str| object.insert(name.to_owned(), escaped(value).into());
            put("time", time);
            put("level", level);
            put("target", target);
            put("message", &fields.message);
            for (name, value) in &fields.others {
                put(name, value);
            }
            serde_json::Value::Object(object).to_string()
        }
    }
}

/// Control characters, line ends of every kind and characters that turn the direction of text, made visible.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if hidden { escaped.extend(c.escape_default()) } else { escaped.push(c) }
    }
    escaped
}

/// Time as RFC 3339, UTC, milliseconds.
fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Days to a date, counted in eras of 400 years that begin on 1 March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn hostile() -> Fields {
        Fields {
            message: "client".into(),
            others: vec![
                ("agent", "x\n2026 INFO forged \u{1b}[31m\u{202e} a=\"b\"".into()),
                ("id", "7".into()),
            ],
        }
    }

    #[test]
    fn text_is_one_line_whatever_a_client_sends() {
        let line = line(LogFormat::Text, "T", "INFO", "t", &hostile());
        let expected =
            "T  INFO t: client agent=\"x\\n2026 INFO forged \\u{1b}[31m\\u{202e} a=\\\"b\\\"\" id=7";
        assert_eq!(line, expected);
    }

    #[test]
    fn json_is_one_object_whatever_a_client_sends() {
        let line = line(LogFormat::Json, "T", "INFO", "t", &hostile());
        assert!(!line.contains('\n') && !line.contains('\u{1b}'));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["message"], &value["id"]), (&"client".into(), &"7".into()));
        assert!(value["agent"].as_str().unwrap().starts_with("x\\n2026"));
    }

    #[test]
    fn values_are_cut() {
        assert_eq!(cut(&"é".repeat(10_000)).chars().count(), MAX_VALUE + 1);
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn times_are_dates() {
        let at = |seconds| timestamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_827_696), "2000-02-29T12:34:56.000Z");
        assert_eq!(at(1_735_689_599), "2024-12-31T23:59:59.000Z");
        assert_eq!(at(1_740_787_200), "2025-03-01T00:00:00.000Z");
    }
}
