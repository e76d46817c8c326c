// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Account, Head} from "./PublicValues.sol";
import {Statements} from "./Statements.sol";

/// @title Proven facts by slot
/// @notice For contracts that have no public values at hand when they read. Anybody may keep a part of a proven
/// statement here, for the price of its storage; from then on it is read by the finalized slot alone. What was not kept
/// cannot be read, it reverts: nothing unproven ever reads as zero.
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
    /// @notice The statement has another finalized header at this slot than the one kept.
    error ContradictsKept(uint64 slot, bytes32 got, bytes32 kept);

    /// @notice Keeps the finalized header of a proven statement of either kind.
    function keepHeader(bytes calldata publicValues) public returns (uint64 slot) {
        Head memory head = provenHead(publicValues);
        slot = head.finalizedSlot;
        KeptHeader storage kept = _headers[slot];
        if (kept.finalizedRoot == 0) {
            kept.finalizedRoot = head.finalizedRoot;
        } else if (kept.finalizedRoot != head.finalizedRoot) {
            revert ContradictsKept(slot, head.finalizedRoot, kept.finalizedRoot);
        } else if (kept.stateRoot != 0 || head.stateRoot == 0) {
            return slot;
        }
        kept.stateRoot = head.stateRoot;
        emit HeaderKept(slot, head.finalizedRoot, head.stateRoot);
    }

    /// @notice Keeps an account of a proven inclusion, and its header.
    function keepAccount(bytes calldata publicValues, address account) external {
        uint64 slot = keepHeader(publicValues);
        Account memory proven = provenAccount(publicValues, account);
        _accounts[slot][account] = KeptAccount({
            kept: true,
            exists: proven.exists,
            nonce: proven.nonce,
            balance: proven.balance,
            storageRoot: proven.storageRoot,
            codeHash: proven.codeHash
        });
        emit AccountKept(slot, account);
    }

    /// @notice Keeps a storage slot of a proven inclusion, and its header.
    function keepSlot(bytes calldata publicValues, address account, bytes32 key) external {
        uint64 slot = keepHeader(publicValues);
        (bool exists, bytes32 value) = provenSlot(publicValues, account, key);
        _slots[slot][account][key] = KeptSlot({kept: true, exists: exists, value: value});
        emit SlotKept(slot, account, key);
    }

    /// @notice Beacon block root of the finalized header at `slot`.
    function finalizedRoot(uint64 slot) external view returns (bytes32 root) {
        root = _headers[slot].finalizedRoot;
        if (root == 0) revert NotKept(slot);
    }

    /// @notice Execution state root under the finalized header at `slot`.
    function stateRoot(uint64 slot) external view returns (bytes32 root) {
        root = _headers[slot].stateRoot;
        if (root == 0) revert NotKept(slot);
    }

    /// @notice An account under the finalized header at `slot`; all zero if it did not exist.
    function accountAt(uint64 slot, address account)
        external
        view
        returns (bool exists, uint64 nonce, uint256 balance, bytes32 storageRoot, bytes32 codeHash)
    {
        KeptAccount storage kept = _accounts[slot][account];
        if (!kept.kept) revert NotKept(slot);
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
        return (kept.exists, kept.value);
    }
}
