// What is done to recorded proof files: every region of the record is changed, with the checksum mended, and so is the
// frame around it without. The table of verdicts has one entry for each, which native code and the module both give.

import { createHash } from "node:crypto";

const MAGIC = 10; // bytes before the record; the last 32 are the checksum

/** The cases of one file: a name and the offset of the byte that is changed, whether the checksum is mended. */
export function cases(file) {
  const text = file.readBigUInt64LE(MAGIC + 12);
  const key = MAGIC + 20 + Number(text);
  const values = key + 32 + 8;
  const valuesLength = Number(file.readBigUInt64LE(values - 8));
  const proof = values + valuesLength + 8;
  const end = file.length - 32;
  const at = (start, stop, part) => start + Math.floor((stop - start - 1) * part);
  const mended = {
    "program": MAGIC,
    "kind": MAGIC + 4,
    "circuits": MAGIC + 8,
    "length of the version": MAGIC + 12,
    "version": MAGIC + 21,
    "key hash": key + 7,
    "length of the public values": values - 8,
    "layout's version": values + 63,
    "first word of the public values": values + 31,
    "public values, a third": at(values, proof - 8, 0.34),
    "public values, last byte": proof - 9,
    "length of the proof": proof - 8,
    "proof, first byte": proof,
    "proof, byte 40": proof + 40,
    "proof, byte 80": proof + 80,
    "proof, a quarter": at(proof, end, 0.25),
    "proof, half": at(proof, end, 0.5),
    "proof, last byte": end - 1,
  };
  const list = [{ name: "as recorded" }];
  for (const [name, offset] of Object.entries(mended)) list.push({ name, offset, mend: true });
  list.push({ name: "magic", offset: 3, mend: false });
  list.push({ name: "a byte, checksum not mended", offset: proof, mend: false });
  list.push({ name: "checksum", offset: file.length - 1, mend: false });
  return list;
}

/** The file of a case. */
export function edited(file, { offset, mend }) {
  const copy = Buffer.from(file);
  if (offset !== undefined) copy[offset] ^= 1;
  if (mend) createHash("sha256").update(copy.subarray(0, -32)).digest().copy(copy, copy.length - 32);
  return copy;
}
