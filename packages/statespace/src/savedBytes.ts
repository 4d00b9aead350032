import { ArgumentError } from "@statespace/core";
import { handleSource, isNode, nodeFiles, SourceError, writeFileAtomically } from "@statespace/files";

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
  const bytes = what instanceof Uint8Array ? what : await savedBytes(what);
  if (isNode()) return writeFileAtomically(name, [bytes]);
  const file = await (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });
  const writer = await file.createWritable();
  await writer.write(bytes as Uint8Array<ArrayBuffer>);
  await writer.close();
}

/** What `save` kept. @throws SourceError where there is nothing of that name. */
export async function open(name: string = DEFAULT_NAME): Promise<Uint8Array> {
  const bytes = isNode()
    ? await nodeFiles()
        .fs.readFile(name)
        .catch((cause: unknown) => {
          throw new SourceError(`open: ${name} cannot be read`, { cause });
        })
    : await handleSource(await navigator.storage.getDirectory()).read(name);
  if (bytes === undefined) throw new SourceError(`open: nothing was saved as ${name}`);
  return new Uint8Array(bytes);
}

async function savedBytes(what: Savable): Promise<Uint8Array> {
  if (typeof what?.save !== "function")
    throw new ArgumentError(
      "save: must be bytes, or a session or chat that saves itself; a model is saved by model.save(folder)",
    );
  const bytes: unknown = await what.save();
  if (bytes instanceof Uint8Array) return bytes;
  throw new ArgumentError("save: what was given does not save itself as bytes");
}
