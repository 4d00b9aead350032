import { createSignal, type Accessor } from "solid-js";
import { sparing } from "./sparing.ts";

/** How much of the site is kept on this computer, in bytes. */
export interface Kept {
  readonly kept: number;
  readonly total: number;
  readonly complete: boolean;
}

const [state, setState] = createSignal<Kept>();
/** Undefined where nothing is kept: no service worker, or it has not begun. */
export const kept: Accessor<Kept | undefined> = state;

/** Starts the service worker, which keeps the site's code; and, unless downloads shall be spared, what its pages fetch besides. */
export async function startOffline(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ offline?: Kept }>) => {
    if (data.offline !== undefined) setState(data.offline);
  });
  try {
    await navigator.serviceWorker.register(new URL("sw.js", document.baseURI));
    if (!sparing) await keepEverything();
  } catch {
    // a host without https, or a browser that forbids it: the tour then needs the network
  }
}

export async function keepEverything(): Promise<void> {
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage("keep everything");
}
