// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LightClient} from "../src/LightClient.sol";
import {CommitteeChange, Head, Inclusion} from "../src/PublicValues.sol";
import {Trust, Trusted} from "../src/Trusted.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice The chain's next fork, known to the contract before it begins: below its first slot proofs by both schedules
/// count, from it on only those by the schedule that has it.
contract ForksTest is Base {
    bytes32 private constant NEXT = keccak256("the schedule with the next fork");

    function test_below_the_fork_both_schedules_count() public {
        Head memory head = change(ONE_HANDOVER).head;
        LightClient client = _deploy(head, head.finalizedSlot + 1);
        submitChange(client, recorded(ONE_HANDOVER));
        client = _deploy(head, head.finalizedSlot + 1);
        submitChange(client, _changeUnder(NEXT));
        head = inclusion(ONE_SLOT).head;
        client = _deploy(head, head.finalizedSlot + 1);
        submitInclusion(client, recorded(ONE_SLOT));
        submitInclusion(client, _inclusionUnder(NEXT));
    }

    function test_from_the_fork_on_only_the_schedule_that_has_it() public {
        Head memory head = change(ONE_HANDOVER).head;
        uint64 slot = head.finalizedSlot;
        LightClient client = _deploy(head, slot);
        bytes memory reason = abi.encodeWithSelector(Trusted.ForkLeftOut.selector, slot, slot);
        refuseChange(client, recorded(ONE_HANDOVER), reason);
        submitChange(client, _changeUnder(NEXT));
        head = inclusion(ONE_SLOT).head;
        slot = head.finalizedSlot;
        client = _deploy(head, slot);
        reason = abi.encodeWithSelector(Trusted.ForkLeftOut.selector, slot, slot);
        refuseInclusion(client, recorded(ONE_SLOT), reason);
        submitInclusion(client, _inclusionUnder(NEXT));
    }

    /// A proof of before the fork that is submitted after its beginning speaks about its own time.
    function test_the_statements_slot_decides_not_the_clock() public {
        Head memory head = change(ONE_HANDOVER).head;
        LightClient client = _deploy(head, head.finalizedSlot + 1);
        vm.warp(timeOf(head.finalizedSlot + 1) + 10 days);
        submitChange(client, recorded(ONE_HANDOVER));
    }

    function test_no_third_schedule() public {
        Head memory head = change(ONE_HANDOVER).head;
        LightClient client = _deploy(head, head.finalizedSlot);
        bytes32[2] memory others = [bytes32(0), keccak256("neither")];
        for (uint256 i = 0; i < others.length; ++i) {
            refuseChange(
                client,
                _changeUnder(others[i]),
                abi.encodeWithSelector(Trusted.WrongChain.selector, others[i], head.chainDigest)
            );
        }
        // Where no fork is dated, a digest of zero is no digest.
        client = deploy(head);
        refuseChange(
            client,
            _changeUnder(0),
            abi.encodeWithSelector(Trusted.WrongChain.selector, bytes32(0), head.chainDigest)
        );
    }

    /// The same through the guardian: before and after, and what is known stays known.
    function test_a_fork_that_the_guardian_prepares() public {
        Head memory head = inclusion(ONE_SLOT).head;
        LightClient client = deploy(head);
        Trust memory next = _trust(head, head.finalizedSlot + 32);
        bytes memory reason = abi.encodeWithSelector(Trusted.WrongChain.selector, NEXT, head.chainDigest);
        refuseInclusion(client, _inclusionUnder(NEXT), reason);
        vm.prank(GUARDIAN);
        client.announce(next);
        refuseInclusion(client, _inclusionUnder(NEXT), reason);
        vm.warp(client.executableFrom());
        vm.prank(GUARDIAN);
        client.execute(next);
        submitInclusion(client, recorded(ONE_SLOT));
        submitInclusion(client, _inclusionUnder(NEXT));
        Inclusion memory later = inclusion(ONE_SLOT);
        later.head.finalizedSlot += 32;
        reason = abi.encodeWithSelector(
            Trusted.ForkLeftOut.selector, later.head.finalizedSlot, later.head.finalizedSlot
        );
        refuseInclusion(client, abi.encode(later), reason);
        later.head.chainDigest = NEXT;
        submitInclusion(client, abi.encode(later));
    }

    function _deploy(Head memory head, uint64 forkSlot) private returns (LightClient) {
        deploy(head);
        return new LightClient(_trust(head, forkSlot), rules(), checkpoint(head), GUARDIAN, DELAY);
    }

    function _trust(Head memory head, uint64 forkSlot) private view returns (Trust memory trusted) {
        trusted = trustIn(head, address(verifier));
        (trusted.nextChainDigest, trusted.forkSlot) = (NEXT, forkSlot);
    }

    function _changeUnder(bytes32 digest) private view returns (bytes memory) {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        statement.head.chainDigest = digest;
        return abi.encode(statement);
    }

    function _inclusionUnder(bytes32 digest) private view returns (bytes memory) {
        Inclusion memory statement = inclusion(ONE_SLOT);
        statement.head.chainDigest = digest;
        return abi.encode(statement);
    }
}
