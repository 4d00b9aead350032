import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { FormatError } from "@statespace/core";
import { parseSafetensors, toFloat64Array } from "@statespace/files";
import type { GoldenTensors } from "./row.ts";

/** One file of reference values. */
export interface GoldenCase {
  readonly group: string;
  readonly name: string;
  /** The file's folder: models lie beside their expected values. */
  readonly folder: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly tensors: GoldenTensors;
}

/** Where a case lies; reading it may fail, finding it does not. */
export interface GoldenPath {
  readonly group: string;
  readonly name: string;
  readonly file: string;
}

/**
 * Every case of a golden folder: `GROUP/NAME.safetensors`, and `hf/NAME/expected.safetensors` beside the model it is about.
 * Cases that `index.json` lists are expected, so that a lost file shows.
 */
export function findCases(folder: string): GoldenPath[] {
  const found = new Map<string, GoldenPath>();
  const add = (path: GoldenPath): void => void found.set(`${path.group}/${path.name}`, path);
  for (const group of readdirSync(folder)) {
    const inside = join(folder, group);
    if (!statSync(inside).isDirectory()) continue;
    for (const entry of readdirSync(inside)) {
      const path = join(inside, entry);
      if (statSync(path).isDirectory()) add({ group, name: entry, file: join(path, "expected.safetensors") });
      else if (entry.endsWith(".safetensors")) add({ group, name: entry.replace(/\.safetensors$/, ""), file: path });
    }
  }
  for (const { group, name } of listedCases(folder)) {
    if (!found.has(`${group}/${name}`)) add({ group, name, file: join(folder, group, `${name}.safetensors`) });
  }
  return [...found.values()].sort((a, b) => (`${a.group}/${a.name}` < `${b.group}/${b.name}` ? -1 : 1));
}

function listedCases(folder: string): { group: string; name: string }[] {
  let text: string;
  try {
    text = readFileSync(join(folder, "index.json"), "utf8");
  } catch {
    return []; // an index is optional
  }
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) throw new FormatError(`${folder}/index.json: must be a list of cases`);
  return list.map((entry: { group?: unknown; name?: unknown }) => {
    if (typeof entry?.group !== "string" || typeof entry.name !== "string")
      throw new FormatError(`${folder}/index.json: every case needs a group and a name`);
    return { group: entry.group, name: entry.name };
  });
}

/** Reads a case. @throws FormatError for a corrupt file; what the file system throws. */
export function readCase({ group, name, file }: GoldenPath): GoldenCase {
  const { metadata, tensors } = parseSafetensors(new Uint8Array(readFileSync(file)), file);
  const attrs = JSON.parse(metadata.get("attrs") ?? "{}") as Record<string, unknown>;
  const values = Object.fromEntries(
    [...tensors].map(([key, raw]) => [key, { dtype: raw.dtype, shape: [...raw.shape], data: toFloat64Array(raw) }]),
  );
  return { group, name, folder: join(file, ".."), attrs, tensors: values };
}
