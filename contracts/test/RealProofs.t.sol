// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LightClient} from "../src/LightClient.sol";
import {Account, CommitteeChange, Head, Inclusion, Log} from "../src/PublicValues.sol";
import {Trust} from "../src/Trusted.sol";
import {SP1Verifier} from "./recorded/groth16/SP1VerifierGroth16.sol";
import {Bundled} from "./support/Bundled.sol";
import {FreeVerifier} from "./support/Verifiers.sol";
import {vm} from "./support/Vm.sol";

/// @notice Real Groth16 proofs of both statements about mainnet meet the real verifier of the circuits that made them:
/// development circuits, so that what is accepted here is accepted nowhere else.
contract RealProofsTest is Bundled {
    /// @dev The name under which forge prints an event with -vv.
    event log_named_uint(string key, uint256 val);

    struct Recorded {
        bytes32 key;
        bytes values;
        bytes proof;
    }

    SP1Verifier private _real;

    function setUp() public {
        _real = new SP1Verifier();
    }

    function test_a_committee_change() public {
        Recorded memory recorded = _recorded("one-handover");
        CommitteeChange memory statement = abi.decode(recorded.values, (CommitteeChange));
        LightClient client = _deploy(statement.head);
        client.submitCommitteeChange(recorded.values, recorded.proof);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("one handover, real verifier", used);
        require(used <= 320_000, vm.toString(used));
        require(client.headSlot() == statement.head.finalizedSlot, "the head did not move");
    }

    function test_a_committee_change_over_two_periods() public {
        Recorded memory recorded = _recorded("committee-change");
        CommitteeChange memory statement = abi.decode(recorded.values, (CommitteeChange));
        LightClient client = _deploy(statement.head);
        client.submitCommitteeChange(recorded.values, recorded.proof);
        emit log_named_uint("two handovers, real verifier", vm.lastCallGas().gasTotalUsed);
        require(client.headSlot() == statement.head.finalizedSlot, "the head did not move");
        require(statement.learned.length == 2, "two periods");
        for (uint256 i = 0; i < 2; ++i) {
            require(
                client.committeeRoot(statement.learned[i].period) == statement.learned[i].committeeRoot,
                "committee"
            );
        }
    }

    function test_an_inclusion_of_one_slot() public {
        Recorded memory recorded = _recorded("inclusion");
        Inclusion memory statement = abi.decode(recorded.values, (Inclusion));
        LightClient client = _deploy(statement.head);
        client.submitInclusion(recorded.values, recorded.proof);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("inclusion of one slot, real verifier", used);
        require(used <= 300_000, vm.toString(used));
        // This slot is proven absent: readable, as a zero that is no guess.
        address account = statement.accounts[0].account;
        (bool exists, bytes32 value) =
            client.provenSlot(recorded.values, account, statement.accounts[0].slots[0].key);
        require(!exists && value == 0, "slot");
    }

    /// No proof of a bundle is recorded. So the verifier's part is taken from another statement's transaction, once with it and
    /// once without, and added to a bundle without: what it costs depends on the public values by 12 gas a word.
    function test_gas_of_a_bundle_of_eight() public {
        Recorded memory recorded = _recorded("inclusion");
        Head memory head = abi.decode(recorded.values, (Inclusion)).head;
        _deploy(head).submitInclusion(recorded.values, recorded.proof);
        uint256 verifying = vm.lastCallGas().gasTotalUsed;
        address free = address(new FreeVerifier());
        _deploy(head, free).submitInclusion(recorded.values, recorded.proof);
        verifying -= vm.lastCallGas().gasTotalUsed;

        bytes[] memory all = inclusions(8);
        LightClient client = _deploy(abi.decode(all[7], (Inclusion)).head, free);
        client.submitBundle(all, abi.encode(bundleOf(all)), recorded.proof);
        uint256 used = vm.lastCallGas().gasTotalUsed + verifying;
        emit log_named_uint("real verifier's part of a transaction", verifying);
        emit log_named_uint("bundle of 8 inclusions of one slot, with that part added", used);
        emit log_named_uint("of it for each statement", used / 8);
        require(used <= 8 * 85_000, vm.toString(used));
        require(client.provenAt(all[7]) != 0, "not proven");
    }

    /// One transaction for a client that was away: the committee that signed, a slot, and a log.
    function test_catching_up_with_a_slot_and_a_log() public {
        Recorded memory recorded = _recorded("catch-up-slot-and-log");
        Inclusion memory statement = abi.decode(recorded.values, (Inclusion));
        LightClient client = _deploy(statement.head);
        client.submitInclusion(recorded.values, recorded.proof);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint("handover, slot and log, real verifier", used);
        require(used <= 370_000, vm.toString(used));
        require(statement.learned.length > 0, "no handover");
        for (uint256 i = 0; i < statement.learned.length; ++i) {
            require(
                client.committeeRoot(statement.learned[i].period) == statement.learned[i].committeeRoot,
                "committee"
            );
        }
        Account memory account = statement.accounts[0];
        (bool exists, bytes32 value) = client.provenSlotAt(
            recorded.values, statement.facts.number, account.account, account.slots[0].key
        );
        require(exists == account.slots[0].exists && value == account.slots[0].value, "slot");
        Log memory log = statement.logs[0];
        Log memory proven = client.provenLog(recorded.values, log.transaction, log.position);
        require(keccak256(abi.encode(proven)) == keccak256(abi.encode(log)), "log");
    }

    function test_no_other_statement_no_other_program_no_other_proof() public view {
        Recorded memory change = _recorded("committee-change");
        Recorded memory inclusion = _recorded("inclusion");
        _real.verifyProof(change.key, change.values, change.proof);
        _real.verifyProof(inclusion.key, inclusion.values, inclusion.proof);
        _refuse(inclusion.key, change.values, change.proof);
        _refuse(change.key, inclusion.values, change.proof);
        _refuse(change.key, change.values, inclusion.proof);
        bytes memory edited = bytes.concat(change.values);
        edited[edited.length - 1] ^= 0x01;
        _refuse(change.key, edited, change.proof);
    }

    function testFuzz_a_flipped_bit_of_the_proof_is_refused(uint16 position) public view {
        Recorded memory recorded = _recorded("inclusion");
        bytes memory edited = bytes.concat(recorded.proof);
        // The nonce, bytes 68 to 99, is a public input too: another one, another statement.
        uint256 bit = uint256(position) % (edited.length * 8);
        edited[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        _refuse(recorded.key, recorded.values, edited);
    }

    function _refuse(bytes32 key, bytes memory values, bytes memory proof) private view {
        try _real.verifyProof(key, values, proof) {
            revert("accepted");
        } catch {}
    }

    function _deploy(Head memory head) private returns (LightClient) {
        return _deploy(head, address(_real));
    }

    function _deploy(Head memory head, address verifier_) private returns (LightClient) {
        vm.warp(timeOf(head.finalizedSlot) + 1 hours);
        Trust memory trusted = trustIn(head, verifier_);
        trusted.selector = bytes4(_real.VERIFIER_HASH());
        trusted.committeeChangeKey = _recorded("committee-change").key;
        trusted.inclusionKey = _recorded("inclusion").key;
        return new LightClient(trusted, rules(), checkpoint(head), GUARDIAN, DELAY);
    }

    function _recorded(string memory name) private view returns (Recorded memory) {
        string memory json = vm.readFile("test/recorded/proofs.json");
        string memory path = string.concat(".", name);
        return Recorded(
            bytes32(vm.parseJsonBytes(json, string.concat(path, ".vkHash"))),
            vm.parseJsonBytes(json, string.concat(path, ".publicValues")),
            vm.parseJsonBytes(json, string.concat(path, ".proof"))
        );
    }
}
