import type { FloatStorage } from "@statespace/files";
import {
  constantSchedule,
  cosineSchedule,
  OPTIMIZERS,
  wsdSchedule,
  type OptimizerSettings,
  type Schedule,
} from "@statespace/models";
import { RecipeReader } from "./recipeReader.ts";

/** A training run as a JSON file tells it; recipes/README.md lists the keys. */
export interface Recipe {
  readonly name: string;
  /** What the model is, in words, for whoever finds the folder. */
  readonly about: string;
  readonly data: TextData | TaskData;
  readonly tokenizer: TokenizerRecipe;
  /** Settings of config.json; `vocab_size` comes from the tokenizer or the task. */
  readonly model: Readonly<Record<string, unknown>>;
  readonly optimizer: OptimizerSettings;
  readonly schedule: Schedule;
  readonly steps: number | undefined;
  readonly maxMinutes: number | undefined;
  readonly batchSize: number;
  readonly seqLen: number;
  readonly accumulate: number;
  readonly clipNorm: number;
  /** Decay of a moving average of the weights. */
  readonly ema: number | undefined;
  /** Rows from random places of the text, or rows that go on from batch to batch with the state carried along. */
  readonly rows: "crops" | "contiguous";
  readonly evaluation: {
    readonly every: number;
    readonly tokens: number;
    readonly finalTokens: number;
    readonly patience: number | undefined;
  };
  readonly checkpoints: { readonly every: number | undefined; readonly keep: number };
  readonly seed: number;
  /** How the final weights are stored. */
  readonly dtype: FloatStorage;
  readonly output: string | undefined;
}

export interface TextData {
  readonly kind: "text";
  /** Paths from the recipe's folder. */
  readonly texts: readonly string[];
  readonly fixture: "moby-dick-opening.txt" | undefined;
  /** Share of each text, at its end, that is not trained on. */
  readonly heldOut: number;
}

export const TASKS = [
  "selectiveCopying",
  "copying",
  "inductionHeads",
  "associativeRecall",
  "parity",
  "modularArithmetic",
] as const;

export interface TaskData {
  readonly kind: "task";
  readonly task: (typeof TASKS)[number];
  readonly options: Readonly<Record<string, unknown>>;
}

export interface TokenizerRecipe {
  readonly kind: "bpe" | "byte" | "char";
  /** Of bpe. */
  readonly vocabSize: number;
}

/** Reads a recipe. @throws FormatError that names the key. */
export function parseRecipe(json: unknown): Recipe {
  const read = new RecipeReader(json);
  const data = readData(read.object("data"));
  const recipe: Recipe = {
    name: read.text("name", "model"),
    about: read.text("about", ""),
    data,
    tokenizer: readTokenizer(read.object("tokenizer", true)),
    model: read.raw("model"),
    optimizer: readOptimizer(read.object("optimizer", true)),
    schedule: readSchedule(read.object("schedule", true)),
    steps: read.integer("steps", null),
    maxMinutes: read.number("maxMinutes", null, { min: 0.01 }),
    batchSize: read.integer("batchSize", 8),
    seqLen: read.integer("seqLen", 256),
    accumulate: read.integer("accumulate", 1),
    clipNorm: read.number("clipNorm", 1, { min: 1e-6 }),
    ema: read.number("ema", null, { min: 0, max: 1 - 1e-12 }),
    rows: read.choice("rows", ["crops", "contiguous"], "crops"),
    evaluation: readEvaluation(read.object("evaluation", true)),
    checkpoints: readCheckpoints(read.object("checkpoints", true)),
    seed: read.integer("seed", 0, { min: 0, max: 2 ** 31 - 1 }),
    dtype: read.choice("dtype", ["F32", "F16", "BF16"], "F32"),
    output: read.has("output") ? read.text("output") : undefined,
  };
  read.end();
  return recipe;
}

function readData(read: RecipeReader): TextData | TaskData {
  if (read.has("task")) {
    const data: TaskData = { kind: "task", task: read.choice("task", TASKS), options: read.raw("options") };
    read.end();
    return data;
  }
  const fixture = read.has("fixture") ? read.choice("fixture", ["moby-dick-opening.txt"]) : undefined;
  const data: TextData = {
    kind: "text",
    fixture,
    texts: fixture === undefined ? read.texts("texts") : [],
    heldOut: read.number("heldOut", 0.05, { min: 0.001, max: 0.5 }),
  };
  read.end();
  return data;
}

function readTokenizer(read: RecipeReader): TokenizerRecipe {
  const tokenizer: TokenizerRecipe = {
    kind: read.choice("kind", ["bpe", "byte", "char"], "byte"),
    vocabSize: read.integer("vocabSize", 2048, { min: 257, max: 1e6 }),
  };
  read.end();
  return tokenizer;
}

function readOptimizer(read: RecipeReader): OptimizerSettings {
  const below1 = { min: 0, max: 1 - 1e-12 };
  const kind = read.choice("kind", OPTIMIZERS, "adamW");
  const isLion = kind === "lion";
  const optimizer = {
    ...(kind !== "adamW" && { kind }),
    learningRate: read.number("learningRate", isLion ? 1e-4 : 1e-3, { min: 0 }),
    beta1: read.number("beta1", 0.9, below1),
    beta2: read.number("beta2", isLion ? 0.99 : 0.95, below1),
    ...(!isLion && { eps: read.number("eps", 1e-8, { min: 0 }) }),
    weightDecay: read.number("weightDecay", isLion ? 1 : 0.1, { min: 0 }),
    ...(kind === "muon" && { momentum: read.number("momentum", 0.95, below1) }),
  };
  read.end();
  return optimizer;
}

function readSchedule(read: RecipeReader): Schedule {
  const kind = read.choice("kind", ["cosine", "wsd", "constant"], "cosine");
  const share = { min: 0, max: 1 };
  const warmUp = read.number("warmUp", 0.05, share);
  const final = kind === "constant" ? 0 : read.number("final", 0, share);
  const decay = kind === "wsd" ? read.number("decay", 0.2, share) : 0;
  read.end(); // a setting that the kind has not is one that there is not
  if (kind === "constant") return constantSchedule({ warmUp });
  return kind === "cosine" ? cosineSchedule({ warmUp, final }) : wsdSchedule({ warmUp, final, decay });
}

function readEvaluation(read: RecipeReader): Recipe["evaluation"] {
  const evaluation = {
    every: read.integer("every", 200),
    tokens: read.integer("tokens", 8192),
    finalTokens: read.integer("finalTokens", 65536),
    patience: read.integer("patience", null),
  };
  read.end();
  return evaluation;
}

function readCheckpoints(read: RecipeReader): Recipe["checkpoints"] {
  const checkpoints = { every: read.integer("every", null), keep: read.integer("keep", 2) };
  read.end();
  return checkpoints;
}
