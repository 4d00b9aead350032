import { ArgumentError, DeviceLostError } from "@statespace/core";
import { restoreWeights } from "@statespace/models";
import type { CheckpointStore, LoadedModel, Model, Trainable, TrainingEvent } from "@statespace/models";

/** Losses in a row, without a new checkpoint between them, after which it is given up. */
const MOST_IN_VAIN = 3;

/** What is trained, and where its checkpoints are. */
export interface Recoverable {
  readonly model: Model;
  /** Where it was loaded: what is not trained comes back from its source. */
  readonly loaded: LoadedModel | undefined;
  readonly objective: Trainable;
  readonly store: CheckpointStore;
}

/**
 * Trains on after each loss of the device: a fresh one is opened, weights that are trained come from the newest checkpoint, others from
 * where the model was loaded, and the run resumes there.
 * @param run the training, from its beginning or resumed
 * @throws ArgumentError where weights that are not trained could come from nowhere; what `run` throws; DeviceLostError where it is of no use
 */
export async function* recovering(
  run: (again: boolean) => AsyncIterable<TrainingEvent>,
  { model, loaded, objective, store }: Recoverable,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const trained = new Set(objective.parameters);
  if (loaded === undefined && model.parameters.some((parameter) => !trained.has(parameter)))
    throw new ArgumentError(
      "fit: recover needs a model that was loaded where not all of its weights are trained: the others come back from its source",
    );
  const before = model.comeBack;
  const isLost = (): boolean => model.isLost || objective.parameters.some((parameter) => parameter.isLost);
  let running: Promise<void> | undefined;
  const restore = async (): Promise<void> => {
    if (!model.backend.running) await model.backend.recover();
    if (!isLost()) return;
    await loaded?.restoreBase();
    await restoreWeights(store, objective.parameters);
  };
  // Whoever else uses the model meanwhile waits for the same.
  model.comeBack = () => (running ??= restore().finally(() => (running = undefined)));
  let newest: string | undefined;
  let inVain = 0;
  try {
    for (let again = false; ; again = true) {
      try {
        yield* run(again);
        return;
      } catch (error) {
        if (!(error instanceof DeviceLostError)) throw error;
        const reached = (await store.names()).at(-1);
        inVain = reached === newest ? inVain + 1 : 1;
        newest = reached;
        if (inVain > MOST_IN_VAIN) throw error;
        await model.comeBack();
      }
    }
  } finally {
    model.comeBack = before;
  }
}
