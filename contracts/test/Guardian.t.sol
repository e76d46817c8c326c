// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Guardian} from "../src/Guardian.sol";
import {ISP1Verifier} from "../src/ISP1Verifier.sol";
import {LightClient} from "../src/LightClient.sol";
import {CommitteeChange, Head} from "../src/PublicValues.sol";
import {Trust, Trusted} from "../src/Trusted.sol";
import {Base} from "./support/Base.sol";
import {OneProof} from "./support/Verifiers.sol";
import {vm} from "./support/Vm.sol";

/// @notice Roles, delay and what a replacement changes.
contract GuardianTest is Base {
    bytes32 private constant NEW_KEY = bytes32(uint256(0x4e3));

    LightClient private client;
    Trust private next;

    function setUp() public {
        Head memory head = change(ONE_HANDOVER).head;
        client = deploy(head);
        next = trustIn(head, address(new OneProof()));
        next.committeeChangeKey = NEW_KEY;
    }

    function test_only_the_guardian() public {
        bytes memory reason = abi.encodeWithSelector(Guardian.NotAllowed.selector, STRANGER);
        _refuse(STRANGER, reason);
        client.announce(next);
        _announce();
        _refuse(STRANGER, reason);
        client.cancel();
        vm.warp(client.executableFrom());
        _refuse(STRANGER, reason);
        client.execute(next);
        _refuse(STRANGER, reason);
        client.offerGuardian(STRANGER);
        _refuse(STRANGER, reason);
        client.acceptGuardian();
        _refuse(STRANGER, reason);
        client.renounceGuardian();
        require(client.guardian() == GUARDIAN && client.trust().committeeChangeKey == CHANGE_KEY, "changed");
    }

    function test_an_announcement_changes_nothing() public {
        vm.prank(GUARDIAN);
        vm.expectEmit(address(client));
        emit Trusted.TrustAnnounced(next, uint64(block.timestamp) + DELAY);
        client.announce(next);
        require(client.trust().committeeChangeKey == CHANGE_KEY, "key");
        require(client.executableFrom() == block.timestamp + DELAY, "time");
        submitChange(client, recorded(ONE_HANDOVER));
    }

    function test_execution_waits_for_the_delay() public {
        _announce();
        uint64 from = client.executableFrom();
        vm.warp(from - 1);
        _refuse(GUARDIAN, abi.encodeWithSelector(Guardian.TooEarly.selector, from - 1, from));
        client.execute(next);
        vm.warp(from);
        vm.prank(GUARDIAN);
        vm.expectEmit(address(client));
        emit Trusted.TrustReplaced(next);
        client.execute(next);
        require(keccak256(abi.encode(client.trust())) == keccak256(abi.encode(next)), "not replaced");
        require(client.announced() == 0 && client.trustReplaced(), "still announced");
        _refuse(GUARDIAN, _notAnnounced());
        client.execute(next);
    }

    function test_an_announcement_lapses() public {
        _announce();
        uint256 until = client.executableFrom() + client.EXECUTION_WINDOW();
        vm.warp(until + 1);
        _refuse(GUARDIAN, abi.encodeWithSelector(Guardian.TooLate.selector, until + 1, until));
        client.execute(next);
        // The window's last second is still in it.
        vm.warp(until);
        vm.prank(GUARDIAN);
        client.execute(next);
    }

    function test_what_lapsed_is_announced_anew() public {
        _announce();
        vm.warp(client.executableFrom() + client.EXECUTION_WINDOW() + 1);
        vm.prank(GUARDIAN);
        client.cancel();
        _announce();
    }

    function test_only_what_was_announced() public {
        _refuse(GUARDIAN, _notAnnounced());
        client.execute(next);
        _announce();
        vm.warp(client.executableFrom());
        next.inclusionKey = keccak256("smuggled in");
        _refuse(GUARDIAN, _notAnnounced());
        client.execute(next);
    }

    function test_one_announcement_at_a_time() public {
        _announce();
        bytes32 announced = client.announced();
        next.inclusionKey = keccak256("another");
        _refuse(GUARDIAN, abi.encodeWithSelector(Guardian.AlreadyAnnounced.selector, announced));
        client.announce(next);
        vm.prank(GUARDIAN);
        client.cancel();
        _announce();
        require(client.announced() != announced, "not replaced");
    }

    function test_what_is_cancelled_is_not_executed() public {
        _announce();
        vm.warp(client.executableFrom());
        bytes32 announced = client.announced();
        vm.prank(GUARDIAN);
        vm.expectEmit(address(client));
        emit Guardian.AnnouncementCancelled(announced);
        client.cancel();
        _refuse(GUARDIAN, _notAnnounced());
        client.execute(next);
        _refuse(GUARDIAN, abi.encodeWithSelector(Guardian.NotAnnounced.selector, bytes32(0)));
        client.cancel();
    }

    function test_incomplete_replacements_are_refused() public {
        next.verifier = ISP1Verifier(STRANGER);
        _refuse(GUARDIAN, abi.encodeWithSelector(Trusted.NoVerifier.selector, STRANGER));
        client.announce(next);
        next.verifier = verifier;
        next.inclusionKey = next.committeeChangeKey;
        _refuse(GUARDIAN, abi.encodeWithSelector(Trusted.IncompleteTrust.selector));
        client.announce(next);
    }

    /// Verifier, key and chain: all of the old stop counting, all of the new count. What is known stays known.
    function test_a_replacement_is_what_counts() public {
        bytes32 digest = keccak256("the schedule with the next fork");
        next.chainDigest = digest;
        submitChange(client, recorded(ONE_HANDOVER));
        _announce();
        vm.warp(client.executableFrom());
        vm.prank(GUARDIAN);
        client.execute(next);
        require(
            client.committeeRoot(1151) == change(ONE_HANDOVER).learned[0].committeeRoot,
            "a committee was lost"
        );
        require(client.provenAt(recorded(ONE_HANDOVER)) != 0, "a statement was lost");

        CommitteeChange memory statement = change(TWO_HANDOVERS);
        bytes memory values = recorded(TWO_HANDOVERS);
        bytes memory reason =
            abi.encodeWithSelector(Trusted.WrongChain.selector, statement.head.chainDigest, digest);
        refuseChange(client, values, reason);
        statement.head.chainDigest = digest;
        values = abi.encode(statement);
        // The old verifier accepts it, the new one does not know it; nor does it under the old key.
        OneProof replaced = OneProof(address(next.verifier));
        refuseChange(client, values, abi.encodeWithSelector(OneProof.ProofRefused.selector));
        replaced.accept(CHANGE_KEY, values, PROOF);
        refuseChange(client, values, abi.encodeWithSelector(OneProof.ProofRefused.selector));
        replaced.accept(NEW_KEY, values, PROOF);
        client.submitCommitteeChange(values, PROOF);
    }

    /// Both programs' keys are replaced, each for its own, and the circuits with them.
    function test_an_inclusion_after_a_replacement() public {
        Head memory head = inclusion(ONE_SLOT).head;
        client = deploy(head);
        next = trustIn(head, address(verifier));
        (next.inclusionKey, next.selector) = (NEW_KEY, hex"0badcafe");
        _announce();
        vm.warp(client.executableFrom());
        vm.prank(GUARDIAN);
        client.execute(next);
        bytes memory values = recorded(ONE_SLOT);
        vm.expectRevert(abi.encodeWithSelector(Trusted.WrongCircuits.selector, SELECTOR, next.selector));
        client.submitInclusion(values, PROOF);
        bytes memory proof = bytes.concat(next.selector, hex"01");
        verifier.accept(INCLUSION_KEY, values, proof);
        vm.expectRevert(abi.encodeWithSelector(OneProof.ProofRefused.selector));
        client.submitInclusion(values, proof);
        verifier.accept(NEW_KEY, values, proof);
        client.submitInclusion(values, proof);
    }

    function test_the_role_moves_in_two_steps() public {
        _announce();
        vm.prank(GUARDIAN);
        vm.expectEmit(address(client));
        emit Guardian.GuardianOffered(GUARDIAN, STRANGER);
        client.offerGuardian(STRANGER);
        require(client.guardian() == GUARDIAN, "moved in one step");
        vm.prank(STRANGER);
        vm.expectEmit(address(client));
        emit Guardian.GuardianChanged(GUARDIAN, STRANGER);
        client.acceptGuardian();
        require(client.guardian() == STRANGER && client.nextGuardian() == address(0), "not moved");
        require(client.announced() == 0, "the former guardian's announcement stands");
        _refuse(GUARDIAN, abi.encodeWithSelector(Guardian.NotAllowed.selector, GUARDIAN));
        client.announce(next);
        _refuse(STRANGER, abi.encodeWithSelector(Guardian.NotAllowed.selector, STRANGER));
        client.acceptGuardian();
    }

    function test_an_offer_is_withdrawn() public {
        vm.prank(GUARDIAN);
        client.offerGuardian(STRANGER);
        vm.prank(GUARDIAN);
        client.offerGuardian(address(0));
        _refuse(STRANGER, abi.encodeWithSelector(Guardian.NotAllowed.selector, STRANGER));
        client.acceptGuardian();
    }

    function test_renounced_is_renounced() public {
        _announce();
        vm.prank(GUARDIAN);
        client.offerGuardian(STRANGER);
        vm.prank(GUARDIAN);
        vm.expectEmit(address(client));
        emit Guardian.GuardianChanged(GUARDIAN, address(0));
        client.renounceGuardian();
        require(client.guardian() == address(0) && client.announced() == 0, "something is left");
        vm.warp(block.timestamp + DELAY);
        address[3] memory callers = [GUARDIAN, STRANGER, address(this)];
        for (uint256 i = 0; i < callers.length; ++i) {
            bytes memory reason = abi.encodeWithSelector(Guardian.NotAllowed.selector, callers[i]);
            _refuse(callers[i], reason);
            client.announce(next);
            _refuse(callers[i], reason);
            client.execute(next);
            _refuse(callers[i], reason);
            client.acceptGuardian();
        }
        vm.warp(timeOf(9_420_800));
        submitChange(client, recorded(ONE_HANDOVER));
    }

    function test_without_a_guardian_from_the_start() public {
        Head memory head = change(ONE_HANDOVER).head;
        client = new LightClient(trustIn(head, address(verifier)), rules(), checkpoint(head), address(0), 0);
        _refuse(GUARDIAN, abi.encodeWithSelector(Guardian.NotAllowed.selector, GUARDIAN));
        client.announce(next);
        submitChange(client, recorded(ONE_HANDOVER));
    }

    function _announce() private {
        vm.prank(GUARDIAN);
        client.announce(next);
    }

    /// @dev The next call, by `caller`, is refused.
    function _refuse(address caller, bytes memory reason) private {
        vm.prank(caller);
        vm.expectRevert(reason);
    }

    function _notAnnounced() private view returns (bytes memory) {
        return abi.encodeWithSelector(Guardian.NotAnnounced.selector, keccak256(abi.encode(next)));
    }
}
