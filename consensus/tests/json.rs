//! The beacon API's JSON: what is said about values that are none.

use std::fs;

use serde_json::{Value, json};
use sextant_consensus::light_client::LightClientHeader;
use sextant_consensus::receipt_json::ReceiptJson;
use sextant_fixtures::data;
use sextant_fixtures::devnet::ELECTRA;
use sextant_fixtures::mainnet_events::SMALL;

/// A header as nodes serve it since Gloas, with `edit` in it.
fn header(edit: impl FnOnce(&mut Value)) -> Result<LightClientHeader, String> {
    let root = |byte: u8| format!("0x{}", hex::encode([byte; 32]));
    let mut json = json!({
        "beacon": {
            "slot": "18446744073709551615", "proposer_index": "0",
            "parent_root": root(1), "state_root": root(2), "body_root": root(3),
        },
        "execution_block_hash": root(4),
        "execution_branch": [root(5), root(6)],
    });
    edit(&mut json);
    serde_json::from_value(json).map_err(|error| error.to_string())
}

/// What is said if `value` stands at `pointer`.
fn said(pointer: &str, value: Value) -> String {
    header(|json| *json.pointer_mut(pointer).unwrap() = value).unwrap_err()
}

#[test]
fn a_header_is_what_its_json_says() {
    let read = header(|_| {}).unwrap();
    assert_eq!((read.beacon.slot, read.beacon.proposer_index), (u64::MAX, 0));
    assert_eq!(
        (read.beacon.parent_root, read.beacon.state_root, read.beacon.body_root),
        ([1; 32], [2; 32], [3; 32])
    );
    assert_eq!((read.execution_block_hash, read.execution), (Some([4; 32]), None));
    assert_eq!(read.execution_branch, [[5; 32], [6; 32]]);
    let none = header(|json| json["execution_block_hash"] = Value::Null).unwrap();
    assert_eq!(none.execution_block_hash, None);
    let missing = header(|json| drop(json.as_object_mut().unwrap().remove("execution_block_hash"))).unwrap();
    assert_eq!(missing.execution_block_hash, None);
}

#[test]
fn numbers_are_decimal_and_fit() {
    let slot = |text: &str| said("/beacon/slot", text.into());
    for wrong in ["+1", "-1", "0x1", "1 ", "1.0"] {
        assert_eq!(slot(wrong), format!("expected a decimal number in a string, found {wrong:?}"));
    }
    assert!(slot("18446744073709551616").starts_with("\"18446744073709551616\" is not a uint64: "));
    assert!(slot("").starts_with("\"\" is not a uint64: "));
    // An error line stays readable.
    assert!(slot(&"9".repeat(100)).starts_with(&format!("{:?} is not a uint64", "9".repeat(20))));
}

#[test]
fn bytes_are_hex_and_as_many_as_they_should_be() {
    for pointer in ["/beacon/parent_root", "/execution_block_hash", "/execution_branch/1"] {
        let short = format!("0x{}", "11".repeat(31));
        assert_eq!(said(pointer, short.into()), "expected 32 bytes of hex, found 31", "{pointer}");
        assert_eq!(said(pointer, "1234".into()), "expected hex with 0x, found \"1234\"", "{pointer}");
        let wrong = said(pointer, "0xzz".into());
        assert!(wrong.starts_with("\"0xzz\" is not hex: "), "{pointer}: {wrong}");
    }
}

/// `uint256`: the base fee, as SSZ has it.
#[test]
fn base_fees_are_numbers_of_256_bits() {
    let original = ELECTRA.json("finality_update.json")["data"]["attested_header"].take();
    let fee = |text: &str| {
        let mut json = original.clone();
        json["execution"]["base_fee_per_gas"] = text.into();
        let header: Result<LightClientHeader, _> = serde_json::from_value(json);
        header.map(|header| header.execution.unwrap().base_fee_per_gas).map_err(|error| error.to_string())
    };
    let mut wanted = [0; 32];
    assert_eq!(fee("0"), Ok(wanted));
    wanted[..2].copy_from_slice(&[0x39, 0x30]);
    assert_eq!(fee("12345"), Ok(wanted));
    let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    assert_eq!(fee(most), Ok([0xff; 32]));
    let over = "115792089237316195423570985008687907853269984665640564039457584007913129639936";
    for wrong in [over, "", "1e9", "-1", "/", ":"] {
        let said = fee(wrong).unwrap_err();
        assert!(said.starts_with("expected a uint256 in a decimal string, found "), "{wrong:?}: {said}");
    }
}

/// A receipt's place in its block, as the node claims.
#[test]
fn an_index_has_32_bits() {
    let text = fs::read(data().join("mainnet-events").join(format!("receipts-{SMALL}.json"))).unwrap();
    let receipt = serde_json::from_slice::<Value>(&text).unwrap()["result"][1].take();
    let index = |text: &str| {
        let mut receipt = receipt.clone();
        receipt["transactionIndex"] = text.into();
        serde_json::from_value::<ReceiptJson>(receipt).unwrap().index()
    };
    for (text, wanted) in
        [("0x0", Some(0)), ("0x1", Some(1)), ("0x102", Some(258)), ("0x1020304", Some(16_909_060))]
    {
        assert_eq!(index(text), wanted, "{text}");
    }
    assert_eq!((index("0xffffffff"), index("0x100000000")), (Some(u32::MAX), None));
}
