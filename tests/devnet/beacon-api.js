// The beacon API's routes that Sextant uses, with Lodestar's own codecs: JSON and SSZ by content type, `version` fields.

import {registerRoutes} from "@lodestar/api/beacon/server";
import {MAX_REQUEST_LIGHT_CLIENT_UPDATES} from "@lodestar/params";
import {fromHex} from "@lodestar/utils";
import {fastify} from "fastify";

// By path, since the package does not export it.
import {getConfigApi} from "./node_modules/@lodestar/beacon-node/lib/api/impl/config/index.js";

// Serves on a free loopback port; returns the URL and how to stop.
export async function serveBeaconApi(config, chain, lightClient, genesisTime, currentSlot) {
  const server = fastify({logger: false, forceCloseConnections: true, ajv: {customOptions: {coerceTypes: "array"}}});
  server.setErrorHandler((error, _request, reply) => {
    const code = error.validation ? 400 : (error.statusCode ?? 500);
    reply.status(code).send({code, message: error.message});
  });
  const methods = {
    beacon: offered(beaconRoutes(config, chain, genesisTime)),
    config: getConfigApi({config}),
    lightclient: offered(lightClientRoutes(config, lightClient)),
    node: offered(nodeRoutes(chain, currentSlot)),
  };
  registerRoutes(server, config, methods, Object.keys(methods));
  const url = await server.listen({port: 0, host: "127.0.0.1"});
  return {url, stop: () => server.close()};
}

function beaconRoutes(config, chain, genesisTime) {
  const {genesisValidatorsRoot, GENESIS_FORK_VERSION: genesisForkVersion} = config;
  return {
    getGenesis: async () => ({data: {genesisTime, genesisValidatorsRoot, genesisForkVersion}}),
    getBlockHeader: async ({blockId}) => {
      const {root, header} = chain.header(blockId) ?? missing(`block ${blockId}`);
      return {data: {root, header, canonical: true}, meta: {executionOptimistic: false, finalized: false}};
    },
  };
}

function lightClientRoutes(config, lightClient) {
  const fork = (header) => config.getForkName(header.beacon.slot);
  const answer = (update, what) => {
    if (!update) missing(what);
    return {data: update, meta: {version: fork(update.attestedHeader)}};
  };
  return {
    getLightClientBootstrap: async ({blockRoot}) => {
      const bootstrap = await lightClient.bootstrap(fromHex(blockRoot)).catch((error) => missing(error.message));
      return {data: bootstrap, meta: {version: fork(bootstrap.header)}};
    },
    getLightClientUpdatesByRange: async ({startPeriod, count}) => {
      const updates = [];
      for (let i = 0; i < Math.min(count, MAX_REQUEST_LIGHT_CLIENT_UPDATES); i++) {
        const update = await lightClient.bestUpdate(startPeriod + i);
        if (!update) break;
        updates.push(update);
      }
      return {data: updates, meta: {versions: updates.map((update) => fork(update.attestedHeader))}};
    },
    getLightClientFinalityUpdate: async () => answer(lightClient.finalityUpdate(), "finality update"),
    getLightClientOptimisticUpdate: async () => answer(lightClient.optimisticUpdate(), "optimistic update"),
  };
}

function nodeRoutes(chain, currentSlot) {
  return {
    getNodeVersion: async () => ({data: {version: "sextant-devnet/lodestar-1.46.0"}}),
    getHealth: async () => ({status: 200}),
    getSyncingStatus: async () => {
      const headSlot = chain.head.slot;
      const syncDistance = Math.max(0, currentSlot() - headSlot);
      return {data: {headSlot, syncDistance, isSyncing: false, isOptimistic: false, elOffline: false}};
    },
  };
}

function missing(what) {
  throw Object.assign(new Error(`no ${what}`), {statusCode: 404});
}

// Routes are registered by the dozen: those that are not offered answer 501.
function offered(routes) {
  const refuse = (name) => async () => {
    throw Object.assign(new Error(`${name} is not offered here`), {statusCode: 501});
  };
  return new Proxy(routes, {get: (target, name) => target[name] ?? refuse(name)});
}
