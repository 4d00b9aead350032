import type { families } from "@statespace/models";

type Family = (typeof families)[number];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const code = (text: string): string => `\`${text}\``;

/** The page of a family: what it is, and what its files call the weights. @param read a file of the families' folder */
export function familyPage(family: Family, read: (file: string) => string): string {
  const { name, weights, aliases = {}, leftOut = {}, write } = family;
  const rows = Object.entries(weights).map(([ours, theirs]) => [
    code(ours),
    typeof theirs === "string"
      ? code(theirs)
      : Object.entries(theirs)
          .map(([file, parts]) => `${code(file)} (${(parts as readonly string[]).join(", ")})`)
          .join("<br>"),
  ]);
  const others = Object.entries(aliases).map(([theirs, known]) => [code(theirs), code(known)]);
  const left = Object.entries(leftOut).map(([begin, what]) => [code(begin), what]);
  return [
    `# ${name}`,
    about(name, read("README.md")),
    `\`load\` finds it by itself; it is ${write === undefined ? "only read" : `saved in the form it came in, or asked for: \`savePretrained(model, folder, { family: "${name}" })\``}.`,
    rows.length > 0 ? `## Names of the weights\n\n${table(["here", "in its files"], rows)}` : "",
    others.length > 0 ? `## Other names that are read\n\n${table(["in some files", "means"], others)}` : "",
    left.length > 0 ? `## Left out\n\n${table(["names that begin with", "what"], left)}` : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

/** The family's row of the README's table. */
function about(name: string, readme: string): string {
  const row = readme.split("\n").find((line) => line.startsWith("| ") && line.includes(`\`${name}\``));
  const [title, types, layers] =
    row
      ?.split("|")
      .slice(1)
      .map((cell) => cell.trim()) ?? [];
  return row === undefined ? "" : `${title}: ${layers}. \`model_type\`: ${types}.`;
}

/** All families. */
export function familyIndex(all: readonly Family[]): string {
  const rows = all.map(({ name, write }) => [
    `[${name}](./${name}.md)`,
    write === undefined ? "read" : "read, written",
  ]);
  return `# Families\n\nPublished models, each loaded as its authors saved it.\n\n${table(["family", ""], rows)}\n`;
}
