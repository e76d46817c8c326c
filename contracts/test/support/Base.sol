// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ISP1Verifier} from "../../src/ISP1Verifier.sol";
import {Checkpoint, LightClient, Rules} from "../../src/LightClient.sol";
import {CommitteeChange, Head, Inclusion} from "../../src/PublicValues.sol";
import {Trust} from "../../src/Trusted.sol";
import {OneProof} from "./Verifiers.sol";
import {vm} from "./Vm.sol";

/// @notice Recorded statements and a light client that trusts where they begin.
abstract contract Base {
    uint64 internal constant GENESIS = 1_606_824_023;
    uint64 internal constant MAX_AGE = 14 days;
    uint64 internal constant DELAY = 3 days;
    uint32 internal constant SIGNERS = 342;
    bytes32 internal constant CHANGE_KEY = bytes32(uint256(0xc4a6e));
    bytes32 internal constant INCLUSION_KEY = bytes32(uint256(0x14c1));
    bytes32 internal constant BUNDLE_KEY = bytes32(uint256(0xb0d1e));
    bytes4 internal constant SELECTOR = hex"a1b2c3d4";
    bytes internal constant PROOF = hex"a1b2c3d4e5";
    address internal constant GUARDIAN = address(0x6a);
    address internal constant STRANGER = address(0x57);

    /// @dev How many recorded statements there are in statements.json. The others say where they stand there.
    uint256 internal constant STATEMENTS = 25;
    uint256 internal constant ONE_HANDOVER = 0;
    uint256 internal constant TWO_HANDOVERS = 1;
    uint256 internal constant ONE_SLOT = 2;
    uint256 internal constant THREE_ACCOUNTS = 4;
    uint256 internal constant HANDOVER_AND_SLOT = 15;
    uint256 internal constant SLOT_60_BLOCKS_BACK = 17;
    uint256 internal constant THREE_TRANSACTIONS = 21;
    uint256 internal constant NO_LOG_BY_RECEIPTS = 23;
    /// @dev A handover, a slot, a log and one that is not there, of 60 blocks back.
    uint256 internal constant CATCH_UP = 24;

    OneProof internal verifier;

    /// @dev Public values of a recorded statement.
    function recorded(uint256 index) internal view returns (bytes memory) {
        string memory path = string.concat(".statements[", vm.toString(index), "].publicValues");
        return vm.parseJsonBytes(statements(), path);
    }

    function statements() internal view returns (string memory) {
        return vm.readFile("test/fixtures/statements.json");
    }

    function change(uint256 index) internal view returns (CommitteeChange memory) {
        return abi.decode(recorded(index), (CommitteeChange));
    }

    function inclusion(uint256 index) internal view returns (Inclusion memory) {
        return abi.decode(recorded(index), (Inclusion));
    }

    /// @dev A light client of the statement's chain that knows its signer, with `verifier_`, one hour after the
    /// finalized slot.
    function deploy(Head memory head, address verifier_) internal returns (LightClient) {
        vm.warp(timeOf(head.finalizedSlot) + 1 hours);
        return new LightClient(trustIn(head, verifier_), rules(), checkpoint(head), GUARDIAN, DELAY);
    }

    function deploy(Head memory head) internal returns (LightClient) {
        verifier = new OneProof();
        return deploy(head, address(verifier));
    }

    function trustIn(Head memory head, address verifier_) internal pure returns (Trust memory) {
        return Trust({
            verifier: ISP1Verifier(verifier_),
            selector: SELECTOR,
            forkSlot: 0,
            committeeChangeKey: CHANGE_KEY,
            inclusionKey: INCLUSION_KEY,
            bundleKey: BUNDLE_KEY,
            chainDigest: head.chainDigest,
            nextChainDigest: 0
        });
    }

    function rules() internal pure returns (Rules memory) {
        return Rules({genesisTime: GENESIS, secondsPerSlot: 12, maxAge: MAX_AGE, minParticipation: SIGNERS});
    }

    /// @dev Begins a little before the statement.
    function checkpoint(Head memory head) internal pure returns (Checkpoint memory) {
        return Checkpoint(
            head.finalizedSlot - 64, keccak256("checkpoint"), head.signerPeriod, head.signerCommitteeRoot
        );
    }

    function timeOf(uint64 slot) internal pure returns (uint256) {
        return uint256(GENESIS) + uint256(slot) * 12;
    }

    /// @dev Submits with a proof that the verifier accepts.
    function submitChange(LightClient client, bytes memory values) internal {
        verifier.accept(CHANGE_KEY, values, PROOF);
        client.submitCommitteeChange(values, PROOF);
    }

    function submitInclusion(LightClient client, bytes memory values) internal {
        verifier.accept(INCLUSION_KEY, values, PROOF);
        client.submitInclusion(values, PROOF);
    }

    /// @dev The next submission is refused with `reason`, though the verifier would accept it.
    function refuseChange(LightClient client, bytes memory values, bytes memory reason) internal {
        verifier.accept(CHANGE_KEY, values, PROOF);
        vm.expectRevert(reason);
        client.submitCommitteeChange(values, PROOF);
    }

    function refuseInclusion(LightClient client, bytes memory values, bytes memory reason) internal {
        verifier.accept(INCLUSION_KEY, values, PROOF);
        vm.expectRevert(reason);
        client.submitInclusion(values, PROOF);
    }
}
