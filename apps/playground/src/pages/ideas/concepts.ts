import type { PageEntry } from "../../shell/pages.ts";

/** Where an idea is told: a page, and a step of its story. */
export interface Place {
  readonly page: PageEntry["id"];
  /** Counted from one. */
  readonly step: number;
}

/** All ideas of the tour under the headings by which a course on Mamba is usually told, in its order. */
export const CONCEPTS = {
  motivation: {
    quadratic: { page: "why", step: 1 },
    bestOfBoth: { page: "why", step: 4 },
  },
  transformer: {
    attentionMap: { page: "why", step: 1 },
    trainsFast: { page: "why", step: 1 },
    writesSlowly: { page: "why", step: 2 },
  },
  rnn: {
    hiddenState: { page: "why", step: 3 },
    trainsSlowly: { page: "why", step: 3 },
  },
  ssm: {
    stateSpace: { page: "state-space", step: 1 },
    stateModel: { page: "state-space", step: 2 },
    equations: { page: "state-space", step: 3 },
    signalFlow: { page: "state-space", step: 3 },
    stability: { page: "state-space", step: 4 },
  },
  lssl: {
    zeroOrderHold: { page: "discretize", step: 1 },
    discretization: { page: "discretize", step: 2 },
    learnedStep: { page: "discretize", step: 5 },
    recurrentView: { page: "two-views", step: 1 },
    filter: { page: "two-views", step: 2 },
    convolutionalView: { page: "two-views", step: 3 },
    lsslName: { page: "two-views", step: 4 },
    lti: { page: "two-views", step: 5 },
  },
  s4: {
    hippoIdea: { page: "hippo", step: 1 },
    hippoRandom: { page: "hippo", step: 3 },
    hippoMatrix: { page: "hippo", step: 4 },
    s4Parts: { page: "s4", step: 1 },
    diagonal: { page: "s4", step: 3 },
  },
  problem: {
    selectiveCopying: { page: "selection", step: 1 },
    oneShot: { page: "induction", step: 1 },
    inductionHeads: { page: "induction", step: 2 },
    staticParameters: { page: "selection", step: 2 },
  },
  selection: {
    inputDependent: { page: "selection", step: 2 },
    largeDelta: { page: "selection", step: 3 },
    smallDelta: { page: "selection", step: 4 },
    unlimitedContext: { page: "induction", step: 4 },
    readingMatrix: { page: "selection", step: 6 },
  },
  scan: {
    forLoop: { page: "scan", step: 1 },
    associativity: { page: "scan", step: 2 },
    parallelScan: { page: "scan", step: 3 },
    chunks: { page: "scan", step: 4 },
  },
  hardware: {
    twoMemories: { page: "bytes", step: 1 },
    fusion: { page: "bytes", step: 2 },
    recomputation: { page: "bytes", step: 3 },
    bandwidth: { page: "bytes", step: 5 },
  },
  block: {
    stacked: { page: "block", step: 1 },
    insideBlock: { page: "block", step: 2 },
    gate: { page: "block", step: 3 },
    oneStep: { page: "block", step: 4 },
    fixedMemory: { page: "mamba", step: 1 },
    stateIsValue: { page: "mamba", step: 2 },
    surprise: { page: "mamba", step: 4 },
  },
  beyond: {
    duality: { page: "ssd", step: 2 },
    matrixUnits: { page: "ssd", step: 4 },
    turning: { page: "mamba3", step: 2 },
    trapezoid: { page: "mamba3", step: 4 },
    capacity: { page: "hybrids", step: 2 },
    hybrids: { page: "hybrids", step: 3 },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Place>>>>;

export type Heading = keyof typeof CONCEPTS;
export const HEADINGS = Object.keys(CONCEPTS) as Heading[];

/** What an explanation of Mamba should not leave out, each with the place where it is told, and words that show that it was said. */
export const POINTS = {
  attentionCost: { page: "why", step: 1, said: /quadrat|squar|l²|l\^2|平方|二次/i },
  rnnCost: { page: "why", step: 3, said: /\brnn|recurrent|循环/i },
  state: { page: "state-space", step: 1, said: /state|状态/i },
  discretization: { page: "discretize", step: 2, said: /discreti[sz]|zero.order|离散|零阶/i },
  views: { page: "two-views", step: 4, said: /convol|filter|卷积|滤波/i },
  hippo: { page: "hippo", step: 1, said: /hippo/i },
  lti: { page: "two-views", step: 5, said: /invariant|\blti\b|static|same (at|for) every|时不变|静态/i },
  selection: { page: "selection", step: 2, said: /select|depends? on the (token|input)|选择|取决于输入|输入依赖/i },
  delta: { page: "selection", step: 4, said: /delta|Δ|step size|步长/i },
  scan: { page: "scan", step: 3, said: /scan|associativ|扫描|结合律/i },
  hardware: { page: "bytes", step: 2, said: /fus(e|ion)|sram|recomput|memory hierarchy|融合|重计算|重新计算/i },
} as const satisfies Readonly<Record<string, Place & { readonly said: RegExp }>>;

export type Point = keyof typeof POINTS;
export const POINT_NAMES = Object.keys(POINTS) as Point[];
