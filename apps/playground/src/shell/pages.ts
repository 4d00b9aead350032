import { lazy, type Component } from "solid-js";
import type { Shell } from "./shellMessages.ts";

export interface PageEntry {
  /** Its name in the address and its key in the titles. */
  readonly id: keyof Shell["pages"];
  readonly component: Component;
}

/** In the order a person learns. Each page is a chunk of its own. */
export const pages: readonly PageEntry[] = [
  { id: "why", component: lazy(() => import("../pages/why/page.tsx")) },
  { id: "state-space", component: lazy(() => import("../pages/stateSpace/page.tsx")) },
  { id: "discretize", component: lazy(() => import("../pages/discretize/page.tsx")) },
  { id: "two-views", component: lazy(() => import("../pages/twoViews/page.tsx")) },
  { id: "hippo", component: lazy(() => import("../pages/hippo/page.tsx")) },
  { id: "s4", component: lazy(() => import("../pages/s4/page.tsx")) },
  { id: "selection", component: lazy(() => import("../pages/selection/page.tsx")) },
  { id: "scan", component: lazy(() => import("../pages/scan/page.tsx")) },
  { id: "mamba", component: lazy(() => import("../pages/mamba/page.tsx")) },
  { id: "machine", component: lazy(() => import("../pages/machine/page.tsx")) },
];
