import {
  add,
  div,
  full,
  greater,
  linear,
  mul,
  reshape,
  sigmoid,
  softmax,
  sub,
  sum,
  where,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { oneHot, topK } from "@statespace/core/ops";
import { constant, kaimingUniform } from "./initializers.ts";
import type { MlpConfig } from "./mlpConfig.ts";
import type { ParameterBuilder } from "./parameterBuilder.ts";
import { times } from "./times.ts";

/** A token's experts, and how much each counts. */
export interface Routing {
  readonly ids: Tensor; // int32 [..., s]
  readonly weights: Tensor; // [..., s]
}

/**
 * Chooses each token's experts by their scores, the softmax or the sigmoids of its logits, and weighs them by the scores: divided by
 * their sum, where the config says so. A correction of the scores decides with them who is chosen, and no more, so that experts stay
 * equally busy; scores are float32 whatever the weights are.
 *
 * Source: Shazeer et al. 2017 (arXiv 1701.06538); sigmoid, correction and groups: DeepSeek-V3 (arXiv 2412.19437), section 2.1.2.
 */
export class Router {
  readonly parameters: readonly Parameter[];
  readonly weight: Parameter; // [experts, dModel]
  readonly correction: Parameter | undefined; // [experts]
  readonly #config: MlpConfig;

  constructor(config: MlpConfig, build: ParameterBuilder) {
    const { experts, dModel, routerBias } = config;
    this.#config = config;
    this.weight = build.make("weight", [experts, dModel], kaimingUniform(dModel));
    const frozen = { decay: false, trainable: false };
    this.correction = routerBias ? build.make("correction", [experts], constant(0), frozen) : undefined;
    this.parameters = [this.weight, this.correction].filter((p) => p !== undefined);
  }

  /** @param x [..., dModel] */
  apply(x: Tensor): Routing {
    const { expertsPerToken, router, renormalize, renormalizeEps, routedScale } = this.#config;
    const logits = linear({ x, weight: this.weight.value }).y; // [..., experts]
    // Of a softmax that is divided by its chosen part only that part is needed.
    const partial = router === "softmax" && renormalize && renormalizeEps === 0 && this.correction === undefined;
    const scores = partial ? logits : router === "softmax" ? softmax(logits) : sigmoid(logits);
    const ids = topK(this.#eligible(this.correction ? add(scores, this.correction.value) : scores), expertsPerToken);
    const picked = pick(scores, ids);
    const weights = partial ? softmax(picked) : renormalize ? shares(picked, renormalizeEps) : picked;
    return { ids, weights: times(weights, routedScale) };
  }

  /** Scores of experts outside a token's groups are less than any other. */
  #eligible(scores: Tensor): Tensor {
    const { experts, routerGroups: groups, routerGroupsPerToken } = this.#config;
    if (groups === routerGroupsPerToken) return scores;
    const lead = scores.shape.slice(0, -1);
    const grouped = reshape(scores, [...lead, groups, experts / groups]);
    const best = sum(pick(grouped, topK(grouped, 2)), -1); // [..., groups]
    const chosen = sum(oneHot(topK(best, routerGroupsPerToken), groups), -2);
    const { backend } = scores;
    const lowest = full(grouped.shape, Number.NEGATIVE_INFINITY, { backend });
    const among = where(greater(reshape(chosen, [...lead, groups, 1]), 0), grouped, lowest);
    return reshape(among, scores.shape);
  }
}

/**
 * Scores [..., s] over their sum and eps. That of a single one is 1, whatever the score; written as its distance from 1, it gives the router the
 * gradient eps / (score + eps)^2, none without an eps, where that of the quotient would be what two equal parts leave when they are rounded.
 */
function shares(picked: Tensor, eps: number): Tensor {
  if (picked.shape.at(-1) !== 1) return div(picked, add(sum(picked, -1, true), eps));
  return sub(1, div(eps, add(picked, eps)));
}

/** The values of the last axis that ids [..., s] name. */
function pick(x: Tensor, ids: Tensor): Tensor {
  const n = x.shape.at(-1)!;
  const rows = reshape(x, [...x.shape.slice(0, -1), 1, n]);
  return sum(mul(oneHot(ids, n), rows), -1);
}
