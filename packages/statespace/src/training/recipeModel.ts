import { FormatError } from "@statespace/core";
import { parseModelConfig, type ModelConfig } from "@statespace/models";
import type { Recipe } from "./recipe.ts";
import type { TrainingData } from "./trainingData.ts";

/** The config of the model that a recipe trains. @throws FormatError naming the key. */
export function recipeModelConfig(recipe: Recipe, data: Pick<TrainingData, "tokenizer" | "vocabSize">): ModelConfig {
  if (recipe.model["vocab_size"] !== undefined)
    throw new FormatError("recipe: model.vocab_size comes from the data; leave it out");
  const eos = data.tokenizer?.eosId ?? null;
  try {
    return parseModelConfig({
      model_type: "mamba",
      initializer_range: 0.02,
      bos_token_id: eos,
      eos_token_id: eos,
      pad_token_id: eos,
      ...recipe.model,
      vocab_size: data.vocabSize,
    });
  } catch (error) {
    throw new FormatError(`recipe: model: ${(error as Error).message}`, { cause: error });
  }
}

/** Files beside the weights: the tokenizer, and how to write with the model. */
export function generationConfig({ tokenizer }: Pick<TrainingData, "tokenizer">): string {
  const eos = tokenizer?.eosId;
  const settings = {
    ...(eos === undefined ? {} : { eos_token_id: eos }),
    do_sample: true,
    temperature: 0.8,
    top_p: 0.95,
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}
