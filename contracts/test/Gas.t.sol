// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LightClient} from "../src/LightClient.sol";
import {Account, CommitteeChange, Head, Inclusion, Learned} from "../src/PublicValues.sol";
import {Bundled} from "./support/Bundled.sol";
import {FreeVerifier, Groth16Price} from "./support/Verifiers.sol";
import {vm} from "./support/Vm.sol";

/// @notice What a submission costs as a transaction of its own: 21,000, calldata, cold storage, the head moving and
/// every word written for the first time. The proof is as long as a Groth16 proof of SP1 6 and has no zero byte.
contract GasTest is Bundled {
    /// @dev The name under which forge prints an event with -vv.
    event log_named_uint(string key, uint256 val);

    function test_gas_of_a_committee_change() public {
        Head memory head = change(ONE_HANDOVER).head;
        LightClient client = deploy(head, address(new FreeVerifier()));
        client.submitCommitteeChange(recorded(ONE_HANDOVER), proof());
        _report("one committee change beside the verifier", 110_000);
        client = deploy(head, address(new Groth16Price()));
        client.submitCommitteeChange(recorded(ONE_HANDOVER), proof());
        _report("one committee change, precompiles of Groth16", 320_000);
        require(client.headSlot() == head.finalizedSlot, "the head did not move");
    }

    function test_gas_after_a_replacement() public {
        Head memory head = inclusion(ONE_SLOT).head;
        address price = address(new Groth16Price());
        LightClient client = deploy(head, price);
        vm.prank(GUARDIAN);
        client.announce(trustIn(head, price));
        vm.warp(client.executableFrom());
        vm.prank(GUARDIAN);
        client.execute(trustIn(head, price));
        client.submitInclusion(recorded(ONE_SLOT), proof());
        _report("inclusion of one slot after a replacement", 305_000);
    }

    function test_gas_of_keeping() public {
        Inclusion memory statement = inclusion(ONE_SLOT);
        LightClient client = deploy(statement.head, address(new FreeVerifier()));
        bytes memory values = recorded(ONE_SLOT);
        client.submitInclusion(values, proof());
        client.keepHeader(values);
        _report("header kept", 100_000);
        Account memory account = statement.accounts[0];
        client.keepSlot(values, account.account, account.slots[0].key);
        _report("slot kept, header known", 90_000);
    }

    function test_gas_of_two_handovers() public {
        LightClient client = deploy(change(TWO_HANDOVERS).head, address(new FreeVerifier()));
        client.submitCommitteeChange(recorded(TWO_HANDOVERS), proof());
        _report("two handovers beside the verifier", 136_000);
    }

    function test_gas_of_the_most_handovers() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        LightClient client = deploy(statement.head, address(new FreeVerifier()));
        uint64 first = statement.learned[0].period;
        statement.learned = new Learned[](128);
        for (uint64 i = 0; i < 128; ++i) {
            statement.learned[i] = Learned({period: first + i, committeeRoot: keccak256(abi.encode(i))});
        }
        client.submitCommitteeChange(abi.encode(statement), proof());
        _report("128 handovers beside the verifier", 3_600_000);
        require(
            client.committeeRoot(first + 127) == keccak256(abi.encode(uint64(127))), "the last is not known"
        );
    }

    function test_gas_of_an_inclusion() public {
        Head memory head = inclusion(ONE_SLOT).head;
        LightClient client = deploy(head, address(new FreeVerifier()));
        client.submitInclusion(recorded(ONE_SLOT), proof());
        _report("inclusion of one slot beside the verifier", 90_000);
        client = deploy(head, address(new Groth16Price()));
        client.submitInclusion(recorded(ONE_SLOT), proof());
        _report("inclusion of one slot, precompiles of Groth16", 300_000);
        require(client.headSlot() == head.finalizedSlot, "the head did not move");
    }

    /// A client that was away, one slot, one log and one that is not there, of an earlier block: all in one transaction.
    function test_gas_of_catching_up() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        LightClient client = deploy(statement.head, address(new FreeVerifier()));
        client.submitInclusion(recorded(CATCH_UP), proof());
        _report("handover, slot, log and absent log beside the verifier", 130_000);
        client = deploy(statement.head, address(new Groth16Price()));
        client.submitInclusion(recorded(CATCH_UP), proof());
        _report("handover, slot, log and absent log, precompiles of Groth16", 345_000);
        require(
            client.committeeRoot(statement.learned[0].period) == statement.learned[0].committeeRoot,
            "nothing was learned"
        );
    }

    /// Inclusions of one slot each, each under a newer header: every one moves the head.
    function test_gas_of_bundles() public {
        _bundle(1, 90_000);
        _bundle(8, 420_000);
        _bundle(64, 3_100_000);
    }

    function _bundle(uint256 count, uint256 limit) private {
        bytes[] memory statements_ = inclusions(count);
        bytes memory values = abi.encode(bundleOf(statements_));
        LightClient client = deploy(inclusion(ONE_SLOT).head, address(new FreeVerifier()));
        vm.warp(block.timestamp + 1 days);
        client.submitBundle(statements_, values, proof());
        _report(string.concat("bundle beside the verifier, inclusions: ", vm.toString(count)), limit);
        require(
            client.headSlot() == inclusion(ONE_SLOT).head.finalizedSlot + 32 * (count - 1),
            "not all were taken"
        );
    }

    /// One statement of a bundle, for whoever shares the proof: of the others there are hashes.
    function test_gas_of_parts() public {
        _part(1, 90_000);
        _part(8, 95_000);
        _part(64, 150_000);
        bytes[] memory statements_ = inclusions(8);
        LightClient client = deploy(inclusion(ONE_SLOT).head, address(new Groth16Price()));
        vm.warp(block.timestamp + 1 days);
        client.submitPart(7, statements_[7], abi.encode(bundleOf(statements_)), proof());
        _report("part of 8, precompiles of Groth16", 310_000);
    }

    function _part(uint256 count, uint256 limit) private {
        bytes[] memory statements_ = inclusions(count);
        bytes memory values = abi.encode(bundleOf(statements_));
        LightClient client = deploy(inclusion(ONE_SLOT).head, address(new FreeVerifier()));
        vm.warp(block.timestamp + 1 days);
        client.submitPart(count - 1, statements_[count - 1], values, proof());
        _report(string.concat("part beside the verifier, of inclusions: ", vm.toString(count)), limit);
        require(client.provenAt(statements_[count - 1]) == block.timestamp, "not proven");
    }

    /// What a contract pays that reads, beside what it pays to bring the public values.
    function test_gas_of_reading() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        LightClient client = deploy(statement.head, address(new FreeVerifier()));
        bytes memory values = recorded(CATCH_UP);
        client.submitInclusion(values, proof());
        client.provenLog(values, statement.logs[0].transaction, statement.logs[0].position);
        _report("log read", 12_000);
        client.provenNoLog(values, statement.noLogs[0].account, new bytes32[](0));
        _report("absent log read", 12_000);
        client.provenSlotAt(
            values, statement.facts.number, statement.accounts[0].account, statement.accounts[0].slots[0].key
        );
        _report("slot of an earlier block read", 12_000);
    }

    function _report(string memory what, uint256 limit) private {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint(what, used);
        require(used <= limit, string.concat(what, ": ", vm.toString(used)));
    }

    /// @dev Selector, exit code 0, the root of the recursion keys, a nonce of 0, and 8 words of points.
    function proof() private pure returns (bytes memory) {
        bytes memory points;
        for (uint256 i = 0; i < 8; ++i) {
            points = bytes.concat(points, keccak256(abi.encode(i)));
        }
        return bytes.concat(SELECTOR, bytes32(0), keccak256("keys"), bytes32(0), points);
    }
}
