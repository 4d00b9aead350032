import { unshared, type OwnBytes } from "../tensors/lazyTensor.ts";
import { crc32 } from "./crc32.ts";
import { layoutZip } from "./zipWriter.ts";

/**
 * A zip archive of files as they are, by their names in it, for a page to offer as one download: weights do not shrink, and every system opens it. The same files
 * make the same archive.
 */
export async function zipBlob(files: Iterable<readonly [name: string, bytes: Uint8Array]>): Promise<Blob> {
  const { sections } = layoutZip(
    Array.from(files, ([name, bytes]) => ({
      name,
      byteLength: bytes.byteLength,
      sum: crc32(bytes),
      chunks: () => [unshared(bytes)],
    })),
  );
  const parts: OwnBytes[] = [];
  for (const section of sections) for (const chunk of section.chunks()) parts.push(await chunk);
  return new Blob(parts, { type: "application/zip" });
}
