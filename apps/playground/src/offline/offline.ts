import { createSignal, type Accessor } from "solid-js";

/** How much of the site is kept on this computer, in bytes. */
export interface Kept {
  readonly kept: number;
  readonly total: number;
  readonly complete: boolean;
}

const [state, setState] = createSignal<Kept>();
/** Undefined where nothing is kept: no service worker, or it has not begun. */
export const kept: Accessor<Kept | undefined> = state;

/** Whether the visitor asked to be spared downloads; they are then made only when wanted. */
export const sparing: boolean = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;

/** Starts the service worker once the page has what it needs for itself. */
export function startOffline(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ offline?: Kept }>) => {
    if (data.offline !== undefined) setState(data.offline);
  });
  const begin = async (): Promise<void> => {
    try {
      await navigator.serviceWorker.register(new URL("sw.js", document.baseURI));
      if (!sparing) await keepEverything();
    } catch {
      // a host without https, or a browser that forbids it: the tour then needs the network
    }
  };
  const whenQuiet = (): void => void setTimeout(() => void begin(), 1500);
  if (document.readyState === "complete") whenQuiet();
  else addEventListener("load", whenQuiet, { once: true });
}

export async function keepEverything(): Promise<void> {
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage("keep everything");
}
