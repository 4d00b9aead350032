import type { PageEntry } from "../shell/pages.ts";
import type { Story } from "./tell.ts";

/** The story of each page; each is a chunk of its own, fetched after its page. */
export const stories: Readonly<Partial<Record<PageEntry["id"], () => Promise<Story>>>> = {
  why: async () => (await import("../pages/why/story.ts")).story,
  "state-space": async () => (await import("../pages/stateSpace/story.ts")).story,
  discretize: async () => (await import("../pages/discretize/story.ts")).story,
  "two-views": async () => (await import("../pages/twoViews/story.ts")).story,
  hippo: async () => (await import("../pages/hippo/story.ts")).story,
  s4: async () => (await import("../pages/s4/story.ts")).story,
  selection: async () => (await import("../pages/selection/story.ts")).story,
  induction: async () => (await import("../pages/induction/story.ts")).story,
  scan: async () => (await import("../pages/scan/story.ts")).story,
  bytes: async () => (await import("../pages/bytes/story.ts")).story,
  block: async () => (await import("../pages/block/story.ts")).story,
  mamba: async () => (await import("../pages/mamba/story.ts")).story,
  "your-model": async () => (await import("../pages/model/story.ts")).story,
  ssd: async () => (await import("../pages/ssd/story.ts")).story,
  mamba3: async () => (await import("../pages/mamba3/story.ts")).story,
  hybrids: async () => (await import("../pages/hybrids/story.ts")).story,
  machine: async () => (await import("../pages/machine/story.ts")).story,
};
