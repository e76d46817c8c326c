//! Who is let in as whom, whose word counts, and which files are refused.

use super::*;

const BUDGET: Budget = Budget { requests: 4, proofs_per_hour: 0 };

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn entry(kind: &str, name: &str, token: &str, rest: &str) -> String {
    format!("[[{kind}]]\nname = \"{name}\"\nsha256 = \"{}\"\n{rest}\n", hex::encode(Sha256::digest(token)))
}

fn access(text: &str) -> Access {
    Access::new(Some(file(text).path()), false, BUDGET, 2).unwrap()
}

fn shown(token: &str, certificate: Option<&[u8]>) -> Credentials {
    Credentials {
        address: [192, 0, 2, 7].into(),
        certificates: certificate.map(|der| der.to_vec().into()).into_iter().collect(),
        token: Token(token.into()),
        hops: 0,
        on_behalf: String::new(),
        traceparent: None,
    }
}

#[test]
fn tokens_certificates_and_addresses_name_clients() {
    let text = entry("token", "alice", "a secret", "requests = 2")
        + &entry("token", "bob", "another", "")
        + &entry("certificate", "carol", "carol's certificate", "requests = 3");
    let closed = access(&text);
    let admit = |token: &str, certificate| closed.admit(&shown(token, certificate));
    let alice = admit("a secret", None).unwrap();
    assert_eq!((alice.identity.to_string(), alice.budget.requests), ("token alice".into(), 2));
    assert_eq!(admit("another", None).unwrap().budget, BUDGET);
    let certified = admit("", Some(b"der")).unwrap();
    assert!(certified.identity.to_string().starts_with("certificate ") && certified.known);
    let carol = admit("", Some(b"carol's certificate")).unwrap();
    assert_eq!((carol.identity.to_string(), carol.budget.requests), ("certificate carol".into(), 3));
    for stranger in ["", "a secre", "a secret ", &"x".repeat(10_000)] {
        assert_eq!(admit(stranger, None).unwrap_err().code, ErrorCode::Unauthorized, "{stranger:.20}");
    }
    // A wrong token is not made good by a certificate.
    assert_eq!(admit("wrong", Some(b"der")).unwrap_err().code, ErrorCode::Unauthorized);

    let open = Access::new(None, true, BUDGET, 1).unwrap();
    let stranger = open.admit(&shown("", None)).unwrap();
    assert_eq!((stranger.identity.to_string(), stranger.known), ("address 192.0.2.7".into(), false));
}

/// What a server is at is seen by those who are named for it; where nobody is named, from its own machine.
#[test]
fn operators_are_named_or_on_the_machine_itself() {
    let named = access(&(entry("token", "alice", "a", "") + &entry("token", "olga", "o", "operator = true")));
    let by = |token: &str| named.admit(&shown(token, None)).unwrap().operator;
    assert_eq!((by("a"), by("o")), (false, true));
    let from = |access: &Access, address: &str| {
        let shown = Credentials { address: address.parse().unwrap(), ..shown("", None) };
        access.admit(&shown).unwrap().operator
    };
    let open = Access::new(None, true, BUDGET, 1).unwrap();
    let seen = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.7"].map(|address| from(&open, address));
    assert_eq!(seen, [true, true, true, false]);
    let both = Access { anonymous: true, ..named };
    assert!(!from(&both, "127.0.0.1"), "strangers are no operators where operators have names");
}

/// Hops and clients behind a connection are what it says they are only if it is a server's.
#[test]
fn only_servers_speak_for_others() {
    let text = entry("token", "alice", "a secret", "")
        + &entry("token", "entrypoint", "shared", "server = true\nrequests = 900")
        + &entry("certificate", "other", "its certificate", "server = true");
    let mut access = access(&text);
    access.anonymous = true;
    let admit = |token: &str, certificate, hops, on_behalf: &str| {
        access.admit(&Credentials { hops, on_behalf: on_behalf.into(), ..shown(token, certificate) })
    };
    let strangers: [(&str, Option<&[u8]>); 3] = [("", None), ("a secret", None), ("", Some(b"der"))];
    for (token, certificate) in strangers {
        let itself = access.admit(&shown(token, certificate)).unwrap().identity;
        for hops in [1, 2, 3, u32::MAX] {
            let caller = admit(token, certificate, hops, "token victim").unwrap();
            assert_eq!((caller.hops, caller.identity), (0, itself.clone()), "{token:?}");
        }
    }
    let servers: [(&str, Option<&[u8]>); 2] = [("shared", None), ("", Some(b"its certificate"))];
    for (token, certificate) in servers {
        let caller = admit(token, certificate, 2, "token alice").unwrap();
        assert_eq!((caller.hops, caller.identity.to_string()), (2, "token alice, forwarded".into()));
        assert_eq!(caller.budget, BUDGET, "a client's, not the server's");
        assert_eq!(admit(token, certificate, 3, "").unwrap_err().code, ErrorCode::Unsupported);
        assert!(admit(token, certificate, 0, &"x".repeat(MAX_ON_BEHALF)).is_ok());
        for name in ["x".repeat(MAX_ON_BEHALF + 1).as_str(), "two\nlines", "ü"] {
            assert_eq!(
                admit(token, certificate, 0, name).unwrap_err().code,
                ErrorCode::Malformed,
                "{name:?}"
            );
        }
    }
    assert_eq!(admit("shared", None, 0, "").unwrap().budget.requests, 900, "for itself");
}

#[test]
fn files_that_cannot_be_meant_are_refused_and_not_quoted() {
    let token = |name, token| entry("token", name, token, "");
    for (text, reason) in [
        (token("", "t"), "name"),
        (token("a\\nb", "t"), "name"),
        (token("alice", "t") + &token("alice", "u"), "twice"),
        (token("alice", "t") + &token("bob", "t"), "twice"),
        (token("alice", ""), "empty token"),
        ("[[token]]\nname = \"alice\"\nsha256 = \"my secret\"".into(), "not the token"),
        ("[[token]]\nname = \"alice\"\ntoken = \"my secret\"".into(), "unknown field"),
        (entry("certificate", "", "t", ""), "certificate"),
        (String::new(), "neither"),
    ] {
        let error = Access::new(Some(file(&text).path()), false, BUDGET, 1).unwrap_err().to_string();
        assert!(error.contains(reason) && !error.contains("my secret"), "{error}");
    }
    assert!(matches!(
        Access::new(Some(Path::new("/nonexistent")), false, BUDGET, 1),
        Err(TokenFileError::File(_))
    ));
}
