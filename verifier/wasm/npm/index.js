// Verification of Sextant's proof files. What is decided is decided in the module (verifier/wasm/src); here bytes go in,
// and its answers come out as values or as errors.

/** A file that is refused, or options that cannot be meant. `code` is for programs, the message for people. */
export class SextantError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "SextantError";
    this.code = code;
  }
}

const OPTIONS = ["committeeRoot", "network", "chainDigest", "allowDevCircuits"];

/** Loads the module: from beside this file, or from bytes, a response or a compiled module. */
export async function load(source) {
  return new Verifier(await compiled(source));
}

async function compiled(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (source !== undefined) {
    const given = await source;
    if (given instanceof Response) return WebAssembly.compile(await given.arrayBuffer());
    return WebAssembly.compile(given);
  }
  const url = new URL("./sextant_verifier.wasm", import.meta.url);
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return WebAssembly.compile(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** The module, loaded. One call at a time, each to its end. */
export class Verifier {
  #module;
  #exports;

  constructor(module) {
    this.#module = module;
    this.#start();
  }

  // No imports: the module reaches nothing.
  #start() {
    this.#exports = new WebAssembly.Instance(this.#module, {}).exports;
  }

  verify(file, options = {}) {
    const wasm = this.#exports;
    return this.#call(() => {
      const given = new TextEncoder().encode(JSON.stringify(plain(options)));
      return wasm.sextant_verify(...this.#put(bytes(file)), ...this.#put(given));
    });
  }

  inspect(file) {
    return this.#call(() => this.#exports.sextant_inspect(...this.#put(bytes(file))));
  }

  #put(data) {
    const place = this.#exports.sextant_room(data.length);
    new Uint8Array(this.#exports.memory.buffer, place, data.length).set(data);
    return [place, data.length];
  }

  #call(run) {
    let answer;
    try {
      answer = this.#read(run());
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      // The verifier gave up on the proof. What is left of its memory tells why; then it begins anew.
      try {
        answer = this.#read(this.#exports.sextant_gave_up());
      } finally {
        this.#start();
      }
    }
    if (answer.error) throw new SextantError(answer.error.code, answer.error.message);
    return answer.ok;
  }

  #read(place) {
    const { buffer } = this.#exports.memory;
    const length = new DataView(buffer).getUint32(place, true);
    return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, place + 4, length)));
  }
}

let shared;

/** Verifies a proof file with the module beside this file, which is loaded once. */
export async function verify(file, options) {
  shared ??= load();
  return (await shared).verify(file, options);
}

/** Says what a proof file says, without verifying it. */
export async function inspect(file) {
  shared ??= load();
  return (await shared).inspect(file);
}

function bytes(file) {
  if (file instanceof Uint8Array) return file;
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  throw new SextantError("options", "a proof file is a Uint8Array or an ArrayBuffer");
}

// An option that is not known is a mistake that could cost somebody a check.
function plain(options) {
  const given = {};
  for (const [name, value] of Object.entries(options)) {
    if (!OPTIONS.includes(name)) throw new SextantError("options", `unknown option ${name}`);
    if (value === undefined) continue;
    given[name] = value instanceof Uint8Array ? hex(value) : value;
    if (typeof given[name] !== "string") throw new SextantError("options", `${name} is neither text nor bytes`);
  }
  return given;
}

function hex(data) {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
