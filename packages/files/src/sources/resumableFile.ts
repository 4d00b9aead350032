import { refuseUnknown } from "@statespace/core/backend";
import type { FileSection } from "./fileSection.ts";
import { throwIfAborted } from "./abort.ts";
import { type FileHandle, nodeFiles } from "./nodeFiles.ts";
import { claimUnfinished, removeUnfinished } from "./unfinishedFile.ts";

/** A piece of a file whose bytes may come as a stream. */
export interface ResumableSection extends Omit<FileSection, "chunks"> {
  chunks(): Iterable<Uint8Array | Promise<Uint8Array>> | AsyncIterable<Uint8Array>;
}

/** How a file is written that may take long. */
export interface ResumableOptions {
  /** Names what goes into it: a call that did not end is gone on with only by one that writes the same. */
  readonly identity: string;
  readonly signal?: AbortSignal | undefined;
  /** Told with each part of the file: its bytes so far, those that were there included, and of all. */
  readonly progress?:
    | ((progress: { readonly section: string; readonly loaded: number; readonly total: number }) => void)
    | undefined;
  /** Waited for when the file is whole, before it has its name. */
  readonly whole?: (() => Promise<void>) | undefined;
}

/** Bytes after which the disk is asked to have what was written: as many at the end of what is found may not be whole after a power cut. */
const SYNC_BYTES = 16 << 20;
/** So many sections of what is found are made again, to see that they are the same. */
const CHECKED = 8;

/**
 * Writes a file under another name beside it, then renames: nobody sees a part of it under its own name. What an earlier call with the same identity left when
 * its process was killed, or its signal fired, is gone on with from the last section that is whole there; some of the sections before it are made again and compared, and where
 * one is different all is written anew.
 * @returns how many bytes were found and kept
 * Errors: {@link ArgumentError} naming the option that is unknown; {@link AbortedError}, after which a next call goes on; what the chunks or the file system throw, after what was written is removed.
 */
export async function writeFileResumably(
  file: string,
  sections: readonly ResumableSection[],
  options: ResumableOptions,
): Promise<number> {
  refuseUnknown("writeFileResumably", options, ["identity", "signal", "progress", "whole"], { onProgress: "progress" });
  const { identity, signal, progress, whole: ready } = options;
  const { fs } = nodeFiles();
  throwIfAborted(signal, file);
  const unfinished = await claimUnfinished(file, identity);
  const total = sections.reduce((end, { start, byteLength }) => Math.max(end, start + byteLength), 0);
  try {
    const handle = await fs.open(unfinished.path, "r+");
    let kept: number;
    try {
      kept = await wholeSections(handle, sections);
      await handle.truncate(kept);
      let [loaded, unsynced] = [kept, 0];
      for (const section of sections) {
        if (section.start < kept) continue;
        for await (const chunk of section.chunks()) {
          throwIfAborted(signal, file);
          await write(handle, chunk, loaded);
          loaded += chunk.byteLength;
          unsynced += chunk.byteLength;
          if (unsynced >= SYNC_BYTES) {
            await handle.datasync();
            unsynced = 0;
          }
          progress?.({ section: section.name, loaded, total });
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    throwIfAborted(signal, file);
    await ready?.();
    await fs.rename(unfinished.path, file);
    await removeUnfinished(file);
    return kept;
  } catch (error) {
    // Whoever stopped it may go on later; whatever else went wrong would again.
    if (!signal?.aborted) await fs.rm(unfinished.path, { force: true });
    throw error;
  } finally {
    unfinished.release();
  }
}

async function write(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.byteLength;) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.byteLength - written, position + written);
    written += bytesWritten;
  }
}

/** Bytes at the beginning of a file that are whole sections, and those that they should be. */
async function wholeSections(handle: FileHandle, sections: readonly ResumableSection[]): Promise<number> {
  const there = Math.max(0, (await handle.stat()).size - SYNC_BYTES);
  const found = sections.filter(({ start, byteLength }) => start + byteLength <= there);
  const last = found.at(-1);
  if (last === undefined) return 0;
  const step = Math.max(1, (found.length - 1) / (CHECKED - 1));
  const checked = new Set(Array.from({ length: CHECKED }, (_, i) => found[Math.round(i * step)]));
  checked.add(last);
  for (const section of checked) if (section !== undefined && !(await beginsAs(handle, section))) return 0;
  return last.start + last.byteLength;
}

/** Whether a section's first part is what the file has there. */
async function beginsAs(handle: FileHandle, { start, chunks }: ResumableSection): Promise<boolean> {
  for await (const chunk of chunks()) {
    const bytes = new Uint8Array(chunk.byteLength);
    const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, start);
    return bytesRead === bytes.byteLength && bytes.every((byte, i) => byte === chunk[i]);
  }
  return true;
}
