import { Rng } from "@statespace/core";
import {
  Model,
  parseModelConfig,
  type StreamState,
  type TrainingBatch,
  type TrainingEvent,
  type TrainingStream,
} from "@statespace/models";

const VOCABULARY = 11;
export const BATCH = { b: 2, l: 6 };

export function tinyModel(seed = 3): Model {
  return new Model(
    parseModelConfig({
      model_type: "mamba",
      hidden_size: 16,
      num_hidden_layers: 2,
      state_size: 4,
      vocab_size: VOCABULARY,
    }),
    seed,
  );
}

/** Rows that count upwards from a random start, so that there is something to learn. */
export function countingStream(seed: number, { b, l }: { b: number; l: number } = BATCH): TrainingStream {
  let rng = new Rng(seed);
  let drawn = 0;
  return {
    nextBatch() {
      const inputs = new Int32Array(b * l);
      const targets = new Int32Array(b * l);
      for (let row = 0; row < b; row++) {
        const start = rng.integer(VOCABULARY);
        for (let t = 0; t < l; t++) {
          inputs[row * l + t] = (start + t) % VOCABULARY;
          targets[row * l + t] = (start + t + 1) % VOCABULARY;
        }
      }
      return { inputs, targets, shape: [b, l], targetShape: [b, l], reset: drawn++ % 4 === 0 };
    },
    state: () => ({ random: rng.state(), drawn }),
    restore(state: StreamState) {
      const saved = state as { random: number[]; drawn: number };
      rng = Rng.fromState(saved.random);
      drawn = saved.drawn;
    },
  };
}

/** A fixed number of batches for evaluation. */
export function* heldOut(count = 2): Generator<TrainingBatch> {
  const stream = countingStream(99);
  for (let i = 0; i < count; i++) yield stream.nextBatch();
}

/** Events until the run ends or fails. */
export async function collect(
  events: AsyncIterable<TrainingEvent>,
): Promise<{ events: TrainingEvent[]; error: unknown }> {
  const seen: TrainingEvent[] = [];
  try {
    for await (const event of events) seen.push(event);
    return { events: seen, error: undefined };
  } catch (error) {
    return { events: seen, error };
  }
}

/** What must not depend on interruptions: losses and norms by step, and evaluations by step. */
export function curve(events: readonly TrainingEvent[]): Map<string, string> {
  const points = new Map<string, string>();
  for (const event of events) {
    if (event.kind === "step")
      points.set(`step ${event.step}`, JSON.stringify([event.loss, event.gradNorm, event.learningRate, event.tokens]));
    if (event.kind === "evaluation")
      points.set(`evaluation ${event.step}`, JSON.stringify([event.loss, event.accuracy, event.isBest]));
  }
  return points;
}
