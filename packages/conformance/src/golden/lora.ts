import { tensor, valueAndGrads, type Tensor } from "@statespace/core";
import { adapterTensors, fromPretrained, loadAdapter, nextTokenTargets, type Adapter } from "@statespace/models";
import type { GoldenCase } from "./goldenCase.ts";
import { lossesRow } from "./adamWLosses.ts";
import { expectedOf, inputArrays, largest, U32 } from "./inputs.ts";
import { take } from "./opGradients.ts";
import type { GoldenRow } from "./row.ts";

/** Roundings of a logit in units of 2^-24 of the largest: those of a layer without adapter (see languageModel.ts), and of two products more. */
const LOGITS_PER_LAYER = 64;
/** The same for a gradient, a sum over all tokens that ran through every layer above, back and forth. */
const GRADIENT_PER_LAYER = 256;
/** The same for what the run made of the logits, relative to the largest: Adam divides by small gradients. */
const TRAINED_RELATIVE = 1e-4;

/** A folder beside the expected values, which lie in a folder of the disk or at an address. */
const inside = ({ folder }: GoldenCase, name: string): string => `${folder.replace(/\/$/, "")}/${name}`;

/** Golden group `lora`: an adapter of PEFT's on a model; logits, loss, gradients, losses of AdamW steps, and logits after them, merged. */
export async function compareLora(golden: GoldenCase): Promise<GoldenRow[]> {
  const ids = inputArrays(golden)["ids"]!;
  const model = await fromPretrained(inside(golden, "base"));
  const adapter = await loadAdapter(model, inside(golden, "adapter"));
  const values = Int32Array.from(ids.data);
  const x = tensor(values, ids.shape);
  const targets = tensor(nextTokenTargets(values, ids.shape[1]!), ids.shape);
  const loss = (): Tensor => model.loss(x, targets);
  try {
    const layers = model.blocks.length + 1;
    const logits = expectedOf(golden, "out.logits");
    const rows: GoldenRow[] = [
      {
        tensor: "logits",
        actual: await take(model.forward(x).output),
        expected: logits,
        bound: LOGITS_PER_LAYER * layers * U32 * largest(logits),
        reason: `${LOGITS_PER_LAYER} roundings a layer of the largest logit`,
      },
      ...(await gradientRows(golden, adapter, loss, layers)),
      await lossesRow(golden, adapter.parameters, loss),
    ];
    await adapter.merge();
    const merged = expectedOf(golden, "out.mergedLogitsAfter20Steps");
    rows.push({
      tensor: "mergedLogitsAfter20Steps",
      actual: await take(model.forward(x).output),
      expected: merged,
      bound: TRAINED_RELATIVE * largest(merged),
      reason: "1e-4 of the largest: each side took 20 steps in float32, and Adam divides by small gradients",
    });
    return rows;
  } finally {
    for (const t of [x, targets]) t.dispose();
    adapter.dispose();
    model.dispose();
  }
}

/** What is saved has the names and the order of rows of PEFT's, so gradients are compared as they would be saved. */
async function gradientRows(
  golden: GoldenCase,
  adapter: Adapter,
  loss: () => Tensor,
  layers: number,
): Promise<GoldenRow[]> {
  const { parameters } = adapter;
  const { value, grads } = valueAndGrads(
    loss,
    parameters.map((parameter) => parameter.value),
  );
  const expectedLoss = expectedOf(golden, "out.loss");
  const rows: GoldenRow[] = [
    {
      tensor: "loss",
      actual: await take(value),
      expected: expectedLoss,
      bound: 64 * U32 * largest(expectedLoss),
      reason: "64 roundings: a mean of log-sum-exps, in which errors of logits average out",
    },
  ];
  const gradients = await Promise.all(
    grads.map(async (grad, i) =>
      grad === null ? new Float32Array(parameters[i]!.size) : Float32Array.from(await take(grad)),
    ),
  );
  const saved = await adapterTensors(adapter, async (parameter) => gradients[parameters.indexOf(parameter)]!);
  for (const key of Object.keys(golden.tensors).filter((name) => name.startsWith("grad."))) {
    const expected = expectedOf(golden, key);
    rows.push({
      tensor: key,
      actual: Float64Array.from(saved.get(key.slice("grad.".length).replace(".default", ""))!.values),
      expected,
      bound: GRADIENT_PER_LAYER * layers * U32 * largest(expected),
      reason: `${GRADIENT_PER_LAYER} roundings a layer of the largest entry`,
    });
  }
  return rows;
}
