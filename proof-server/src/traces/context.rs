//! What names a span, here and in other processes: W3C trace context.

use std::fmt;

/// A span of a trace, by its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanContext {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    /// Whether whoever began the trace has it recorded.
    pub(super) sampled: bool,
}

impl SpanContext {
    /// The first span of a trace.
    pub(super) fn root() -> Self {
        let trace = fastrand::u128(1..).to_be_bytes();
        Self { trace, span: span(), sampled: true }
    }

    /// A span below this one.
    pub(super) fn child(&self) -> Self {
        Self { span: span(), ..*self }
    }

    /// What a `traceparent` names; `None` of what is none, which is no error: a trace begins anew then.
    pub(crate) fn parse(traceparent: &str) -> Option<Self> {
        let mut fields = traceparent.splitn(5, '-');
        let [version] = hex::<1>(fields.next()?)?;
        let (trace, span, [flags]) = (hex(fields.next()?)?, hex(fields.next()?)?, hex::<1>(fields.next()?)?);
        // Later versions may say more after this.
        let known = match version {
            0 => fields.next().is_none(),
            255 => false,
            _ => true,
        };
        let named = trace != [0; 16] && span != [0; 8];
        (known && named).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

/// As a `traceparent`.
impl fmt::Display for SpanContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.sampled);
        write!(f, "00-{}-{}-{flags:02x}", ::hex::encode(self.trace), ::hex::encode(self.span))
    }
}

fn span() -> [u8; 8] {
    fastrand::u64(1..).to_be_bytes()
}

/// Exactly so many bytes, in lower case as the standard wants it.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (lower && ::hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_as_it_was_written() {
        let context = SpanContext::parse(GIVEN).unwrap();
        assert_eq!((context.to_string().as_str(), context.sampled), (GIVEN, true));
        let unsampled = SpanContext { sampled: false, ..context };
        assert_eq!(SpanContext::parse(&unsampled.to_string()), Some(unsampled));
        let later = format!("cc{}-what-comes-later", &GIVEN[2..]);
        assert_eq!(SpanContext::parse(&later), Some(context));
        let (root, child) = (SpanContext::root(), SpanContext::root().child());
        for own in [root, child] {
            assert_eq!(SpanContext::parse(&own.to_string()), Some(own));
        }
        assert_eq!((root.child().trace, root.child().span == root.span), (root.trace, false));
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for wrong in [
            "",
            "00",
            &GIVEN[..54],
            &GIVEN.to_uppercase(),
            &format!("{GIVEN}-more"),
            &format!("ff{}", &GIVEN[2..]),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
            "00-xbf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(SpanContext::parse(wrong), None, "{wrong}");
        }
    }
}
