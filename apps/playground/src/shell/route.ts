import { createMemo, createRoot, createSignal, type Accessor } from "solid-js";
import { forgetWay, noteWay } from "./arrival.ts";

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
  clearTimeout(pending);
  pending = undefined;
  const next = parse(location.hash);
  if (next.page === page()) forgetWay();
  else noteWay();
  setRoute(next);
});
// a link leaves this view: what was set a moment ago shall stand in its address, for the way back
window.addEventListener("click", () => writeAddress(), { capture: true });

/** A memo: what depends on the page does not run when a parameter changes. */
export const page: Accessor<string> = createRoot(() => createMemo(() => route().page));
export const params: Accessor<Readonly<Record<string, string>>> = () => route().params;

/** Parameters that follow the visitor from page to page. */
const GLOBAL: ReadonlySet<string> = new Set(["lang", "theme", "backend"]);

/** The address of a page in the current language and theme. */
export function hrefOf(page: string): string {
  const kept = Object.entries(params()).filter(([name]) => GLOBAL.has(name));
  return format({ page, params: Object.fromEntries(kept) });
}

let pending: ReturnType<typeof setTimeout> | undefined;

/** Changes parameters; `undefined` removes one. The address follows a little later, since browsers limit how often it may change. */
export function setParams(changes: Readonly<Record<string, string | undefined>>): void {
  const merged = Object.entries({ ...params(), ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  setRoute({ page: page(), params: Object.fromEntries(merged) });
  clearTimeout(pending);
  pending = setTimeout(writeAddress, 250);
}

/** Writes what is pending into the address; the entry of the history keeps its name. */
function writeAddress(): void {
  if (pending === undefined) return;
  clearTimeout(pending);
  pending = undefined;
  history.replaceState(history.state, "", format(route()));
}

/** How a value is written in the address. `parse` returns undefined for what it does not know. */
export interface Codec<T> {
  parse(text: string): T | undefined;
  format(value: T): string;
}

export const text: Codec<string> = { parse: (value) => value, format: (value) => value };
export const flag: Codec<boolean> = { parse: (value) => value === "1", format: (value) => (value ? "1" : "0") };

/** A number in a range; others are not taken from the address. */
export function number(min: number, max: number): Codec<number> {
  return {
    parse: (value) => (value !== "" && Number(value) >= min && Number(value) <= max ? Number(value) : undefined),
    format: (value) => String(+value.toPrecision(8)),
  };
}

/** One of a list of words. */
export function choice<T extends string>(...words: readonly T[]): Codec<T> {
  return { parse: (value) => words.find((word) => word === value), format: (value) => value };
}

/** A list of numbers. */
export const numbers: Codec<readonly number[]> = {
  parse: (value) => {
    const list = value.split(",").map(Number);
    return list.every(Number.isFinite) ? list : undefined;
  },
  format: (list) => list.map((value) => +value.toPrecision(5)).join(","),
};

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
