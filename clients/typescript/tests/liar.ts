// A server that greets, and says what a test wants.

import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";

import { decodeMessage, type ProofAnswer, type Response, SERVER_MESSAGE, type ServerMessage } from "../src/answers.js";
import { type Hex, sha256, toHex } from "../src/bytes.js";
import { CLIENT_MESSAGE, type ClientMessage, PART, type Request, VERSION } from "../src/requests.js";

/** A request that it was asked. */
export interface Asked {
  type: "request";
  id: number;
  request: Request;
}

/** What is heard after the greetings. */
export type Heard = Asked | Extract<ClientMessage, { type: "part" | "cancel" }>;

/** One connection to it. */
export interface Peer {
  /** Says a message, or these bytes, or this text. */
  say(message: ServerMessage | Uint8Array | string): void;
  /** Breaks the connection off. */
  breakOff(): void;
  /** How many connections there were before. */
  number: number;
}

export interface Liar {
  url: string;
  heard: Heard[];
  /** The tokens that introductions had. */
  tokens: string[];
  /** Questions for what the server takes, which are answered and not part of what is heard. */
  infos: number[];
}

interface Behaviour {
  /** In place of a welcome. */
  greeting?: (ServerMessage | Uint8Array | string)[];
  /** The same on each connection but the first. */
  laterGreeting?: ServerMessage[];
  onRequest?: (asked: Asked, peer: Peer) => void | Promise<void>;
  /** Bytes of an input that it says to take, on each connection; nothing is said on later ones. */
  inputLimits?: bigint[];
}

export async function liar(test: TestContext, behaviour: Behaviour): Promise<Liar> {
  const { greeting = [welcome()], laterGreeting = greeting, onRequest, inputLimits } = behaviour;
  const listening = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => listening.once("listening", resolve));
  test.after(() => {
    for (const socket of listening.clients) socket.terminate();
    listening.close();
  });
  const heard: Heard[] = [];
  const tokens: string[] = [];
  const infos: number[] = [];
  let connections = 0;
  listening.on("connection", (socket: WebSocket) => {
    const peer: Peer = {
      say: (message) => socket.send(said(message)),
      breakOff: () => socket.terminate(),
      number: connections,
    };
    connections += 1;
    socket.on("message", (data: Buffer) => {
      const message = decodeMessage(CLIENT_MESSAGE, new Uint8Array(data));
      if (message?.type === "introduction") {
        tokens.push(message.token);
        for (const one of peer.number === 0 ? greeting : laterGreeting) peer.say(one);
      } else if (message?.type === "request" && message.request?.ask === "info") {
        // Clients ask before they send an input.
        infos.push(message.id);
        peer.say({ type: "answer", id: message.id, result: { response: info(inputLimits?.[peer.number]) } });
      } else if (message?.type === "request" && message.request) {
        const asked = { ...message, request: message.request };
        heard.push(asked);
        void onRequest?.(asked, peer);
      } else if (message?.type === "part" || message?.type === "cancel") {
        heard.push(message);
      }
    });
  });
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, heard, tokens, infos };
}

export function welcome(version = VERSION, capabilities: string[] = []): ServerMessage {
  return { type: "welcome", version, agent: "liar", capabilities };
}

function info(input = 0n): Response {
  return {
    answer: "info",
    agent: "liar",
    circuitVersion: "",
    programs: [],
    kinds: [],
    ready: true,
    reason: "",
    networks: [],
    oldestVersion: VERSION,
    newestVersion: VERSION,
    limits: { input, record: 0n, requests: 0, deadlineMs: 0n },
    uptimeS: 0n,
  };
}

function said(message: ServerMessage | Uint8Array | string): Uint8Array | string {
  return typeof message === "string" || message instanceof Uint8Array ? message : SERVER_MESSAGE.write(message);
}

/** What it was asked, in order. */
export function requests(heard: Heard[]): Request[] {
  return heard.flatMap((message) => (message.type === "request" ? [message.request] : []));
}

/** An answer with a record, changed. */
export async function proofAnswer(id: number, record: Uint8Array, changes: Partial<ProofAnswer> = {}): Promise<ServerMessage> {
  const zeros: Hex = toHex(new Uint8Array(32));
  const answer: ProofAnswer = {
    inputDigest: zeros,
    cost: { cycles: 0n, queuedMs: 0n, provingMs: 0n, peakMemory: 0n },
    job: toHex(new Uint8Array(32).fill(7)),
    sha256: toHex(await sha256(record)),
    offset: 0,
    record,
    more: 0,
    ...changes,
  };
  return { type: "answer", id, result: { response: { answer: "proof", ...answer } } };
}

/** Says all of a record, in parts. */
export async function sayProof(peer: Peer, id: number, record: Uint8Array): Promise<void> {
  const first = record.subarray(0, PART);
  peer.say(await proofAnswer(id, first, { sha256: toHex(await sha256(record)), more: record.length - first.length }));
  for (let offset = PART; offset < record.length; offset += PART) {
    peer.say({ type: "part", id, offset, bytes: record.subarray(offset, offset + PART) });
  }
}
