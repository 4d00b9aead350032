import type { Evaluation } from "@statespace/models";

/** What a run came to. */
export interface TrainedModel {
  readonly parameters: number;
  readonly steps: number;
  readonly seconds: number;
  readonly heldOut: Evaluation & { readonly bitsPerByte: number | undefined };
}
