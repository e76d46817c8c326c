//! Numbers and words that others rely on: limits as the document states them, names on the command line and in files,
//! what an error says and whether it stands.

mod common;

use common::{JOB, input, package, record};
use sextant_consensus::Program;
use sextant_protocol::{
    ErrorCode, JobKey, ProofKind, ServerError, StatementInput, Token,
    frame::{MAX_FRAME, MAX_HANDSHAKE_FRAME},
    parts::PART,
    place::MAX_PLACE,
    proof::MAX_RECORD,
};

#[test]
fn the_document_states_the_limits() {
    let document = std::fs::read_to_string(package().join("../docs/protocol.md")).expect("docs/protocol.md");
    for (name, number) in [
        ("MAX_HANDSHAKE_FRAME", MAX_HANDSHAKE_FRAME),
        ("MAX_FRAME", MAX_FRAME),
        ("PART", PART),
        ("MAX_RECORD", MAX_RECORD),
        ("MAX_PLACE", MAX_PLACE),
    ] {
        let number = grouped(number);
        let stated = document.match_indices(&number).any(|(at, _)| {
            let sentence: String = document[at..].chars().take(60).collect();
            sentence.contains(&format!("`{name}`"))
        });
        assert!(stated, "docs/protocol.md does not say that {name} is {number}");
    }
    let limits = [MAX_HANDSHAKE_FRAME, MAX_FRAME, PART, MAX_RECORD, MAX_PLACE];
    assert_eq!(limits, [4_096, 327_680, 262_144, 268_435_456, 8_192]);
}

/// Three digits together, as the document writes numbers.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut groups: Vec<_> =
        digits.as_bytes().rchunks(3).map(|group| str::from_utf8(group).unwrap()).collect();
    groups.reverse();
    groups.join(" ")
}

#[test]
fn kinds_of_proof_go_by_their_names() {
    let names = ProofKind::ALL.map(|kind| kind.to_string());
    assert_eq!(names, ["stark", "compressed", "groth16", "plonk", "bundled"]);
    for (name, kind) in names.iter().zip(ProofKind::ALL) {
        assert_eq!((name.parse(), kind.as_str()), (Ok(kind), &**name));
    }
    let unknown = "STARK".parse::<ProofKind>().unwrap_err();
    assert!(unknown.contains("\"STARK\"") && unknown.contains("groth16"), "{unknown}");
}

#[test]
fn a_program_goes_by_its_tag() {
    for program in Program::ALL {
        let input = StatementInput::new(program, Vec::new());
        let mut record = record();
        record.program = program.tag();
        assert_eq!((input.program(), record.program()), (Some(program), Some(program)));
    }
    let stranger = StatementInput { program: u32::MAX, ..input() };
    assert_eq!(stranger.program(), None);
}

#[test]
fn a_job_is_written_and_read_in_hexadecimal() {
    let written = JOB.to_string();
    assert_eq!((written.as_str(), written.parse()), (&*"77".repeat(32), Ok(JOB)));
    for wrong in [&written[2..], "77 77", ""] {
        assert!(wrong.parse::<JobKey>().is_err(), "{wrong:?}");
    }
}

#[test]
fn an_error_says_its_class_and_its_message() {
    let error = ServerError::new(ErrorCode::InvalidStatement, "no finality");
    assert_eq!(error.to_string(), "invalid statement: no finality");
    assert_eq!(ErrorCode::Other(99).to_string(), "error code 99");
    let mut words: Vec<_> = ErrorCode::ALL.map(|code| code.to_string()).to_vec();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), ErrorCode::ALL.len(), "each class has words of its own");
}

/// Whoever hears such a refusal need not ask again: it is about the request, and the server names no time.
#[test]
fn what_is_about_the_request_stands() {
    use ErrorCode as E;
    let stands = ErrorCode::ALL.into_iter().filter(|code| ServerError::new(*code, "").stands());
    let expected = [
        E::Version,
        E::Malformed,
        E::TooLarge,
        E::Unsupported,
        E::InvalidStatement,
        E::InvalidProof,
        E::Unauthorized,
    ];
    assert_eq!(stands.collect::<Vec<_>>(), expected);
    for code in ErrorCode::ALL {
        assert!(!ServerError::retryable(code, "", 1).stands(), "{code}: asked for again in a moment");
    }
}

#[test]
fn whether_there_is_a_token_is_shown_and_not_which() {
    assert_eq!(format!("{:?}", Token::default()), "Token(none)");
    assert_eq!(format!("{:?}", Token("correct-horse-battery".into())), "Token(secret)");
}
