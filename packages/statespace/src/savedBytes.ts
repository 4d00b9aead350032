import { ArgumentError } from "@statespace/core";
import { storeBytes, storedBytes } from "@statespace/files";

/** Whatever can be saved as bytes: a session, a chat. */
export interface Savable {
  save(): Promise<Uint8Array>;
}

const DEFAULT_NAME = "session.safetensors";

/**
 * Keeps bytes, or a session or chat, for later: as a file (Node), or in the page's private file system. What was there under the name
 * is replaced only when all is written. `open` gives it back.
 * @throws what the file system throws; ArgumentError for something that cannot be saved.
 */
export async function save(what: Uint8Array | Savable, name: string = DEFAULT_NAME): Promise<void> {
  await storeBytes(name, what instanceof Uint8Array ? what : await bytesOf(what));
}

/** What `save` kept. @throws SourceError where there is nothing of that name. */
export function open(name: string = DEFAULT_NAME): Promise<Uint8Array> {
  return storedBytes(name);
}

async function bytesOf(what: Savable): Promise<Uint8Array> {
  const bytes: unknown = typeof what?.save === "function" ? await what.save() : undefined;
  if (bytes instanceof Uint8Array) return bytes;
  throw new ArgumentError(
    "save: must be bytes, or a session or chat that saves itself; a model is saved by model.save(folder)",
  );
}
