import { ArgumentError } from "@statespace/core";

/** What the bundled model is asked to go on from, when nobody says. */
export const BUNDLED_PROMPT = "The state of the";

const here: string = import.meta.url;

/** Models that travel with this package, and their folders. */
const FOLDERS = { text: "checkpoint/", forecaster: "forecaster/", denoiser: "denoiser/" } as const;

/**
 * Where a model lies that travels with this package: a folder in Node, an address in a page that loads the package unbundled.
 * Bundlers move code away from it: such a page serves a copy of the package's `checkpoint`, `forecaster` or `denoiser` folder and names that.
 *
 * `text`, the default, writes. `forecaster`, trained on generated series alone, foretells the next 24 steps of a series it has not seen, as their
 * quantiles 0.1, 0.3, 0.5, 0.7 and 0.9, [24, 1, 5]; up to 512 steps are a good context. `denoiser` takes
 * noise out of speech of 16,000 samples a second: `new Denoiser(await load(bundledCheckpoint("denoiser")))`.
 * @throws ArgumentError for another name
 */
export function bundledCheckpoint(name: keyof typeof FOLDERS = "text"): URL {
  if (!Object.hasOwn(FOLDERS, name))
    throw new ArgumentError(
      `bundledCheckpoint: name must be ${Object.keys(FOLDERS).join(" or ")}, got ${JSON.stringify(name)}`,
    );
  // Not `new URL(folder, here)`: bundlers take that for an asset, look for its file, and some (Next's) refuse to build without it.
  const above = here.split("/").slice(0, -2).join("/");
  return new URL(`${above}/${FOLDERS[name]}`);
}
