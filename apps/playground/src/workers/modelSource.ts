import { FormatError } from "@statespace/core";
import { openSource, type OpenSourceOptions, type Source } from "@statespace/files";
import { keptValue } from "../shell/store.ts";
import { CACHE, ownKey, type KeptModel, type ModelChoice } from "./modelChoice.ts";

/** Opens a choice for the library; what lies at addresses comes through the browser's cache. @throws FormatError for a model of the visitor's that is not there any more */
export async function openChoice(choice: ModelChoice): Promise<Source> {
  if (choice.kind === "files") return openSource(choice.files);
  if (choice.kind === "url") return openSource(choice.url, await cacheOptions());
  const kept = await keptValue<KeptModel>(ownKey(choice.which));
  if (kept === undefined) throw new FormatError("this browser does not keep the model any more");
  return openSource(kept.files);
}

async function cacheOptions(): Promise<OpenSourceOptions> {
  // insecure contexts and some private windows have no cache: the checkpoint is then fetched each time
  const cache = await self.caches?.open(CACHE).catch(() => undefined);
  return cache === undefined ? {} : { cache, onPutError: () => undefined };
}
