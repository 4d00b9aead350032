import { readFloats, Rng } from "@statespace/core";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, type CallContext } from "../../../workers/rpc.ts";
import { askedLast } from "./asked.ts";
import { canRead, Learner, type Kind } from "./learner.ts";
import { ANSWERS, makeRow, TRAINED, WITHIN, type Pair, type Row } from "./task.ts";

export interface Progress {
  readonly steps: number;
  /** Seconds of training, evaluations left out. */
  readonly seconds: number;
  readonly right: number;
}

/** How a learner does after texts of a length. */
export interface AtLength {
  readonly factor: number;
  readonly tokens: number;
  /** Share of answers that are right; undefined where the text is too long for the kind. */
  readonly right: number | undefined;
}

const TELL_EVERY = 20;
/** Right answers at which a learner has learned; it goes on until its errors are rare. */
const ENOUGH = 0.995;
const MAX_SECONDS = 180;
/** Texts at each length, in batches as large as memory likes. */
const TEXTS = 24;
export const FACTORS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000];

const textOf = (seed: number, pairs: readonly Pair[], length: number): Row =>
  makeRow(new Rng(seed), pairs, length, WITHIN);

/** A learner, of its own in each room. */
export function openRoom() {
  let learner: Learner | undefined;

  const api = {
    /** A new learner, trained until it answers nearly all, the time is over, or it is stopped. */
    async learn(
      { kind, seed, backend }: { kind: Kind; seed: number; backend: BackendName },
      { signal, emit }: CallContext<Progress>,
    ): Promise<void> {
      learner?.dispose();
      const on = await startBackend(backend, 1);
      const own = (learner = new Learner(kind, seed, on));
      emit({ steps: 0, seconds: 0, right: await own.accuracy() });
      let seconds = 0;
      let calm = 0;
      while (!signal.aborted && seconds < MAX_SECONDS && calm < 3) {
        const start = performance.now();
        const loss = own.step();
        if (own.steps % TELL_EVERY === 0) await readFloats(loss);
        loss.dispose();
        seconds += (performance.now() - start) / 1000;
        if (own.steps % TELL_EVERY === 0) {
          const right = await own.accuracy();
          calm = right >= ENOUGH ? calm + 1 : 0;
          emit({ steps: own.steps, seconds, right });
        }
        await breathe();
        if (learner !== own) return;
      }
    },

    /** A learner that was trained before. @param weights in the order of `weights()` */
    async restore({
      kind,
      seed,
      backend,
      weights,
    }: {
      kind: Kind;
      seed: number;
      backend: BackendName;
      weights: readonly Float32Array[];
    }): Promise<void> {
      learner?.dispose();
      const on = await startBackend(backend, 1);
      const own = new Learner(kind, seed, on);
      own.model.parameters.forEach((parameter, i) => parameter.assign(weights[i]!));
      learner = own;
    },

    /** Everything the learner has learned, to be kept. */
    weights(): Promise<readonly Float32Array[]> {
      return Promise.all(learner!.model.parameters.map((parameter) => parameter.read()));
    },

    /** What it answers to the asked one of the pairs, in one text: probabilities of the answers. */
    async answer({
      pairs,
      asked,
      seed,
    }: {
      pairs: readonly Pair[];
      asked: number;
      seed: number;
    }): Promise<Float64Array> {
      const row = askedLast(textOf(seed, pairs, TRAINED), pairs, asked);
      const [scores] = await learner!.scores([row]);
      return scores!.slice((pairs.length - 1) * ANSWERS);
    },

    /** Asks after ever longer texts. */
    async lengths(pairs: readonly Pair[], { signal, emit }: CallContext<AtLength>): Promise<void> {
      for (const factor of FACTORS) {
        const tokens = factor * TRAINED;
        let right: number | undefined;
        if (canRead(learner!.kind, tokens)) {
          const size = Math.max(1, Math.min(TEXTS, learner!.kind === "attention" ? Math.floor(4096 / tokens) : TEXTS));
          let sum = 0;
          for (let from = 0; from < TEXTS; from += size) {
            const count = Math.min(size, TEXTS - from);
            const rows = Array.from({ length: count }, (_, i) => textOf(1000 + from + i, pairs, tokens));
            sum += count * (await learner!.share(rows));
            await breathe();
            if (signal.aborted) return;
          }
          right = sum / TEXTS;
        }
        emit({ factor, tokens, right });
      }
    },
  };
  return { api, close: () => learner?.dispose() };
}

export type InductionApi = ReturnType<typeof openRoom>["api"];
