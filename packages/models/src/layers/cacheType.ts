import { ArgumentError } from "@statespace/core";
import { nearestName } from "@statespace/core/backend";

/** How attention keeps keys and values: as floats, or as halves in half the memory. */
export type CacheType = "f32" | "f16";

const CACHE_TYPES: readonly CacheType[] = ["f32", "f16"];

/** What others call them. */
const ALIASES: Readonly<Record<string, CacheType>> = {
  float32: "f32",
  fp32: "f32",
  float16: "f16",
  fp16: "f16",
  half: "f16",
};

/** Reads how keys and values are kept; "f32" where nothing is told. @throws ArgumentError for another name. */
export function readCacheType(caller: string, type: unknown): CacheType {
  if (type === undefined) return "f32";
  const found = CACHE_TYPES.find((known) => known === type);
  if (found !== undefined) return found;
  const name = String(type);
  const meant = ALIASES[name.toLowerCase()] ?? nearestName(name, CACHE_TYPES);
  throw new ArgumentError(
    `${caller}: cacheType must be one of ${CACHE_TYPES.join(", ")}, got ${JSON.stringify(type) ?? name}${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
  );
}
