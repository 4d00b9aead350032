import { FormatError, tidy, type Tensor } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import { sliceAxis } from "@statespace/core/ops";
import { parseSafetensors, parseStrictJson, serializeSafetensors, type RawTensor } from "@statespace/files";
import { GROWING_STATE, POSITION } from "../../layers/reservedState.ts";
import { ModelState } from "../../model/state.ts";
import { readStateTensor, stateTensorOf } from "../../model/stateTensor.ts";
import type { Standing } from "../places.ts";
import { hashText, hashWords } from "./hash.ts";

/** What a kept state says of itself; its tensors lie behind it in the file. */
export interface KeptHead {
  /** Which model's, see `Identity`. */
  readonly model: string;
  /** Name of the state that it goes on from; "" for none. What grows with the text is kept from there on. */
  readonly parent: string;
  /** Tokens since the parent. */
  readonly tokens: readonly number[];
  /** How the whole text was read and said, see `Pieces`. */
  readonly pieces: readonly number[];
  readonly layers: number;
  /** Some of its tensors grow with the text: its ancestors' are needed too. */
  readonly grows: boolean;
}

/** Version of the file. */
const VERSION = "1";
const LOGITS = "logits";

const ownName = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
const grows = (name: string): boolean => GROWING_STATE.has(ownName(name));

/** Reads what a state of one text is after token `from`: what grows from there on, the rest whole. */
export async function readSince(
  { state, logits }: Standing,
  from: number,
): Promise<{ tensors: Map<string, RawTensor>; grows: boolean }> {
  const tensors = new Map<string, RawTensor>();
  const until = state.position;
  for (const [name, t] of state.tensors()) {
    if (ownName(name) === POSITION || (grows(name) && until === from)) continue;
    const part = grows(name) ? tidy(() => sliceAxis(t, 1, from, until - from)) : t;
    tensors.set(name, await readStateTensor(part));
    if (part !== t) part.dispose();
  }
  tensors.set(LOGITS, await readStateTensor(logits));
  return { tensors, grows: [...state.tensors()].some(([name]) => grows(name)) };
}

function digestOf(tensors: ReadonlyMap<string, RawTensor>): string {
  return hashText(
    [...tensors]
      .map(([name, { bytes }]) => `${name}:${hashWords(new Int32Array(bytes.slice().buffer))}`)
      .toSorted()
      .join(),
  );
}

/** The file of a kept state. */
export function writeKept(head: KeptHead, tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  return serializeSafetensors(tensors, {
    metadata: { "statespace.kept": VERSION, head: JSON.stringify(head), digest: digestOf(tensors) },
  });
}

/** What a kept state's metadata say. @throws FormatError for anything else, or another version. */
export function parseHead(metadata: ReadonlyMap<string, string>): KeptHead {
  if (metadata.get("statespace.kept") !== VERSION) throw new FormatError("kept state: of another version");
  return parseStrictJson(metadata.get("head") ?? "null", { what: "kept state" }) as unknown as KeptHead;
}

/** The head alone of a file of which the first bytes are there; `undefined` where there are too few. @throws FormatError for another file. */
export function headOf(first: Uint8Array): KeptHead | { readonly needs: number } {
  if (first.length < 8) throw new FormatError("kept state: is too short");
  const length = Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true));
  if (length > 100e6) throw new FormatError("kept state: its header is too long");
  if (first.length < 8 + length) return { needs: 8 + length };
  const header = parseStrictJson(new TextDecoder().decode(first.subarray(8, 8 + length)), { what: "kept state" });
  const metadata = (header as { __metadata__?: Record<string, string> }).__metadata__ ?? {};
  return parseHead(new Map(Object.entries(metadata)));
}

/** Inverse of `writeKept`. @throws FormatError for a file that is damaged. */
export function readKept(bytes: Uint8Array): { head: KeptHead; tensors: Map<string, RawTensor> } {
  const { metadata, tensors } = parseSafetensors(bytes, "kept state");
  const values = new Map<string, RawTensor>(tensors);
  if ([...values.values()].some(({ bytes }) => bytes.byteLength % 4 !== 0))
    throw new FormatError("kept state: is damaged");
  if (metadata.get("digest") !== digestOf(values)) throw new FormatError("kept state: is damaged");
  return { head: parseHead(metadata), tensors: values };
}

/** Joins what two kept states say where one goes on from the other. */
export function joinKept(
  before: ReadonlyMap<string, RawTensor>,
  after: ReadonlyMap<string, RawTensor>,
): Map<string, RawTensor> {
  const joined = new Map(after);
  for (const [name, { dtype, shape, bytes }] of before) {
    if (!grows(name)) continue;
    const next = after.get(name);
    const both = new Uint8Array(bytes.length + (next?.bytes.length ?? 0));
    both.set(bytes);
    if (next !== undefined) both.set(next.bytes, bytes.length);
    joined.set(name, { dtype, shape: shape.with(1, shape[1]! + (next?.shape[1] ?? 0)), bytes: both });
  }
  return joined;
}

/** The state and the scores of whole tensors, on a backend. */
export function standingOf(
  tensors: ReadonlyMap<string, RawTensor>,
  { layers, position }: { layers: number; position: number },
  backend: AnyBackend,
): Standing {
  const own: Record<string, Tensor>[] = Array.from({ length: layers }, () => ({}));
  for (const [name, raw] of tensors) {
    if (name === LOGITS) continue;
    own[Number(name.split(".")[1])]![ownName(name)] = stateTensorOf(name, raw)({ backend });
  }
  return { state: new ModelState(own, position), logits: stateTensorOf(LOGITS, tensors.get(LOGITS)!)({ backend }) };
}
