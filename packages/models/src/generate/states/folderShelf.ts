import { localFiles } from "@statespace/files";
import type { StateShelf } from "./stateShelf.ts";

const EXTENSION = ".state";

/** A shelf in a folder, for Node. Files are written under another name, then renamed. */
export function folderShelf(folder: string): StateShelf {
  const files = localFiles();
  const place = (name: string): string => files.join(folder, name + EXTENSION);
  return {
    list: async () => {
      await files.makeFolder(folder);
      const names = (await files.entries(folder)).map(({ name }) => name).filter((name) => name.endsWith(EXTENSION));
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
