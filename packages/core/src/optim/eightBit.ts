import {
  abs,
  add,
  cast,
  concat,
  div,
  greater,
  max,
  maximum,
  mul,
  pad,
  reshape,
  sign,
  sqrt,
  square,
  sub,
} from "../ops/index.ts";
import { sliceAxis } from "../ops/slicing.ts";
import { keep, readFloats, readInts, tidy, writeInto, zeros, type Tensor } from "../tensor/index.ts";
import type { AnyBackend } from "../backend/registry.ts";

/** Numbers that share a scale. */
const BLOCK = 256;
/** Numbers in an int32. */
const LANES = 4;
const LANE = BLOCK / LANES;
const BYTE = 256;
/** Of the highest byte: it is the sign's. */
const MIDDLE = 127;
const LARGEST = 254;

/** How numbers lie between the codes: signed by their root, positive ones, which spread over more orders, by their fourth root. */
export type EightBitKind = "signed" | "positive";

/**
 * As many numbers as a parameter has in a byte each, with a float32 for every 256 of them: the largest. Small numbers are kept more finely than large
 * ones:
 *
 *     signed:    x = largest sign(c) (c / 127)^2,   c = -127 .. 127
 *     positive:  x = largest (c / 254)^4,           c = 0 .. 254, and 0 for zero alone
 *
 * Source: Dettmers et al. 2022 (arXiv 2110.02861), section 2: block-wise quantisation. Their codes are a dynamic tree, these powers, which need no
 * table; both err by a few hundredths of a number.
 */
export class EightBit {
  readonly #size: number;
  readonly #shape: readonly number[];
  readonly #kind: EightBitKind;
  /** [blocks, 64], four codes each: the first of a block's quarters in the lowest byte. */
  #words: Tensor;
  #scales: Tensor; // [blocks, 1]

  constructor(shape: readonly number[], kind: EightBitKind, backend: AnyBackend) {
    this.#shape = shape;
    this.#size = shape.reduce((a, b) => a * b, 1);
    this.#kind = kind;
    const blocks = Math.ceil(this.#size / BLOCK);
    const words = zeros([blocks, LANE], { dtype: "int32", backend });
    this.#words = keep(words);
    this.#scales = keep(zeros([blocks, 1], { backend }));
    tidy(() => this.write(zeros(shape, { backend })));
  }

  /** Of what is kept. */
  get bytes(): number {
    return 4 * (this.#words.size + this.#scales.size);
  }

  /** The numbers, in the parameter's shape. */
  read(): Tensor {
    return tidy(() => {
      const top = floorDivided(this.#words, 2 ** 24);
      let rest = sub(this.#words, mul(top, 2 ** 24));
      const lanes: Tensor[] = [];
      for (const unit of [2 ** 16, BYTE, 1]) {
        const lane = div(rest, unit); // at least 0 from here on
        lanes.unshift(lane);
        rest = sub(rest, mul(lane, unit));
      }
      const codes = cast(concat([...lanes, add(top, MIDDLE)], 1), "float32"); // [blocks, 256]
      const parts =
        this.#kind === "positive"
          ? square(square(div(codes, LARGEST)))
          : ((c: Tensor) => mul(sign(c), square(div(c, MIDDLE))))(sub(codes, MIDDLE));
      const flat = reshape(mul(parts, this.#scales), [-1]);
      return reshape(sliceAxis(flat, 0, 0, this.#size), this.#shape);
    });
  }

  /** Takes numbers of the parameter's shape in place of those there are, in tensors of its own: a step that writes cannot be captured. */
  write(values: Tensor): void {
    const [words, scales] = tidy((): [Tensor, Tensor] => {
      const blocks = this.#words.shape[0]!;
      const flat = reshape(values, [this.#size]);
      const x = reshape(pad(flat, [[0, blocks * BLOCK - this.#size]]), [blocks, BLOCK]);
      const largest = reshape(max(abs(x), 1), [blocks, 1]);
      const share = div(x, maximum(largest, 1e-37));
      const codes = this.#kind === "positive" ? positiveCodes(share) : signedCodes(share);
      const lanes = [0, 1, 2, 3].map((i) => sliceAxis(codes, 1, i * LANE, LANE));
      const [a, b, c, d] = lanes as [Tensor, Tensor, Tensor, Tensor];
      const low = add(add(a, mul(b, BYTE)), mul(c, 2 ** 16));
      return [add(low, mul(sub(d, MIDDLE), 2 ** 24)), largest];
    });
    for (const t of [this.#words, this.#scales]) t.dispose();
    [this.#words, this.#scales] = [keep(words), keep(scales)];
  }

  /** Words and scales as they are, for a checkpoint: two numbers of 16 bits for each word, so that float32 holds them. */
  async save(): Promise<{ readonly words: Float32Array; readonly scales: Float32Array }> {
    const words = await readInts(this.#words);
    const halves = new Float32Array(2 * words.length);
    words.forEach((word, i) => {
      halves[2 * i] = word & 0xffff;
      halves[2 * i + 1] = word >> 16;
    });
    return { words: halves, scales: await readFloats(this.#scales) };
  }

  /** Inverse of `save`; false where the sizes are others. */
  restore(words: Float32Array | undefined, scales: Float32Array | undefined): boolean {
    if (words?.length !== 2 * this.#words.size || scales?.length !== this.#scales.size) return false;
    writeInto(
      this.#words,
      Int32Array.from({ length: this.#words.size }, (_, i) => (words[2 * i + 1]! << 16) | words[2 * i]!),
    );
    writeInto(this.#scales, scales);
    return true;
  }

  dispose(): void {
    for (const t of [this.#words, this.#scales]) t.dispose();
  }
}

/** Toward minus infinity, of words that are never the least int32. */
function floorDivided(words: Tensor, by: number): Tensor {
  const cut = div(words, by);
  return sub(cut, cast(greater(mul(cut, by), words), "int32"));
}

function signedCodes(share: Tensor): Tensor {
  const code = mul(sqrt(abs(share)), MIDDLE);
  return add(mul(cast(sign(share), "int32"), rounded(code)), MIDDLE);
}

function positiveCodes(share: Tensor): Tensor {
  const code = mul(sqrt(sqrt(share)), LARGEST);
  // What is there stays there: a mean of squares that becomes 0 would make a step of any size.
  return cast(maximum(cast(rounded(code), "float32"), sign(share)), "int32");
}

/** The nearest whole number of one that is at least 0. */
function rounded(x: Tensor): Tensor {
  return cast(add(x, 0.5), "int32");
}
