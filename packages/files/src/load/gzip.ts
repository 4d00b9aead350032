import { FormatError } from "@statespace/core";
import { collect } from "../sources/source.ts";

/** Whether bytes start as gzip does (RFC 1952). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/**
 * Unpacks gzip with the platform's own decoder, which checks length and CRC.
 * Errors: `FormatError` for damaged data and beyond `maxBytes`, so that a small file cannot fill memory.
 */
export async function gunzip(bytes: Uint8Array, label: string, maxBytes: number): Promise<Uint8Array> {
  const packed = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const reader = packed.pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      total += step.value.length;
      if (total > maxBytes) break;
      chunks.push(step.value);
    }
  } catch (cause) {
    throw new FormatError(`gunzip: ${label} is damaged: ${(cause as Error).message}`, { cause });
  }
  if (total > maxBytes) {
    await reader.cancel();
    throw new FormatError(`gunzip: ${label} unpacks to more than ${maxBytes} bytes`);
  }
  return collect({ chunks });
}

/** Chunks as they are, or unpacked where they begin as gzip does. Errors: `FormatError` for damaged data. */
export async function* unpacked(
  chunks: AsyncIterable<Uint8Array>,
  label: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = chunks[Symbol.asyncIterator]();
  // The first bytes may come one by one.
  let start: Uint8Array = new Uint8Array();
  for (let step = await source.next(); !step.done; step = await source.next()) {
    start = await collect({ chunks: [start, step.value] });
    if (start.length >= 3) break;
  }
  const all = {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
      if (start.length > 0) yield start;
      for (let step = await source.next(); !step.done; step = await source.next()) yield step.value;
    },
  };
  if (!isGzip(start)) return yield* all;
  const bytes = all[Symbol.asyncIterator]();
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const step = await bytes.next();
      if (step.done) controller.close();
      else controller.enqueue(step.value as Uint8Array<ArrayBuffer>);
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value;
  } catch (cause) {
    throw new FormatError(`gunzip: ${label} is damaged: ${(cause as Error).message}`, { cause });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
