import { readFloats } from "@statespace/core";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, type CallContext } from "../../../workers/rpc.ts";
import { inspect, type Inspection } from "./inspect.ts";
import { Trainer, type RaceSettings } from "./trainer.ts";

export interface TrainProgress {
  readonly steps: number;
  /** Seconds of training, evaluations left out. */
  readonly seconds: number;
  readonly loss: number;
  /** On sequences never trained on; only every few events. */
  readonly accuracy?: number;
}

const LOSS_EVERY = 10;
/** A slow device tells more often: what is queued on it cannot be stopped, and nobody likes to wait for the first number. */
const TELL_AFTER_MS = 500;
const ACCURACY_EVERY = 20;

/** A model in training, of its own in each room. */
export function openRoom() {
  let trainer: Trainer | undefined;

  const api = {
    /** A new model, or one that was kept; the old one is forgotten. */
    async create({
      settings,
      backend,
      weights,
    }: {
      settings: RaceSettings;
      backend: BackendName;
      /** Of a model that was trained before, in the order of `weights()`. */
      weights?: readonly Float32Array[];
    }): Promise<{ weights: number }> {
      trainer?.dispose();
      const on = await startBackend(backend, 1); // one thread each: the two contenders share the machine fairly
      const made = new Trainer(settings, on);
      if (weights !== undefined) made.model.parameters.forEach((parameter, i) => parameter.assign(weights[i]!));
      trainer = made;
      return { weights: trainer.model.size };
    },

    /** Trains until the model answers all but a few right, the time is over, or it is stopped. */
    async train(
      { maxSeconds, enough }: { maxSeconds: number; enough: number },
      { signal, emit }: CallContext<TrainProgress>,
    ): Promise<void> {
      const running = trainer!;
      let seconds = 0;
      let told = 0;
      let msPerStep = Infinity; // not known yet: the first step, which compiles, is told at once
      while (!signal.aborted && seconds < maxSeconds) {
        const start = performance.now();
        const value = running.step();
        const report = running.steps % LOSS_EVERY === 0 || (running.steps - told) * msPerStep > TELL_AFTER_MS;
        const loss = report ? (await readFloats(value))[0]! : 0;
        value.dispose();
        const ms = performance.now() - start;
        seconds += ms / 1000;
        if (report) {
          // the read-back waited for every step since the last one
          msPerStep = ms / (running.steps - told);
          told = running.steps;
          const accuracy = running.steps % ACCURACY_EVERY === 0 ? await running.accuracy() : undefined;
          emit({ steps: running.steps, seconds, loss, ...(accuracy === undefined ? {} : { accuracy }) });
          if (accuracy !== undefined && accuracy >= enough) return;
        }
        await breathe();
        if (trainer !== running) return;
      }
    },

    /** Everything the model has learned, to be kept. */
    weights(): Promise<readonly Float32Array[]> {
      return Promise.all(trainer!.model.parameters.map((parameter) => parameter.read()));
    },

    inspect(ids: Int32Array): Promise<Inspection> {
      return inspect(trainer!, ids);
    },
  };
  return { api, close: () => trainer?.dispose() };
}

export type RaceApi = ReturnType<typeof openRoom>["api"];
