import { add, concat, gather, matMul, mul, reshape, tensor, type Tensor } from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import { turn } from "../layers/reversed.ts";

/**
 * Both strands of nucleotides: each row, and behind all of them the reverse complement of each. The layers see them as rows of their own, with the
 * same weights, and never mix them: what a model that is made of such layers answers of one strand is what it answers of the other.
 * Source: Caduceus-PS (Schiff et al. 2024, arXiv 2403.03234), section 4.2, where the strands are halves of the channels; that is the same
 * computation. Answers are the mean of both strands', there their sum.
 */
export class Strands {
  readonly #complement: readonly number[];

  constructor(complement: readonly number[]) {
    this.#complement = complement;
  }

  /** @param ids int32 [b, l] @returns [2 b, l] */
  both(ids: Tensor, backwards: Tensor | undefined): Tensor {
    const table = tensor(Int32Array.from(this.#complement), [this.#complement.length], { backend: ids.backend });
    const other = reshape(gather(table, reshape(ids, [-1])), ids.shape);
    return concat([ids, turn(other, backwards)], 0);
  }

  /**
   * The mean of what both strands were answered, in the order of the first.
   * @param output [2 b, ...] @param perToken the answers are of tokens, [2 b, l, ...], of ids where `ofIds`
   */
  mean(
    output: Tensor,
    { perToken, ofIds }: { readonly perToken: boolean; readonly ofIds: boolean },
    backwards: Tensor | undefined,
  ): Tensor {
    const b = output.shape[0]! / 2;
    const own = sliceAxis(output, 0, 0, b);
    const other = sliceAxis(output, 0, b, b);
    const turned = perToken ? turn(other, backwards) : other;
    return mul(add(own, ofIds ? this.#exchanged(turned) : turned), 0.5);
  }

  /** Logits of ids, each in the place of its complement's. */
  #exchanged(logits: Tensor): Tensor {
    const v = this.#complement.length;
    const exchange = new Float32Array(v * v);
    this.#complement.forEach((id, i) => (exchange[id * v + i] = 1));
    const rows = reshape(logits, [-1, v]);
    return reshape(matMul(rows, tensor(exchange, [v, v], { backend: logits.backend })), logits.shape);
  }
}
