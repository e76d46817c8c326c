//! No encoding changes unseen: the hash of every message, of the record, and of the public values of real statements. Who
//! changes one on purpose changes it here, and asks what becomes of those who have the old one.

mod common;

use common::{client_messages, record, server_messages};
use sextant_consensus::{bls::Plain, check_statement};
use sextant_protocol::{encoding, wire::to_bytes};
use sha2::{Digest, Sha256};

const MESSAGES: &str = "\
7e5b53126ec96d7a27ee29d7c26a9e64 client-hello
111b7f04b5b0791612305f17548141a3 client-introduction
ac41a5f660eaf02b0fa4e963d1f09fa1 client-ping
4cd5600cf01c89d8644db65dda6fe180 client-info
f05598e32329cba7cac96f482c81a097 client-prove
1a3ad94fc9767cd124a687b6beb9b98d client-verify
4ae5a8889bf1c89679df79cc6f0c1b57 client-submit
a25cfd11a33d2715f05c33b1c9859487 client-fetch
e37af0d8c2f9b1b6fa54d02d058b87c4 client-withdraw
fc29cf41172d6d0dc6097233e174a0a7 client-wrap
ce22b8d3e74a0d3144afdbb016f185eb client-submit-wrap
bf52de72a234f2e8de3169fa7e822c11 client-large
1529a8efb7bfac45e643e741c75c8cd7 client-part
7a11ae035f1737b04eec11d463fbe713 client-cancel
d59f43b8915578276c3496a522630c3e server-welcome
a82e247b979a6196c74d92aec60afd67 server-refused
b34c6049bab040b86174e80551b6c1d0 server-progress
9c79c2b705095e840cf2e19e3b01e373 server-pong
1117ce7ebbfb4be6b84481340aaa98d9 server-info
e75b521edf5b57a516ecd2b5d77cc9a0 server-verified
b4c0a1e09141298c3fe09598474ff1bc server-proof
f63028e2760a4ace52e220c7b2e8c554 server-submitted
5d4ad233f29114c340efad7ae0a27ef0 server-rest
a524fe30264abb06a6d1857b99d06496 server-withdrawn
8ca7618bd14b51e749f2b206809090cc server-parts
cc229fa8c219edcdff9d8b99b7abacef server-error
e9076c744d2ae0e158b3ce4c8163163a proof record
1913a316c5a0d6cf94a848ad8c7c1b3c proof file
";

const PUBLIC_VALUES: &str = "\
9bf4252f335737a57bcc965a0e018a00 mainnet-deneb-one-handover
2e6fb7ca631a3af0b93384a6b9c83c56 mainnet-deneb-two-handovers
fee192fe0e62267642f9851c7c4a67fe mainnet-deneb-one-contract-one-slot
033c937dd3fb0cc0d861f20750c872a7 devnet-capella-one-handover
e79dddcceb820de444d526e935eb9cef devnet-capella-three-accounts
ba17bd138fd8f8b9418185246bb754f8 devnet-electra-one-handover-407-signers
3ce206d580fed143bd99ad376eb9ed05 devnet-electra-three-accounts-406-signers
f4ea6268e0304709a2af9ba9acfc069d devnet-fulu-three-accounts
f6e73bcd14232fd5b10303d750a52a1f devnet-electra-to-fulu-three-handovers
231971466de34bbfff2704dfc3ece264 devnet-fulu-three-accounts-third-period
c6dbeeb4da62970a24c36a2604d5ce30 synthetic-deneb-one-handover-cancelling-keys
220a51e835b0c96637fbf3ff15fb50d5 synthetic-gloas-one-handover-block-hash-only
4272e2470542b7a973787d5b9106a0fd synthetic-gloas-one-handover
17a5fee3968217715c25791329115f63 synthetic-gloas-one-contract-one-slot
9186a38e9199ddc3fb3ceaf7b1f46838 synthetic-gloas-tries-of-one-leaf
";

fn line(name: &str, bytes: &[u8]) -> String {
    format!("{} {name}\n", hex::encode(&Sha256::digest(bytes)[..16]))
}

#[test]
fn messages_and_records_are_encoded_as_ever() {
    let clients = client_messages().into_iter().map(|(name, message)| line(name, &to_bytes(&message)));
    let servers = server_messages().into_iter().map(|(name, messages)| {
        let bytes: Vec<u8> = messages.iter().flat_map(to_bytes).collect();
        line(name, &bytes)
    });
    let records =
        [line("proof record", &encoding::encode(&record())), line("proof file", &record().to_file_bytes())];
    let found: String = clients.chain(servers).chain(records).collect();
    assert_eq!(found, MESSAGES, "an encoding has changed; now it is\n{found}");
}

/// There may be more statements than these.
#[test]
fn public_values_are_encoded_as_ever() {
    let statements = sextant_fixtures::statements().into_iter().map(|(name, program, input)| {
        let statement = check_statement(program, &input, &mut Plain).unwrap();
        line(name, &statement.abi_encode())
    });
    let found: String = statements.collect();
    for pinned in PUBLIC_VALUES.lines() {
        assert!(found.lines().any(|line| line == pinned), "{pinned}, but now it is\n{found}");
    }
}
