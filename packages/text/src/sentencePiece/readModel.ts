import { FormatError } from "@statespace/core";

/** What a piece is, by sentencepiece's numbers. */
export const PIECE_KINDS = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** One entry of a vocabulary; its id is its place. */
export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly kind: number;
}

/** What is used of a sentencepiece `tokenizer.model`. */
export interface SentencePieceModel {
  readonly type: "unigram" | "bpe";
  readonly pieces: readonly Piece[];
  readonly byteFallback: boolean;
  readonly unkId: number;
  readonly bosId: number;
  readonly eosId: number;
  /** A space is put before the text. */
  readonly addsDummyPrefix: boolean;
  readonly removesExtraSpaces: boolean;
  /** The table by which characters are replaced, where there is one. */
  readonly charsmap?: Uint8Array | undefined;
}

const FILE = "tokenizer.model";
const MODEL_TYPES: Readonly<Record<number, string>> = { 1: "unigram", 2: "bpe", 3: "word", 4: "char" };

/** A field of a protobuf message: its number, and its value as a number or as bytes. */
interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/**
 * Reads a sentencepiece model: a protobuf message whose fields 1 to 3 are the pieces, how it was trained, how texts are normalised.
 * @throws FormatError for anything else
 */
export function readSentencePiece(bytes: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = [];
  let trainer = new Map<number, Field["value"]>();
  let normaliser = new Map<number, Field["value"]>();
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) pieces.push(readPiece(message(value, "a piece")));
    if (number === 2) trainer = byNumber(message(value, "trainer_spec"));
    if (number === 3) normaliser = byNumber(message(value, "normalizer_spec"));
  }
  if (pieces.length === 0) throw fault("holds no pieces: it is no sentencepiece model");
  const type = MODEL_TYPES[numberIn(trainer, 3, 1)];
  if (type !== "unigram" && type !== "bpe")
    throw fault(`its model must be of type unigram or bpe, got ${type ?? numberIn(trainer, 3, 1)}`);
  const charsmap = normaliser.get(2);
  return {
    type,
    pieces,
    byteFallback: numberIn(trainer, 35, 0) !== 0,
    unkId: numberIn(trainer, 40, 0),
    bosId: numberIn(trainer, 41, 1),
    eosId: numberIn(trainer, 42, 2),
    addsDummyPrefix: numberIn(normaliser, 3, 1) !== 0,
    removesExtraSpaces: numberIn(normaliser, 4, 1) !== 0,
    charsmap: charsmap instanceof Uint8Array && charsmap.byteLength > 0 ? charsmap : undefined,
  };
}

function readPiece(bytes: Uint8Array): Piece {
  const fields = byNumber(bytes);
  const text = fields.get(1) ?? new Uint8Array(0);
  const score = fields.get(2) ?? 0;
  return {
    text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(message(text, "a piece's text")),
    score: typeof score === "number" ? score : Number.NaN,
    kind: numberIn(fields, 3, PIECE_KINDS.normal),
  };
}

function byNumber(bytes: Uint8Array): Map<number, Field["value"]> {
  return new Map([...fieldsOf(bytes)].map(({ number, value }) => [number, value]));
}

function message(value: Field["value"], what: string): Uint8Array {
  if (typeof value === "number") throw fault(`${what} must be bytes`);
  return value;
}

/** Ids are int32: -1, for none, is written as 10 bytes of two's complement, and read as 2^64 - 1. */
function numberIn(fields: ReadonlyMap<number, Field["value"]>, number: number, fallback: number): number {
  const value = fields.get(number) ?? fallback;
  if (typeof value !== "number") throw fault(`field ${number} must be a number`);
  return value >= 2 ** 63 ? -1 : value;
}

/** The fields of a message, in order: varints, 4 and 8 byte numbers (of which floats are read), and bytes. */
function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= bytes.byteLength) throw fault("ends inside of a number");
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw fault("holds a number of more than 64 bits");
  };
  const skip = (count: number): number => {
    if (count > bytes.byteLength - at) throw fault("ends inside of a field");
    at += count;
    return at - count;
  };
  while (at < bytes.byteLength) {
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    if (number === 0) throw fault("is no protobuf message");
    if (wire === 0) yield { number, value: varint() };
    else if (wire === 5) yield { number, value: view.getFloat32(skip(4), true) };
    else if (wire === 1) yield { number, value: view.getFloat64(skip(8), true) };
    else if (wire === 2) {
      const length = varint();
      const from = skip(length);
      yield { number, value: bytes.subarray(from, from + length) };
    } else throw fault("is no protobuf message");
  }
}

function fault(what: string): FormatError {
  return new FormatError(`${FILE}: ${what}`);
}
