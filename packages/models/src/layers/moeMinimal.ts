import type { MlpConfig } from "./mlpConfig.ts";
import {
  plainGelu,
  plainGeluTanh,
  plainLinear,
  plainSigmoid,
  plainWeight,
  type LayerWeights,
  type PlainSequence,
} from "./plainLoops.ts";

/** A mixture of experts in plain loops, one token after the other, one expert after the other. The twin of `moe.ts`. */
export function minimalMoe(config: MlpConfig, weights: LayerWeights, tokens: PlainSequence): Float64Array[] {
  return tokens.map((x) => {
    const narrow = config.latent > 0 ? project(weights, "latent.fc1", x) : x;
    const mixed = new Float64Array(narrow.length);
    for (const [expert, share] of route(config, weights, x)) {
      const of = (name: string): Float64Array => matrixOf(weights, name, config.experts, expert);
      const inner = activate(config, plainLinear(of("experts.fc1.weight"), undefined, narrow));
      plainLinear(of("experts.fc2.weight"), undefined, inner).forEach((y, i) => (mixed[i]! += share * y));
    }
    const y = config.latent > 0 ? project(weights, "latent.fc2", mixed) : mixed;
    if (config.sharedHidden > 0) {
      const inner = activate(config, project(weights, "shared.fc1", x));
      const gate = config.sharedGate ? plainSigmoid(project(weights, "shared.gate", x)[0]!) : 1;
      project(weights, "shared.fc2", inner).forEach((value, i) => (y[i]! += gate * value));
    }
    return y.map((value) => config.outputMultiplier * value);
  });
}

/** A token's experts and how much each counts. */
function route(config: MlpConfig, weights: LayerWeights, x: Float64Array): [expert: number, share: number][] {
  const logits = project(weights, "router", x);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  const scores = logits.map((logit) => (config.router === "softmax" ? Math.exp(logit) / total : plainSigmoid(logit)));
  const correction = config.routerBias ? plainWeight(weights, "router.correction") : new Float64Array(scores.length);
  const corrected = scores.map((score, i) => score + correction[i]!);
  const size = config.experts / config.routerGroups;
  const groups = Array.from({ length: config.routerGroups }, (_, g) => corrected.slice(g * size, (g + 1) * size));
  // A group counts as much as its two best.
  const worth = groups.map((group) =>
    group
      .toSorted()
      .slice(-2)
      .reduce((a, b) => a + b, 0),
  );
  const open = new Set(largest(worth, config.routerGroupsPerToken));
  const eligible = corrected.map((score, i) => (open.has(Math.floor(i / size)) ? score : Number.NEGATIVE_INFINITY));
  const chosen = largest(eligible, config.expertsPerToken);
  const sum = chosen.reduce((all, i) => all + scores[i]!, config.renormalizeEps);
  return chosen.map((i) => [i, (config.routedScale * scores[i]!) / (config.renormalize ? sum : 1)]);
}

/** Places of the k largest. */
function largest(values: ArrayLike<number>, k: number): number[] {
  return Array.from(values, (_, i) => i)
    .sort((a, b) => values[b]! - values[a]! || a - b)
    .slice(0, k);
}

const activations: Readonly<Record<MlpConfig["activation"], (x: number) => number>> = {
  silu: (x) => x * plainSigmoid(x),
  gelu: plainGelu,
  geluTanh: plainGeluTanh,
  relu2: (x) => Math.max(0, x) ** 2,
};

/** up activation(gate), or activation(up). */
function activate({ gated, activation, gateMultiplier }: MlpConfig, first: Float64Array): Float64Array {
  const half = gated ? first.length / 2 : 0;
  return first.slice(half).map((value, i) => activations[activation](gateMultiplier * value) * (gated ? first[i]! : 1));
}

function project(weights: LayerWeights, name: string, x: Float64Array): Float64Array {
  const bias = weights.has(`${name}.bias`) ? plainWeight(weights, `${name}.bias`) : undefined;
  return plainLinear(plainWeight(weights, `${name}.weight`), bias, x);
}

/** One expert's matrix of all of them. */
function matrixOf(weights: LayerWeights, name: string, experts: number, expert: number): Float64Array {
  const all = plainWeight(weights, name);
  return all.subarray((all.length / experts) * expert, (all.length / experts) * (expert + 1));
}
