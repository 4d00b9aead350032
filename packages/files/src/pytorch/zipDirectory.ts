import { FormatError } from "@statespace/core";
import type { ReadOptions, Source } from "../sources/source.ts";
import { quote } from "../strictJson.ts";

/** A file inside a zip archive, stored as it is. */
export interface ZipEntry {
  readonly name: string;
  readonly byteLength: number;
  /** Where its local header begins; its bytes follow that. */
  readonly headerStart: number;
}

/** The files of an archive by name. */
export interface ZipDirectory {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Size of the archive. */
  readonly size: number;
}

const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 0xffff;
/** The value that says: look in the 64-bit field. */
const SEE_64 = 0xffffffff;

const [END, END64, LOCATOR, ENTRY, LOCAL] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50];

/** Whether bytes begin as an archive with at least one file does. */
export function looksLikeZip(prefix: Uint8Array): boolean {
  return prefix.length >= 4 && view(prefix).getUint32(0, true) === LOCAL;
}

/**
 * Reads the directory at the end of a zip archive, 64-bit ones included. Only stored files are accepted.
 * Errors: {@link FormatError} if the archive is damaged, compressed or encrypted, or a name comes twice; {@link SourceError}; {@link AbortedError}.
 * Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
 */
export async function readZipDirectory(
  source: Source,
  file: string,
  size: number,
  options: ReadOptions,
): Promise<ZipDirectory> {
  const tailStart = Math.max(0, size - END_BYTES - LONGEST_COMMENT - LOCATOR_BYTES);
  const tail = await readExactly(source, file, tailStart, size, options);
  const end = findEnd(tail, file);
  let { start, length, count } = end;
  if (end.at >= LOCATOR_BYTES && view(tail).getUint32(end.at - LOCATOR_BYTES, true) === LOCATOR) {
    const end64 = toOffset(view(tail).getBigUint64(end.at - LOCATOR_BYTES + 8, true), file);
    if (end64 + END64_BYTES > size) throw damaged(file, "the 64-bit directory lies outside the file");
    const record = view(await readExactly(source, file, end64, end64 + END64_BYTES, options));
    if (record.getUint32(0, true) !== END64) throw damaged(file, "no 64-bit directory where one is announced");
    count = toOffset(record.getBigUint64(32, true), file);
    length = toOffset(record.getBigUint64(40, true), file);
    start = toOffset(record.getBigUint64(48, true), file);
  }
  if (start + length > size) throw damaged(file, "the directory lies outside the file");
  if (count * ENTRY_BYTES > length) throw damaged(file, `a directory of ${length} bytes cannot list ${count} files`);
  const directory =
    start >= tailStart
      ? tail.subarray(start - tailStart, start - tailStart + length)
      : await readExactly(source, file, start, start + length, options);
  return { entries: parseEntries(directory, count, start, file), size };
}

/** Where the bytes of an entry begin: its local header has a length of its own. Errors: {@link FormatError}. */
export async function dataStart(
  source: Source,
  file: string,
  { entry, size }: { entry: ZipEntry; size: number },
  options: ReadOptions,
): Promise<number> {
  if (entry.headerStart + LOCAL_BYTES > size)
    throw damaged(file, `the header of ${quote(entry.name)} lies outside the file`);
  const header = view(await readExactly(source, file, entry.headerStart, entry.headerStart + LOCAL_BYTES, options));
  if (header.getUint32(0, true) !== LOCAL) throw damaged(file, `${quote(entry.name)} is not where the directory says`);
  const start = entry.headerStart + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + entry.byteLength > size) throw damaged(file, `${quote(entry.name)} reaches past the end`);
  return start;
}

/** Errors: {@link FormatError} if fewer bytes are there. */
export async function readExactly(
  source: Source,
  file: string,
  start: number,
  end: number,
  options: ReadOptions,
): Promise<Uint8Array> {
  const bytes = await source.read(file, { ...options, start, end });
  if (bytes?.byteLength !== end - start)
    throw new FormatError(`${file}: truncated: bytes ${start}..${end} are not there`);
  return bytes;
}

function findEnd(tail: Uint8Array, file: string): { at: number; start: number; length: number; count: number } {
  const bytes = view(tail);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    // The comment must reach to the end exactly, or the signature is just bytes of a comment.
    if (bytes.getUint32(at, true) !== END || bytes.getUint16(at + 20, true) !== tail.length - at - END_BYTES) continue;
    const [count, length, start] = [
      bytes.getUint16(at + 10, true),
      bytes.getUint32(at + 12, true),
      bytes.getUint32(at + 16, true),
    ];
    return { at, start, length, count };
  }
  throw damaged(file, "no directory at its end");
}

function parseEntries(directory: Uint8Array, count: number, limit: number, file: string): Map<string, ZipEntry> {
  const bytes = view(directory);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > directory.length || bytes.getUint32(at, true) !== ENTRY)
      throw damaged(file, `entry ${i} of the directory is not one`);
    const nameEnd = at + ENTRY_BYTES + bytes.getUint16(at + 28, true);
    const extraEnd = nameEnd + bytes.getUint16(at + 30, true);
    const next = extraEnd + bytes.getUint16(at + 32, true);
    if (next > directory.length) throw damaged(file, `entry ${i} of the directory is cut off`);
    const name = decodeName(decoder, directory.subarray(at + ENTRY_BYTES, nameEnd), file);
    if ((bytes.getUint16(at + 8, true) & 1) !== 0) throw damaged(file, `${quote(name)} is encrypted`);
    const method = bytes.getUint16(at + 10, true);
    // What torch.jit.save wrote has the module's code beside its data, compressed.
    if (/^[^/]+\/(code\/.*|constants\.pkl)$/.test(name))
      throw new FormatError(
        `${file}: is a TorchScript program (torch.jit.save), which is not read; save its weights: torch.save(torch.jit.load(...).state_dict(), ...)`,
      );
    if (method !== 0)
      throw damaged(file, `${quote(name)} is compressed (method ${method}); torch.save stores its files as they are`);
    const wide = wideFields(bytes, at, nameEnd, extraEnd, file);
    if (wide.packed !== wide.byteLength) throw damaged(file, `${quote(name)} is stored in another size than its own`);
    if (wide.headerStart + LOCAL_BYTES + wide.byteLength > limit)
      throw damaged(file, `${quote(name)} reaches into the directory`);
    if (entries.has(name)) throw damaged(file, `${quote(name)} comes twice`);
    entries.set(name, { name, byteLength: wide.byteLength, headerStart: wide.headerStart });
    at = next;
  }
  return entries;
}

/** Sizes and place of an entry, from the 64-bit extra field where the short fields say so. */
function wideFields(
  bytes: DataView,
  at: number,
  extraStart: number,
  extraEnd: number,
  file: string,
): { byteLength: number; packed: number; headerStart: number } {
  let [packed, byteLength, headerStart] = [20, 24, 42].map((offset) => bytes.getUint32(at + offset, true)) as [
    number,
    number,
    number,
  ];
  if (packed !== SEE_64 && byteLength !== SEE_64 && headerStart !== SEE_64) return { byteLength, packed, headerStart };
  for (let field = extraStart; field + 4 <= extraEnd;) {
    const next = field + 4 + bytes.getUint16(field + 2, true);
    if (next > extraEnd) break;
    if (bytes.getUint16(field, true) === 1) {
      let position = field + 4;
      const take = (short: number): number => {
        if (short !== SEE_64) return short;
        if (position + 8 > next) throw damaged(file, "a 64-bit field is cut off");
        position += 8;
        return toOffset(bytes.getBigUint64(position - 8, true), file);
      };
      byteLength = take(byteLength);
      packed = take(packed);
      headerStart = take(headerStart);
      return { byteLength, packed, headerStart };
    }
    field = next;
  }
  throw damaged(file, "a 64-bit field is missing");
}

function decodeName(decoder: TextDecoder, bytes: Uint8Array, file: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw damaged(file, "a file's name is not UTF-8");
  }
}

function toOffset(value: bigint, file: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(file, `a size or place of ${value} bytes`);
  return Number(value);
}

function damaged(file: string, fault: string): FormatError {
  return new FormatError(`${file}: damaged zip archive: ${fault}`);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
