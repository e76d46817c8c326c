// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bundles} from "../src/Bundles.sol";
import {LightClient} from "../src/LightClient.sol";
import {CommitteeChange, Head, Inclusion, Learned} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Bundled} from "./support/Bundled.sol";
import {FreeVerifier} from "./support/Verifiers.sol";

/// @notice Whatever is bundled ends as it would one by one: as what is known and contradicted then, or with the reason for
/// which the first one was refused.
contract BundleOrAloneTest is Bundled {
    uint64 private constant PERIODS = 5;

    Head private first;
    uint256 private agreed;
    uint256 private refused;
    uint256 private passedOver;

    function setUp() public {
        first = change(ONE_HANDOVER).head;
    }

    function testFuzz_a_bundle_ends_as_its_statements_do_one_by_one(uint256 seed) public {
        _compare(seed);
    }

    /// What is made up is taken, refused and passed over often enough to mean something.
    function test_what_is_compared_is_no_monotony() public {
        for (uint256 seed = 0; seed < 40; ++seed) {
            _compare(seed);
        }
        require(agreed >= 15 && refused >= 8 && passedOver >= 8, "hardly a difference");
    }

    /// At any place of any bundle a statement ends as it does alone, whatever was proven before.
    function testFuzz_a_part_ends_as_its_statement_does_alone(uint256 seed) public {
        address accepting = address(new FreeVerifier());
        (LightClient alone, LightClient parted) = (deploy(first, accepting), deploy(first, accepting));
        bytes[] memory all = new bytes[](1 + seed % 5);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = _statement(uint256(keccak256(abi.encode(seed, i))));
        }
        bytes memory values = abi.encode(bundleOf(all));
        for (uint256 i = 0; i < 8; ++i) {
            uint256 index = uint256(keccak256(abi.encode(seed, "next", i))) % all.length;
            (bool isTaken, bytes memory reason) = address(alone).call(_alone(all[index]));
            try parted.submitPart(index, all[index], values, PROOF) {
                require(isTaken, "taken as a part, not alone");
            } catch (bytes memory got) {
                require(!isTaken && keccak256(got) == keccak256(reason), "another end");
            }
        }
        _requireEqual(alone, parted, all);
    }

    function _compare(uint256 seed) private {
        address accepting = address(new FreeVerifier());
        (LightClient alone, LightClient bundled) = (deploy(first, accepting), deploy(first, accepting));
        bytes[] memory all = new bytes[](1 + seed % 5);
        for (uint256 i = 0; i < all.length; ++i) {
            // Now and then the same one again.
            uint256 which = uint256(keccak256(abi.encode(seed, i))) % 5;
            all[i] = _statement(uint256(keccak256(abi.encode(seed, "of", which))));
        }
        (bytes memory reason, uint256 news) = _oneByOne(alone, all);
        bytes memory values = abi.encode(bundleOf(all));
        bool isNews = reason.length == 0 && news > 0;
        try bundled.submitBundle(all, values, PROOF) {
            require(isNews, "taken as a bundle, not one by one");
            ++agreed;
            if (news < all.length) ++passedOver;
        } catch (bytes memory got) {
            if (reason.length == 0) reason = abi.encodeWithSelector(Bundles.NothingNewInBundle.selector);
            require(!isNews && keccak256(got) == keccak256(reason), "another end");
            ++refused;
            // Nothing of it is there: as if the other one had never been asked.
            alone = deploy(first, accepting);
        }
        _requireEqual(alone, bundled, all);
    }

    /// @dev Stops where one is refused for another reason than that it is known. Returns that, and how many were new.
    function _oneByOne(LightClient alone, bytes[] memory all) private returns (bytes memory, uint256 news) {
        for (uint256 i = 0; i < all.length; ++i) {
            (bool isTaken, bytes memory reason) = address(alone).call(_alone(all[i]));
            if (isTaken) {
                ++news;
            } else if (
                bytes4(reason) != Statements.AlreadyProven.selector
                    && bytes4(reason) != LightClient.NothingNew.selector
            ) {
                return (reason, news);
            }
        }
        return ("", news);
    }

    function _alone(bytes memory statement) private pure returns (bytes memory) {
        return statement[95] == 0x01
            ? abi.encodeCall(LightClient.submitCommitteeChange, (statement, PROOF))
            : abi.encodeCall(LightClient.submitInclusion, (statement, PROOF));
    }

    function _requireEqual(LightClient one, LightClient other, bytes[] memory all) private view {
        require(one.headSlot() == other.headSlot(), "head");
        require(one.headRootPrefix() == other.headRootPrefix(), "head's root");
        bytes32 known = keccak256(abi.encode(one.knowledge(first.signerPeriod, PERIODS)));
        require(known == keccak256(abi.encode(other.knowledge(first.signerPeriod, PERIODS))), "committees");
        for (uint256 i = 0; i < all.length; ++i) {
            require(_provenAt(one, all[i]) == _provenAt(other, all[i]), "proven");
            uint64 slot = uint64(uint256(word(all[i], 7)));
            require(one.contradictedAt(slot) == other.contradictedAt(slot), "contradicted");
        }
    }

    function _provenAt(LightClient client, bytes memory values) private view returns (uint256) {
        try client.provenAt(values) returns (uint256 time) {
            return time;
        } catch {
            return 0;
        }
    }

    /// @dev Of few slots, roots and committees, so that many meet.
    function _statement(uint256 seed) private view returns (bytes memory) {
        Head memory head = first;
        if (seed % 8 == 0) {
            ++head.signerPeriod;
            head.signerCommitteeRoot = _committee(head.signerPeriod, 0);
        }
        seed >>= 3;
        head.finalizedSlot += uint64(32 * (seed % 4));
        seed >>= 2;
        head.finalizedRoot = keccak256(abi.encode(head.finalizedSlot, seed % 8 == 0));
        seed >>= 3;
        if (seed % 32 == 0) head.participation = SIGNERS - 1;
        seed >>= 5;
        if (seed % 2 == 0) (head.blockNumber, head.stateRoot) = (0, 0);
        seed >>= 1;
        // A committee change without one is refused.
        uint64 handovers = uint64(seed % 16 < 7 ? 1 : seed % 16 < 15 ? 2 : 0);
        seed >>= 4;
        Learned[] memory learned = new Learned[](handovers);
        for (uint64 i = 0; i < handovers; ++i) {
            uint64 period = head.signerPeriod + 1 + i;
            learned[i] = Learned(period, _committee(period, (seed >> i) % 8 == 0 ? 1 : 0));
        }
        if (seed >> 8 & 1 == 0) return abi.encode(CommitteeChange(head, learned));
        Inclusion memory statement;
        head.program = 2;
        (statement.head, statement.learned) = (head, learned);
        return abi.encode(statement);
    }

    function _committee(uint64 period, uint256 lie) private pure returns (bytes32) {
        return keccak256(abi.encode(period, lie));
    }
}
