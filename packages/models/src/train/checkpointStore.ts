import { FormatError } from "@statespace/core";
import { nodeFiles, writeFileAtomically } from "@statespace/files";

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
  write(name: string, files: CheckpointFiles, signal?: AbortSignal): Promise<void>;
  /** @throws FormatError when the checkpoint or the file is missing. */
  read(name: string, file: string): Promise<Uint8Array>;
  has(name: string, file: string): Promise<boolean>;
  remove(name: string): Promise<void>;
}

/** Checkpoints as folders below one folder (Node). Each is written under a temporary name and renamed when it is whole and on the disk. */
export function folderStore(folder: string): CheckpointStore {
  const { fs, path } = nodeFiles();
  const at = (...parts: string[]): string => path.join(folder, ...parts);
  return {
    async prepare() {
      await fs.mkdir(folder, { recursive: true });
      // What an earlier run was writing when it was killed.
      for (const name of await fs.readdir(folder))
        if (name.endsWith(UNFINISHED)) await fs.rm(at(name), { recursive: true, force: true });
      const probe = at(`probe${UNFINISHED}`);
      await fs.writeFile(probe, "");
      await fs.rm(probe);
    },
    async names() {
      const entries = await fs.readdir(folder, { withFileTypes: true }).catch(noEntries);
      return entries
        .filter((entry) => entry.isDirectory() && /^step-\d+$/.test(entry.name))
        .map(({ name }) => name)
        .sort();
    },
    async write(name, files, signal) {
      const temporary = at(`${name}.${crypto.randomUUID()}${UNFINISHED}`);
      try {
        await fs.mkdir(temporary);
        for (const [file, chunks] of files) await writeFileAtomically(path.join(temporary, file), chunks(), signal);
        await fs.rm(at(name), { recursive: true, force: true });
        await fs.rename(temporary, at(name));
      } catch (error) {
        await fs.rm(temporary, { recursive: true, force: true });
        throw error;
      }
    },
    async read(name, file) {
      const bytes = await fs.readFile(at(name, file)).catch((cause: unknown) => {
        throw new FormatError(`checkpoint ${name}: ${file} cannot be read`, { cause });
      });
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    has: (name, file) =>
      fs.access(at(name, file)).then(
        () => true,
        () => false,
      ),
    remove: (name) => fs.rm(at(name), { recursive: true, force: true }),
  };
}

const UNFINISHED = ".unfinished";

function noEntries(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT") return [];
  throw error;
}

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
