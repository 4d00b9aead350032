import { serve } from "./serve.ts";

/**
 * The program of every worker of the app. A page names the part it needs; since all are built together, a backend or a model is one file,
 * fetched once. A part is a module that lives as long as the worker, or makes a room each time it is opened, with what it remembers.
 *
 * Pages on different backends share a worker, so none sets one: whatever makes a tensor says where.
 */
const parts = {
  why: () => import("../pages/why/compute/whyApi.ts"),
  views: () => import("../pages/twoViews/compute/viewsApi.ts"),
  hippo: () => import("../pages/hippo/compute/hippoApi.ts"),
  s4: () => import("../pages/s4/compute/s4Api.ts"),
  race: async () => (await import("../pages/selection/compute/raceApi.ts")).openRoom(),
  scan: () => import("../pages/scan/compute/scanApi.ts"),
  induction: async () => (await import("../pages/induction/compute/inductionApi.ts")).openRoom(),
  bytes: () => import("../pages/bytes/compute/bytesApi.ts"),
  block: async () => (await import("../pages/block/compute/blockApi.ts")).openRoom(),
  model: () => import("../pages/model/compute/modelApi.ts"),
  writer: () => import("../pages/mamba/compute/writerApi.ts"),
  machine: () => import("../pages/machine/compute/machineApi.ts"),
};

export type Parts = { [K in keyof typeof parts]: Awaited<ReturnType<(typeof parts)[K]>>["api"] };
serve((part) => parts[part as keyof typeof parts]());
