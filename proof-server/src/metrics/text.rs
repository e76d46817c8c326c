//! The two text formats that scrapers read. The library writes OpenMetrics; the older one is made of it.

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own, 0.0.4, which everything reads.
    Plain,
}

impl TextFormat {
    /// What the answer's header says.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// OpenMetrics in the older format: there a metric's description has the name of its samples, an info is a gauge, and
/// neither units nor an end are told.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // The description comes before the type that decides on its name.
    let mut help: Option<&str> = None;
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), ..) => help = Some(line),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    kind => ("", kind),
                };
                let text = help.take().and_then(|help| help.splitn(4, ' ').nth(3)).unwrap_or_default();
                plain += &format!("# HELP {name}{suffix} {text}\n# TYPE {name}{suffix} {kind}\n");
            }
            (Some("#"), ..) => {}
            _ => {
                plain += line;
                plain.push('\n');
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_names_what_it_describes() {
        let open = "# HELP a Things done.\n# TYPE a counter\na_total{x=\"# y\"} 1\n# HELP b_seconds Time.\n\
                    # TYPE b_seconds histogram\n# UNIT b_seconds seconds\nb_seconds_sum 2\n\
                    # HELP c Version.\n# TYPE c info\nc_info{v=\"1\"} 1\n# EOF\n";
        let expected = "# HELP a_total Things done.\n# TYPE a_total counter\na_total{x=\"# y\"} 1\n\
                        # HELP b_seconds Time.\n# TYPE b_seconds histogram\nb_seconds_sum 2\n\
                        # HELP c_info Version.\n# TYPE c_info gauge\nc_info{v=\"1\"} 1\n";
        assert_eq!(plain(open), expected);
    }
}
