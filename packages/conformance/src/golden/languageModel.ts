import { tensor, valueAndGrads } from "@statespace/core";
import {
  familyNamed,
  fromPretrained,
  generate,
  nextTokenTargets,
  publishedTensors,
  publishedValues,
  type Model,
} from "@statespace/models";
import type { GoldenCase } from "./goldenCase.ts";
import { lossesRow } from "./adamWLosses.ts";
import { expectedOf, inputArrays, largest, U32 } from "./inputs.ts";
import { take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

/** Roundings of a logit, in units of 2^-24 of the largest: every layer adds those of three projections, a norm and a scan. */
const LOGITS_PER_LAYER = 48;
/** The same for a weight's gradient, a sum over all tokens that ran through every layer above, back and forth. */
const GRADIENT_PER_LAYER = 192;
/**
 * A layer of the delta rule counts as so many: it divides queries, keys and each head's few answers by their lengths, small ones too, and
 * corrects a state of a token by all before it. transformers runs it in float32 even in a float64 model. By a float64 evaluation of
 * qwen3.5-tiny (3 such layers) its logits are 280 roundings off and its gradients 2,200, ours 270 and 2,100, to the other side, and 4,500
 * on WASM without fused multiply-adds.
 */
const DELTA_LAYERS = 12;

/** Layers, each by the roundings it makes, and the head. */
function layersOf({ blocks }: Model): number {
  return blocks.reduce(
    (total, { mixers }) => total + (mixers.some(({ kind }) => kind === "gatedDelta") ? DELTA_LAYERS : 1),
    1,
  );
}

/** What logits may be off by where the largest is `peak`. */
export function logitsBound(model: Model, peak: number): number {
  return LOGITS_PER_LAYER * layersOf(model) * U32 * peak;
}

/** Golden group `hf`: logits, loss, every weight's gradient, greedy tokens, and the losses of AdamW steps. */
export async function compareLanguageModel(golden: GoldenCase): Promise<GoldenRow[]> {
  const ids = inputArrays(golden)["ids"]!;
  const model = await fromPretrained(golden.folder);
  try {
    const length = ids.shape[1]!;
    const values = Int32Array.from(ids.data);
    const layers = layersOf(model);
    const idsTensor = tensor(values, ids.shape);
    const targets = tensor(nextTokenTargets(values, length), ids.shape);
    const logits = expectedOf(golden, "out.logits");
    const rows: GoldenRow[] = [
      {
        tensor: "logits",
        actual: await take(model.forward(idsTensor).output),
        expected: logits,
        bound: logitsBound(model, largest(logits)),
        reason: `${LOGITS_PER_LAYER} roundings a layer of the largest logit`,
      },
      ...("out.greedy" in golden.tensors ? [await greedyRow(model, golden, values.subarray(0, length))] : []),
    ];
    const { value, grads } = valueAndGrads(
      () => model.loss(idsTensor, targets),
      model.parameters.map((p) => p.value),
    );
    const actual = await take(value);
    if ("out.loss" in golden.tensors) {
      const loss = expectedOf(golden, "out.loss");
      rows.push({
        tensor: "loss",
        actual,
        expected: loss,
        bound: 64 * U32 * largest(loss),
        reason: "64 roundings: a mean of log-sum-exps, in which errors of logits average out",
      });
    }
    const gradients = await Promise.all(grads.map((grad) => grad && take(grad)));
    const family = familyNamed(model.config.family ?? "statespace");
    // A case has the gradient of every weight, or of none.
    const hasGradients = Object.keys(golden.tensors).some((name) => name.startsWith("grad."));
    const joinedWeights = { ...family.weights, ...family.alternatives, ...joined };
    for (const published of hasGradients ? publishedTensors(model, joinedWeights) : []) {
      // What only chooses has none.
      if (!published.parameter.trainable) continue;
      const name = gradientName(golden, published.key);
      const expected = expectedOf(golden, name);
      rows.push({
        tensor: name,
        actual: publishedValues(published, gradients[model.parameters.indexOf(published.parameter)]!),
        expected,
        bound: GRADIENT_PER_LAYER * layers * U32 * largest(expected),
        reason: `${GRADIENT_PER_LAYER} roundings a layer of the largest entry`,
      });
    }
    if ("out.adamwLosses" in golden.tensors)
      rows.push(await lossesRow(golden, model.parameters, () => model.loss(idsTensor, targets)));
    for (const t of [idsTensor, targets]) t.dispose();
    return rows;
  } finally {
    model.dispose();
  }
}

/** What transformers joins as it loads: gradients are of the whole. */
const joined = { "layers.*.gatedDelta.conv1d": "model.layers.*.linear_attn.conv1d" };

/** Files that keep older names of modules; gradients have those of today. */
const modules: readonly (readonly [RegExp, string])[] = [
  [/^backbone\./, "model."],
  [/\.attention_layer_norm\./, ".input_layernorm."],
  [/\.feedforward_layer_norm\./, ".post_attention_layernorm."],
];

function gradientName({ tensors }: GoldenCase, key: string): string {
  const own = `grad.${key}`;
  const module = `grad.${modules.reduce((name, [from, to]) => name.replace(from, to), key)}`;
  return own in tensors ? own : module;
}

async function greedyRow(model: Model, golden: GoldenCase, row: Int32Array): Promise<GoldenRow> {
  const expected = expectedOf(golden, "out.greedy");
  const start = commonPrefix(expected, row);
  const prompt = [...row.subarray(0, start)];
  const made: number[] = [];
  for await (const { id } of generate(model, [prompt], {
    greedy: true,
    maxNewTokens: expected.length - start,
    eosTokenIds: [],
  }))
    made.push(id);
  return {
    tensor: "greedy",
    actual: Float64Array.from([...prompt, ...made]),
    expected,
    bound: 0,
    reason: "tokens are the same or not",
  };
}

/** The prompt is what the generated row shares with the input row; the reference took 8 tokens. */
function commonPrefix(expected: Float64Array, row: Int32Array): number {
  return Math.min(8, row.length, expected.length);
}
