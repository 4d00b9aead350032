import { ArgumentError } from "@statespace/core";
import { byteCharacters } from "../byteAlphabet.ts";
import {
  checkDecodeOptions,
  checkId,
  decodeBytes,
  type DecodeOptions,
  NO_BYTES,
  type Tokenizer,
} from "../tokenizer.ts";
import { writeTokenizerJson } from "../tokenizerJson.ts";
import { mergePiece, type MergeRanks } from "./mergePiece.ts";
import { piecePattern } from "./piecePattern.ts";

/** Two ids that become one token. */
export type Merge = readonly [left: number, right: number];

// Pieces of running text repeat; beyond this many distinct ones the memory is given back and filling starts anew.
const cacheLimit = 1 << 16;

const symbols = byteCharacters();

/**
 * Byte-level BPE, as `trainBpe` makes it. Ids: special tokens, of which the first ends a text, then the 256 bytes, then one token a merge.
 * Holds every text. Special tokens within a text become their own id, as in Hugging Face's encoders.
 */
export class BpeTokenizer implements Tokenizer {
  readonly eosId?: number;
  readonly merges: readonly Merge[];
  readonly specialTokens: readonly string[];
  readonly #bytes: Uint8Array[] = [];
  readonly #ranks = new Map<number, number>();
  readonly #learnt: MergeRanks = {
    rank: (left, right) => this.#ranks.get(left * pairBase + right),
    made: (rank) => this.specialTokens.length + 256 + rank,
  };
  readonly #cache = new Map<string, readonly number[]>();
  readonly #special: RegExp | undefined;

  /** Errors: `ArgumentError` for a merge of ids that do not exist yet, or one that occurs twice. */
  constructor(merges: readonly Merge[], specialTokens: readonly string[]) {
    this.merges = merges;
    this.specialTokens = specialTokens;
    if (specialTokens.length > 0) this.eosId = 0;
    const encoder = new TextEncoder();
    for (const token of specialTokens) this.#bytes.push(encoder.encode(token));
    for (let byte = 0; byte < 256; byte++) this.#bytes.push(Uint8Array.of(byte));
    for (const [rank, [left, right]] of merges.entries()) this.#learn(rank, left, right);
    const escaped = specialTokens.map((token) => token.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
    // Longest first: an alternation takes its first match, and one token may begin with another.
    if (escaped.length > 0)
      this.#special = new RegExp(`(${escaped.sort((p, q) => q.length - p.length).join("|")})`, "u");
  }

  get vocabSize(): number {
    return this.#bytes.length;
  }

  encode(text: string): Int32Array {
    const ids: number[] = [];
    for (const [i, part] of (this.#special ? text.split(this.#special) : [text]).entries()) {
      if (i % 2 === 1) ids.push(this.specialTokens.indexOf(part));
      else for (const [piece] of part.matchAll(piecePattern)) for (const id of this.#encodePiece(piece)) ids.push(id);
    }
    return Int32Array.from(ids);
  }

  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    checkDecodeOptions(options);
    return decodeBytes(Array.from(ids, (id) => this.tokenBytes(id, options)));
  }

  tokenBytes(id: number, { special = false }: DecodeOptions = {}): Uint8Array {
    checkId("BpeTokenizer", id);
    if (id >= this.vocabSize || (id < this.specialTokens.length && !special)) return NO_BYTES;
    return this.#bytes[id];
  }

  toJson(): string {
    const vocab: Record<string, number> = Object.create(null);
    for (let id = 0; id < this.vocabSize; id++) vocab[this.symbol(id)] = id;
    if (Object.keys(vocab).length !== this.vocabSize)
      throw new ArgumentError("BpeTokenizer: two tokens are written alike in tokenizer.json");
    return writeTokenizerJson({
      vocab,
      special: this.specialTokens,
      unknown: null,
      byteLevel: true,
      pieces: true,
      // Byte-level symbols hold no space, so the string form that older versions ask for is safe.
      merges: this.merges.map(([left, right]) => `${this.symbol(left)} ${this.symbol(right)}`),
    });
  }

  /** How tokenizer.json writes a token. */
  symbol(id: number): string {
    if (id < this.specialTokens.length) return this.specialTokens[id];
    return Array.from(this.#bytes[id], (byte) => symbols[byte]).join("");
  }

  #learn(rank: number, left: number, right: number): void {
    const size = this.#bytes.length;
    const known = (id: number): boolean => Number.isInteger(id) && id >= this.specialTokens.length && id < size;
    if (!known(left) || !known(right))
      throw new ArgumentError(`BpeTokenizer: merge ${rank} joins ${left} and ${right}, of which one is no token yet`);
    const pair = left * pairBase + right;
    if (this.#ranks.has(pair))
      throw new ArgumentError(`BpeTokenizer: merge ${rank} of ${left} and ${right} occurs twice`);
    this.#ranks.set(pair, rank);
    const joined = new Uint8Array(this.#bytes[left].length + this.#bytes[right].length);
    joined.set(this.#bytes[left]);
    joined.set(this.#bytes[right], this.#bytes[left].length);
    this.#bytes.push(joined);
  }

  #encodePiece(piece: string): readonly number[] {
    const cached = this.#cache.get(piece);
    if (cached) return cached;
    const ids = mergePiece(
      Array.from(new TextEncoder().encode(piece), (byte) => this.specialTokens.length + byte),
      this.#learnt,
    );
    if (this.#cache.size >= cacheLimit) this.#cache.clear();
    this.#cache.set(piece, ids);
    return ids;
  }
}

// A pair of ids as one number: ids stay below 2^26, so the product stays exact.
const pairBase = 2 ** 26;
