// Writes the table of settings into the README of each mixer, between its two marks: `pnpm settings`. A test holds them equal.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { settingsTable } from "../src/config/settingsTable.ts";
import { mixerKinds, mixers, type MixerKind } from "../src/mixers/registry.ts";

/** Kinds whose folder is not their name. */
const sharedFolders: Partial<Record<MixerKind, string>> = { s4d: "s4", dss: "s4", gru: "recurrent", lstm: "recurrent" };
const [OPEN, CLOSE] = ["<!-- settings -->", "<!-- /settings -->"];

/** The READMEs as they should be, by their path. */
export function readmes(): Map<string, string> {
  const folders = new Map<string, MixerKind[]>();
  for (const kind of mixerKinds) {
    const folder = sharedFolders[kind] ?? kind;
    folders.set(folder, [...(folders.get(folder) ?? []), kind]);
  }
  return new Map(
    [...folders].map(([folder, kinds]) => {
      const path = fileURLToPath(new URL(`../src/mixers/${folder}/README.md`, import.meta.url));
      const text = readFileSync(path, "utf8");
      const [from, until] = [text.indexOf(OPEN) + OPEN.length, text.indexOf(CLOSE)];
      if (until < from) throw new Error(`${path}: needs ${OPEN} and ${CLOSE}`);
      return [path, `${text.slice(0, from)}\n${section(kinds)}\n${text.slice(until)}`];
    }),
  );
}

/** The first kind's table, and of each other kind what differs from it. */
function section([first, ...others]: readonly MixerKind[]): string {
  const base = mixers[first!].fields;
  const parts = [settingsTable(base)];
  for (const kind of others) {
    const own = settingsTable(mixers[kind].fields, base);
    parts.push(own === "" ? `\`${kind}\`: the same.` : `\`${kind}\`: the same, but for\n\n${own}`);
  }
  return `\n${parts.join("\n\n")}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const [path, text] of readmes()) writeFileSync(path, text);
