import { ArgumentError } from "@statespace/core";
import { evaluationBatches, packDocuments, randomCrops, splitText } from "@statespace/datasets";
import type { TrainingBatch, TrainingStream } from "@statespace/models";
import type { Tokenizer } from "@statespace/text";

/** What a language model is trained on, cut into batches. */
export interface TokenData {
  readonly stream: TrainingStream;
  /** Tokens of one pass. */
  readonly tokens: number;
  /** Tokens of a row. */
  readonly seqLen: number;
  readonly heldOut: (() => Iterable<TrainingBatch>) | undefined;
}

/** How texts are cut. */
interface Cutting {
  readonly batchSize: number;
  readonly seqLen: number | undefined;
  readonly heldOut: number;
  readonly seed: number;
}

const DEFAULT_LENGTH = 128;
/** Rows of the held-out text, read in order. */
const EVALUATION_LENGTH = 512;

/** One text, or documents that are packed into rows without mixing. @throws ArgumentError where there is too little of it. */
export function fromTexts(texts: string | readonly string[], tokenizer: Tokenizer, cutting: Cutting): TokenData {
  if (typeof texts !== "string") return fromDocuments(texts, tokenizer, cutting);
  const { train, test } = splitText(texts, { validation: 0, test: cutting.heldOut });
  return fromIds(tokenizer.encode(train), test === "" ? undefined : tokenizer.encode(test), cutting);
}

/** Ids in a row. */
export function fromIds(train: Int32Array, test: Int32Array | undefined, cutting: Cutting): TokenData {
  const { batchSize, seed } = cutting;
  if (train.length < 2) throw new ArgumentError(`fit: the text must have 2 tokens at least, it has ${train.length}`);
  const seqLen = cutting.seqLen ?? Math.min(DEFAULT_LENGTH, Math.max(1, Math.floor(train.length / 2)));
  return {
    stream: randomCrops(train, { batchSize, seqLen, seed }),
    tokens: train.length,
    seqLen,
    heldOut: test === undefined || test.length < 2 ? undefined : () => evaluationBatches(test, EVALUATION_LENGTH),
  };
}

function fromDocuments(texts: readonly string[], tokenizer: Tokenizer, cutting: Cutting): TokenData {
  const { batchSize, seed, heldOut } = cutting;
  const documents = texts.map((text) => tokenizer.encode(text));
  const apart = Math.round(documents.length * heldOut);
  const [train, test] = [documents.slice(0, documents.length - apart), documents.slice(documents.length - apart)];
  const tokens = train.reduce((total, { length }) => total + length, 0);
  if (tokens < 2) throw new ArgumentError(`fit: the texts must have 2 tokens at least, they have ${tokens}`);
  const seqLen = cutting.seqLen ?? Math.min(DEFAULT_LENGTH, tokens);
  const { eosId } = tokenizer;
  return {
    stream: packDocuments(train, { batchSize, seqLen, seed, ...(eosId === undefined ? {} : { endId: eosId }) }),
    tokens,
    seqLen,
    heldOut: test.some(({ length }) => length > 1) ? () => documentBatches(test) : undefined,
  };
}

/** Each document on its own, in order. */
function* documentBatches(documents: readonly Int32Array[]): Generator<TrainingBatch> {
  for (const ids of documents) if (ids.length > 1) yield* evaluationBatches(ids, EVALUATION_LENGTH);
}
