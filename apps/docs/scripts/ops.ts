import { cpuKernels } from "@statespace/backend-cpu";
import { wasmKernels } from "@statespace/backend-wasm";
import { webGpuKernels } from "@statespace/backend-webgpu";
import { opCases } from "@statespace/conformance/cases";
import { roomOf, supportOf, type OpDeclaration } from "@statespace/core/backend";
import type { NdArray } from "@statespace/core/math";
import type { Language } from "./api.ts";
import { accuracyOf, speedOf } from "./figures.ts";
import type { OpExample } from "./opExample.ts";

const backends = { cpu: cpuKernels, wasm: wasmKernels, webgpu: webGpuKernels };

const WORDS = {
  en: {
    args: "Arguments",
    argument: "argument",
    shape: "shape",
    absent: "may be absent",
    gradientOf: "has a gradient",
    inPlace: "is changed in place",
    attrs: "Attributes",
    attr: "attribute",
    fallback: "unless told",
    results: "Results",
    result: "result",
    follows: "follows from the arguments",
    backends: "On the backends",
    backend: "backend",
    forward: "forward",
    gradient: "gradient",
    support:
      "`kernel`: one of its own; `composed`: of other ops; `ops`: the gradient is made of ops everywhere; `flat`: it is zero wherever it exists.",
    composed: "A backend without the kernel runs its definition from other ops.",
    example: "Example",
    prints: "It prints, up to rounding:",
    values: "values",
    accuracy: "Accuracy",
    cases: (n: number) =>
      `What ${n} listed cases may be off on every backend, in units of 2^-24 of the sum of the absolute terms:`,
    why: "why",
    drawn:
      "What was seen in drawn cases ([how](https://github.com/statespace/statespace/blob/main/docs/accuracy.md)): cases, then largest error of bound.",
    speed: "Speed",
    timed: (what: string) =>
      `The least of seven rounds${what === "" ? "" : `, ${what}`}; the gradient with its forward pass. A sum is read back in each.`,
    definition: "Definition",
    judged: "In float64, as the kernels are judged:",
    ops: "Ops",
    about:
      "Everything that a backend computes. A page tells shapes, attributes, a program to run, the definition in float64, what is allowed to be off and what was seen, and which backend has a kernel.",
    room: "room",
  },
  zh: {
    args: "参数",
    argument: "参数",
    shape: "形状",
    absent: "可省略",
    gradientOf: "有梯度",
    inPlace: "原地修改",
    attrs: "属性",
    attr: "属性",
    fallback: "默认值",
    results: "结果",
    result: "结果",
    follows: "由参数决定",
    backends: "各后端",
    backend: "后端",
    forward: "前向",
    gradient: "梯度",
    support: "`kernel`：自有内核；`composed`：由其他算子组合；`ops`：梯度在各后端都由算子组成；`flat`：梯度处处为零。",
    composed: "没有内核的后端按其定义用其他算子计算。",
    example: "示例",
    prints: "打印（舍入误差内）：",
    values: "数值",
    accuracy: "精度",
    cases: (n: number) => `列出的 ${n} 个用例在每个后端上允许的误差，单位是各项绝对值之和的 2^-24：`,
    why: "理由（英文）",
    drawn:
      "随机用例中实际见到的误差（[方法](https://github.com/statespace/statespace/blob/main/docs/accuracy.md)）：用例数，然后是最大误差与上限。",
    speed: "速度",
    timed: (what: string) => `七轮中的最小值${what === "" ? "" : `，${what}`}；梯度含前向。每次都读回一个总和。`,
    definition: "定义",
    judged: "float64 定义，内核以它为准：",
    ops: "算子",
    about: "后端计算的一切。每页有形状、属性、可运行的程序、float64 定义、允许与实测的误差，以及哪个后端有内核。",
    room: "目录",
  },
} as const;

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** The page of an op: everything that its declaration says, a program, and what was measured. */
export function opPage(spec: OpDeclaration, example: string, shown: OpExample | undefined, language: Language): string {
  const words = WORDS[language];
  const { name, inputs, attrs, outputs, differentiable, inPlace = [], compose } = spec;
  const arrays = Object.entries(inputs).map(([input, shape]) => [
    code(input),
    code(shape.replace(/\?$/, "")),
    [
      shape.endsWith("?") ? words.absent : "",
      differentiable.includes(input) ? words.gradientOf : "",
      inPlace.includes(input) ? words.inPlace : "",
    ]
      .filter((word) => word !== "")
      .join("; "),
  ]);
  const results = Object.entries(outputs).map(([output, shape]) => [
    code(output),
    typeof shape === "string" ? code(shape) : words.follows,
  ]);
  const settings = Object.entries(attrs).map(([attr, fallback]) => [
    code(attr),
    code(JSON.stringify(fallback) ?? "undefined"),
  ]);
  const support = Object.entries(backends).map(([backend, kernels]) => {
    const { forward, gradient } = supportOf(kernels, spec);
    return [backend, forward, gradient];
  });
  return [
    `# ${name}`,
    `## ${words.args}\n\n${table([words.argument, words.shape, ""], arrays)}`,
    settings.length > 0 ? `## ${words.attrs}\n\n${table([words.attr, words.fallback], settings)}` : "",
    `## ${words.results}\n\n${table([words.result, words.shape], results)}`,
    `## ${words.example}\n\n\`\`\`ts\n${example}\n\`\`\``,
    shown === undefined ? "" : printed(shown, language),
    `## ${words.backends}\n\n${table([words.backend, words.forward, words.gradient], support)}\n\n${words.support}`,
    compose === undefined ? "" : words.composed,
    accuracy(name, language),
    speed(name, language),
    `## ${words.definition}\n\n${words.judged}\n\n\`\`\`js\n${source(spec)}\n\`\`\``,
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

/** What the program's lines print. */
function printed({ results }: OpExample, language: Language): string {
  const words = WORDS[language];
  const rows = Object.entries(results).map(([name, array]) => [
    code(name),
    code(`[${array.shape.join(", ")}]`),
    numbers(array),
  ]);
  return `${words.prints}\n\n${table([words.result, words.shape, words.values], rows)}`;
}

/** The reference's own text; where its types stood there are spaces, which go too. */
function source({ reference }: OpDeclaration): string {
  const lines = reference.toString().split("\n");
  const indent = Math.min(...lines.slice(1).map((line) => (line.trim() === "" ? Infinity : line.search(/\S/))));
  const tidy = (line: string): string =>
    line
      .replaceAll(/(\S) {2,}/g, "$1 ")
      .replaceAll(/ +([;,)\].])/g, "$1")
      .trimEnd();
  return lines.map((line, i) => tidy(i === 0 ? line : line.slice(indent))).join("\n");
}

function numbers({ data }: NdArray): string {
  const few = Array.from(data.slice(0, 8), (value) => String(Number(value.toPrecision(4))));
  return few.join(" ") + (data.length > few.length ? " …" : "");
}

function accuracy(name: string, language: Language): string {
  const words = WORDS[language];
  const own = opCases.filter(({ op }) => op.spec.name === name);
  const bounds = new Map(own.map(({ bound }) => [bound.reason, bound]));
  const rows = [...bounds.values()].map(({ forward, backward, reason }) => [
    String(forward),
    String(backward),
    reason.replaceAll("|", "\\|"),
  ]);
  const drawn = accuracyOf(name).map(({ backend, forward, gradient }) => [backend, forward, gradient]);
  return [
    `## ${words.accuracy}`,
    drawn.length > 0 ? `${words.drawn}\n\n${table([words.backend, words.forward, words.gradient], drawn)}` : "",
    rows.length > 0 ? `${words.cases(own.length)}\n\n${table([words.forward, words.gradient, words.why], rows)}` : "",
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function speed(name: string, language: Language): string {
  const words = WORDS[language];
  const measured = speedOf(name);
  if (measured === undefined) return "";
  const { what, rows } = measured;
  const lines = rows.map(({ backend, forward, gradient }) => [backend, forward, gradient]);
  return `## ${words.speed}\n\n${words.timed(what)}\n\n${table([words.backend, words.forward, words.gradient], lines)}`;
}

/** All ops by the folder their kernels share. */
export function opIndex(specs: readonly OpDeclaration[], language: Language): string {
  const words = WORDS[language];
  const rooms = Map.groupBy(specs, (spec) => roomOf(spec) ?? "contract");
  const rows = [...rooms]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([room, own]) => [
      room,
      own
        .map(({ name }) => name)
        .sort()
        .map((name) => `[${name}](./${name}.md)`)
        .join(", "),
    ]);
  return `# ${words.ops}\n\n${words.about}\n\n${table([words.room, words.ops], rows)}\n`;
}
