// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

// What the guest programs commit to: `abi.encode` of these structures, byte for byte. The other side is
// consensus/src/public_values.rs.

/// @notice What statements 1 and 2 begin with: eleven words.
struct Head {
    /// @dev Version of this layout.
    uint32 version;
    /// @dev Which program: a tag of {PublicValues}.
    uint32 program;
    /// @dev SHA-256 over genesis, preset and fork schedule.
    bytes32 chainDigest;
    /// @dev Period of the committee that has to be trusted.
    uint64 signerPeriod;
    /// @dev `hash_tree_root` of that committee.
    bytes32 signerCommitteeRoot;
    /// @dev Seats that signed; the lowest number where several committees signed in a row.
    uint32 participation;
    /// @dev Slot of the finalized header.
    uint64 finalizedSlot;
    /// @dev Beacon block root of the finalized header.
    bytes32 finalizedRoot;
    /// @dev Execution block number; 0, together with a zero state root, if not proven.
    uint64 blockNumber;
    /// @dev Hash of the execution block that the finalized header proves.
    bytes32 blockHash;
    /// @dev State root under that block. Zero means "not proven".
    bytes32 stateRoot;
}

/// @notice A committee that became known.
struct Learned {
    /// @dev The period in which it signs.
    uint64 period;
    /// @dev `hash_tree_root(SyncCommittee)`.
    bytes32 committeeRoot;
}

/// @notice Statement 1: the trusted committee handed over, once or several times in a row.
struct CommitteeChange {
    Head head;
    /// @dev The committees of the periods after the signer's, in order.
    Learned[] learned;
}

/// @notice A storage slot's proven content.
struct Slot {
    bytes32 key;
    /// @dev Whether the trie holds it: an absent slot reads as zero, a zero is never stored.
    bool exists;
    bytes32 value;
}

/// @notice An account's proven content; all zero but the address if it does not exist.
struct Account {
    address account;
    bool exists;
    uint64 nonce;
    uint256 balance;
    bytes32 storageRoot;
    bytes32 codeHash;
    /// @dev The slots that were asked for, ascending.
    Slot[] slots;
}

/// @notice The block that an inclusion's facts are about: the finalized one, or an ancestor of it.
struct Block {
    uint64 number;
    bytes32 hash;
    bytes32 stateRoot;
    /// @dev Zero, as is the time, means "not proven": no header was read.
    bytes32 receiptsRoot;
    /// @dev Unix time in seconds.
    uint64 timestamp;
}

/// @notice A transaction in that block.
struct Transaction {
    /// @dev Zero means "not proven": only the receipt at its index is.
    bytes32 hash;
    uint32 index;
    bool succeeded;
}

/// @notice A log in that block.
struct Log {
    /// @dev Index of its transaction.
    uint32 transaction;
    /// @dev Its place in that transaction's receipt, from 0.
    uint32 position;
    address account;
    /// @dev Keccak-256 of the data where they are longer than 1,024 bytes, and left out; else zero.
    bytes32 dataHash;
    bytes32[] topics;
    bytes data;
}

/// @notice A log that is not in that block: none of this account begins with these topics.
struct NoLog {
    address account;
    bytes32[] topics;
}

/// @notice Statement 2: facts of a block under a finalized header.
struct Inclusion {
    Head head;
    /// @dev What everything below is about.
    Block facts;
    /// @dev The accounts that were asked for, ascending.
    Account[] accounts;
    /// @dev The committees of the periods after the signer's, in order: the last one signed. Mostly none.
    Learned[] learned;
    /// @dev Ascending by index.
    Transaction[] transactions;
    /// @dev Ascending by transaction and position.
    Log[] logs;
    /// @dev Ascending by account and topics.
    NoLog[] noLogs;
}

/// @notice One statement of a bundle.
struct Part {
    /// @dev Which program proved it: a tag of {PublicValues}.
    uint256 program;
    /// @dev SHA-256 of its public values.
    bytes32 digest;
}

/// @notice Statement 3: proofs of all these statements hold, and all are about one chain.
struct Bundle {
    /// @dev Version of this layout.
    uint256 version;
    /// @dev The bundle program's tag.
    uint256 program;
    /// @dev As in each statement's head.
    bytes32 chainDigest;
    /// @dev In the order in which they are taken.
    Part[] parts;
}

/// @title Decoding of public values
/// @notice Accepts one encoding of each statement and no other.
library PublicValues {
    /// @notice Version of the layout above.
    uint32 internal constant VERSION = 2;
    /// @notice Tag of the committee change program.
    uint32 internal constant COMMITTEE_CHANGE = 1;
    /// @notice Tag of the inclusion program.
    uint32 internal constant INCLUSION = 2;
    /// @notice Tag of the bundle program.
    uint32 internal constant BUNDLE = 3;

    /// @dev The offset word and the head, before which no statement ends.
    uint256 private constant SHORTEST = 12 * 32;
    /// @dev The offset word, three words, and offset and length of the parts, before which no bundle ends.
    uint256 private constant SHORTEST_BUNDLE = 6 * 32;

    /// @notice Too short, or not a whole number of words.
    error WrongLength(uint256 length);
    /// @notice Another version of the layout.
    error WrongVersion(uint256 got, uint256 expected);
    /// @notice Public values of another program.
    error WrongProgram(uint256 got, uint256 expected);
    /// @notice Decodes, but is not what `abi.encode` writes: surplus bytes or offsets elsewhere.
    error NotCanonical();

    /// @notice Reads a committee change, in place. `digest` is the values' Keccak-256, which callers have.
    /// @dev The structure is looked at where it lies and encoded anew: only the one canonical encoding comes out as it
    /// went in, and every offset in it points where the encoder puts it, inside of `values`. A word out of its type's
    /// range, or an offset out of the call's data, reverts without data: that is Solidity's own decoder.
    function committeeChange(bytes calldata values, bytes32 digest)
        internal
        pure
        returns (CommitteeChange calldata statement)
    {
        _expect(values, COMMITTEE_CHANGE, SHORTEST);
        assembly ("memory-safe") {
            statement := add(values.offset, 32)
        }
        if (keccak256(abi.encode(statement)) != digest) revert NotCanonical();
    }

    /// @notice Reads an inclusion, in place. Reverts as {committeeChange} does.
    function inclusion(bytes calldata values, bytes32 digest)
        internal
        pure
        returns (Inclusion calldata statement)
    {
        statement = checkedInclusion(values);
        if (keccak256(abi.encode(statement)) != digest) revert NotCanonical();
    }

    /// @notice Reads an inclusion that {inclusion} has read before, these very bytes: its encoding is not looked at again.
    function checkedInclusion(bytes calldata values) internal pure returns (Inclusion calldata statement) {
        _expect(values, INCLUSION, SHORTEST);
        assembly ("memory-safe") {
            statement := add(values.offset, 32)
        }
    }

    /// @notice Reads a bundle, in place.
    /// @dev No word of it has a smaller type than a word, so that two offsets and the length are all that could be elsewhere.
    function bundle(bytes calldata values) internal pure returns (Bundle calldata statement) {
        _expect(values, BUNDLE, SHORTEST_BUNDLE);
        uint256 parts = (values.length - SHORTEST_BUNDLE) / 64;
        if (
            _word(values, 0) != 32 || _word(values, 4) != 128 || _word(values, 5) != parts
                || values.length % 64 != 0
        ) revert NotCanonical();
        assembly ("memory-safe") {
            statement := add(values.offset, 32)
        }
    }

    /// @notice The program that a statement says to be of. Reverts if it is too short to say one.
    function programOf(bytes calldata values) internal pure returns (uint256) {
        if (values.length < SHORTEST) revert WrongLength(values.length);
        return _word(values, 2);
    }

    /// @dev Length, version and program, before anything else is looked at.
    function _expect(bytes calldata values, uint256 program, uint256 shortest) private pure {
        if (values.length < shortest || values.length % 32 != 0) revert WrongLength(values.length);
        uint256 version = _word(values, 1);
        if (version != VERSION) revert WrongVersion(version, VERSION);
        uint256 got = _word(values, 2);
        if (got != program) revert WrongProgram(got, program);
    }

    /// @dev Whoever asks has looked at the length.
    function _word(bytes calldata values, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(values.offset, shl(5, index)))
        }
    }
}
