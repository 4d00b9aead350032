import type { ReadOptions } from "../sources/source.ts";
import type { StoredType } from "./blockTypes.ts";
import type { RawTensor } from "./convert.ts";

/** Type, shape and place of a tensor, as its file tells them. */
export interface TensorEntry {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** The file that holds it. */
  readonly file: string;
}

/** Some of a tensor's bytes, which lie in memory that the next piece overwrites. */
export interface TensorPiece {
  readonly name: string;
  /** Which byte of the tensor is the first. */
  readonly begin: number;
  readonly bytes: Uint8Array;
}

/**
 * Tensors by name, in one file or in several, whatever the format. Opening reads and checks names, types and shapes; a tensor's bytes are read when they are
 * asked for, so that never more than one need be in memory.
 */
export interface TensorFile {
  /** In the order of the files. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Free text that the (first) file carries. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What the files say wrongly of themselves without a tensor being in doubt, in a line each. */
  readonly notes?: readonly string[];
  /**
   * Reads one tensor in the type it is stored in, into a buffer of its own.
   * Errors: {@link FormatError} if there is none of that name or the file is damaged; {@link SourceError}; {@link AbortedError}.
   */
  read(name: string, options?: ReadOptions): Promise<RawTensor>;
  /** Some bytes of one tensor, from `begin` up to `end`, into a buffer of their own. Errors as `read`. */
  slice(name: string, begin: number, end: number, options?: ReadOptions): Promise<Uint8Array>;
  /**
   * The bytes of all tensors in order, each file read once from front to back: the way to load a whole model, since no tensor is ever
   * whole in memory (those of PyTorch's files are). A tensor without elements has one empty piece. Errors as `read`.
   */
  pieces(options?: ReadOptions): AsyncGenerator<TensorPiece, void, undefined>;
  /** All tensors one by one, each in a buffer of its own. Errors as `read`. */
  stream(options?: ReadOptions): AsyncGenerator<readonly [name: string, tensor: RawTensor], void, undefined>;
}
