// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Account, Head} from "./PublicValues.sol";
import {Statements} from "./Statements.sol";

/// @title Proven facts by slot
/// @notice For contracts that have no public values at hand when they read. Anybody may keep a part of a proven
/// statement here, for the price of its storage; from then on it is read by the finalized slot alone. What was not kept
/// cannot be read, it reverts: nothing unproven ever reads as zero. Here contradictions behind the head come to light: of two
/// proven statements that disagree about a slot the first one kept stays, and keeping the other one records that they do.
abstract contract Archive is Statements {
    struct KeptHeader {
        bytes32 finalizedRoot;
        /// @dev Zero if no statement that was kept proves it.
        bytes32 stateRoot;
    }

    struct KeptAccount {
        bool kept;
        bool exists;
        uint64 nonce;
        uint256 balance;
        bytes32 storageRoot;
        bytes32 codeHash;
    }

    struct KeptSlot {
        bool kept;
        bool exists;
        bytes32 value;
    }

    mapping(uint64 slot => KeptHeader) private _headers;
    mapping(uint64 slot => mapping(address account => KeptAccount)) private _accounts;
    mapping(uint64 slot => mapping(address account => mapping(bytes32 key => KeptSlot))) private _slots;

    /// @notice A finalized header is readable by its slot.
    event HeaderKept(uint64 indexed slot, bytes32 finalizedRoot, bytes32 stateRoot);
    /// @notice An account is readable by slot and address.
    event AccountKept(uint64 indexed slot, address indexed account);
    /// @notice A storage slot is readable by slot, address and key.
    event SlotKept(uint64 indexed slot, address indexed account, bytes32 indexed key);

    /// @notice Nothing was kept there.
    error NotKept(uint64 slot);

    /// @notice Keeps the finalized header of a proven statement of either kind. Where another one is kept for its slot, that
    /// is recorded as a contradiction instead. Returns the slot, and whether what is kept agrees.
    function keepHeader(bytes calldata publicValues) public returns (uint64 slot, bool agrees) {
        Head memory head = _provenHead(publicValues);
        return (head.finalizedSlot, _keepHeader(head));
    }

    /// @notice Keeps an account of a proven inclusion about the finalized block, and its header; or records that it contradicts
    /// what is kept.
    function keepAccount(bytes calldata publicValues, address account) external {
        (uint64 slot, bool agrees) = keepHeader(publicValues);
        if (!agrees) return;
        Account memory proven = provenAccount(publicValues, account);
        KeptAccount memory next = KeptAccount({
            kept: true,
            exists: proven.exists,
            nonce: proven.nonce,
            balance: proven.balance,
            storageRoot: proven.storageRoot,
            codeHash: proven.codeHash
        });
        KeptAccount memory kept = _accounts[slot][account];
        (bytes32 one, bytes32 other) = (keccak256(abi.encode(kept)), keccak256(abi.encode(next)));
        if (kept.kept && one != other) {
            _contradict(slot, one, other);
            return;
        }
        _accounts[slot][account] = next;
        emit AccountKept(slot, account);
    }

    /// @notice Keeps a storage slot of a proven inclusion about the finalized block, and its header; or records that it
    /// contradicts what is kept.
    function keepSlot(bytes calldata publicValues, address account, bytes32 key) external {
        (uint64 slot, bool agrees) = keepHeader(publicValues);
        if (!agrees) return;
        (bool exists, bytes32 value) = provenSlot(publicValues, account, key);
        KeptSlot memory kept = _slots[slot][account][key];
        if (kept.kept && (kept.exists != exists || kept.value != value)) {
            _contradict(slot, kept.value, value);
            return;
        }
        _slots[slot][account][key] = KeptSlot({kept: true, exists: exists, value: value});
        emit SlotKept(slot, account, key);
    }

    /// @notice Beacon block root of the finalized header at `slot`.
    function finalizedRoot(uint64 slot) external view returns (bytes32 root) {
        root = _headers[slot].finalizedRoot;
        if (root == 0) revert NotKept(slot);
        _requireUncontradicted(slot);
    }

    /// @notice Execution state root under the finalized header at `slot`.
    function stateRoot(uint64 slot) external view returns (bytes32 root) {
        root = _headers[slot].stateRoot;
        if (root == 0) revert NotKept(slot);
        _requireUncontradicted(slot);
    }

    /// @notice An account under the finalized header at `slot`; all zero if it did not exist.
    function accountAt(uint64 slot, address account)
        external
        view
        returns (bool exists, uint64 nonce, uint256 balance, bytes32 storageRoot, bytes32 codeHash)
    {
        KeptAccount storage kept = _accounts[slot][account];
        if (!kept.kept) revert NotKept(slot);
        _requireUncontradicted(slot);
        return (kept.exists, kept.nonce, kept.balance, kept.storageRoot, kept.codeHash);
    }

    /// @notice A storage slot under the finalized header at `slot`; zero if the state held nothing there.
    function storageAt(uint64 slot, address account, bytes32 key)
        external
        view
        returns (bool exists, bytes32 value)
    {
        KeptSlot storage kept = _slots[slot][account][key];
        if (!kept.kept) revert NotKept(slot);
        _requireUncontradicted(slot);
        return (kept.exists, kept.value);
    }

    /// @dev Keeps a proven header. Returns false, and records it, if another one is kept for its slot.
    function _keepHeader(Head memory head) internal returns (bool agrees) {
        uint64 slot = head.finalizedSlot;
        KeptHeader storage kept = _headers[slot];
        if (kept.finalizedRoot == 0) {
            kept.finalizedRoot = head.finalizedRoot;
        } else if (kept.finalizedRoot != head.finalizedRoot) {
            _contradict(slot, kept.finalizedRoot, head.finalizedRoot);
            return false;
        } else if (head.stateRoot == 0 || kept.stateRoot == head.stateRoot) {
            return true;
        } else if (kept.stateRoot != 0) {
            _contradict(slot, kept.stateRoot, head.stateRoot);
            return false;
        }
        kept.stateRoot = head.stateRoot;
        emit HeaderKept(slot, head.finalizedRoot, head.stateRoot);
        return true;
    }

    /// @dev Whether a statement has execution facts of a header that none are kept of.
    function _bringsFacts(Head calldata head) internal view returns (bool) {
        return head.stateRoot != 0 && _headers[head.finalizedSlot].stateRoot == 0;
    }
}
