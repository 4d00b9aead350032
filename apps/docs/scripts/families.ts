import type { families } from "@statespace/models";
import type { Language } from "./api.ts";

type Family = (typeof families)[number];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const code = (text: string): string => `\`${text}\``;

const WORDS = {
  en: {
    found: "`load` finds it by itself",
    read: "it is only read",
    written: (name: string) =>
      `it is saved in the form it came in, or asked for: \`savePretrained(model, folder, { family: "${name}" })\``,
    checkpoints: "Checkpoints",
    reads: "Read from",
    writes: "Written as",
    parity: "Parity with transformers",
    share:
      "The largest share of any bound that logits, greedy tokens, loss and gradients took of what separates float32 from transformers' values, on small checkpoints of the family",
    weights: "Names of the weights",
    here: "here",
    theirs: "in its files",
    others: "Other names that are read",
    some: "in some files",
    means: "means",
    left: "Left out",
    begin: "names that begin with",
    what: "what",
    title: "Families",
    about: "Published models, each loaded as its authors saved it.",
    family: "family",
    both: "read, written",
    only: "read",
  },
  zh: {
    found: "`load` 会自动识别",
    read: "只读",
    written: (name: string) => `按原来的形式保存，或指定：\`savePretrained(model, folder, { family: "${name}" })\``,
    checkpoints: "检查点",
    reads: "可读格式",
    writes: "可写格式",
    parity: "与 transformers 的一致性",
    share: "在该家族的小检查点上，logits、贪心解码的 token、损失和梯度用去的误差上限的最大比例",
    weights: "权重名称",
    here: "本库",
    theirs: "文件中",
    others: "可读的其他名称",
    some: "某些文件中",
    means: "含义",
    left: "略去",
    begin: "以此开头的名称",
    what: "内容（英文）",
    title: "模型家族",
    about: "已发布的模型，按作者保存的样子加载。",
    family: "家族",
    both: "可读可写",
    only: "只读",
  },
} as const;

/** What is tried of a `model_type`: the rows of the table in `docs/parity.md`. */
export interface FamilyRow {
  readonly type: string;
  readonly checkpoints: string;
  readonly inputs: string;
  readonly outputs: string;
  /** For cpu, wasm, webgpu. */
  readonly parity: readonly string[];
}

/** The rows of that table. */
export function familyRows(text: string): FamilyRow[] {
  const [, rows = ""] = /<!-- families:begin -->([\s\S]*?)<!-- families:end -->/.exec(text) ?? [];
  return [...rows.matchAll(/^\| `(?!model_type`)(\w+)` \| (.*) \| (.*) \| (.*) \| (.*) \|$/gm)].map(
    ([, type, checkpoints, inputs, outputs, parity]) => ({
      type: type!,
      checkpoints: checkpoints!,
      inputs: inputs!,
      outputs: outputs!,
      parity: parity!.split(", "),
    }),
  );
}

/** The page of a family: what it is, how near it is to other people's code, and what its files call the weights. @param readme of the families' folder */
export function familyPage(family: Family, readme: string, tried: readonly FamilyRow[], language: Language): string {
  const words = WORDS[language];
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
  const { intro, types } = about(name, readme);
  return [
    `# ${name}`,
    intro,
    `${words.found}; ${write === undefined ? words.read : words.written(name)}.`,
    ...tried.filter(({ type }) => types.includes(type)).map((row) => parity(row, language)),
    rows.length > 0 ? `## ${words.weights}\n\n${table([words.here, words.theirs], rows)}` : "",
    others.length > 0 ? `## ${words.others}\n\n${table([words.some, words.means], others)}` : "",
    left.length > 0 ? `## ${words.left}\n\n${table([words.begin, words.what], left)}` : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

function parity(row: FamilyRow, language: Language): string {
  const words = WORDS[language];
  const [cpu, wasm, webgpu] = row.parity;
  const facts = table(
    [code(row.type), ""],
    [
      [words.checkpoints, row.checkpoints],
      [words.reads, row.inputs],
      [words.writes, row.outputs],
    ],
  );
  return `## ${words.parity}: ${row.type}\n\n${facts}\n\n${words.share}:\n\n${table(["cpu", "wasm", "webgpu"], [[cpu!, wasm!, webgpu!]])}`;
}

/** The family's row of the README's table. */
function about(name: string, readme: string): { intro: string; types: string } {
  const row = readme.split("\n").find((line) => line.startsWith("| ") && line.includes(`\`${name}\``));
  const [title, types = "", layers] =
    row
      ?.split("|")
      .slice(1)
      .map((cell) => cell.trim()) ?? [];
  return { intro: row === undefined ? "" : `${title}: ${layers}. \`model_type\`: ${types}.`, types };
}

/** All families. */
export function familyIndex(all: readonly Family[], language: Language): string {
  const words = WORDS[language];
  const rows = all.map(({ name, write }) => [`[${name}](./${name}.md)`, write === undefined ? words.only : words.both]);
  return `# ${words.title}\n\n${words.about}\n\n${table([words.family, ""], rows)}\n`;
}
