import { ShapeError } from "@statespace/core";
import type { StoredType } from "./blockTypes.ts";

/** Bytes in a buffer of their own, never a shared one, as the Web's functions ask for. TypeScript before 5.7 knows no such difference, so it is not written out. */
export type OwnBytes = ReturnType<Uint8ArrayConstructor["from"]>;

/** A tensor whose bytes are asked for when it is its turn, so that one part of one tensor at a time is in memory. */
export interface LazyTensor {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** In how many parts its bytes come, in order; 1 unless told. */
  readonly parts?: number;
  read(part: number): Promise<Uint8Array>;
}

/**
 * The parts of a tensor, each asked for when it is its turn.
 * Errors: {@link ShapeError}, from the last part, if they do not come to the bytes that the shape takes.
 */
export function* readParts(
  tensor: LazyTensor,
  byteLength: number,
  what: string,
): Generator<Promise<OwnBytes>, void, undefined> {
  if (byteLength === 0) return;
  const { parts = 1 } = tensor;
  let came = 0;
  const read = async (part: number): Promise<OwnBytes> => {
    const bytes = await tensor.read(part);
    came += bytes.byteLength;
    if (part === parts - 1 ? came !== byteLength : came > byteLength)
      throw new ShapeError(`${what}: shape [${tensor.shape.join(", ")}] takes ${byteLength} bytes, got ${came}`);
    return unshared(bytes);
  };
  for (let part = 0; part < parts; part++) yield read(part);
}

/** Blobs and files refuse memory shared with workers, where WASM weights may lie. */
export function unshared(bytes: Uint8Array): OwnBytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as OwnBytes) : new Uint8Array(bytes);
}
