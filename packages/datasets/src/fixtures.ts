import { ArgumentError } from "@statespace/core";
import { fixtureFiles, type FixtureName } from "./catalogue.ts";
import { loadBytes, type LoadOptions } from "@statespace/files";

// Each address is written out, so that bundlers find the files and copy them.
const addresses: Readonly<Record<FixtureName, () => URL>> = {
  "digits.csv.gz": () => new URL("../fixtures/digits.csv.gz", import.meta.url),
  "mnist-500-images-idx3-ubyte.gz": () => new URL("../fixtures/mnist-500-images-idx3-ubyte.gz", import.meta.url),
  "mnist-500-labels-idx1-ubyte.gz": () => new URL("../fixtures/mnist-500-labels-idx1-ubyte.gz", import.meta.url),
  "moby-dick-opening.txt": () => new URL("../fixtures/moby-dick-opening.txt", import.meta.url),
  "seattle-weather.csv": () => new URL("../fixtures/seattle-weather.csv", import.meta.url),
};

/**
 * A file that travels with the package, checked against its SHA-256 and unpacked.
 * Errors: `ArgumentError` for an unknown name; `FormatError` where the file is missing or altered; `AbortedError`.
 */
export async function loadFixture(name: FixtureName, options: Omit<LoadOptions, "sha256"> = {}): Promise<Uint8Array> {
  const file = Object.hasOwn(fixtureFiles, name) ? fixtureFiles[name] : undefined;
  if (!file)
    throw new ArgumentError(
      `loadFixture: name must be one of ${Object.keys(fixtureFiles).join(", ")}, got ${String(name)}`,
    );
  return loadBytes(addresses[name](), { ...options, sha256: file.sha256 });
}
