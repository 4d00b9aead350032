import { FormatError } from "@statespace/core";
import type { CheckpointStore } from "@statespace/models";
import { forgetValue, keptValue, storeValue } from "../../../shell/store.ts";
import { CHECKPOINT } from "./job.ts";

interface KeptCheckpoint {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/**
 * The newest checkpoint of the visitor's run, kept in this browser. Where there is no room for one, the run goes on without: `onFault` is told why.
 * It is there whole or not at all, since one transaction writes it.
 */
export function browserStore(onFault: (reason: string) => void): CheckpointStore {
  const kept = (): Promise<KeptCheckpoint | undefined> => keptValue<KeptCheckpoint>(CHECKPOINT);
  const fileOf = async (name: string, file: string): Promise<Uint8Array | undefined> => {
    const found = await kept();
    return found?.name === name ? found.files[file] : undefined;
  };
  return {
    async prepare() {},
    names: async () => {
      const found = await kept();
      return found === undefined ? [] : [found.name];
    },
    async write(name, contents) {
      const files: Record<string, Uint8Array> = {};
      for (const [file, chunks] of contents) files[file] = await joined(chunks());
      try {
        await storeValue(CHECKPOINT, { name, files } satisfies KeptCheckpoint);
      } catch (error) {
        onFault((error as Error).message);
      }
    },
    async read(name, file) {
      const bytes = await fileOf(name, file);
      if (bytes === undefined) throw new FormatError(`checkpoint ${name}: ${file} is missing`);
      return bytes;
    },
    has: async (name, file) => (await fileOf(name, file)) !== undefined,
    async remove(name) {
      if ((await kept())?.name === name) await forgetValue(CHECKPOINT);
    },
  };
}

export async function joined(chunks: Iterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Blob([...chunks] as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}
