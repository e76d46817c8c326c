// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bundles} from "../src/Bundles.sol";
import {Committees} from "../src/Committees.sol";
import {LightClient} from "../src/LightClient.sol";
import {Bundle, CommitteeChange, Head, Inclusion, Learned, PublicValues} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Trust, Trusted} from "../src/Trusted.sol";
import {Bundled} from "./support/Bundled.sol";
import {OneProof} from "./support/Verifiers.sol";
import {vm} from "./support/Vm.sol";

/// @notice Every reason to refuse a bundle. Unless a test says otherwise the verifier would accept its proof, and of a bundle
/// that is refused nothing is known afterwards.
contract BundleRefusalsTest is Bundled {
    bytes32 private constant OTHER = keccak256("other");

    LightClient private client;
    bytes[] private all;

    function setUp() public {
        client = deploy(inclusion(ONE_SLOT).head);
        vm.warp(block.timestamp + 1 days);
        all = inclusions(3);
    }

    /// Other bytes, or another statement that is good itself, or the same ones in another order.
    function test_another_statement_is_named_by_its_index() public {
        bytes memory values = abi.encode(bundleOf(all));
        for (uint256 i = 0; i < 3; ++i) {
            bytes[] memory edited = inclusions(3);
            edited[i][edited[i].length - 1] ^= 0x01;
            refuseBundle(client, edited, values, _otherStatement(i));
            edited[i] = recorded(CATCH_UP);
            refuseBundle(client, edited, values, _otherStatement(i));
            // Whole and canonical, and more than what was proven.
            edited[i] = bytes.concat(all[i], bytes32(0));
            refuseBundle(client, edited, values, _otherStatement(i));
        }
        bytes[] memory swapped = inclusions(3);
        (swapped[1], swapped[2]) = (swapped[2], swapped[1]);
        refuseBundle(client, swapped, values, _otherStatement(1));
        _requireUntouched();
    }

    /// The proof is of another program's statement with the same bytes.
    function test_a_part_of_another_program() public {
        for (uint256 i = 0; i < 3; ++i) {
            Bundle memory bundle = bundleOf(all);
            bundle.parts[i].program = 1;
            refuseBundle(client, all, abi.encode(bundle), _otherStatement(i));
        }
    }

    /// No bundle within a bundle, nor a program that is not known, whatever the proof says.
    function test_programs_that_are_not_known() public {
        bytes memory bundle = abi.encode(bundleOf(all));
        refuseBundle(
            client, _bundleAround(bundle), abi.encodeWithSelector(PublicValues.WrongProgram.selector, 3, 2)
        );
        bytes memory values = recorded(ONE_SLOT);
        values[95] = 0x09;
        refuseBundle(
            client, _bundleAround(values), abi.encodeWithSelector(PublicValues.WrongProgram.selector, 9, 2)
        );
    }

    function test_a_statement_that_is_too_short_to_be_one() public {
        bytes[] memory cut = inclusions(3);
        bytes memory values = abi.encode(bundleOf(all));
        for (uint256 length = 0; length < 384; length += 32) {
            cut[1] = new bytes(length);
            refuseBundle(
                client, cut, values, abi.encodeWithSelector(PublicValues.WrongLength.selector, length)
            );
        }
    }

    function test_more_or_fewer_statements_than_parts() public {
        bytes memory values = abi.encode(bundleOf(all));
        bytes[] memory fewer = pair(all[0], all[1]);
        refuseBundle(client, fewer, values, abi.encodeWithSelector(Bundles.OtherNumber.selector, 2, 3));
        refuseBundle(
            client,
            all,
            abi.encode(bundleOf(fewer)),
            abi.encodeWithSelector(Bundles.OtherNumber.selector, 3, 2)
        );
        _requireUntouched();
    }

    /// The verifier accepts each of them: it is the light client that refuses.
    function test_edited_public_values() public {
        bytes memory values = abi.encode(bundleOf(all));
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] ^= 0x01;
            verifier.accept(BUNDLE_KEY, values, PROOF);
            vm.expectRevert();
            client.submitBundle(all, values, PROOF);
            values[i] ^= 0x01;
        }
        _requireUntouched();
        submitBundle(client, all);
    }

    function test_another_chain() public {
        bytes32 digest = inclusion(ONE_SLOT).head.chainDigest;
        Bundle memory bundle = bundleOf(all);
        bundle.chainDigest = OTHER;
        bytes memory reason = abi.encodeWithSelector(Trusted.WrongChain.selector, OTHER, digest);
        refuseBundle(client, all, abi.encode(bundle), reason);
        // A statement of another one among them, whatever the bundle says.
        bundle = bundleOf(pair(all[0], recorded(THREE_ACCOUNTS)));
        reason = abi.encodeWithSelector(
            Trusted.WrongChain.selector, inclusion(THREE_ACCOUNTS).head.chainDigest, digest
        );
        refuseBundle(client, pair(all[0], recorded(THREE_ACCOUNTS)), abi.encode(bundle), reason);
        _requireUntouched();
    }

    /// Around a fork, as for statements alone: what decides is each one's finalized slot.
    function test_a_fork_left_out() public {
        Head memory head = inclusion(ONE_SLOT).head;
        Trust memory trusted = trustIn(head, address(verifier));
        (trusted.nextChainDigest, trusted.forkSlot) = (OTHER, head.finalizedSlot + 64);
        client = new LightClient(trusted, rules(), checkpoint(head), GUARDIAN, DELAY);
        bytes memory reason =
            abi.encodeWithSelector(Trusted.ForkLeftOut.selector, trusted.forkSlot, trusted.forkSlot);
        refuseBundle(client, all, reason);
        _requireUntouched();
        submitBundle(client, pair(all[0], all[1]));
        Inclusion memory later = abi.decode(all[2], (Inclusion));
        later.head.chainDigest = OTHER;
        submitBundle(client, pair(abi.encode(later), abi.encode(later)));
    }

    function test_another_proof_or_another_key() public {
        bytes memory values = abi.encode(bundleOf(all));
        bytes memory refused = abi.encodeWithSelector(OneProof.ProofRefused.selector);
        verifier.accept(BUNDLE_KEY, values, PROOF);
        vm.expectRevert(refused);
        client.submitBundle(all, values, hex"a1b2c3d4e6");
        bytes32[2] memory keys = [CHANGE_KEY, INCLUSION_KEY];
        for (uint256 i = 0; i < 2; ++i) {
            verifier.accept(keys[i], values, PROOF);
            vm.expectRevert(refused);
            client.submitBundle(all, values, PROOF);
        }
        verifier.accept(BUNDLE_KEY, values, hex"a1b2c3d5e5");
        vm.expectRevert(
            abi.encodeWithSelector(Trusted.WrongCircuits.selector, bytes4(hex"a1b2c3d5"), SELECTOR)
        );
        client.submitBundle(all, values, hex"a1b2c3d5e5");
        _requireUntouched();
    }

    /// What is no bundle is none, though its proof is good.
    function test_public_values_of_the_other_programs() public {
        bytes[2] memory others = [recorded(ONE_HANDOVER), recorded(ONE_SLOT)];
        for (uint256 i = 0; i < 2; ++i) {
            refuseBundle(
                client, all, others[i], abi.encodeWithSelector(PublicValues.WrongProgram.selector, i + 1, 3)
            );
        }
        bytes memory values = abi.encode(bundleOf(all));
        refuseInclusion(client, values, abi.encodeWithSelector(PublicValues.WrongProgram.selector, 3, 2));
        refuseChange(client, values, abi.encodeWithSelector(PublicValues.WrongProgram.selector, 3, 1));
    }

    // Each rule of a statement alone, broken by the last of three: nothing is known of the first two either.

    function test_a_last_one_with_too_few_signers() public {
        Inclusion memory last = abi.decode(all[2], (Inclusion));
        last.head.participation = SIGNERS - 1;
        _refuseLast(
            abi.encode(last), abi.encodeWithSelector(LightClient.TooFewSigners.selector, SIGNERS - 1, SIGNERS)
        );
    }

    function test_a_last_one_of_another_time() public {
        Inclusion memory last = abi.decode(all[2], (Inclusion));
        uint64 slot = uint64((block.timestamp - GENESIS) / 12 + 1);
        last.head.finalizedSlot = slot;
        _refuseLast(
            abi.encode(last),
            abi.encodeWithSelector(LightClient.FromTheFuture.selector, slot, block.timestamp)
        );
        slot = uint64((block.timestamp - GENESIS - MAX_AGE) / 12 - 1);
        last.head.finalizedSlot = slot;
        _refuseLast(
            abi.encode(last), abi.encodeWithSelector(LightClient.TooOld.selector, slot, block.timestamp)
        );
    }

    function test_a_last_one_by_another_committee() public {
        Inclusion memory last = abi.decode(all[2], (Inclusion));
        (uint64 period, bytes32 known) = (last.head.signerPeriod, last.head.signerCommitteeRoot);
        last.head.signerCommitteeRoot = OTHER;
        _refuseLast(
            abi.encode(last),
            abi.encodeWithSelector(Committees.UntrustedCommittee.selector, period, OTHER, known)
        );
        last.head.signerPeriod = period + 1;
        _refuseLast(
            abi.encode(last), abi.encodeWithSelector(Committees.UnknownCommittee.selector, period + 1)
        );
    }

    function test_a_last_one_that_teaches_out_of_order_or_nothing() public {
        bytes memory reason = abi.encodeWithSelector(Committees.LearnedOutOfOrder.selector);
        Inclusion memory last = abi.decode(all[2], (Inclusion));
        last.learned = new Learned[](1);
        last.learned[0] = Learned(last.head.signerPeriod + 2, OTHER);
        _refuseLast(abi.encode(last), reason);
        last.head.program = 1;
        _refuseLast(abi.encode(CommitteeChange(last.head, new Learned[](0))), reason);
    }

    function test_a_last_one_in_another_encoding() public {
        _refuseLast(
            bytes.concat(all[2], bytes32(0)), abi.encodeWithSelector(PublicValues.NotCanonical.selector)
        );
        bytes memory last = inclusions(3)[2];
        last[63] = 0x03;
        _refuseLast(last, abi.encodeWithSelector(PublicValues.WrongVersion.selector, 3, 2));
    }

    function test_a_deployment_without_a_bundle_program() public {
        Head memory head = inclusion(ONE_SLOT).head;
        Trust memory trusted = trustIn(head, address(verifier));
        trusted.bundleKey = 0;
        client = new LightClient(trusted, rules(), checkpoint(head), GUARDIAN, DELAY);
        bytes memory values = abi.encode(bundleOf(all));
        verifier.accept(0, values, PROOF);
        vm.expectRevert(abi.encodeWithSelector(Trusted.NoBundles.selector));
        client.submitBundle(all, values, PROOF);
        submitInclusion(client, all[0]);
    }

    /// The guardian brings bundles in, and takes them away again.
    function test_the_bundle_program_is_replaced() public {
        Trust memory next = client.trust();
        next.bundleKey = OTHER;
        _replace(next);
        bytes[] memory now_ = _younger();
        bytes memory values = abi.encode(bundleOf(now_));
        refuseBundle(client, now_, values, abi.encodeWithSelector(OneProof.ProofRefused.selector));
        verifier.accept(OTHER, values, PROOF);
        client.submitBundle(now_, values, PROOF);
        next.bundleKey = 0;
        _replace(next);
        now_ = _younger();
        values = abi.encode(bundleOf(now_));
        verifier.accept(0, values, PROOF);
        vm.expectRevert(abi.encodeWithSelector(Trusted.NoBundles.selector));
        client.submitBundle(now_, values, PROOF);
    }

    function _replace(Trust memory next) private {
        vm.prank(GUARDIAN);
        client.announce(next);
        vm.warp(client.executableFrom());
        vm.prank(GUARDIAN);
        client.execute(next);
    }

    /// @dev Two inclusions of the last minute.
    function _younger() private view returns (bytes[] memory) {
        Inclusion memory statement = inclusion(ONE_SLOT);
        statement.head.finalizedSlot = uint64((block.timestamp - GENESIS) / 12);
        bytes memory one = abi.encode(statement);
        statement.accounts[0].slots[0].key = OTHER;
        return pair(one, abi.encode(statement));
    }

    function _bundleAround(bytes memory statement) private view returns (bytes[] memory) {
        return pair(all[0], statement);
    }

    function _refuseLast(bytes memory last, bytes memory reason) private {
        bytes[] memory edited = inclusions(3);
        edited[2] = last;
        // The bundle's chain is the first one's.
        refuseBundle(client, edited, reason);
        _requireUntouched();
    }

    function _requireUntouched() private {
        require(client.headSlot() == checkpoint(inclusion(ONE_SLOT).head).slot, "the head moved");
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Statements.NotProven.selector, keccak256(all[i])));
            client.provenAt(all[i]);
        }
    }

    function _otherStatement(uint256 index) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Bundles.OtherStatement.selector, index);
    }
}
