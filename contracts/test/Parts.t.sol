// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bundles} from "../src/Bundles.sol";
import {Committees} from "../src/Committees.sol";
import {Contradictions} from "../src/Contradictions.sol";
import {LightClient} from "../src/LightClient.sol";
import {Bundle, CommitteeChange, Head, Inclusion, Learned, PublicValues} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Trust, Trusted} from "../src/Trusted.sol";
import {Bundled} from "./support/Bundled.sol";
import {OneProof} from "./support/Verifiers.sol";
import {vm} from "./support/Vm.sol";

/// @notice One statement of a bundle, of whose others nothing but hashes is there: at its place it is worth what it is alone,
/// and at no other place anything.
contract PartsTest is Bundled {
    bytes32 private constant OTHER = keccak256("other");

    LightClient private client;
    bytes[] private all;

    function setUp() public {
        client = deploy(inclusion(ONE_SLOT).head);
        vm.warp(block.timestamp + 1 days);
        all = inclusions(3);
    }

    function test_each_part_is_proven_by_itself_and_in_any_order() public {
        bytes memory values = _accepted(bundleOf(all));
        uint8[3] memory order = [1, 2, 0];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory statement = all[order[i]];
            Head memory head = abi.decode(statement, (Inclusion)).head;
            vm.expectEmit(address(client));
            emit Statements.StatementProven(keccak256(statement), 2, head.finalizedSlot, head.finalizedRoot);
            client.submitPart(order[i], statement, values, PROOF);
            require(client.provenAt(statement) == block.timestamp, "not proven");
            Inclusion memory read = abi.decode(statement, (Inclusion));
            client.provenSlot(statement, read.accounts[0].account, read.accounts[0].slots[0].key);
        }
        require(client.headSlot() == inclusion(ONE_SLOT).head.finalizedSlot + 64, "head");
    }

    /// Who shares the bundle learns nothing from the other's submission, and the contract neither.
    function test_nothing_is_known_of_the_others() public {
        client.submitPart(1, all[1], _accepted(bundleOf(all)), PROOF);
        _requireUnproven(all[0]);
        _requireUnproven(all[2]);
        require(client.headSlot() == inclusion(ONE_SLOT).head.finalizedSlot + 32, "head");
    }

    function test_another_place_or_another_statement() public {
        bytes memory values = _accepted(bundleOf(all));
        for (uint256 index = 0; index < 3; ++index) {
            for (uint256 i = 0; i < 3; ++i) {
                if (i != index) _refuse(index, all[i], values, _otherStatement(index));
            }
            bytes memory edited = bytes.concat(all[index]);
            edited[edited.length - 1] ^= 0x01;
            _refuse(index, edited, values, _otherStatement(index));
            // Whole, and more than what was proven.
            _refuse(index, bytes.concat(all[index], bytes32(0)), values, _otherStatement(index));
        }
        for (uint256 i = 0; i < 3; ++i) {
            _requireUnproven(all[i]);
        }
    }

    function test_a_place_that_the_bundle_does_not_have() public {
        bytes memory values = _accepted(bundleOf(all));
        uint256[3] memory beyond = [uint256(3), 64, type(uint256).max];
        for (uint256 i = 0; i < 3; ++i) {
            _refuse(beyond[i], all[0], values, _otherStatement(beyond[i]));
        }
        Bundle memory empty = bundleOf(all);
        assembly ("memory-safe") {
            mstore(mload(add(empty, 96)), 0)
        }
        _refuse(0, all[0], _accepted(empty), _otherStatement(0));
    }

    /// The part's program is another one's, whatever the statement says.
    function test_a_part_of_another_program() public {
        Bundle memory bundle = bundleOf(all);
        bundle.parts[1].program = 1;
        _refuse(1, all[1], _accepted(bundle), _otherStatement(1));
        // A bundle within a bundle.
        bytes memory inner = abi.encode(bundleOf(all));
        _refuse(
            0,
            inner,
            _accepted(bundleOf(pair(inner, all[0]))),
            abi.encodeWithSelector(PublicValues.WrongProgram.selector, 3, 2)
        );
        _refuse(
            0,
            new bytes(352),
            abi.encode(bundle),
            abi.encodeWithSelector(PublicValues.WrongLength.selector, 352)
        );
    }

    /// It is seen before the proof is looked at, however it was proven before.
    function test_replays() public {
        bytes memory values = _accepted(bundleOf(all));
        client.submitPart(0, all[0], values, PROOF);
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory known = abi.encodeWithSelector(Statements.AlreadyProven.selector, keccak256(all[i]));
            if (i == 1) submitInclusion(client, all[1]);
            _refuse(i, all[i], values, known);
            vm.expectRevert(known);
            client.submitPart(i, all[i], values, hex"a1b2c3d4");
        }
        // The rest of the bundle goes through at once, and then nothing of it is new.
        submitBundle(client, all);
        refuseBundle(client, all, abi.encodeWithSelector(Bundles.NothingNewInBundle.selector));
    }

    function test_a_handover_of_which_all_is_known() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        client = deploy(statement.head);
        (statement.head.blockNumber, statement.head.stateRoot) = (0, 0);
        submitChange(client, abi.encode(statement));
        --statement.head.participation;
        bytes memory again = abi.encode(statement);
        uint64 slot = client.headSlot();
        bytes[] memory both = pair(recorded(ONE_HANDOVER), again);
        bytes memory values = abi.encode(bundleOf(both));
        verifier.accept(BUNDLE_KEY, values, PROOF);
        vm.expectRevert(abi.encodeWithSelector(LightClient.NothingNew.selector, slot, slot));
        client.submitPart(1, again, values, PROOF);
        _requireUnproven(again);
    }

    /// A committee change teaches from its place as it does alone.
    function test_a_committee_is_learned() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        client = deploy(statement.head);
        bytes[] memory both = pair(all[0], recorded(ONE_HANDOVER));
        client.submitPart(1, both[1], _accepted(bundleOf(both)), PROOF);
        Learned memory learned = statement.learned[0];
        require(client.committeeRoot(learned.period) == learned.committeeRoot, "committee");
    }

    function test_what_contradicts_is_recorded() public {
        Inclusion memory statement = inclusion(ONE_SLOT);
        uint64 slot = statement.head.finalizedSlot;
        submitInclusion(client, abi.encode(statement));
        statement.head.finalizedRoot = OTHER;
        bytes[] memory both = pair(abi.encode(statement), all[1]);
        client.submitPart(0, both[0], _accepted(bundleOf(both)), PROOF);
        require(client.contradictedAt(slot) == block.timestamp, "not recorded");
        vm.expectRevert(abi.encodeWithSelector(Contradictions.SlotContradicted.selector, slot));
        client.provenHead(both[0]);
    }

    function test_another_chain() public {
        bytes32 digest = inclusion(ONE_SLOT).head.chainDigest;
        Bundle memory bundle = bundleOf(all);
        bundle.chainDigest = OTHER;
        _refuse(
            0, all[0], _accepted(bundle), abi.encodeWithSelector(Trusted.WrongChain.selector, OTHER, digest)
        );
        // The statement's own, whatever the bundle says.
        bytes[] memory foreign = pair(all[0], recorded(THREE_ACCOUNTS));
        bytes memory reason = abi.encodeWithSelector(
            Trusted.WrongChain.selector, inclusion(THREE_ACCOUNTS).head.chainDigest, digest
        );
        _refuse(1, foreign[1], _accepted(bundleOf(foreign)), reason);
    }

    /// The rules of a statement alone.
    function test_the_statements_own_rules() public {
        Inclusion memory statement = inclusion(ONE_SLOT);
        statement.head.participation = SIGNERS - 1;
        _refuseSecond(
            abi.encode(statement),
            abi.encodeWithSelector(LightClient.TooFewSigners.selector, SIGNERS - 1, SIGNERS)
        );
        statement = inclusion(ONE_SLOT);
        bytes32 known = statement.head.signerCommitteeRoot;
        statement.head.signerCommitteeRoot = OTHER;
        _refuseSecond(
            abi.encode(statement),
            abi.encodeWithSelector(
                Committees.UntrustedCommittee.selector, statement.head.signerPeriod, OTHER, known
            )
        );
        _refuseSecond(
            bytes.concat(all[1], bytes32(0)), abi.encodeWithSelector(PublicValues.NotCanonical.selector)
        );
        // A bundle is long valid; the statement in it is too old by then.
        bytes memory values = _accepted(bundleOf(all));
        vm.warp(block.timestamp + MAX_AGE);
        uint64 slot = abi.decode(all[0], (Inclusion)).head.finalizedSlot;
        _refuse(0, all[0], values, abi.encodeWithSelector(LightClient.TooOld.selector, slot, block.timestamp));
    }

    function test_another_proof_key_or_circuit() public {
        bytes memory values = _accepted(bundleOf(all));
        bytes memory refused = abi.encodeWithSelector(OneProof.ProofRefused.selector);
        vm.expectRevert(refused);
        client.submitPart(0, all[0], values, hex"a1b2c3d4e6");
        bytes32[2] memory keys = [CHANGE_KEY, INCLUSION_KEY];
        for (uint256 i = 0; i < 2; ++i) {
            verifier.accept(keys[i], values, PROOF);
            vm.expectRevert(refused);
            client.submitPart(0, all[0], values, PROOF);
        }
        // The proof of the statement alone is none of a bundle.
        verifier.accept(BUNDLE_KEY, all[0], PROOF);
        vm.expectRevert(refused);
        client.submitPart(0, all[0], values, PROOF);
        verifier.accept(BUNDLE_KEY, values, hex"a1b2c3d5e5");
        vm.expectRevert(
            abi.encodeWithSelector(Trusted.WrongCircuits.selector, bytes4(hex"a1b2c3d5"), SELECTOR)
        );
        client.submitPart(0, all[0], values, hex"a1b2c3d5e5");
        _requireUnproven(all[0]);
    }

    function test_public_values_that_are_no_bundle() public {
        _refuse(
            0, all[0], recorded(ONE_SLOT), abi.encodeWithSelector(PublicValues.WrongProgram.selector, 2, 3)
        );
        _refuse(
            0,
            all[0],
            bytes.concat(abi.encode(bundleOf(all)), bytes32(0)),
            abi.encodeWithSelector(PublicValues.NotCanonical.selector)
        );
    }

    function test_a_deployment_without_a_bundle_program() public {
        Head memory head = inclusion(ONE_SLOT).head;
        Trust memory trusted = trustIn(head, address(verifier));
        trusted.bundleKey = 0;
        client = new LightClient(trusted, rules(), checkpoint(head), GUARDIAN, DELAY);
        bytes memory values = abi.encode(bundleOf(all));
        verifier.accept(0, values, PROOF);
        vm.expectRevert(abi.encodeWithSelector(Trusted.NoBundles.selector));
        client.submitPart(0, all[0], values, PROOF);
        submitInclusion(client, all[0]);
    }

    /// @dev A bundle's public values, of which the verifier takes the proof.
    function _accepted(Bundle memory bundle) private returns (bytes memory values) {
        values = abi.encode(bundle);
        verifier.accept(BUNDLE_KEY, values, PROOF);
    }

    function _refuse(uint256 index, bytes memory statement, bytes memory values, bytes memory reason)
        private
    {
        verifier.accept(BUNDLE_KEY, values, PROOF);
        vm.expectRevert(reason);
        client.submitPart(index, statement, values, PROOF);
    }

    /// @dev The second of a bundle is refused; the first one is as good as before.
    function _refuseSecond(bytes memory statement, bytes memory reason) private {
        bytes[] memory both = pair(all[0], statement);
        _refuse(1, statement, abi.encode(bundleOf(both)), reason);
        _requireUnproven(statement);
    }

    function _requireUnproven(bytes memory statement) private {
        vm.expectRevert(abi.encodeWithSelector(Statements.NotProven.selector, keccak256(statement)));
        client.provenAt(statement);
    }

    function _otherStatement(uint256 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Bundles.OtherStatement.selector, index);
    }
}
