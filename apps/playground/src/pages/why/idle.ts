import { sparing } from "../../offline/sparing.ts";

/** How long nothing may have happened. */
const QUIET_MS = 2500;

/** Calls once the visitor reads and the browser has nothing to do; not at all where downloads should be spared. Returns how to call it off. */
export function whenIdle(act: () => void): () => void {
  if (sparing) return () => undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const byHand = ["pointerdown", "keydown", "wheel", "touchstart", "input"] as const;
  const stop = (): void => {
    clearTimeout(timer);
    for (const event of byHand) removeEventListener(event, restart);
  };
  const fire = (): void => {
    if (document.visibilityState === "hidden") return restart();
    stop();
    act();
  };
  function restart(): void {
    clearTimeout(timer);
    timer = setTimeout(() => ("requestIdleCallback" in window ? requestIdleCallback(fire) : fire()), QUIET_MS);
  }
  for (const event of byHand) addEventListener(event, restart, { passive: true });
  restart();
  return stop;
}
