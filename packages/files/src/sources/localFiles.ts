import { nodeFiles, toPath, writeFileAtomically } from "./nodeFiles.ts";

/** Folders and files of this machine, for code that keeps more than a checkpoint in them. Its types need none of Node's. */
export interface LocalFiles {
  /** Joins parts of a path as the system writes them. */
  join(...parts: readonly string[]): string;
  /** The path that a path or a `file:` URL means. */
  path(from: string | URL): string;
  /** Makes a folder, and those above it, unless it is there. */
  makeFolder(path: string): Promise<void>;
  /** What lies in a folder; nothing where there is no such folder. */
  entries(path: string): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]>;
  read(path: string): Promise<Uint8Array>;
  /** The first bytes of a file, as many as it has. */
  readStart(path: string, bytes: number): Promise<Uint8Array>;
  /** Bytes of a file. */
  size(path: string): Promise<number>;
  /** When a file was written last, in milliseconds since 1970. */
  writtenAt(path: string): Promise<number>;
  /** As {@link writeFileAtomically}. */
  write(path: string, chunks: Iterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all in it; nothing happens where there is none. */
  remove(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Whether it is there, and a folder. */
  isFolder(path: string): Promise<boolean>;
  /** The folder that a file or folder lies in. */
  parent(path: string): string;
  /** Whether two paths lead to one file or folder that is there, by whatever links. */
  same(one: string, other: string): Promise<boolean>;
}

/** This machine's files (Node). Errors: {@link SourceError} where there is no file system; what the system reports. */
export function localFiles(): LocalFiles {
  const { fs, path } = nodeFiles();
  return {
    join: (...parts) => path.join(...parts),
    parent: (file) => path.dirname(file),
    isFolder: (place) =>
      fs.stat(place).then(
        (found) => found.isDirectory(),
        () => false,
      ),
    path: toPath,
    async makeFolder(folder) {
      await fs.mkdir(folder, { recursive: true });
    },
    async entries(folder) {
      const found = await fs.readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      return found.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
    },
    async same(one, other) {
      const [first, second] = await Promise.all([one, other].map((each) => fs.realpath(each).catch(() => undefined)));
      return first !== undefined && first === second;
    },
    async read(file) {
      const { buffer, byteOffset, byteLength } = await fs.readFile(file);
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    async readStart(file, bytes) {
      const handle = await fs.open(file, "r");
      try {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(bytes), 0, bytes, 0);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
    writtenAt: async (file) => (await fs.stat(file)).mtimeMs,
    size: async (file) => (await fs.stat(file)).size,
    write: writeFileAtomically,
    rename: (from, to) => fs.rename(from, to),
    remove: (at) => fs.rm(at, { recursive: true, force: true }),
    exists: (at) =>
      fs.access(at).then(
        () => true,
        () => false,
      ),
  };
}
