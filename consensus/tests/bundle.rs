//! The rules of a bundle, each broken; and its public values, compared with what Solidity makes.

use alloy_sol_types::{SolValue, sol};
use sextant_consensus::{
    AbiError, Program, StatementError,
    bls::Plain,
    bundle::{self, BundleError, BundledError, Input, MAX_STATEMENTS},
    check_statement,
    codec::{self, Blob},
    hash::sha256,
    public_values::{Bundle, Bundled, Statement},
};

sol! {
    struct SolPart { uint32 program; bytes32 digest; }
    struct SolBundle { uint32 version; uint32 program; bytes32 chainDigest; SolPart[] parts; }
}

/// Public values of a committee change and an inclusion of mainnet, and of one of another chain.
fn recorded() -> [Statement; 3] {
    let checked = |program, input: Vec<u8>| check_statement(program, &input, &mut Plain).unwrap();
    [
        checked(Program::CommitteeChange, codec::encode(&sextant_fixtures::committee_change(1))),
        checked(Program::Inclusion, codec::encode(&sextant_fixtures::inclusion())),
        checked(
            Program::CommitteeChange,
            codec::encode(&sextant_fixtures::devnet::CAPELLA.committee_change()),
        ),
    ]
}

fn input<'a>(statements: impl IntoIterator<Item = &'a Statement>) -> Input {
    Input { statements: statements.into_iter().map(|statement| Blob(statement.abi_encode())).collect() }
}

#[test]
fn a_bundle_names_each_statement_by_program_and_hash_in_order() {
    let [change, inclusion, _] = recorded();
    for order in [[&change, &inclusion], [&inclusion, &change], [&change, &change]] {
        let bundle = bundle::check(&input(order)).unwrap();
        assert_eq!(bundle.chain_digest, change.chain_digest());
        let named = |statement: &Statement| Bundled {
            program: statement.program(),
            digest: sha256(&[&statement.abi_encode()]),
        };
        assert_eq!(bundle.parts, order.map(named));
    }
}

#[test]
fn what_cannot_be_bundled_is_refused_by_number() {
    let [change, inclusion, other_chain] = recorded();
    let refused = |input: &Input| bundle::check(input).unwrap_err();
    assert_eq!(refused(&input([])), BundleError::Empty);
    let most = vec![&change; MAX_STATEMENTS];
    assert_eq!(bundle::check(&input(most.clone())).unwrap().parts.len(), MAX_STATEMENTS);
    let got = MAX_STATEMENTS + 1;
    assert_eq!(refused(&input(most.into_iter().chain([&change]))), BundleError::TooMany { got });
    let error = BundledError::OtherChain;
    assert_eq!(
        refused(&input([&change, &inclusion, &other_chain])),
        BundleError::Statement { index: 2, error }
    );

    let edited = |word: usize, value: u64| {
        let mut input = input([&change, &inclusion]);
        input.statements[1].0[32 * word + 24..32 * (word + 1)].copy_from_slice(&value.to_be_bytes());
        refused(&input)
    };
    let malformed = |what| BundledError::PublicValues(AbiError::Unexpected(what));
    for (word, value, error) in [
        (0, 64, malformed("offset")),
        (1, 1, malformed("version")),
        (1, 3, malformed("version")),
        (2, 0, BundledError::Program(0)),
        // Bundles of bundles: whoever wants all of them bundles their statements.
        (2, 3, BundledError::Program(3)),
        (2, 9, BundledError::Program(9)),
        (2, 1 << 32, malformed("program")),
    ] {
        assert_eq!(edited(word, value), BundleError::Statement { index: 1, error }, "word {word}: {value}");
    }
    for length in [0, 31, 32, 96] {
        let mut short = input([&change]);
        short.statements[0].0.truncate(length);
        let error = BundledError::PublicValues(AbiError::Length);
        assert_eq!(refused(&short), BundleError::Statement { index: 0, error }, "{length} bytes");
    }
}

#[test]
fn an_input_is_checked_like_those_of_the_other_programs() {
    let [change, inclusion, other_chain] = recorded();
    let check = |input: &Input| check_statement(Program::Bundle, &codec::encode(input), &mut Plain);
    let good = input([&change, &inclusion]);
    assert_eq!(check(&good), Ok(Statement::Bundle(bundle::check(&good).unwrap())));
    let bad = check(&input([&change, &other_chain])).unwrap_err();
    assert_eq!(bad.to_string(), "bundle: statement 1: it is about another chain than the first");
    let torn = check_statement(Program::Bundle, &codec::encode(&good)[1..], &mut Plain).unwrap_err();
    assert!(matches!(torn, StatementError::Decode(_)), "{torn}");
}

#[test]
fn public_values_are_what_solidity_makes_and_nothing_else_is_read() {
    let [change, inclusion, _] = recorded();
    for statements in [vec![&change], vec![&inclusion, &change, &inclusion]] {
        let bundle = bundle::check(&input(statements)).unwrap();
        let part = |part: &Bundled| SolPart { program: part.program.tag(), digest: part.digest.into() };
        let sol = SolBundle {
            version: 2,
            program: 3,
            chainDigest: bundle.chain_digest.into(),
            parts: bundle.parts.iter().map(part).collect(),
        };
        let bytes = bundle.abi_encode();
        assert_eq!(bytes, sol.abi_encode());
        assert_eq!(Bundle::abi_decode(&bytes), Ok(bundle.clone()));
        let statement = Statement::Bundle(bundle);
        assert_eq!(Statement::abi_decode(Program::Bundle, &bytes), Ok(statement.clone()));
        assert_eq!((statement.abi_encode(), statement.program()), (bytes.clone(), Program::Bundle));
        assert_eq!((statement.chain_digest(), statement.head()), (change.chain_digest(), None));

        // Every word is either read or refused; none is passed over.
        for at in 0..bytes.len() {
            let mut edited = bytes.clone();
            edited[at] ^= 0x40;
            let read = Bundle::abi_decode(&edited).map(|bundle| bundle.abi_encode());
            assert!(read.is_err() || read == Ok(edited), "byte {at}");
        }
        for length in 0..bytes.len() {
            assert!(Bundle::abi_decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        assert!(Bundle::abi_decode(&[&bytes[..], &[0; 32]].concat()).is_err());
    }
}
