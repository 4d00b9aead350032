import { ArgumentError } from "@statespace/core";
import type { Model } from "../../model/model.ts";
import type { ModelState } from "../../model/state.ts";
import { Decoder } from "../decoder.ts";
import { largestOf } from "../logprobs.ts";
import { prefill } from "../prefill.ts";
import type { Proposer } from "./proposer.ts";

/** Guesses what a smaller model of the same tokens takes for the most probable. @throws ArgumentError for another vocabulary. */
export function draftProposer(draft: Model, model: Model): Proposer {
  if (draft.vocabSize !== model.vocabSize)
    throw new ArgumentError(
      `assistantModel: must have the model's vocabulary of ${model.vocabSize} tokens, got one of ${draft.vocabSize}`,
    );
  let decoder: Decoder | undefined;
  /** Its state after so many tokens of the text: guesses go behind it and back. */
  let before: ModelState | undefined;
  let read = 0;
  return {
    propose: async (ids, most) => {
      if (decoder === undefined) {
        const { state } = await prefill(draft, [ids.slice(0, -1)]);
        decoder = new Decoder(draft, state, 1);
        read = ids.length - 1;
      } else decoder.state.copyFrom(before!);
      let scores: Float32Array | undefined;
      for (const id of ids.slice(read)) scores = await decoder.next([id]);
      read = ids.length;
      before?.dispose();
      before = decoder.state.clone();
      const guess: number[] = [];
      while (guess.length < most) {
        if (guess.length > 0) scores = await decoder.next([guess.at(-1)!]);
        guess.push(largestOf(scores!, 1)[0]!);
      }
      return guess;
    },
    dispose: () => {
      decoder?.dispose();
      before?.dispose();
    },
  };
}
