import { FormatError } from "@statespace/core";
import { asStorageFull, localFiles } from "@statespace/files";

/** Files of one training checkpoint, made only when they are written. */
export type CheckpointFiles = ReadonlyMap<string, () => Iterable<Uint8Array>>;

/**
 * Where training checkpoints live. A checkpoint is there whole or not at all: an interrupted or failed `write` leaves those
 * that were there as they are.
 */
export interface CheckpointStore {
  /** Makes sure that writing is possible, before work is put in. */
  prepare(): Promise<void>;
  /** Names of the checkpoints, in order. */
  names(): Promise<string[]>;
  /** @throws StorageFullError where there is no room, with what was there before as it was */
  write(name: string, files: CheckpointFiles, signal?: AbortSignal): Promise<void>;
  /** @throws FormatError when the checkpoint or the file is missing. */
  read(name: string, file: string): Promise<Uint8Array>;
  has(name: string, file: string): Promise<boolean>;
  remove(name: string): Promise<void>;
}

/** Checkpoints as folders below one folder (Node). Each is written under a temporary name and renamed when it is whole and on the disk. */
export function folderStore(folder: string): CheckpointStore {
  const files = localFiles();
  const at = (...parts: string[]): string => files.join(folder, ...parts);
  return {
    async prepare() {
      await files.makeFolder(folder);
      // What an earlier run was writing when it was killed.
      for (const { name } of await files.entries(folder)) if (name.endsWith(UNFINISHED)) await files.remove(at(name));
      const probe = at(`probe${UNFINISHED}`);
      await files.write(probe, []);
      await files.remove(probe);
    },
    async names() {
      const entries = await files.entries(folder);
      return entries
        .filter(({ name, isFolder }) => isFolder && /^step-\d+$/.test(name))
        .map(({ name }) => name)
        .sort();
    },
    async write(name, contents, signal) {
      const temporary = at(`${name}.${crypto.randomUUID()}${UNFINISHED}`);
      try {
        await files.makeFolder(temporary);
        for (const [file, chunks] of contents) await files.write(files.join(temporary, file), chunks(), signal);
        await files.remove(at(name));
        await files.rename(temporary, at(name));
      } catch (error) {
        await files.remove(temporary);
        throw asStorageFull(error, at(name));
      }
    },
    read: (name, file) =>
      files.read(at(name, file)).catch((cause: unknown) => {
        throw new FormatError(`checkpoint ${name}: ${file} cannot be read`, { cause });
      }),
    has: (name, file) => files.exists(at(name, file)),
    remove: (name) => files.remove(at(name)),
  };
}

const UNFINISHED = ".unfinished";

/** Checkpoints in memory, for a page that stores them elsewhere, and for tests. */
export function memoryStore(): CheckpointStore {
  const checkpoints = new Map<string, Map<string, Uint8Array>>();
  return {
    async prepare() {},
    names: async () => [...checkpoints.keys()].sort(),
    async write(name, files, signal) {
      const whole = new Map<string, Uint8Array>();
      for (const [file, chunks] of files) {
        signal?.throwIfAborted();
        whole.set(file, new Uint8Array(await new Blob([...chunks()] as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
      }
      checkpoints.set(name, whole);
    },
    async read(name, file) {
      const bytes = checkpoints.get(name)?.get(file);
      if (bytes === undefined) throw new FormatError(`checkpoint ${name}: ${file} is missing`);
      return bytes;
    },
    has: async (name, file) => checkpoints.get(name)?.has(file) ?? false,
    async remove(name) {
      checkpoints.delete(name);
    },
  };
}
