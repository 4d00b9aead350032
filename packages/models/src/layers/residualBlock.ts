import { add, tidy, type Tensor } from "@statespace/core";
import type { GatedMlp } from "./gatedMlp.ts";
import type { ForwardOptions, ForwardResult, LayerState, Mixer } from "./mixer.ts";
import type { Norm } from "./norm.ts";

/** x + mixer(norm(x)), then, where there is an MLP, x + mlp(norm2(x)): the block every stack here is made of. */
export class ResidualBlock {
  readonly norm: Norm;
  readonly mixer: Mixer;
  readonly norm2: Norm | undefined;
  readonly mlp: GatedMlp | undefined;

  constructor(norm: Norm, mixer: Mixer, norm2?: Norm, mlp?: GatedMlp) {
    this.norm = norm;
    this.mixer = mixer;
    this.norm2 = norm2;
    this.mlp = mlp;
  }

  forward(x: Tensor, options: ForwardOptions): ForwardResult {
    // The tidy returns the state beside y, so that nothing else of the layer stays in memory.
    const drop = options.dropout ?? ((branch: Tensor): Tensor => branch);
    const result = tidy(() => {
      const mixed = this.mixer.forward(this.norm.apply(x), options);
      return { y: this.#rest(add(x, drop(mixed.y)), drop), ...mixed.state };
    });
    const { y, ...state } = result as { y: Tensor } & Record<string, Tensor>;
    return options.returnState ? { y, state } : { y };
  }

  step(x: Tensor, state: LayerState): Tensor {
    return tidy(() => this.#rest(add(x, this.mixer.step(this.norm.apply(x), state)), (branch) => branch));
  }

  #rest(x: Tensor, drop: (branch: Tensor) => Tensor): Tensor {
    if (this.mlp === undefined || this.norm2 === undefined) return x;
    return add(x, drop(this.mlp.apply(this.norm2.apply(x))));
  }
}
