import { FormatError } from "@statespace/core";
import { parseSafetensors, serializeSafetensors } from "@statespace/files";
import type { Snapshot } from "./session.ts";

/**
 * A snapshot as one file: the state as the library saves it (`ModelState.fromBytes` reads it), and beside it, as metadata, the tokens that
 * led there and the scores of the next one.
 */
export function writeStateFile({ ids, promptLength, state, logits }: Snapshot): Uint8Array {
  const { metadata, tensors } = parseSafetensors(state, "state");
  // the shortest decimal form of a float32 reads back as the same number
  const beside = {
    ids: JSON.stringify(ids),
    promptLength: String(promptLength),
    logits: JSON.stringify(Array.from(logits)),
  };
  return serializeSafetensors(tensors, { metadata: { ...Object.fromEntries(metadata), ...beside } });
}

/** Inverse of `writeStateFile`. Whether it fits a model is for the session to say. @throws FormatError for anything else. */
export function readStateFile(bytes: Uint8Array, name: string): Snapshot {
  const { metadata } = parseSafetensors(bytes, name);
  const numbers = (key: string): number[] => {
    const list = parsed(metadata.get(key));
    if (!Array.isArray(list) || list.length === 0 || !list.every(Number.isFinite))
      throw new FormatError(`${name}: has no list of numbers "${key}", so it was not saved by this page`);
    return list as number[];
  };
  const ids = numbers("ids");
  const promptLength = Number(metadata.get("promptLength"));
  if (!Number.isInteger(promptLength) || promptLength < 0 || promptLength > ids.length)
    throw new FormatError(`${name}: promptLength must be 0 to ${ids.length}, got ${metadata.get("promptLength")}`);
  return { ids, promptLength, state: bytes, logits: Float32Array.from(numbers("logits")) };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}
