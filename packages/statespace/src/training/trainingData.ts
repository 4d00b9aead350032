import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { FormatError } from "@statespace/core";
import {
  associativeRecall,
  contiguousBatches,
  copying,
  evaluationBatches,
  inductionHeads,
  loadFixture,
  modularArithmetic,
  parity,
  randomCrops,
  selectiveCopying,
  splitText,
  streamTask,
  type BatchStream,
  type Task,
  type TokenBatch,
} from "@statespace/datasets";
import { ByteTokenizer, CharTokenizer, trainBpe, type Tokenizer } from "@statespace/text";
import type { Recipe, TaskData, TextData } from "./recipe.ts";

/** What a recipe trains on. */
export interface TrainingData {
  readonly vocabSize: number;
  /** Absent for synthetic tasks. */
  readonly tokenizer: Tokenizer | undefined;
  readonly stream: BatchStream<TokenBatch>;
  /** Of texts: all that is trained on, and all that is held out. */
  readonly ids?: { readonly train: Int32Array; readonly heldOut: Int32Array };
  /** The same held-out batches each time, about `tokens` of them in all. */
  heldOut(tokens: number): HeldOut;
}

export interface HeldOut {
  batches(): Iterable<TokenBatch>;
  /** Of text: bytes of UTF-8 that the targets stand for. */
  readonly bytes: number | undefined;
}

const END_OF_TEXT = "<|endoftext|>";

/** Reads, splits and tokenizes. `base` is the folder that paths start from. @throws FormatError naming the file. */
export async function openTrainingData(recipe: Recipe, base: string): Promise<TrainingData> {
  return recipe.data.kind === "task" ? taskData(recipe, recipe.data) : textData(recipe, recipe.data, base);
}

const MAKERS: Readonly<Record<TaskData["task"], (options: object) => Task<TokenBatch>>> = {
  selectiveCopying,
  copying,
  inductionHeads,
  parity,
  associativeRecall: associativeRecall as (options: object) => Task<TokenBatch>,
  modularArithmetic: modularArithmetic as (options: object) => Task<TokenBatch>,
};

function taskData({ batchSize, seqLen, seed }: Recipe, { task: name, options }: TaskData): TrainingData {
  const task = MAKERS[name]({ seqLen, ...options });
  return {
    vocabSize: task.vocabSize!,
    tokenizer: undefined,
    stream: streamTask(task, { batchSize, seed }),
    heldOut: (tokens) => ({
      bytes: undefined,
      *batches() {
        const stream = streamTask(task, { batchSize, seed, split: "validation" });
        for (let seen = 0; seen < tokens;) {
          const batch = stream.nextBatch();
          seen += batch.inputs.length;
          yield { ...batch, reset: true };
        }
      },
    }),
  };
}

async function textData(recipe: Recipe, data: TextData, base: string): Promise<TrainingData> {
  const texts =
    data.fixture === undefined
      ? await Promise.all(data.texts.map((path) => readText(resolve(base, path))))
      : [new TextDecoder().decode(await loadFixture(data.fixture))];
  const parts = texts.map((text) => splitText(text, { validation: 0, test: data.heldOut }));
  const tokenizer = await makeTokenizer(
    recipe,
    parts.map(({ train }) => train),
  );
  const encode = (which: "train" | "test"): Int32Array =>
    joined(
      parts.map((part) => tokenizer.encode(part[which])),
      tokenizer.eosId,
    );
  const [train, test] = [encode("train"), encode("test")];
  const { batchSize, seqLen, seed, rows } = recipe;
  const needed = 1 + seqLen * (rows === "crops" ? 1 : batchSize);
  if (train.length < needed)
    throw new FormatError(
      `recipe: data: the texts have ${train.length} tokens to train on, ${rows === "crops" ? "a row" : "a batch"} needs ${needed}: longer texts, or a shorter seqLen`,
    );
  if (test.length < 2)
    throw new FormatError(
      `recipe: data: what is held out has ${test.length} tokens, 2 are needed: longer texts, or a larger data.heldOut`,
    );
  return {
    vocabSize: tokenizer.vocabSize,
    tokenizer,
    ids: { train, heldOut: test },
    stream:
      rows === "crops"
        ? randomCrops(train, { batchSize, seqLen, seed })
        : contiguousBatches(train, { batchSize, seqLen }),
    heldOut(tokens) {
      const ids = test.subarray(0, tokens + 1);
      const bytes = new TextEncoder().encode(tokenizer.decode(ids.subarray(1))).byteLength;
      return { bytes, batches: () => evaluationBatches(ids, 2048) };
    },
  };
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new FormatError(`recipe: data.texts: ${path} cannot be read`, { cause });
  });
}

/** Texts one after another, with the end-of-text id between where there is one. */
function joined(texts: readonly Int32Array[], eos: number | undefined): Int32Array {
  const gap = eos === undefined ? 0 : 1;
  const ids = new Int32Array(texts.reduce((total, text) => total + text.length + gap, -gap));
  let at = 0;
  for (const text of texts) {
    ids.set(text, at);
    at += text.length;
    if (eos !== undefined && at < ids.length) ids[at++] = eos;
  }
  return ids;
}

async function makeTokenizer({ tokenizer: { kind, vocabSize } }: Recipe, texts: readonly string[]): Promise<Tokenizer> {
  if (kind === "byte") return new ByteTokenizer({ special: [END_OF_TEXT] });
  if (kind === "char") return CharTokenizer.fromText(texts.join(""), { special: [END_OF_TEXT], unknown: " " });
  return trainBpe(texts, { vocabSize, specialTokens: [END_OF_TEXT] });
}
