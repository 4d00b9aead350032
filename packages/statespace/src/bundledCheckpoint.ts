import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FormatError } from "@statespace/core";

/** What the bundled model is asked to go on from, when nobody says. */
export const BUNDLED_PROMPT = "The state of the";

/** Folder of the checkpoint that travels with this package. @throws FormatError when the package came without it. */
export async function bundledCheckpoint(): Promise<string> {
  const folder = fileURLToPath(new URL("../checkpoint", import.meta.url));
  if (!existsSync(folder)) throw new FormatError(`the bundled checkpoint is missing at ${folder}; give --model`);
  return folder;
}
