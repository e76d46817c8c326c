// The beacon chain's state at slot 0: validators by real deposits, on top of the execution chain's last block.

import {digest} from "@chainsafe/as-sha256";
import {Tree, toGindex} from "@chainsafe/persistent-merkle-tree";
import {createBeaconConfig, createChainForkConfig} from "@lodestar/config";
import {DOMAIN_DEPOSIT, MAX_EFFECTIVE_BALANCE} from "@lodestar/params";
import {
  ZERO_HASH,
  computeDomain,
  computeSigningRoot,
  createCachedBeaconState,
  createEmptyEpochCacheImmutableData,
  createPubkeyCache,
  initializeBeaconStateFromEth1,
} from "@lodestar/state-transition";
import {ssz} from "@lodestar/types";
import {fromHex} from "@lodestar/utils";

// The state, and the configuration with the genesis validators root in it. `block`: `eth_getBlockByNumber`, without
// transactions.
export function beaconGenesis(chainConfig, validators, block, genesisTime) {
  const forkConfig = createChainForkConfig(chainConfig);
  const immutable = createEmptyEpochCacheImmutableData(forkConfig, {genesisValidatorsRoot: ZERO_HASH});
  const {deposits, roots} = genesisDeposits(validators, forkConfig.GENESIS_FORK_VERSION);
  const hash = fromHex(block.hash);
  const header = payloadHeader(block);
  const uncached = initializeBeaconStateFromEth1(forkConfig, immutable, hash, genesisTime, deposits, roots, header);
  uncached.genesisTime = genesisTime;
  uncached.commit();
  const config = createBeaconConfig(chainConfig, uncached.genesisValidatorsRoot);
  // Built with another configuration above: through bytes, so that no cache of that one is left.
  const plain = ssz.electra.BeaconState.deserializeToViewDU(uncached.serialize());
  return {config, state: createCachedBeaconState(plain, {config, pubkeyCache: createPubkeyCache()})};
}

// One deposit a validator, each with its proof in the deposit contract's tree as of then.
function genesisDeposits(validators, forkVersion) {
  const roots = ssz.phase0.DepositDataRootList.defaultViewDU();
  roots.commit();
  const domain = computeDomain(DOMAIN_DEPOSIT, forkVersion, ZERO_HASH);
  const deposits = validators.keys.map((key, index) => {
    const pubkey = key.toPublicKey().toBytes();
    // 0x01, eleven zeros, and an address: here the rest of the key's hash.
    const withdrawalCredentials = digest(pubkey);
    withdrawalCredentials.fill(0, 1, 12);
    withdrawalCredentials[0] = 1;
    const message = {pubkey, withdrawalCredentials, amount: MAX_EFFECTIVE_BALANCE};
    const signature = validators.sign(index, computeSigningRoot(ssz.phase0.DepositMessage, message, domain));
    const data = {...message, signature};
    roots.push(ssz.phase0.DepositData.hashTreeRoot(data));
    roots.commit();
    const gindex = toGindex(roots.type.depth, BigInt(index));
    return {proof: new Tree(roots.node).getSingleProof(gindex), data};
  });
  return {deposits, roots};
}

function payloadHeader(block) {
  const header = ssz.electra.ExecutionPayloadHeader.defaultViewDU();
  header.blockHash = fromHex(block.hash);
  header.prevRandao = fromHex(block.hash);
  header.stateRoot = fromHex(block.stateRoot);
  header.receiptsRoot = fromHex(block.receiptsRoot);
  header.blockNumber = Number(block.number);
  header.timestamp = Number(block.timestamp);
  header.gasLimit = Number(block.gasLimit);
  header.baseFeePerGas = BigInt(block.baseFeePerGas);
  header.transactionsRoot = ssz.bellatrix.Transactions.hashTreeRoot([]);
  header.withdrawalsRoot = ssz.capella.Withdrawals.hashTreeRoot([]);
  return header;
}
