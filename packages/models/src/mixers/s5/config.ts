/** What an S5 layer is made of. Sizes count elements. */
export interface S5Config {
  readonly dModel: number; // h
  /** Size of the state, conjugates counted; with `conjSym` half of it is kept. */
  readonly dState: number;
  /** HiPPO-N blocks that the start is made of; must divide dState. */
  readonly blocks: number;
  readonly discretization: "zoh" | "bilinear";
  readonly bidirectional: boolean;
  /** States come in conjugate pairs, of which one is kept. */
  readonly conjSym: boolean;
  /** Keeps Re Lambda at most -1e-4, for sequences without end. */
  readonly clipEigs: boolean;
  readonly cInit: "truncStandardNormal" | "lecunNormal" | "complexNormal";
  readonly deltaMin: number;
  readonly deltaMax: number;
  /** Factor on every step: 2 for data sampled half as often as what the layer was trained on. */
  readonly stepRescale: number;
  /** What follows the SSM: nothing, gelu, or a gate as in the paper's code. */
  readonly activation: "none" | "gelu" | "halfGlu1" | "halfGlu2" | "fullGlu";
  /** Learning rate of Lambda, B and the steps; the optimiser's own if absent. */
  readonly ssmLearningRate?: number | undefined;
}

/** The paper's choices for a layer of `dModel` channels. */
export function s5Config(dModel: number, options: Partial<S5Config> = {}): S5Config {
  return {
    dModel,
    dState: 64,
    blocks: 1,
    discretization: "zoh",
    bidirectional: false,
    conjSym: true,
    clipEigs: false,
    cInit: "truncStandardNormal",
    deltaMin: 0.001,
    deltaMax: 0.1,
    stepRescale: 1,
    activation: "fullGlu",
    ...options,
  };
}
