import { defaultText, valuesText, type Dialect, type Fields } from "./field.ts";

/** The settings of a kind of layer as a Markdown table; of another kind's `base`, only those that differ. */
export function settingsTable(fields: Fields, base: Fields = {}): string {
  const own = Object.entries(fields).filter(([setting, field]) => base[setting] !== field);
  if (own.length === 0) return "";
  const dialects = (["transformers", "mamba_ssm"] satisfies Dialect[]).filter((dialect) =>
    own.some(([, { names }]) => names?.[dialect] !== undefined),
  );
  const rows = own.map(([setting, field]) => [
    `\`${setting}\``,
    valuesText(field),
    defaultText(field),
    field.doc,
    ...dialects.map((dialect) => (field.names?.[dialect] === undefined ? "" : `\`${field.names[dialect]}\``)),
  ]);
  const head = ["setting", "values", "default", "meaning", ...dialects];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
