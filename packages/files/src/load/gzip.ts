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
