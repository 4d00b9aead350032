import { readFloats, tensor, tidy } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import type { Tokenizer } from "@statespace/text";
import type { CacheType } from "../../layers/cacheType.ts";
import type { Model } from "../../model/model.ts";
import { hashFloats, hashText } from "./hash.ts";

/** What a state belongs to. */
export interface Identity {
  /** Hash of the model's description: layers, sizes, how its weights are kept. */
  readonly model: string;
  /** Name of the backend. */
  readonly backend: string;
  /**
   * Hash of the bits that the model answers to a fixed text with, read at once and token by token. It differs for other weights, and for
   * backends that round otherwise (another number of threads, another device): where it is equal, states go on bit for bit.
   */
  readonly bits: string;
  /** The largest answers, to tell another backend's rounding from another model. */
  readonly answer: readonly number[];
}

const READ = 24;
const STEPS = 2;
const LARGEST = 8;

interface Known {
  readonly backend: AnyBackend;
  readonly cacheType: CacheType;
  readonly versions: number;
  readonly identity: Promise<Identity>;
}
const known = new WeakMap<Model, Known>();

/** Hash of a model's description, how its weights and caches are kept included; weights play no part. */
export function descriptionOf(model: Model): string {
  const formats = [...model.formats].map(([{ name }, format]) => `${name}:${format}`).toSorted();
  const shapes = model.parameters.map(({ name, shape }) => `${name}:${shape.join("x")}`);
  const caches = model.cacheType === "f32" ? [] : [model.cacheType];
  return hashText(JSON.stringify([model.config, shapes, formats, ...caches]));
}

const tokenizers = new WeakMap<Tokenizer, string>();

/** Hash of a tokenizer's file; "none" without one. */
export function tokenizerIdentity(tokenizer: Tokenizer | undefined): string {
  if (tokenizer === undefined) return "none";
  const had = tokenizers.get(tokenizer) ?? hashText(tokenizer.toJson());
  tokenizers.set(tokenizer, had);
  return had;
}

/** Who a model is, where it is now; asked for again only after its weights changed or moved. */
export function identityOf(model: Model): Promise<Identity> {
  const { backend, cacheType } = model;
  const versions = model.parameters.reduce((sum, { version }) => sum + version, 0);
  const had = known.get(model);
  if (had?.backend === backend && had.cacheType === cacheType && had.versions === versions) return had.identity;
  const identity = probe(model);
  known.set(model, { backend, cacheType, versions, identity });
  identity.catch(() => known.delete(model));
  return identity;
}

async function probe(model: Model): Promise<Identity> {
  const { backend, vocabSize } = model;
  const ids = Int32Array.from({ length: READ + STEPS }, (_, i) => (7919 * i + 13) % vocabSize);
  const { output, state } = tidy(() => {
    const read = tensor(ids.subarray(0, READ), [1, READ], { backend });
    return model.forward(read, { returnState: true, lastOnly: true });
  });
  const answers = [output];
  for (const id of ids.subarray(READ)) answers.push(step(model, id, state!));
  const values = new Float32Array(answers.length * vocabSize);
  try {
    for (const [i, answer] of answers.entries()) values.set(await readFloats(answer), i * vocabSize);
  } finally {
    for (const answer of answers) answer.dispose();
    state!.dispose();
  }
  return {
    model: descriptionOf(model),
    backend: backend.name,
    bits: hashFloats(values),
    answer: largest(values.subarray(-vocabSize)),
  };
}

function step(model: Model, id: number, state: Parameters<Model["step"]>[1]): ReturnType<Model["step"]> {
  return tidy(() => model.step(tensor(Int32Array.of(id), [1], { backend: model.backend }), state));
}

/** Where the largest scores are, and what they are. */
function largest(scores: Float32Array): number[] {
  const order = Uint32Array.from(scores.keys()).sort((x, y) => scores[y]! - scores[x]! || x - y);
  return [...order.subarray(0, LARGEST)].flatMap((id) => [id, scores[id]!]);
}

/** Whether two answers are one model's on two backends, up to what backends may round. */
export function sameModel(x: Identity, y: Identity): boolean {
  if (x.model !== y.model) return false;
  if (x.bits === y.bits) return true;
  const scores = new Map<number, number>();
  for (let i = 0; i < x.answer.length; i += 2) scores.set(x.answer[i]!, x.answer[i + 1]!);
  const scale = Math.max(1, ...[...scores.values()].map(Math.abs));
  let shared = 0;
  for (let i = 0; i < y.answer.length; i += 2) {
    const score = scores.get(y.answer[i]!);
    if (score === undefined) continue;
    if (!(Math.abs(score - y.answer[i + 1]!) <= 1e-3 * scale)) return false;
    shared++;
  }
  // Near-equal scores at the end of the two lists may be others.
  return shared >= Math.min(x.answer.length, y.answer.length) / 4;
}
