/**
 * A zip archive of files as they are: weights do not shrink, and every system opens it.
 * Names are UTF-8. Source: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
 * @throws RangeError where a file or the whole is larger than 32-bit fields say
 */
export function zipParts(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer>[] {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const [name, bytes] of files) {
    const path = new TextEncoder().encode(name);
    const sum = crc32(bytes);
    // version 2.0, names in UTF-8, stored, 1 January 1980: the same files make the same archive
    const common = [short(20), short(0x0800), short(0), short(0), short(0x21), long(sum)];
    const sizes = [long(bytes.length), long(bytes.length), short(path.length), short(0)];
    const header = joined([long(0x04034b50), ...common, ...sizes, path]);
    directory.push(
      joined([long(0x02014b50), short(20), ...common, ...sizes, short(0), short(0), short(0), long(0), long(at), path]),
    );
    parts.push(header, bytes as Uint8Array<ArrayBuffer>);
    at += header.length + bytes.length;
    if (at > 0xffffffff) throw new RangeError(`a zip archive of ${at} bytes needs 64-bit fields`);
  }
  const list = joined(directory);
  const count = short(files.size);
  const end = joined([long(0x06054b50), short(0), short(0), count, count, long(list.length), long(at), short(0)]);
  return [...parts, list, end];
}

function short(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

function long(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  return rest;
});

/** The checksum that archives carry. */
export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ TABLE[(sum ^ byte) & 0xff]!;
  return (sum ^ 0xffffffff) >>> 0;
}
