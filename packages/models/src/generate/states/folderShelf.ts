import { localFiles, type LocalFiles } from "@statespace/files";
import type { StateShelf } from "./stateShelf.ts";

const EXTENSION = ".state";
const AN_HOUR = 3_600_000;

/** A shelf in a folder, for Node. Files are written under another name, then renamed. */
export function folderShelf(folder: string): StateShelf {
  const files = localFiles();
  const place = (name: string): string => files.join(folder, name + EXTENSION);
  return {
    list: async () => {
      await files.makeFolder(folder);
      const all = (await files.entries(folder)).map(({ name }) => name);
      await removeLeftOver(files, folder, all);
      const names = all.filter((name) => name.endsWith(EXTENSION));
      return Promise.all(
        names.map(async (file) => ({
          name: file.slice(0, -EXTENSION.length),
          bytes: await files.size(files.join(folder, file)),
          head: (length: number) => files.readStart(files.join(folder, file), length),
        })),
      );
    },
    get: async (name) => {
      try {
        return await files.read(place(name));
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return undefined;
        throw error;
      }
    },
    put: async (name, bytes) => {
      await files.makeFolder(folder);
      await files.write(place(name), [bytes]);
    },
    remove: (name) => files.remove(place(name)),
  };
}

/** A program that was ended in the middle of a file left it under its other name. One that is new may be still at it. */
async function removeLeftOver(files: LocalFiles, folder: string, names: readonly string[]): Promise<void> {
  for (const name of names.filter((own) => /\.state\.[0-9a-f-]+\.tmp$/.test(own))) {
    const file = files.join(folder, name);
    const written = await files.writtenAt(file).catch(() => Date.now());
    if (Date.now() - written > AN_HOUR) await files.remove(file);
  }
}
