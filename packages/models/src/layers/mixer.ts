import type { Parameter, Tensor } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import type { CacheType } from "./cacheType.ts";

/**
 * What one layer remembers: tensors by name, batch first. A value: it can be cloned, saved, restored, and gradients flow through it.
 * For an SSM its size does not depend on how many tokens went in; for attention it grows.
 */
export type LayerState = Readonly<Record<string, Tensor>>;

/** What `Mixer.reserve` is told. */
export interface Reservation {
  readonly batch: number;
  /** Tokens there must be room for, those that are there included. */
  readonly capacity: number;
  /** Tokens that went into the state. */
  readonly tokens: number;
}

/** How a sequence is run. */
export interface ForwardOptions {
  /** State to start from; zero if absent. */
  readonly initialState?: LayerState | undefined;
  /** Also return the state after the last token. */
  readonly returnState?: boolean;
  /** int32 [b, l]: where it changes along l, another sequence starts and nothing carries over. */
  readonly seqIdx?: Tensor | undefined;
  /** float32 [b, l]: time since the token before, 1 the usual; of mixers that take gaps. */
  readonly gaps?: Tensor | undefined;
}

/** Options of a forward pass, as they are. @throws ArgumentError for one that there is not. */
export function forwardOptions(options: ForwardOptions): ForwardOptions {
  refuseUnknown("forward", options, ["initialState", "returnState", "seqIdx", "gaps"], { cacheParams: "initialState" });
  return options;
}

/** What a mixer returns for whole sequences. */
export interface ForwardResult {
  readonly y: Tensor; // [b, l, dModel]
  /** With `returnState`. */
  readonly state?: LayerState;
}

/**
 * A sequence mixer: the part of a block that looks along l. Every SSM, RNN and attention layer here is one.
 * `forward` runs whole sequences (training, prefill), `step` one token with the state changed in place (decoding);
 * they agree, and any split of a sequence with its state carried agrees with the whole.
 */
export interface Mixer {
  /** Kind, as a config names it: `mamba`, `s4d`, `attention`. */
  readonly kind: string;
  /** The state's size does not depend on how many tokens went in. Attention's does; `reserve` makes its steps replayable all the same. */
  readonly constantState: boolean;
  /** A token's answer depends on those after it too: padding at a row's end is then hidden from it. */
  readonly looksAhead?: boolean;
  /** It has a step delta, which the time between two tokens scales. */
  readonly takesGaps?: boolean;
  /** How new states keep keys and values, of a mixer that keeps any; a state that is there goes on as it is. */
  cacheType?: CacheType;
  readonly parameters: readonly Parameter[];
  /** A state before the first token. */
  initialState(batch: number): LayerState;
  forward(x: Tensor /* [b, l, dModel] */, options?: ForwardOptions): ForwardResult;
  /** One token. @throws BackendError while gradients are recorded. */
  step(x: Tensor /* [b, dModel] */, state: LayerState): Tensor; // [b, dModel]
  /** Where the state grows: gives it room, in place, so that steps keep its shapes and can be captured until the room is full. */
  reserve?(state: LayerState, reservation: Reservation): void;
  /** What it made of each token, for looking at: `delta`, `B` and `C` of a selective SSM, [b, l, ...] each. */
  inspect?(x: Tensor /* [b, l, dModel] */): Readonly<Record<string, Tensor>>;
  /** Frees what was derived from the weights; the weights belong to the model. */
  dispose?(): void;
}
