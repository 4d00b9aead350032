import { readdirSync } from "node:fs";
import { join } from "node:path";
import { tensor } from "@statespace/core";
import { folderSource, openCheckpoint } from "@statespace/files";
import { familyOf, fromPretrained, generate, Model, parseModelConfig, savePretrained } from "@statespace/models";
import { logitsBound } from "../golden/languageModel.ts";
import { largest } from "../golden/inputs.ts";
import { take } from "../golden/opGradients.ts";

/** Greedy tokens that are compared. */
export const NEW_TOKENS = 16;
const PROMPT = 8;
const LENGTH = 21;

/** How a model came to be that is saved: loaded and saved as it came, or as bfloat16, or new, of the same config. */
export const WAYS = ["loaded", "bf16", "new"] as const;
export type Way = (typeof WAYS)[number];

/** A model that was saved, and what it answers. */
export interface Saved {
  readonly family: string;
  readonly checkpoint: string;
  readonly way: Way;
  readonly folder: string;
  readonly ids: readonly (readonly number[])[];
  readonly logits: Float64Array;
  readonly bound: number;
  readonly greedy: readonly number[];
}

/** Checkpoints of a folder: those of its folders that have a config. */
export function checkpointsOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .filter((name) => readdirSync(join(folder, name)).includes("config.json"))
    .sort();
}

/** Saves a checkpoint of ours in one way, and answers on fixed ids. */
export async function saveOne(folder: string, checkpoint: string, way: Way, to: string): Promise<Saved> {
  const from = join(folder, checkpoint);
  const { config } = await openCheckpoint(folderSource(from));
  const made = way === "new" ? new Model(parseModelConfig(config), 5) : await fromPretrained(from);
  await savePretrained(made, to, way === "bf16" ? { dtype: "BF16" } : {});
  made.dispose();
  // What the files say is what is compared.
  const model = await fromPretrained(to);
  try {
    const { vocabSize } = model;
    const ids = [0, 1].map((row) =>
      Array.from({ length: LENGTH }, (_, i) => (7 * i * i + 11 * i + 3 + 29 * row) % vocabSize),
    );
    const input = tensor(Int32Array.from(ids.flat()), [2, LENGTH]);
    const logits = Float64Array.from(await take(model.forward(input).output));
    input.dispose();
    const prompt = ids[0]!.slice(0, PROMPT);
    const told: number[] = [];
    for await (const { id } of generate(model, [prompt], { greedy: true, maxNewTokens: NEW_TOKENS, eosTokenIds: [] }))
      told.push(id);
    return {
      family: familyOf(config).name,
      checkpoint,
      way,
      folder: to,
      ids,
      logits,
      bound: logitsBound(model, largest(logits)),
      greedy: [...prompt, ...told],
    };
  } finally {
    model.dispose();
  }
}
