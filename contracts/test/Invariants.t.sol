// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LightClient} from "../src/LightClient.sol";
import {Account, CommitteeChange, Head, Inclusion, Learned, Slot} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice Submits whatever forge thinks of: statements new and old, agreeing and contradicting, each with a proof that
/// the verifier accepts; and remembers what it was told.
contract Relayer is Base {
    uint64 public constant FIRST_PERIOD = 1150;

    LightClient public client;
    uint64 public newest = FIRST_PERIOD;
    uint64 public highest;
    mapping(uint64 period => bytes32) public learned;
    mapping(bytes32 digest => bool) public accepted;
    mapping(uint64 slot => bool) public contradicted;
    /// @notice How often what was accepted contradicted what was known.
    uint256 public contradictions;
    /// @notice Public values that were submitted, accepted or not.
    bytes[] public submitted;
    uint256 public acceptances;

    Head private _head;
    bytes32 private _highestRoot;

    constructor() {
        _head = change(ONE_HANDOVER).head;
        client = deploy(_head);
        highest = client.headSlot();
        _highestRoot = checkpoint(_head).root;
        learned[FIRST_PERIOD] = _head.signerCommitteeRoot;
    }

    function count() external view returns (uint256) {
        return submitted.length;
    }

    function changeCommittee(uint64 period, uint8 handovers, uint64 slot, uint256 variant) external {
        Head memory head = _statement(1, period, slot, variant);
        Learned[] memory taught = _handovers(head.signerPeriod, 1 + handovers % 3, variant);
        bytes memory values = abi.encode(CommitteeChange(head, taught));
        verifier.accept(CHANGE_KEY, values, PROOF);
        try client.submitCommitteeChange(values, PROOF) {
            _learn(values, head, taught);
        } catch {
            submitted.push(values);
        }
    }

    /// Every other inclusion begins with handovers.
    function include(uint64 period, uint8 handovers, uint64 slot, uint256 variant, Slot memory content)
        external
    {
        Inclusion memory statement;
        (statement.head, statement.accounts) = (_statement(2, period, slot, variant), new Account[](1));
        statement.accounts[0].account = address(uint160(variant));
        statement.accounts[0].slots = new Slot[](1);
        statement.accounts[0].slots[0] = content;
        statement.learned =
            _handovers(statement.head.signerPeriod, handovers % 2 == 0 ? 0 : handovers % 3, variant);
        bytes memory values = abi.encode(statement);
        verifier.accept(INCLUSION_KEY, values, PROOF);
        try client.submitInclusion(values, PROOF) {
            _learn(values, statement.head, statement.learned);
        } catch {
            submitted.push(values);
        }
    }

    /// Replays change nothing: what was accepted is refused.
    function replay(uint256 which) external {
        if (submitted.length == 0) return;
        bytes memory values = submitted[which % submitted.length];
        if (!accepted[keccak256(values)]) return;
        bytes memory reason = abi.encodeWithSelector(Statements.AlreadyProven.selector, keccak256(values));
        // The last byte of the program's word.
        if (values[95] == 0x01) refuseChange(client, values, reason);
        else refuseInclusion(client, values, reason);
    }

    function wait_(uint32 time) external {
        vm.warp(block.timestamp + time % 5 days);
    }

    /// @dev The committees after a period: mostly those that everybody agrees on; now and then a lie.
    function _handovers(uint64 period, uint8 handovers, uint256 variant)
        private
        pure
        returns (Learned[] memory taught)
    {
        taught = new Learned[](handovers);
        for (uint256 i = 0; i < handovers; ++i) {
            uint64 next = period + 1 + uint64(i);
            uint256 lie = variant >> (8 * i) & 0xff;
            taught[i] = Learned(next, keccak256(abi.encode(next, lie < 240 ? 0 : lie)));
        }
    }

    /// @dev From a contradiction nothing is learned.
    function _learn(bytes memory values, Head memory head, Learned[] memory taught) private {
        bool agrees = true;
        for (uint256 i = 0; i < taught.length; ++i) {
            bytes32 known = learned[taught[i].period];
            if (known != 0 && known != taught[i].committeeRoot) agrees = false;
        }
        if (!_remember(values, head, agrees)) return;
        for (uint256 i = 0; i < taught.length; ++i) {
            if (learned[taught[i].period] == 0) learned[taught[i].period] = taught[i].committeeRoot;
            if (taught[i].period > newest) newest = taught[i].period;
        }
    }

    /// @dev A head that may be anything near what is known.
    function _statement(uint32 program, uint64 period, uint64 slot, uint256 variant)
        private
        view
        returns (Head memory head)
    {
        head = _head;
        head.program = program;
        // Any known period, or the one after.
        head.signerPeriod = FIRST_PERIOD + period % (newest - FIRST_PERIOD + 2);
        head.signerCommitteeRoot = learned[head.signerPeriod];
        // forge likes small numbers; hashed, they are spread from a little too old to a little too new.
        uint256 spread = uint256(keccak256(abi.encode(slot))) % 103_000;
        head.finalizedSlot = uint64((block.timestamp - GENESIS) / 12 - 102_000 + spread);
        variant = uint256(keccak256(abi.encode(variant)));
        head.finalizedRoot = keccak256(abi.encode(head.finalizedSlot, variant % 16 == 0));
        if (variant % 31 == 0) head.chainDigest = 0;
        if (variant % 37 == 0) head.participation = 300;
    }

    /// @dev Returns whether it agrees with all that is known.
    function _remember(bytes memory values, Head memory head, bool agrees) private returns (bool) {
        submitted.push(values);
        accepted[keccak256(values)] = true;
        ++acceptances;
        // Whatever was accepted keeps the rules.
        require(head.chainDigest == _head.chainDigest && head.participation >= SIGNERS, "rules");
        require(timeOf(head.finalizedSlot) <= block.timestamp, "from the future");
        require(block.timestamp - timeOf(head.finalizedSlot) <= MAX_AGE, "too old");
        if (head.finalizedSlot == highest && head.finalizedRoot != _highestRoot) agrees = false;
        if (!agrees) {
            contradicted[head.finalizedSlot] = true;
            ++contradictions;
        } else if (head.finalizedSlot > highest) {
            (highest, _highestRoot) = (head.finalizedSlot, head.finalizedRoot);
        }
        return agrees;
    }
}

contract InvariantsTest {
    Relayer private relayer;

    function setUp() public {
        relayer = new Relayer();
    }

    /// @dev forge calls these contracts, in any order with any arguments.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(relayer);
    }

    /// What the relayer makes up is accepted often, and refused often.
    function test_the_relayer_has_something_to_say() public {
        for (uint64 i = 0; i < 40; ++i) {
            relayer.changeCommittee(i, uint8(i), i, i % 8 == 7 ? 250 : i);
            relayer.include(i, uint8(i), i, i, Slot(bytes32(uint256(i)), true, keccak256("value")));
        }
        require(relayer.acceptances() > 20 && relayer.acceptances() < 78, vm.toString(relayer.acceptances()));
        require(relayer.newest() > relayer.FIRST_PERIOD() + 2, "hardly a committee was learned");
        require(relayer.contradictions() > 1, "hardly a contradiction");
    }

    /// The head is the highest finalized slot that was ever accepted without contradiction: so it never falls.
    function invariant_the_head_never_falls() public view {
        require(relayer.client().headSlot() == relayer.highest(), "head");
    }

    function invariant_a_known_committee_never_changes() public view {
        LightClient client = relayer.client();
        for (uint64 period = relayer.FIRST_PERIOD() - 1; period < relayer.newest() + 4; ++period) {
            bytes32 learned = relayer.learned(period);
            try client.committeeRoot(period) returns (bytes32 root) {
                require(root != 0 && root == learned, "a committee changed");
            } catch {
                require(learned == 0, "a committee was lost");
            }
        }
    }

    function invariant_what_is_readable_was_proven() public view {
        LightClient client = relayer.client();
        uint256 known;
        for (uint256 i = 0; i < relayer.count(); ++i) {
            bytes memory values = relayer.submitted(i);
            (bool accepted, bool contradicted) = _judged(values);
            try client.provenAt(values) {
                require(accepted, "unproven, and yet known");
                ++known;
            } catch {
                require(!accepted, "proven, and yet unknown");
            }
            try client.provenHead(values) {
                require(accepted && !contradicted, "unproven or contradicted, and yet readable");
            } catch {
                require(!accepted || contradicted, "proven, and yet unreadable");
            }
        }
        require(known >= relayer.acceptances(), "something proven is gone");
    }

    function _judged(bytes memory values) private view returns (bool accepted, bool contradicted) {
        // Of either statement the eighth word: the offset and six words of the head come before it.
        uint64 slot;
        assembly ("memory-safe") {
            slot := mload(add(values, 256))
        }
        contradicted = relayer.contradicted(slot);
        require((relayer.client().contradictedAt(slot) != 0) == contradicted, "contradiction");
        return (relayer.accepted(keccak256(values)), contradicted);
    }
}
