import { nodeFiles, writeFileAtomically } from "@statespace/files";
import type { StateShelf } from "./stateShelf.ts";

const EXTENSION = ".state";

/** A shelf in a folder, for Node. Files are written under another name, then renamed. */
export function folderShelf(folder: string): StateShelf {
  const { fs, path } = nodeFiles();
  const place = (name: string): string => path.join(folder, name + EXTENSION);
  return {
    list: async () => {
      await fs.mkdir(folder, { recursive: true });
      const names = (await fs.readdir(folder)).filter((name) => name.endsWith(EXTENSION));
      return Promise.all(
        names.map(async (file) => ({
          name: file.slice(0, -EXTENSION.length),
          bytes: (await fs.stat(path.join(folder, file))).size,
          head: (length: number) => firstBytes(path.join(folder, file), length),
        })),
      );
    },
    get: async (name) => {
      try {
        return new Uint8Array(await fs.readFile(place(name)));
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return undefined;
        throw error;
      }
    },
    put: async (name, bytes) => {
      await fs.mkdir(folder, { recursive: true });
      await writeFileAtomically(place(name), [bytes]);
    },
    remove: (name) => fs.rm(place(name), { force: true }),
  };
}

async function firstBytes(file: string, length: number): Promise<Uint8Array> {
  const handle = await nodeFiles().fs.open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
