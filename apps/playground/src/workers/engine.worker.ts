import { serve } from "./rpc.ts";

/**
 * The one worker of the app. Each page starts its own, with memory and a thread of its own, and names the part it needs; since all are built
 * together, a backend or a model is one file, fetched once.
 */
const parts = {
  why: () => import("../pages/why/compute/whyApi.ts"),
  views: () => import("../pages/twoViews/compute/viewsApi.ts"),
  hippo: () => import("../pages/hippo/compute/hippoApi.ts"),
  s4: () => import("../pages/s4/compute/s4Api.ts"),
  race: () => import("../pages/selection/compute/raceApi.ts"),
  scan: () => import("../pages/scan/compute/scanApi.ts"),
  induction: () => import("../pages/induction/compute/inductionApi.ts"),
  bytes: () => import("../pages/bytes/compute/bytesApi.ts"),
  block: () => import("../pages/block/compute/blockApi.ts"),
  model: () => import("../pages/model/compute/modelApi.ts"),
  writer: () => import("../pages/mamba/compute/writerApi.ts"),
  machine: () => import("../pages/machine/compute/machineApi.ts"),
};

export type Parts = { [K in keyof typeof parts]: Awaited<ReturnType<(typeof parts)[K]>>["api"] };
serve(async (part) => (await parts[part as keyof typeof parts]()).api);
