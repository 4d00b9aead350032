import type { PlaceOptions } from "@statespace/core";
import type { ModelConfig } from "./config.ts";
import { Model } from "./model.ts";

/** A model as plain data, which `postMessage` and an audio worklet's `processorOptions` take. */
export interface ModelMessage {
  readonly config: ModelConfig;
  /** By their names; packed ones as the numbers that they stand for. */
  readonly weights: Readonly<Record<string, Float32Array>>;
}

/** What `modelFromMessage` makes the same model of, in another thread. */
export async function modelToMessage(model: Model): Promise<ModelMessage> {
  const weights: Record<string, Float32Array> = {};
  for (const parameter of model.parameters) weights[parameter.name] = await parameter.read();
  return { config: model.config, weights };
}

/**
 * The model that was sent. Nothing of the platform is asked for but what the backend needs, so that it works where there is no `fetch`.
 * @throws FormatError for a config, ShapeError for weights that are not of it
 */
export function modelFromMessage({ config, weights }: ModelMessage, options: PlaceOptions = {}): Model {
  const model = new Model(config, "empty", options);
  for (const [name, values] of Object.entries(weights)) model.parameter(name).assign(values);
  return model;
}
