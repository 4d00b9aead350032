import { readFile } from "node:fs/promises";
import { FormatError } from "@statespace/core";

/** A recipe's JSON, for `parseRecipe`. @throws FormatError naming the file. */
export async function readRecipeFile(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new FormatError(`recipe: ${path} cannot be read`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`recipe: ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
