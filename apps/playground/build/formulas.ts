import { readFile } from "node:fs/promises";
import temml from "temml";
import type { Plugin } from "vite";

/** One formula a line, `name = TeX`; empty lines and lines that begin with % are passed over. */
export function parseFormulas(text: string): [name: string, tex: string][] {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("%"));
  return lines.map((line) => {
    const [, name, tex] = /^(\w+)\s*=\s*(.+)$/.exec(line) ?? [];
    if (name === undefined || tex === undefined) throw new Error(`formulas: not "name = TeX": ${line}`);
    return [name, tex];
  });
}

/** A formula's parts: what stands between `\\qquad` outside of any braces. A narrow page breaks its line there. */
export function partsOf(tex: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const piece of tex.split(/(\\qquad\b|\\[{}]|\\begin\b|\\end\b|[{}])/)) {
    if (piece === "{" || piece === "\\begin") depth++;
    if (piece === "}" || piece === "\\end") depth--;
    if (piece === "\\qquad" && depth === 0) parts.push("");
    else parts[parts.length - 1] += piece;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** Turns `*.tex` files into MathML while building, so that no TeX engine travels to the visitor. */
export function formulas(): Plugin {
  return {
    name: "formulas",
    enforce: "pre",
    async load(id) {
      if (!id.endsWith(".tex")) return undefined;
      const rendered = parseFormulas(await readFile(id, "utf8")).map(([name, tex]) => [
        name,
        partsOf(tex).map((part) =>
          temml.renderToString(part, { displayMode: true, throwOnError: true, annotate: false }),
        ),
      ]);
      return { code: `export default ${JSON.stringify(Object.fromEntries(rendered))};`, map: null };
    },
  };
}
