import { lazy, type Component } from "solid-js";
import type { Shell } from "./shellMessages.ts";

export interface PageEntry {
  /** Its name in the address and its key in the titles. */
  readonly id: keyof Shell["pages"];
  readonly component: Component;
}

/** In the order a person learns. Each page is a chunk of its own. */
export const pages: readonly PageEntry[] = [
  { id: "why", component: lazy(async () => ({ default: (await import("../pages/why/page.tsx")).WhyPage })) },
  {
    id: "state-space",
    component: lazy(async () => ({ default: (await import("../pages/stateSpace/page.tsx")).StateSpacePage })),
  },
  {
    id: "discretize",
    component: lazy(async () => ({ default: (await import("../pages/discretize/page.tsx")).DiscretizePage })),
  },
  {
    id: "two-views",
    component: lazy(async () => ({ default: (await import("../pages/twoViews/page.tsx")).TwoViewsPage })),
  },
  { id: "hippo", component: lazy(async () => ({ default: (await import("../pages/hippo/page.tsx")).HippoPage })) },
  { id: "s4", component: lazy(async () => ({ default: (await import("../pages/s4/page.tsx")).S4Page })) },
  {
    id: "selection",
    component: lazy(async () => ({ default: (await import("../pages/selection/page.tsx")).SelectionPage })),
  },
  { id: "scan", component: lazy(async () => ({ default: (await import("../pages/scan/page.tsx")).ScanPage })) },
  { id: "mamba", component: lazy(async () => ({ default: (await import("../pages/mamba/page.tsx")).MambaPage })) },
  {
    id: "machine",
    component: lazy(async () => ({ default: (await import("../pages/machine/page.tsx")).MachinePage })),
  },
];
