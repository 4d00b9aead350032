import type { FileSection } from "../sources/fileSection.ts";
import type { OwnBytes } from "../tensors/lazyTensor.ts";
import { crc32 } from "./crc32.ts";

/** A file that goes into an archive as it is. */
export interface ZippedFile {
  readonly name: string;
  /** For who is told of progress; its name unless told. */
  readonly label?: string;
  readonly byteLength: number;
  /** Checksum of its bytes, where it is known: it then stands before them, and also readers that take an archive from its start know where they end. */
  readonly sum?: number;
  chunks(): Iterable<OwnBytes | Promise<OwnBytes>>;
}

/** An archive laid out: every size is known before the first byte is made. */
export interface ZipLayout {
  readonly byteLength: number;
  readonly sections: readonly FileSection<OwnBytes | Promise<OwnBytes>>[];
}

/** The bytes of each file begin at multiples of this, so that they can be mapped. */
const ALIGNMENT = 64;
const LOCAL_BYTES = 30;
const ENTRY_BYTES = 46;
/** The value that says: look in the 64-bit field. */
const SEE_64 = 0xffffffff;
/** Names are UTF-8. */
const UTF8 = 0x0800;
/** Sum and sizes follow the bytes. */
const LATE = 0x0008;
/** The first of January 1980, the least that the format can say: the same files make the same archive. */
const DATE = 0x21;

interface Placed extends ZippedFile {
  readonly at: number;
  readonly header: OwnBytes;
  /** Its size needs 64 bits. */
  readonly wide: boolean;
}

/**
 * Lays out an archive of stored files, 64-bit where it must be. A file's sum that is not known stands behind its bytes, which go through once; those that were
 * there before are made again for the sum that the directory says.
 * Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3.
 */
export function layoutZip(files: readonly ZippedFile[]): ZipLayout {
  const sums = new Map<string, number>();
  const placed: Placed[] = [];
  let end = 0;
  for (const file of files) {
    const wide = file.byteLength >= SEE_64;
    const header = localHeader(file, end, wide);
    placed.push({ ...file, at: end, header, wide });
    end += header.byteLength + file.byteLength + trailerBytes({ ...file, wide });
  }
  const sections: FileSection<OwnBytes | Promise<OwnBytes>>[] = placed.flatMap((file, i) => {
    const next = placed[i + 1]?.header ?? new Uint8Array(0);
    const first = i === 0 ? [fixed("header", 0, file.header)] : [];
    return [...first, contents(file, next, sums)];
  });
  const [directory, endBytes] = [placed.reduce((total, file) => total + entryBytes(file), 0), 98];
  sections.push({
    name: "directory",
    start: end,
    byteLength: directory + endBytes,
    *chunks() {
      for (const file of placed) yield sumOf(file, sums).then((sum) => directoryEntry(file, sum));
      yield endOf(placed.length, end, directory);
    },
  });
  return { byteLength: end + directory + endBytes, sections };
}

const fixed = (name: string, start: number, bytes: OwnBytes): FileSection<OwnBytes> => ({
  name,
  start,
  byteLength: bytes.byteLength,
  chunks: () => [bytes],
});

/** A file's bytes, its sum, and the header of the next. */
function contents(file: Placed, next: OwnBytes, sums: Map<string, number>): FileSection<OwnBytes | Promise<OwnBytes>> {
  return {
    name: file.label ?? file.name,
    start: file.at + file.header.byteLength,
    byteLength: file.byteLength + trailerBytes(file) + next.byteLength,
    *chunks() {
      if (file.sum !== undefined) {
        yield* file.chunks();
        if (next.byteLength > 0) yield next;
        return;
      }
      let sum = 0;
      const counted = (bytes: OwnBytes): OwnBytes => {
        sum = crc32(bytes, sum);
        return bytes;
      };
      for (const chunk of file.chunks()) yield chunk instanceof Promise ? chunk.then(counted) : counted(chunk);
      sums.set(file.name, sum);
      yield trailer(file, sum);
      if (next.byteLength > 0) yield next;
    },
  };
}

async function sumOf(file: Placed, sums: ReadonlyMap<string, number>): Promise<number> {
  const known = file.sum ?? sums.get(file.name);
  if (known !== undefined) return known;
  let sum = 0;
  for await (const chunk of file.chunks()) sum = crc32(chunk, sum);
  return sum;
}

/** Fields of 2, 4 and 8 bytes one after the other. */
function fields(...all: readonly (readonly [width: 2 | 4 | 8, value: number])[]): OwnBytes {
  const out = new Uint8Array(all.reduce((total, [width]) => total + width, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [width, value] of all) {
    if (width === 2) view.setUint16(at, value, true);
    else if (width === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += width;
  }
  return out;
}

function joined(...parts: readonly Uint8Array[]): OwnBytes {
  const out = new Uint8Array(parts.reduce((total, { byteLength }) => total + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.byteLength;
  }
  return out;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const short = (value: number): number => Math.min(value, SEE_64);

/** What stands before a file's bytes; a field of nothing fills it up to the alignment. */
function localHeader({ name, sum, byteLength }: ZippedFile, at: number, wide: boolean): OwnBytes {
  const text = encode(name);
  const known = sum === undefined ? 0 : byteLength;
  const sizes = wide ? fields([2, 1], [2, 16], [8, known], [8, known]) : new Uint8Array(0);
  const before = at + LOCAL_BYTES + text.byteLength + sizes.byteLength + 4;
  const filled = -before & (ALIGNMENT - 1);
  // PyTorch's own name of that field.
  const fill = joined(encode("FB"), fields([2, filled]), new Uint8Array(filled).fill(0x5a));
  const size = wide ? SEE_64 : known;
  const head = fields([4, 0x04034b50], [2, wide ? 45 : 20], [2, flagsOf(sum)], [2, 0], [2, 0], [2, DATE], [4, sum ?? 0], [4, size], [4, size], [2, text.byteLength], [2, sizes.byteLength + fill.byteLength]); // prettier-ignore
  return joined(head, text, sizes, fill);
}

const flagsOf = (sum: number | undefined): number => (sum === undefined ? UTF8 | LATE : UTF8);

const trailerBytes = ({ sum, wide }: Pick<Placed, "sum" | "wide">): number => (sum !== undefined ? 0 : wide ? 24 : 16);

function trailer({ byteLength, wide }: Placed, sum: number): OwnBytes {
  const width = wide ? 8 : 4;
  return fields([4, 0x08074b50], [4, sum], [width, byteLength], [width, byteLength]);
}

/** The fields that do not fit in 32 bits. */
const longFields = ({ byteLength, at, wide }: Placed): readonly number[] => [
  ...(wide ? [byteLength, byteLength] : []),
  ...(at >= SEE_64 ? [at] : []),
];

function entryBytes(file: Placed): number {
  const long = longFields(file).length;
  return ENTRY_BYTES + encode(file.name).byteLength + (long > 0 ? 4 + 8 * long : 0);
}

function directoryEntry(file: Placed, sum: number): OwnBytes {
  const text = encode(file.name);
  const long = longFields(file);
  const extra = long.length === 0 ? new Uint8Array(0) : fields([2, 1], [2, 8 * long.length], ...long.map((value) => [8, value] as const)); // prettier-ignore
  const size = short(file.byteLength);
  const version = long.length > 0 ? 45 : 20;
  const head = fields([4, 0x02014b50], [2, version], [2, version], [2, flagsOf(file.sum)], [2, 0], [2, 0], [2, DATE], [4, sum], [4, size], [4, size], [2, text.byteLength], [2, extra.byteLength], [2, 0], [2, 0], [2, 0], [4, 0], [4, short(file.at)]); // prettier-ignore
  return joined(head, text, extra);
}

/** The 64-bit end, where it is, and the end. */
function endOf(count: number, start: number, length: number): OwnBytes {
  const wide = fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, length], [8, start]); // prettier-ignore
  const locator = fields([4, 0x07064b50], [4, 0], [8, start + length], [4, 1]);
  const few = Math.min(count, 0xffff);
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, few], [2, few], [4, short(length)], [4, short(start)], [2, 0]); // prettier-ignore
  return joined(wide, locator, end);
}
