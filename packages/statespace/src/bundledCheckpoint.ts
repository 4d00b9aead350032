/** What the bundled model is asked to go on from, when nobody says. */
export const BUNDLED_PROMPT = "The state of the";

// Not written as one expression with `new URL`: bundlers would take the folder for an asset and look for its file.
const here: string = import.meta.url;

/**
 * Where the checkpoint lies that travels with this package: a folder in Node, an address in a page that loads the package unbundled.
 * Bundlers move code away from it: such a page serves a copy of the package's `checkpoint` folder and names that.
 */
export function bundledCheckpoint(): URL {
  return new URL("../checkpoint/", here);
}

/**
 * Where the forecaster lies that travels with this package, as `bundledCheckpoint`: trained on generated series alone, it foretells the next 24 steps of
 * a series it has not seen, as quantiles 0.1, 0.3, 0.5, 0.7 and 0.9, [24, 1, 5], from 32 steps or more.
 */
export function bundledForecaster(): URL {
  return new URL("../forecaster/", here);
}
