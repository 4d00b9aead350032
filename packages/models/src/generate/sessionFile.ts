import { FormatError } from "@statespace/core";
import {
  isJsonObject,
  parseSafetensors,
  parseStrictJson,
  serializeSafetensors,
  toFloat32Array,
  type WritableTensor,
} from "@statespace/files";
import type { Tokenizer } from "@statespace/text";
import type { ModelState } from "../model/state.ts";
import { GROWING_STATE } from "../layers/reservedState.ts";
import type { HistoryJson } from "./history.ts";
import type { Model } from "../model/model.ts";
import { descriptionOf, tokenizerIdentity, type Identity } from "./states/identity.ts";

/** What a saved session is made of. */
export interface SessionFile {
  readonly history: HistoryJson;
  /** Plain JSON. */
  readonly notes: Record<string, unknown>;
  readonly streams: Int32Array; // [b, 4]
  readonly logits: Float32Array; // [b, v]
  readonly state: Uint8Array; // as `ModelState.toBytes`
  readonly owner: SessionOwner;
}

/** What a saved session belongs to. */
export interface SessionOwner extends Identity {
  /** See `tokenizerIdentity`. */
  readonly tokenizer: string;
}

const VERSION = "2";
const OWN_KEYS = new Set(["session", "history", "notes", "streams", "owner"]);
const LOGITS = "logits";

/** A session as one safetensors file: the state's, the scores beside it, and what is no tensor as metadata. */
export function writeSessionFile({ history, notes, streams, logits, state, owner }: SessionFile): Uint8Array {
  const { metadata, tensors } = parseSafetensors(state, "state");
  const all = new Map<string, WritableTensor>();
  for (const [name, raw] of tensors) all.set(name, raw);
  const rows = history.rows.length;
  all.set(LOGITS, { shape: [rows, logits.length / rows], values: logits });
  return serializeSafetensors(all, {
    metadata: {
      ...Object.fromEntries(metadata),
      session: VERSION,
      history: JSON.stringify(history),
      notes: JSON.stringify(notes),
      streams: JSON.stringify([...streams]),
      owner: JSON.stringify(owner),
    },
  });
}

function isListOf(value: unknown, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}

/** @throws FormatError unless it names a model, a tokenizer and a backend. */
function checkOwner(value: unknown): SessionOwner {
  const owner = (value ?? {}) as Readonly<Record<string, unknown>>;
  const named = ["model", "backend", "bits", "tokenizer"].every((key) => typeof owner[key] === "string");
  if (!named || !isListOf(owner["answer"], Number.isFinite))
    throw new FormatError("session: does not name its model, tokenizer and backend");
  return value as SessionOwner;
}

/** @throws FormatError unless a session of a model and a tokenizer can go on from the file of an owner; the model's weights are not looked at. */
export function checkFits(owner: SessionOwner, model: Model, tokenizer: Tokenizer | undefined): void {
  const own = tokenizerIdentity(tokenizer);
  if (owner.model !== descriptionOf(model))
    throw new FormatError(
      "session: the model's description or how its weights or caches are kept differs: it belongs to another model",
    );
  if (own !== "none" && owner.tokenizer !== "none" && own !== owner.tokenizer)
    throw new FormatError("session: it belongs to another tokenizer");
}

/** @throws FormatError unless stretches lie in their row, one after the other. */
function checkHistory(value: unknown, vocabSize: number): HistoryJson {
  const { rows, said, pieces } = (value ?? {}) as { rows?: unknown; said?: unknown; pieces?: unknown };
  if (pieces !== null && !isListOf(pieces, Number.isSafeInteger))
    throw new FormatError("session: how its text went in is not told");
  const isId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  if (!isListOf(rows, (row) => isListOf(row, isId)))
    throw new FormatError(`session: its texts are not lists of ids in [0, ${vocabSize}): it belongs to another model`);
  const isStretch = (pair: unknown, length: number): boolean =>
    isListOf(pair, Number.isInteger) &&
    (pair as number[]).length === 2 &&
    (pair as number[])[0]! >= 0 &&
    (pair as number[])[0]! < (pair as number[])[1]! &&
    (pair as number[])[1]! <= length;
  const lengths = (rows as number[][]).map((row) => row.length);
  const valid =
    Array.isArray(said) &&
    said.length === lengths.length &&
    said.every((stretches, row) => isListOf(stretches, (pair) => isStretch(pair, lengths[row]!)));
  if (!valid) throw new FormatError("session: what was said is not told");
  return value as HistoryJson;
}

/** Inverse of `writeSessionFile`. @throws FormatError for anything else, or for another vocabulary. */
export function readSessionFile(bytes: Uint8Array, vocabSize: number): SessionFile {
  const { metadata, tensors } = parseSafetensors(bytes, "session");
  const version = metadata.get("session");
  if (version !== VERSION)
    throw new FormatError(
      version === undefined
        ? "session: not a saved session"
        : `session: is of version ${version}, and this reads version ${VERSION}`,
    );
  const owner = checkOwner(parseStrictJson(metadata.get("owner") ?? "null", { what: "session" }));
  const history = checkHistory(parseStrictJson(metadata.get("history") ?? "null", { what: "session" }), vocabSize);
  const notes = parseStrictJson(metadata.get("notes") ?? "null", { what: "session" });
  if (!isJsonObject(notes)) throw new FormatError("session: notes must be an object");
  const streams: unknown = parseStrictJson(metadata.get("streams") ?? "null", { what: "session" });
  const rows = history.rows.length;
  if (!isListOf(streams, Number.isInteger) || (streams as number[]).length !== 4 * rows)
    throw new FormatError(`session: must have ${4 * rows} words of generators`);
  const scores = tensors.get(LOGITS);
  if (scores?.shape.join() !== [rows, vocabSize].join())
    throw new FormatError(
      `session: must score ${vocabSize} tokens of ${rows} texts, got [${scores?.shape.join(", ") ?? ""}]: it belongs to another model`,
    );
  const state = new Map([...tensors].filter(([name]) => name !== LOGITS));
  const own = new Map([...metadata].filter(([key]) => !OWN_KEYS.has(key)));
  return {
    owner,
    history,
    notes,
    streams: Int32Array.from(streams as number[]),
    logits: toFloat32Array(scores!),
    state: serializeSafetensors(state, { metadata: Object.fromEntries(own) }),
  };
}

/** @throws FormatError unless a state is one of this model, after so many tokens or more (those of an initial state). */
export function checkState(model: Model, state: ModelState, rows: number, tokens: number): void {
  if (state.position < tokens)
    throw new FormatError(`session: the state saw ${state.position} tokens, but the file lists ${tokens}`);
  const fresh = model.initialState(rows);
  try {
    model.reserve(fresh, rows, Math.max(1, state.position));
    const wanted = [...fresh.tensors()].filter(([name]) => !name.endsWith(".position"));
    const found = new Map(state.tensors());
    if (found.size !== wanted.length)
      throw new FormatError(
        `session: its state has ${found.size} tensors, this model's ${wanted.length}: it belongs to another model`,
      );
    for (const [name, { shape, dtype }] of wanted) {
      const grows = GROWING_STATE.has(name.slice(name.lastIndexOf(".") + 1));
      const want = grows ? shape.with(1, state.position) : shape;
      const own = found.get(name);
      if (own?.shape.join() !== want.join() || own.dtype !== dtype)
        throw new FormatError(
          `session: ${name} must be ${dtype} [${want.join(", ")}], got ${own?.dtype ?? ""} [${own?.shape.join(", ") ?? "nothing"}]: it belongs to another model`,
        );
    }
  } finally {
    fresh.dispose();
  }
}
