// Writes both ends of a kernel's call from its declaration: C that takes the argument words apart, TypeScript that puts them together.
import { argumentsOf, type Argument, type Declarations, type Kernel, type Size } from "./declarations.ts";

/** C: one `Call` a kernel, for the unit that its source is compiled in. */
export function cCalls(kernels: readonly Kernel[]): string {
  return kernels.map(cCall).join("\n");
}

function cCall({ name, parameters }: Kernel): string {
  const lines: string[] = [];
  const values: string[] = [];
  let word = 0;
  for (const { name: parameter, type, fields } of parameters) {
    if (fields) {
      const members = fields.map((field, i) => `.${field.name} = ${cWord(field.type, word + i)}`);
      lines.push(`  ${type} ${parameter} = {${members.join(", ")}};`);
      values.push(parameter);
      word += fields.length;
    } else values.push(cWord(type, word++));
  }
  return [
    `void ${name}Call(const W *words, int thread, int threads) {`,
    ...lines,
    `  ${name}(thread, threads, ${values.join(", ")});`,
    "}",
  ].join("\n");
}

function cWord(type: string, at: number): string {
  if (type === "float") return `wordAsFloat(words[${at}])`;
  return type === "List" ? `words + ${at}` : `(${type})words[${at}]`;
}

/** C: the kernels by number. */
export function cTable(kernels: readonly Kernel[]): string {
  const calls = kernels.map(({ name }) => `${name}Call`);
  return `#include "rt.h"\n${calls.map((call) => `Call ${call};`).join("\n")}\nCall *const kernels[] = {${calls.join(", ")}};\n`;
}

const TYPES: Readonly<Record<Argument["kind"], string>> = {
  tensor: "TensorInfo",
  packed: "TensorInfo",
  maybe: "TensorInfo | undefined",
  integer: "number",
  float: "number",
  flag: "boolean",
  list: "readonly number[]",
};

function tsWord({ name, kind }: Argument): string {
  const value = `v.${name}`;
  switch (kind) {
    case "tensor":
      return `on.at(${value})`;
    case "maybe":
      return `on.maybeAt(${value})`;
    case "packed":
      return `on.atPacked(${value})`;
    case "float":
      return `floatWord(${value})`;
    case "flag":
      return `${value} ? 1 : 0`;
    case "list":
      return `...${value}`;
    case "integer":
      return value;
  }
}

const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1);
/** `BINARY_INT` to `BinaryInt`. */
const familyName = (macro: string): string => macro.toLowerCase().split("_").map(capital).join("");

/** TypeScript: numbers, typed callers, constants and sizes. */
export function tsModule({ kernels, sizes, constants }: Declarations): string {
  const families = new Map<string, Kernel[]>();
  for (const kernel of kernels)
    if (kernel.family) families.set(kernel.family, [...(families.get(kernel.family) ?? []), kernel]);
  const alone = kernels.filter(({ family }) => family === undefined);
  const typeOf = ({ name, family }: Kernel): string => `${family ? familyName(family) : capital(name)}Arguments`;
  const argumentTypes = [...alone, ...[...families.values()].map(([first]) => first!)].map(
    (kernel) =>
      `export interface ${typeOf(kernel)} {\n${argumentsOf(kernel)
        .map(({ name, kind }) => `  readonly ${name}: ${TYPES[kind]};`)
        .join("\n")}\n}`,
  );
  const familyParts = [...families].flatMap(([macro, members]) => {
    const words = argumentsOf(members[0]!).map(tsWord).join(", ");
    return [
      `/** Kernels that ${macro} makes. */\nexport type ${familyName(macro)}Kernel = ${members.map(({ name }) => `"${name}"`).join(" | ")};`,
      `const ${macro} = (name: ${familyName(macro)}Kernel): Caller<${typeOf(members[0]!)}> => (on, v, work) => on.call(name, [${words}], work);`,
    ];
  });
  return [
    `import type { TensorInfo } from "@statespace/core/backend";`,
    `import { floatWord } from "./runtime/floatWord.ts";`,
    `export const kernelNumbers = {${kernels.map(({ name }, i) => ` ${name}: ${i}`).join(",")} } as const;`,
    `export type KernelNumber = keyof typeof kernelNumbers;`,
    `/** What a call needs of the backend: addresses, and a queue. */
export interface Launcher {
  at(x: TensorInfo): number;
  maybeAt(x: TensorInfo | undefined): number;
  atPacked(x: TensorInfo): number;
  call(kernel: KernelNumber, words: readonly number[], work: number): void;
}
/** Queues a kernel; \`work\` (elementary operations) decides whether all threads take part. */
export type Caller<Arguments> = (on: Launcher, values: Arguments, work: number) => void;`,
    ...argumentTypes,
    ...familyParts,
    `/** A typed caller for each KERNEL of the C sources. */
export const call: {
${kernels.map((kernel) => `  readonly ${kernel.name}: Caller<${typeOf(kernel)}>;`).join("\n")}
} = {
${kernels.map((kernel) => `  ${kernel.name}: ${kernel.family ? `${kernel.family}("${kernel.name}")` : caller(kernel)},`).join("\n")}
};`,
    `/** Enumerators of the C sources. */\nexport const constants = {\n${[...constants].map(([name, value]) => `  ${name}: ${value},`).join("\n")}\n} as const;`,
    `const ceilDivide = (x: number, y: number): number => Math.ceil(x / y);\n/** The SIZE expressions of the C sources. */\nexport const sizes = {\n${sizes.map((size) => tsSize(size, sizes, constants)).join("\n")}\n};`,
    "",
  ].join("\n");
}

function caller(kernel: Kernel): string {
  return `(on, v, work) => on.call("${kernel.name}", [${argumentsOf(kernel).map(tsWord).join(", ")}], work)`;
}

const HELPERS: Readonly<Record<string, string>> = {
  ceilDivide: "ceilDivide",
  minLong: "Math.min",
  maxLong: "Math.max",
};

function tsSize(
  { name, parameters, expression }: Size,
  sizes: readonly Size[],
  constants: ReadonlyMap<string, number>,
): string {
  const text = expression.replace(/(?<![.\w])[A-Za-z_]\w*/g, (word) => {
    if (parameters.includes(word)) return word;
    if (HELPERS[word]) return HELPERS[word];
    if (sizes.some((size) => size.name === word)) return `sizes.${word}`;
    const value = constants.get(word);
    if (value === undefined) throw new Error(`SIZE(${name}): what is ${word}?`);
    return String(value);
  });
  return `  ${name}: (${parameters.map((parameter) => `${parameter}: number`).join(", ")}): number => ${text},`;
}
