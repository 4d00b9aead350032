import { createMemo, createRoot, createSignal, type Accessor } from "solid-js";
import { forgetWay, noteWay } from "./arrival.ts";
import type { Codec } from "./codecs.ts";
import { owe } from "./owed.ts";

/** The view in the address: `#/selection?lang=zh&seed=3`. Everything a visitor can set stands there, so that a view can be shared. */
interface Route {
  readonly page: string;
  readonly params: Readonly<Record<string, string>>;
}

function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { page: path, params: Object.fromEntries(new URLSearchParams(query)) };
}

function format({ page, params }: Route): string {
  const query = new URLSearchParams(params).toString();
  return `#/${page}${query === "" ? "" : `?${query}`}`;
}

const [route, setRoute] = createSignal<Route>(parse(location.hash));
window.addEventListener("hashchange", () => {
  // our own replaceState raises no event; one that arrives is the visitor's
  forgetPending();
  standing = location.hash;
  const next = parse(location.hash);
  if (next.page === page()) forgetWay();
  else {
    noteLeft();
    noteWay();
  }
  setRoute(next);
});
// a link leaves this view: what was set a moment ago shall stand in its address, for the way back
window.addEventListener("click", () => writeAddress(), { capture: true });
window.addEventListener("pagehide", () => {
  writeAddress();
  noteLeft();
});

/** A memo: what depends on the page does not run when a parameter changes. */
export const page: Accessor<string> = createRoot(() => createMemo(() => route().page));
export const params: Accessor<Readonly<Record<string, string>>> = () => route().params;

/** Parameters that follow the visitor from page to page. */
const GLOBAL: ReadonlySet<string> = new Set(["lang", "theme", "backend", "notation"]);

const LEFT = "statespace.left";
/** What was set on each page, so that a link leads back to the view that was left. */
const left: Record<string, Readonly<Record<string, string>>> = readLeft();

function readLeft(): Record<string, Readonly<Record<string, string>>> {
  try {
    return JSON.parse(sessionStorage.getItem(LEFT) ?? "{}") as typeof left;
  } catch {
    return {};
  }
}

function noteLeft(): void {
  left[page()] = params();
  try {
    sessionStorage.setItem(LEFT, JSON.stringify(left));
  } catch {
    // private windows may refuse; links then lead to the views that pages start with, after a reload
  }
}

const only = (all: Readonly<Record<string, string>>, everywhere: boolean): [string, string][] =>
  Object.entries(all).filter(([name]) => GLOBAL.has(name) === everywhere);

/** The address of a page as it was left, in the current language and theme. */
export function hrefOf(target: string): string {
  // read first: the links follow the page they stand on
  const current = only(params(), true);
  const own = target === page() ? [] : only(left[target] ?? {}, false);
  return format({ page: target, params: Object.fromEntries([...own, ...current]) });
}

/** The address of a page in a given state, in the current language and theme. */
export function hrefIn(target: string, state: Readonly<Record<string, string>>): string {
  return format({ page: target, params: Object.fromEntries([...only(params(), true), ...Object.entries(state)]) });
}

/** The address that this view came from or was written to. */
let standing = location.hash;
/** An address that is to be written. */
let pending: { readonly timer: ReturnType<typeof setTimeout>; readonly paid: () => void } | undefined;

function forgetPending(): void {
  clearTimeout(pending?.timer);
  pending?.paid();
  pending = undefined;
}

/** Changes parameters; `undefined` removes one. The address follows a little later, since browsers limit how often it may change. */
export function setParams(changes: Readonly<Record<string, string | undefined>>): void {
  const merged = Object.entries({ ...params(), ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  setRoute({ page: page(), params: Object.fromEntries(merged) });
  forgetPending();
  pending = { timer: setTimeout(writeAddress, 250), paid: owe() };
}

/** Writes what is pending into the address; the entry of the history keeps its name. */
function writeAddress(): void {
  if (pending === undefined) return;
  forgetPending();
  if (location.hash !== standing) return; // the visitor is on the way elsewhere, and the event that tells so comes next
  history.replaceState(history.state, "", format(route()));
  standing = location.hash;
}

/** A signal that lives in the address. */
export function useParam<T>(name: string, initial: T, codec: Codec<T>): [Accessor<T>, (value: T) => void] {
  // through a memo of the text, so that what depends on one parameter does not run when another changes
  const written = createMemo(() => params()[name]);
  const read = createMemo(() => {
    const value = written();
    return (value === undefined ? undefined : codec.parse(value)) ?? initial;
  });
  const write = (value: T): void =>
    setParams({ [name]: codec.format(value) === codec.format(initial) ? undefined : codec.format(value) });
  return [read, write];
}
