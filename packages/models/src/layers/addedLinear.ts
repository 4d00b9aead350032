import { add, concat, type Parameter, type Tensor } from "@statespace/core";
import { Linear } from "./linear.ts";

/** A low-rank projection: up(down(x)). */
export interface LowRank {
  readonly down: Linear; // [rank, inputs]
  readonly up: Linear; // [rows, rank]
}

/** A projection that several layers share, and what one of them adds to it: a low-rank projection of all its rows, or of each part of them. */
export class AddedLinear extends Linear {
  readonly #base: Linear;
  /** In the order of the rows that they are added to, the first ones. */
  readonly #additions: readonly LowRank[];

  constructor(base: Linear, additions: readonly LowRank[]) {
    super(base.weight, base.bias);
    this.#base = base;
    this.#additions = additions;
  }

  override get parameters(): readonly Parameter[] {
    const own = this.#additions.flatMap(({ down, up }) => [...down.parameters, ...up.parameters]);
    return [...this.#base.parameters, ...own];
  }

  override apply(x: Tensor): Tensor {
    const added = this.#additions.map(({ down, up }) => up.apply(down.apply(x)));
    return add(this.#base.apply(x), added.length === 1 ? added[0]! : concat(added, -1));
  }
}
