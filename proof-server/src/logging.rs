//! The log: one line an event, as text for people or as JSON for programs. Whatever comes from outside is escaped and
//! cut, so that no client writes lines of its own, colours a terminal or fills a disk with one message.

use std::fmt::{self, Write as _};

use serde_json::Value;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::config::LogFormat;

/// Longest value of a field, characters.
const MAX_VALUE: usize = 500;

/// What is logged where `RUST_LOG` says nothing.
pub const LOGGED: &str = "warn,proof_server=info,worker=info";

/// Starts logging to standard error. What is logged, `RUST_LOG` decides.
pub fn start(format: LogFormat) {
    start_with(format, LOGGED);
}

/// The same for a command that ends by itself: what goes well is no news there.
pub fn start_for_command() {
    start_with(LogFormat::Text, "warn");
}

fn start_with(format: LogFormat, usually: &str) {
    // Standard output belongs to the protocol in a worker and to the one announcement in a server.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usually)))
        .with_writer(std::io::stderr)
        .with_ansi(false);
    // A second start, in a test, changes nothing.
    let _ = builder.event_format(Lines(format)).try_init();
}

/// Writes events. Not with `tracing-subscriber`'s own formats: its text lets a value write lines of its own, and its
/// feature `json` would have SP1 compiled with other features than everywhere else.
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
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let (level, target) = (event.metadata().level(), event.metadata().target());
        writeln!(writer, "{}", line(self.0, &time, level.as_str(), target, fields))
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => self.others.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, cut(&format!("{value:?}")).into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, cut(value).into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

fn line(format: LogFormat, time: &str, level: &str, target: &str, fields: Fields) -> String {
    match format {
        LogFormat::Text => {
            let mut line = format!("{time} {level:>5} {target}: {}", escaped(&fields.message));
            for (name, value) in &fields.others {
                let value = value.as_str().map_or_else(|| value.to_string(), escaped);
                // Quoted where it would not stand as one word, so that a value cannot pass for another field.
                let plain = !value.is_empty() && !value.contains([' ', '=', '"']);
                let _ = if plain {
                    write!(line, " {name}={value}")
                } else {
                    write!(line, " {name}=\"{}\"", value.replace('"', "\\\""))
                };
            }
            line
        }
        LogFormat::Json => {
            let known = [("time", time), ("level", level), ("target", target), ("message", &fields.message)]
                .map(|(name, value)| (name, Value::from(value)));
            let object: serde_json::Map<_, _> = known
                .into_iter()
                .chain(fields.others)
                .map(|(name, value)| {
                    let value = value.as_str().map(|text| escaped(text).into()).unwrap_or(value);
                    (name.to_owned(), value)
                })
                .collect();
            Value::Object(object).to_string()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Fields {
        Fields {
            message: "client".into(),
            others: vec![
                ("agent", "x\n2026 INFO forged \u{1b}[31m\u{202e} a=\"b\"".into()),
                ("id", 7.into()),
            ],
        }
    }

    #[test]
    fn text_is_one_line_whatever_a_client_sends() {
        let line = line(LogFormat::Text, "T", "INFO", "t", hostile());
        let expected =
            "T  INFO t: client agent=\"x\\n2026 INFO forged \\u{1b}[31m\\u{202e} a=\\\"b\\\"\" id=7";
        assert_eq!(line, expected);
    }

    #[test]
    fn json_is_one_object_whatever_a_client_sends() {
        let line = line(LogFormat::Json, "T", "INFO", "t", hostile());
        assert!(!line.contains('\n') && !line.contains('\u{1b}'));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["message"], &value["id"]), (&"client".into(), &7.into()));
        assert!(value["agent"].as_str().unwrap().starts_with("x\\n2026"));
    }

    #[test]
    fn values_are_cut() {
        assert_eq!(cut(&"é".repeat(10_000)).chars().count(), MAX_VALUE + 1);
        assert_eq!(cut("short"), "short");
    }
}
