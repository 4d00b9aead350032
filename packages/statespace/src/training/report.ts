import type { TrainingEvent } from "@statespace/models";
import type { TrainedModel } from "./trainedModel.ts";

/** Points of the loss curve that a report keeps. */
const CURVE_POINTS = 200;

/** The content of training.json: what was trained, how, and what came out. */
export function trainingReport(
  recipe: unknown,
  events: readonly TrainingEvent[],
  trained: TrainedModel,
  backend: string,
): object {
  const steps = events.filter((event) => event.kind === "step");
  const last = steps.at(-1);
  const width = Math.max(1, Math.ceil(steps.length / CURVE_POINTS));
  const lossCurve = Array.from({ length: Math.ceil(steps.length / width) }, (_, i) => {
    const stretch = steps.slice(i * width, (i + 1) * width);
    return [stretch.at(-1)!.step, rounded(stretch.reduce((sum, { loss }) => sum + loss, 0) / stretch.length)];
  });
  return {
    recipe,
    backend,
    parameters: trained.parameters,
    steps: trained.steps,
    tokens: last?.tokens ?? 0,
    seconds: rounded(trained.seconds),
    heldOut: trained.heldOut,
    evaluations: events
      .filter((event) => event.kind === "evaluation")
      .map(({ step, loss, accuracy }) => ({
        step,
        loss: rounded(loss),
        ...(accuracy === undefined ? {} : { accuracy: rounded(accuracy) }),
      })),
    /** [step, mean loss in nats over the steps since the point before] */
    lossCurve,
  };
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
