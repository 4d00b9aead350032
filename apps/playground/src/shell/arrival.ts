import { createSignal, type Accessor } from "solid-js";

/**
 * Where a visitor stands when a page opens: at its top, or, after going back, where they were. The heading takes the focus and is told to
 * screen readers. Positions are kept here and not by the browser, since a page's content comes after its address.
 */

interface Arrival {
  readonly top: number;
  /** Whether the visitor went there by a link or by going back, and not by loading the page. */
  readonly walked: boolean;
}

const KEPT = "statespace.scroll";
/** How long a position is tried for, while the page's content still grows. */
const PATIENCE_MS = 3000;

history.scrollRestoration = "manual";
const positions = readPositions();
let entry = entryOf(history.state) ?? "";
let pending: Arrival | undefined = entry === "" ? undefined : { top: positions[entry] ?? 0, walked: false };
let stopSettling: (() => void) | undefined;
if (entry === "") entry = nameEntry();

addEventListener(
  "scroll",
  () => {
    if (pending === undefined && stopSettling === undefined) positions[entry] = scrollY;
  },
  { passive: true },
);
addEventListener("pagehide", () => {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(positions));
  } catch {
    // private windows may refuse; going back after a reload then starts at the top
  }
});

const [heading, setHeading] = createSignal("");
/** The heading of the page that was last walked to, for screen readers. */
export const announced: Accessor<string> = heading;

function readPositions(): Record<string, number> {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") as Record<string, number>;
  } catch {
    return {};
  }
}

function entryOf(state: unknown): string | undefined {
  const name = (state as { entry?: unknown } | null)?.entry;
  return typeof name === "string" ? name : undefined;
}

function nameEntry(): string {
  const name = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 7)}`;
  history.replaceState({ entry: name }, "");
  return name;
}

/** Call when the address has changed, before the page does: a new entry of the history opens at its top, an old one where it was left. */
export function noteWay(): void {
  const known = entryOf(history.state);
  entry = known ?? nameEntry();
  stopSettling?.();
  pending = { top: known === undefined ? 0 : (positions[known] ?? 0), walked: true };
}

/** Call when another view of the same page is shown: nobody arrives. */
export function forgetWay(): void {
  pending = undefined;
}

/** Call when a page stands in the document. */
export function arrive(title: HTMLElement): void {
  const arrival = pending;
  pending = undefined;
  if (arrival === undefined) return;
  if (arrival.walked) {
    title.focus({ preventScroll: true });
    setHeading(title.textContent ?? "");
  }
  settle(arrival.top);
}

/** Scrolls now, and again while the page grows, until the place exists or the visitor scrolls. */
function settle(top: number): void {
  const reach = (): boolean => {
    scrollTo({ top, behavior: "instant" });
    return document.documentElement.scrollHeight - innerHeight >= top - 1;
  };
  if (reach()) return;
  const observer = new ResizeObserver(() => {
    if (reach()) stop();
  });
  const byHand = ["wheel", "touchstart", "keydown", "pointerdown"] as const;
  const stop = (): void => {
    observer.disconnect();
    clearTimeout(timer);
    for (const event of byHand) removeEventListener(event, stop);
    stopSettling = undefined;
  };
  const timer = setTimeout(stop, PATIENCE_MS);
  for (const event of byHand) addEventListener(event, stop, { passive: true });
  observer.observe(document.body);
  stopSettling = stop;
}
