// The HTTP requests of a proof server (docs/http.md).

import { events } from "./events.js";

/** The server answered, and its answer is a refusal. */
export class Problem extends Error {
  constructor({ detail, title, name, status, retry_after_ms: retryAfter = 0 }) {
    super(detail || title);
    this.name = "Problem";
    /** The protocol's name of it. */
    this.code = name;
    this.status = status;
    /** Milliseconds after which asking again may help; 0 if it does not. */
    this.retryAfter = retryAfter;
  }
}

/** The server did not answer, or its answer was cut off. */
export class Unreachable extends Error {
  constructor(address) {
    super(`${address} does not answer, or does not let pages from ${location.origin} ask (its setting http-origins)`);
    this.name = "Unreachable";
  }
}

const BYTES = "application/octet-stream";

export class Gateway {
  /** @param {string} address where it listens: scheme, host and port */
  constructor(address, token = "") {
    this.address = new URL(address).origin;
    this.token = token;
  }

  /** What the server offers and how it stands. */
  programs(signal) {
    return this.#json("/v1/programs", { signal });
  }

  /** What is being worked on; nothing where the server does not tell. */
  async work(signal) {
    try {
      return await this.#json("/v1/status", { signal });
    } catch (error) {
      if (error instanceof Problem && [401, 403, 404].includes(error.status)) return undefined;
      throw error;
    }
  }

  /** Hands an input in; answers with the job's id. */
  async submit(program, kind, input, signal) {
    const query = new URLSearchParams({ program, kind });
    const answer = await this.#json(`/v1/proofs?${query}`, { method: "POST", body: input, headers: { "content-type": BYTES }, signal });
    return answer.id;
  }

  /** A job's events as they come, as `{event, data}`. */
  async *events(job, signal) {
    const response = await this.#ask(`/v1/proofs/${job}/events`, { signal });
    try {
      yield* events(response.body);
    } catch (error) {
      throw this.#lost(error);
    }
  }

  /** The proof of a job that is done. */
  async proof(job, signal) {
    const response = await this.#ask(`/v1/proofs/${job}/proof`, { signal });
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      throw this.#lost(error);
    }
  }

  /** Takes a job back. With `leaving`, also when the page is gone before the answer. */
  withdraw(job, { leaving = false } = {}) {
    return this.#ask(`/v1/proofs/${job}`, { method: "DELETE", keepalive: leaving });
  }

  async #json(path, options) {
    const response = await this.#ask(path, options);
    try {
      return await response.json();
    } catch (error) {
      throw this.#lost(error);
    }
  }

  async #ask(path, { headers = {}, ...options }) {
    const authorization = this.token ? { authorization: `Bearer ${this.token}` } : {};
    let response;
    try {
      response = await fetch(this.address + path, { ...options, headers: { ...headers, ...authorization }, cache: "no-store" });
    } catch (error) {
      throw this.#lost(error);
    }
    if (response.ok) return response;
    const said = await response.json().catch(() => ({}));
    const title = `${this.address} answers with status ${response.status}, as no proof server does`;
    throw new Problem({ title, ...said, status: response.status });
  }

  #lost(error) {
    return error.name === "AbortError" ? error : new Unreachable(this.address);
  }
}
