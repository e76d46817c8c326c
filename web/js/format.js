// Numbers, amounts and times in words.

const digits = new Intl.NumberFormat("en");

/** Digits in groups of three. */
export const grouped = (number) => digits.format(number);

/** Bytes as people say them. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** An amount of wei, which comes as decimal digits, in ether. */
export function ether(wei) {
  const padded = wei.padStart(19, "0");
  const rest = padded.slice(-18).replace(/0+$/, "");
  return `${digits.format(BigInt(padded.slice(0, -18)))}${rest && `.${rest}`} ether`;
}

/** A length of time, with the two largest units that it has. */
export function span(seconds) {
  const units = [["year", 31_557_600], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return "0 seconds";
  const parts = [];
  let left = Math.floor(seconds);
  for (const [unit, length] of units.slice(first, first + 2)) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? "" : "s"}`);
  }
  return parts.join(" and ");
}

/** A time that passes: minutes and seconds. */
export function clock(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** A point in time, in seconds since 1970. */
export const date = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
