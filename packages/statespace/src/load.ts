import { currentBackendName, pickBackend, setBackend, type BackendDefinition } from "@statespace/core";
import { currentBackend, startBackend, type AnyBackend } from "@statespace/core/backend";
import type { SourceLike } from "@statespace/files";
import { load as loadOnto, type LoadedModel, type LoadModelOptions } from "@statespace/models";
import { PREFERENCE, registerAllBackends } from "./registerAllBackends.ts";

/** Options of `load`. */
export interface LoadOntoOptions extends Omit<LoadModelOptions, "backend"> {
  /** Where the model lives: a name (`"wasm"`), a definition (`wasmBackend({ threads: 2 })`), or a running backend. The one that is set unless told, else the best that this machine runs. */
  readonly backend?: string | BackendDefinition | AnyBackend | undefined;
}

/**
 * Loads a checkpoint with its tokenizer, chat template and defaults for sampling, and starts a backend for it where none runs.
 * @param from a folder, a URL, a name on the hub (`owner/name`), dropped files, a map of files, or any `Source`.
 * @throws ArgumentError naming the option that is unknown or wrong; BackendError for a backend that does not run here; FormatError naming
 * the file, key or setting; SourceError; AbortedError.
 */
export async function load(from: SourceLike, options: LoadOntoOptions = {}): Promise<LoadedModel> {
  if (typeof options !== "object" || options === null) return loadOnto(from, options); // which refuses them
  const { backend, ...rest } = options;
  return loadOnto(from, { ...rest, backend: await placeFor(backend) });
}

/** The backend that is meant, running. The first one that is used becomes the default. */
async function placeFor(choice: LoadOntoOptions["backend"]): Promise<AnyBackend> {
  registerAllBackends();
  if (choice === undefined) {
    if (currentBackendName() === undefined) await pickBackend(PREFERENCE);
    return currentBackend();
  }
  if (typeof choice === "object" && !("create" in choice)) return choice;
  if (currentBackendName() !== undefined) return startBackend(choice);
  await setBackend(choice);
  return currentBackend();
}
