import { createEffect, createMemo, createRoot, createSignal, type Accessor } from "solid-js";
import { params, setParams } from "./route.ts";
import { remember, remembered } from "./remembered.ts";

export type Theme = "light" | "dark";

const system = window.matchMedia("(prefers-color-scheme: dark)");
const [systemTheme, setSystemTheme] = createSignal<Theme>(system.matches ? "dark" : "light");
system.addEventListener("change", () => setSystemTheme(system.matches ? "dark" : "light"));
const isTheme = (value: string | undefined): value is Theme => value === "light" || value === "dark";
const saved = remembered("theme");
const [chosen, setChosen] = createSignal<Theme | undefined>(isTheme(saved) ? saved : undefined);

/** Light or dark: the address's, else what was chosen before, else the system's. */
export const theme: Accessor<Theme> = createRoot(() => {
  const current = createMemo<Theme>(() => {
    const named = params()["theme"];
    return isTheme(named) ? named : (chosen() ?? systemTheme());
  });
  createEffect(() => (document.documentElement.dataset["theme"] = current()));
  return current;
});

export function toggleTheme(): void {
  const next = theme() === "dark" ? "light" : "dark";
  remember("theme", next);
  setChosen(next);
  setParams({ theme: params()["theme"] === undefined ? undefined : next });
}

/** The value of a CSS colour variable under the current theme; reading it tracks the theme. */
export function color(name: string): string {
  theme();
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
