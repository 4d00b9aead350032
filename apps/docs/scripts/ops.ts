import { cpuKernels } from "@statespace/backend-cpu";
import { wasmKernels } from "@statespace/backend-wasm";
import { webGpuKernels } from "@statespace/backend-webgpu";
import { opCases, Draw } from "@statespace/conformance/cases";
import { roomOf, supportOf, type OpDeclaration } from "@statespace/core/backend";
import type { NdArray } from "@statespace/core/math";

const backends = { cpu: cpuKernels, wasm: wasmKernels, webgpu: webGpuKernels };

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** The page of an op: everything that its declaration says. */
export function opPage(spec: OpDeclaration): string {
  const { name, inputs, attrs, outputs, differentiable, inPlace = [], compose } = spec;
  const arrays = Object.entries(inputs).map(([input, shape]) => [
    code(input),
    code(shape.replace(/\?$/, "")),
    [
      shape.endsWith("?") ? "may be absent" : "",
      differentiable.includes(input) ? "has a gradient" : "",
      inPlace.includes(input) ? "is changed in place" : "",
    ]
      .filter((word) => word !== "")
      .join("; "),
  ]);
  const results = Object.entries(outputs).map(([output, shape]) => [
    code(output),
    typeof shape === "string" ? code(shape) : "follows from the arguments",
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
    `## Arguments\n\n${table(["argument", "shape", ""], arrays)}`,
    settings.length > 0 ? `## Attributes\n\n${table(["attribute", "unless told"], settings)}` : "",
    `## Results\n\n${table(["result", "shape"], results)}`,
    `## On the backends\n\n${table(["backend", "forward", "gradient"], support)}\n\n` +
      "`kernel`: one of its own; `composed`: of other ops; `ops`: the gradient is made of ops everywhere; `flat`: it is zero wherever it exists.",
    compose === undefined ? "" : "A backend without the kernel runs its definition from other ops.",
    example(spec),
    accuracy(name),
    `## Definition\n\nIn float64, as the kernels are judged:\n\n\`\`\`js\n${source(spec)}\n\`\`\``,
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
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

const sizeOf = (arrays: Readonly<Record<string, NdArray>>): number =>
  Object.values(arrays).reduce((sum, { data }) => sum + data.length, 0);

/** The smallest of the op's cases that is not empty, with the numbers that its definition gives. */
function example(spec: OpDeclaration): string {
  const drawn = opCases
    .filter(({ op }) => op.spec.name === spec.name)
    .filter(({ face }) => face === undefined)
    .map(({ make, attrs }) => ({ arrays: make(new Draw(1)), attrs: attrs ?? {} }))
    .filter(({ arrays }) => Object.values(arrays).every(({ data }) => data.length > 0))
    .sort((a, b) => sizeOf(a.arrays) - sizeOf(b.arrays));
  const smallest = drawn.find(({ arrays }) => sizeOf(arrays) > 15) ?? drawn[0];
  if (smallest === undefined || sizeOf(smallest.arrays) > 400) return "";
  const { arrays, attrs } = smallest;
  const rows = Object.entries(arrays).map(([input, array]) => [
    code(input),
    code(`[${array.shape.join(", ")}]`),
    numbers(array),
  ]);
  const all = { ...spec.attrs, ...attrs };
  const results = Object.entries(spec.reference(arrays as never, all as never)).map(([output, array]) => [
    code(output),
    code(`[${array.shape.join(", ")}]`),
    numbers(array),
  ]);
  const given = Object.entries(attrs).map(([attr, value]) => `${attr}: ${JSON.stringify(value)}`);
  return [
    "## Example",
    given.length > 0 ? `With ${code(`{ ${given.join(", ")} }`)}` : "",
    table(["argument", "shape", "values"], rows),
    table(["result", "shape", "values"], results),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function numbers({ data }: NdArray): string {
  const few = Array.from(data.slice(0, 8), (value) => String(Number(value.toPrecision(4))));
  return few.join(" ") + (data.length > few.length ? " …" : "");
}

/** What the op's cases allow, and why. */
function accuracy(name: string): string {
  const own = opCases.filter(({ op }) => op.spec.name === name);
  if (own.length === 0) return "";
  const bounds = new Map(own.map(({ bound }) => [bound.reason, bound]));
  const rows = [...bounds.values()].map(({ forward, backward, reason }) => [
    String(forward),
    String(backward),
    reason.replaceAll("|", "\\|"),
  ]);
  return [
    "## Accuracy",
    `${own.length} cases on every backend; bounds in units of 2^-24 of the sum of the absolute terms.`,
    table(["forward", "gradient", "why"], rows),
  ].join("\n\n");
}

/** All ops by the folder their kernels share. */
export function opIndex(specs: readonly OpDeclaration[]): string {
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
  return `# Ops\n\nEverything that a backend computes. A page tells shapes, attributes, the definition in float64, what is allowed to be off, and which backend has a kernel.\n\n${table(["room", "ops"], rows)}\n`;
}
