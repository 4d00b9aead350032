import type { Component } from "solid-js";
import { chunk } from "./chunk.tsx";
import type { Shell } from "./shellMessages.ts";

export interface PageEntry {
  /** Its name in the address and its key in the titles. */
  readonly id: keyof Shell["pages"];
  readonly component: Component;
}

/** In the order a person learns. Each page is a chunk of its own, and so fetched when it is first opened. */
export const pages: readonly PageEntry[] = [
  { id: "why", component: chunk(async () => (await import("../pages/why/page.tsx")).WhyPage) },
  {
    id: "state-space",
    component: chunk(async () => (await import("../pages/stateSpace/page.tsx")).StateSpacePage),
  },
  {
    id: "discretize",
    component: chunk(async () => (await import("../pages/discretize/page.tsx")).DiscretizePage),
  },
  {
    id: "two-views",
    component: chunk(async () => (await import("../pages/twoViews/page.tsx")).TwoViewsPage),
  },
  { id: "hippo", component: chunk(async () => (await import("../pages/hippo/page.tsx")).HippoPage) },
  { id: "s4", component: chunk(async () => (await import("../pages/s4/page.tsx")).S4Page) },
  {
    id: "selection",
    component: chunk(async () => (await import("../pages/selection/page.tsx")).SelectionPage),
  },
  {
    id: "induction",
    component: chunk(async () => (await import("../pages/induction/page.tsx")).InductionPage),
  },
  { id: "scan", component: chunk(async () => (await import("../pages/scan/page.tsx")).ScanPage) },
  { id: "bytes", component: chunk(async () => (await import("../pages/bytes/page.tsx")).BytesPage) },
  { id: "block", component: chunk(async () => (await import("../pages/block/page.tsx")).BlockPage) },
  { id: "mamba", component: chunk(async () => (await import("../pages/mamba/page.tsx")).MambaPage) },
  { id: "your-model", component: chunk(async () => (await import("../pages/model/page.tsx")).ModelPage) },
  { id: "ssd", component: chunk(async () => (await import("../pages/ssd/page.tsx")).SsdPage) },
  { id: "mamba3", component: chunk(async () => (await import("../pages/mamba3/page.tsx")).Mamba3Page) },
  { id: "hybrids", component: chunk(async () => (await import("../pages/hybrids/page.tsx")).HybridsPage) },
  {
    id: "machine",
    component: chunk(async () => (await import("../pages/machine/page.tsx")).MachinePage),
  },
  {
    id: "ideas",
    component: chunk(async () => (await import("../pages/ideas/page.tsx")).IdeasPage),
  },
];
