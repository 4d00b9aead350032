/** Which parts of the layer may look at the token. All of them: Mamba. None: a time-invariant filter, S4D-Real in an S4 block. */
export interface Selects {
  readonly delta: boolean;
  readonly B: boolean;
  readonly C: boolean;
  /** Mamba's gate silu(z), which multiplies the output by a function of the token. Without it the output passes a GELU, as in S4. */
  readonly gate: boolean;
}

/** What mixes the tokens: a Mamba layer of which some parts select, the S4 layer itself (DPLR), or attention. */
export type Mixing = Selects | "s4" | "attention";

export const MAMBA: Selects = { delta: true, B: true, C: true, gate: true };
