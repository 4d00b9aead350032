/*
 * The one file that touches Node's own modules, and only when a path is opened, so that browsers can load the package.
 */
import { FormatError } from "@statespace/core";

const running = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } };

/** Whether paths can be opened here. */
export function hasFiles(): boolean {
  return typeof running.process?.versions?.node === "string";
}

/** The bytes of a local file as a stream, and its size. Errors: `FormatError` where it cannot be opened. */
export async function openFile(path: string | URL): Promise<{ stream: ReadableStream<Uint8Array>; size: number }> {
  const { open } = await import("node:fs/promises");
  try {
    const file = await open(path, "r");
    const { size } = await file.stat();
    let offset = 0;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { bytesRead, buffer } = await file.read(new Uint8Array(1 << 20), 0, 1 << 20, offset);
          offset += bytesRead;
          if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead));
          await file.close();
          controller.close();
        } catch (cause) {
          await file.close().catch(() => undefined);
          throw cause;
        }
      },
      cancel: () => file.close(),
    });
    return { stream, size };
  } catch (cause) {
    throw new FormatError(`load: cannot open ${String(path)}: ${(cause as Error).message}`, { cause });
  }
}

/** What `load` needs of a cache; a browser's `await caches.open(name)` is one. */
export interface ByteCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

/** A cache in a local folder, for Node. Files are named by the SHA-256 of their URL and appear whole or not at all. */
export function directoryCache(directory: string): ByteCache {
  const place = async (url: string): Promise<string> => {
    const [{ createHash }, { join }] = await Promise.all([import("node:crypto"), import("node:path")]);
    return join(directory, createHash("sha256").update(url).digest("hex"));
  };
  return {
    async match(url) {
      const { readFile } = await import("node:fs/promises");
      try {
        return new Response(await readFile(await place(url)));
      } catch (cause) {
        if ((cause as { code?: string }).code === "ENOENT") return undefined;
        throw cause;
      }
    },
    async put(url, response) {
      const { mkdir, rename, rm, writeFile } = await import("node:fs/promises");
      const target = await place(url);
      const partial = `${target}.${crypto.randomUUID()}.part`;
      await mkdir(directory, { recursive: true });
      try {
        await writeFile(partial, new Uint8Array(await response.arrayBuffer()));
        await rename(partial, target);
      } catch (cause) {
        await rm(partial, { force: true });
        throw cause;
      }
    },
  };
}
