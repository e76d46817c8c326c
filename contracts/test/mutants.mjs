// Takes one rule or event at a time out of the contracts, or moves one limit by one, and runs the tests each time. Each is
// printed with its outcome, and one that the tests do not notice ends this with 1. `make contracts-mutants`; a word as
// argument picks the mutants that name it. Compiled without the optimizer and without the tests of gas and real proofs: 10 s
// for each mutant.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const contracts = join(import.meta.dirname, "..");

/** What is changed: a pattern in the code, and what is put in its place. */
const MUTATIONS = [
  ["without", /emit [^;]*;/g, () => ""],
  ["without", /revert [^;]*;/g, () => "{}"],
  ["without", /(?<=^ +)(_require\w+|_expect|_verify|_check\w*|_mark\w+|_contradict\w*|_setHead|_cancel|_settle|_learn\w*|_record\w*)\([^;{]*\);/gm, () => ""],
  ["without", /(?<=^ +)delete [^;]*;/gm, () => ""],
  // What is passed over, and what says that something is new.
  ["without", /(else )?if \([^;{]*\) (return|\w+ =) false;/g, () => ""],
  ["both", /\|\|/g, () => "&&"],
  ["moved", /(?<!for \([^\n]*)(?<=\S )[<>](?= \S)/g, (sign) => `${sign}=`],
  ["moved", /(?<!for \([^\n]*)(?<=\S )>=(?= \S)/g, () => ">"],
  ["always", /(?<=if \()!?agrees(?=\))/g, (condition) => (condition[0] === "!" ? "false" : "true")],
  ["first", /trustReplaced \? /g, () => "false ? "],
  ["narrower", /bytes23\((?=head\.)/g, () => "bytes1("],
];

/** No test can tell these from the code. */
const EQUAL = [
  // Without an announcement nobody reads the time of the last one.
  "Guardian.sol: without delete executableFrom;",
  // Nothing but what was checked when it was announced has the announced hash.
  "Trusted.sol: without _checkTrust(next);",
];

function* mutants() {
  for (const file of readdirSync(join(contracts, "src"))) {
    const code = readFileSync(join(contracts, "src", file), "utf8");
    for (const [how, pattern, replacement] of MUTATIONS) {
      for (const match of code.matchAll(pattern)) {
        const line = code.slice(0, match.index).split("\n").length;
        const text = code.split("\n")[line - 1].trim();
        if (text.startsWith("//")) continue;
        const end = match.index + match[0].length;
        const mutated = code.slice(0, match.index) + replacement(match[0]) + code.slice(end);
        yield { name: `${file}:${line}: ${how} ${match[0].replace(/\s+/g, " ")}  in  ${text}`, file, mutated };
      }
    }
  }
}

/** How the tests end: `null` if all pass. */
function outcomeOf(folder) {
  const env = {
    ...process.env,
    FOUNDRY_VIA_IR: "false",
    FOUNDRY_OPTIMIZER: "false",
    FOUNDRY_INVARIANT_RUNS: "8",
    FOUNDRY_FUZZ_RUNS: "32",
  };
  const run = ["test", "--no-match-contract", "GasTest|RealProofs", "--fail-fast"];
  try {
    execFileSync(join(contracts, "node_modules/.bin/forge"), run, { cwd: folder, env, stdio: "pipe" });
    return null;
  } catch (error) {
    const said = `${error.stdout}${error.stderr}`;
    return /FAIL/.test(said) ? "killed" : "does not compile";
  }
}

const folder = mkdtempSync(join(tmpdir(), "mutants-"));
try {
  for (const name of ["src", "test", "examples", "foundry.toml", "solc", "package.json"]) {
    cpSync(join(contracts, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(contracts, "node_modules"), join(folder, "node_modules"));
  if (outcomeOf(folder)) throw new Error("the tests fail without any change");
  const count = { killed: 0, survived: 0, "changes nothing": 0, "does not compile": 0 };
  const picked = [...mutants()].filter(({ name }) => !process.argv[2] || name.includes(process.argv[2]));
  for (const [index, { name, file, mutated }] of picked.entries()) {
    const path = join(folder, "src", file);
    const original = readFileSync(path);
    writeFileSync(path, mutated);
    const isEqual = EQUAL.some((text) => name.replace(/:\d+:/, ":").startsWith(text));
    const outcome = outcomeOf(folder) ?? (isEqual ? "changes nothing" : "survived");
    writeFileSync(path, original);
    count[outcome] += 1;
    console.log(`${index + 1} of ${picked.length}, ${outcome}: ${name}`);
  }
  console.log(Object.entries(count).map(([outcome, number]) => `${number} ${outcome}`).join(", "));
  process.exitCode = count.survived ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}
