import { nodeFiles } from "../sources/nodeFiles.ts";
import type { CacheWriter, FileCache } from "./fileCache.ts";

/** A cache in a local folder, for Node. Files are named by the SHA-256 of their key and appear whole or not at all. */
export function directoryCache(directory: string): FileCache {
  return {
    match: async (key) => {
      const { fs, syncFs } = nodeFiles();
      const path = place(directory, key);
      try {
        await fs.access(path);
        return await syncFs.openAsBlob(path);
      } catch (cause) {
        if ((cause as { code?: string }).code === "ENOENT") return undefined;
        throw cause;
      }
    },
    write: (key) => writer(directory, place(directory, key)),
  };
}

function place(directory: string, key: string): string {
  const { crypto, path } = nodeFiles();
  return path.join(directory, crypto.createHash("sha256").update(key).digest("hex"));
}

async function writer(directory: string, target: string): Promise<CacheWriter> {
  const { fs, syncFs } = nodeFiles();
  await fs.mkdir(directory, { recursive: true });
  const partial = `${target}.${crypto.randomUUID()}.part`;
  const handle = await fs.open(partial, "wx");
  const drop = async (): Promise<void> => {
    await handle.close().catch(() => undefined);
    await fs.rm(partial, { force: true });
  };
  return {
    write: async (chunk) => {
      for (let written = 0; written < chunk.byteLength;)
        written += (await handle.write(chunk, written, chunk.byteLength - written)).bytesWritten;
    },
    keep: async () => {
      try {
        await handle.sync();
        await handle.close();
        await fs.rename(partial, target);
        return await syncFs.openAsBlob(target);
      } catch (error) {
        await drop();
        throw error;
      }
    },
    drop,
  };
}
