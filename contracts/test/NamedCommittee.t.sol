// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Committees} from "../src/Committees.sol";
import {Guardian} from "../src/Guardian.sol";
import {LightClient} from "../src/LightClient.sol";
import {CommitteeChange} from "../src/PublicValues.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice A period passed without finality, so that no committee can hand over: the guardian names the next one, slowly.
contract NamedCommitteeTest is Base {
    LightClient private client;
    uint64 private period;
    bytes32 private root;

    /// The client knows period 1150; nobody hands over to 1151, nor to 1152.
    function setUp() public {
        client = deploy(change(ONE_HANDOVER).head);
        (period, root) = (1152, keccak256("the committee that an honest chain went on with"));
    }

    function test_the_chain_goes_on_from_a_named_committee() public {
        CommitteeChange memory later = change(TWO_HANDOVERS);
        (later.head.signerPeriod, later.head.signerCommitteeRoot) = (period, root);
        (later.learned[0].period, later.learned[1].period) = (1153, 1154);
        bytes memory values = abi.encode(later);
        vm.warp(timeOf(later.head.finalizedSlot));
        bytes memory reason = abi.encodeWithSelector(Committees.UnknownCommittee.selector, period);
        refuseChange(client, values, reason);
        vm.expectEmit(address(client));
        emit Committees.CommitteeAnnounced(period, root, uint64(block.timestamp) + DELAY);
        _announce();
        refuseChange(client, values, reason);
        vm.warp(client.executableFrom());
        vm.expectEmit(address(client));
        emit Committees.CommitteeLearned(period, root);
        _execute();
        require(client.committeeRoot(period) == root && client.announced() == 0, "not known");
        submitChange(client, values);
        require(client.committeeRoot(1154) == later.learned[1].committeeRoot, "it goes no further");
    }

    function test_only_the_guardian_and_only_after_the_delay() public {
        bytes memory reason = abi.encodeWithSelector(Guardian.NotAllowed.selector, STRANGER);
        _refuse(STRANGER, reason);
        client.announceCommittee(period, root);
        _announce();
        uint64 from = client.executableFrom();
        vm.warp(from - 1);
        _refuse(GUARDIAN, abi.encodeWithSelector(Guardian.TooEarly.selector, from - 1, from));
        client.executeCommittee(period, root);
        vm.warp(from);
        _refuse(STRANGER, reason);
        client.executeCommittee(period, root);
        bytes32 other = keccak256("smuggled in");
        reason = abi.encodeWithSelector(Guardian.NotAnnounced.selector, keccak256(abi.encode(period, other)));
        _refuse(GUARDIAN, reason);
        client.executeCommittee(period, other);
        _execute();
    }

    function test_a_known_committee_is_not_the_guardians_to_name() public {
        bytes32 known = client.committeeRoot(1150);
        bytes memory reason = abi.encodeWithSelector(Committees.CommitteeKnown.selector, 1150, known);
        _refuse(GUARDIAN, reason);
        client.announceCommittee(1150, root);
        _refuse(GUARDIAN, abi.encodeWithSelector(Committees.NoCommittee.selector, period));
        client.announceCommittee(period, 0);
        require(client.announced() == 0, "announced all the same");
    }

    /// The chain found its way while the announcement waited: what was proven stands.
    function test_a_committee_that_was_learned_meanwhile_stands() public {
        (period, root) = (1151, keccak256("not the one that was handed over to"));
        _announce();
        bytes32 learned = change(ONE_HANDOVER).learned[0].committeeRoot;
        submitChange(client, recorded(ONE_HANDOVER));
        vm.warp(client.executableFrom());
        _refuse(GUARDIAN, abi.encodeWithSelector(Committees.CommitteeKnown.selector, period, learned));
        client.executeCommittee(period, root);
        vm.prank(GUARDIAN);
        client.cancel();
        require(client.committeeRoot(1151) == learned, "the committee changed");
    }

    function _announce() private {
        vm.prank(GUARDIAN);
        client.announceCommittee(period, root);
    }

    function _execute() private {
        vm.prank(GUARDIAN);
        client.executeCommittee(period, root);
    }

    function _refuse(address caller, bytes memory reason) private {
        vm.prank(caller);
        vm.expectRevert(reason);
    }
}
