// Reads from the C sources what TypeScript has to know: the arguments of each KERNEL, the SIZE expressions and the enumerators.

/** How an argument reaches a kernel. `maybe`: a tensor that may be absent. */
export type Kind = "tensor" | "maybe" | "packed" | "integer" | "float" | "flag" | "list";

export interface Argument {
  readonly name: string;
  readonly kind: Kind;
  /** Its C type. */
  readonly type: string;
}

/** A parameter of the C function: one argument, or a struct of several. */
export interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly fields: readonly Argument[] | undefined;
}

export interface Kernel {
  readonly name: string;
  readonly file: string;
  /** The macro that made it, where several kernels are made by one. */
  readonly family: string | undefined;
  readonly parameters: readonly Parameter[];
}

export interface Size {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly expression: string;
}

export interface Declarations {
  /** In the order of their numbers. */
  readonly kernels: readonly Kernel[];
  readonly sizes: readonly Size[];
  readonly constants: ReadonlyMap<string, number>;
}

/** The parameter types of rt.h. */
const KINDS: Readonly<Record<string, Kind>> = {
  In: "tensor",
  Out: "tensor",
  InOut: "tensor",
  InInts: "tensor",
  OutInts: "tensor",
  InOutInts: "tensor",
  InWords: "tensor",
  OutWords: "tensor",
  Space: "tensor",
  MaybeIn: "maybe",
  MaybeOut: "maybe",
  MaybeInts: "maybe",
  MaybeInOutInts: "maybe",
  Packed: "packed",
  long: "integer",
  int: "integer",
  float: "float",
  Flag: "flag",
  List: "list",
};

const withoutComments = (text: string): string => text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, "");

/** Arguments of `In u, delta; long b;`, or undefined where a field is no argument. */
function fieldsOf(body: string): Argument[] | undefined {
  const fields: Argument[] = [];
  for (const line of body.split(";").map((part) => part.trim())) {
    if (line === "") continue;
    const [, type, names] = /^(\w+) ([\w, ]+)$/.exec(line.replace(/\s+/g, " ")) ?? [];
    const kind = KINDS[type ?? ""];
    if (kind === undefined) return undefined;
    for (const name of names!.split(",")) fields.push({ name: name.trim(), kind, type: type! });
  }
  return fields;
}

function structsOf(text: string): Map<string, Argument[]> {
  const structs = new Map<string, Argument[]>();
  for (const [, body, name] of text.matchAll(/typedef struct \{([^{}]*)\} (\w+);/g)) {
    const fields = fieldsOf(body!);
    if (fields) structs.set(name!, fields);
  }
  return structs;
}

function parametersOf(kernel: string, text: string, structs: ReadonlyMap<string, Argument[]>): Parameter[] {
  const seen = new Set<string>();
  const parameters = text.split(",").map((part): Parameter => {
    const [, type, name] = /^(\w+) (\w+)$/.exec(part.trim().replace(/\s+/g, " ")) ?? [];
    if (type === undefined || (KINDS[type] === undefined && !structs.has(type)))
      throw new Error(`KERNEL(${kernel}): "${part.trim()}" is no parameter of rt.h's types`);
    return { name: name!, type, fields: structs.get(type) };
  });
  for (const { name } of argumentsOf({ parameters })) {
    if (seen.has(name)) throw new Error(`KERNEL(${kernel}): two arguments are called ${name}`);
    seen.add(name);
  }
  return parameters;
}

/** The arguments of a kernel in the order of its words, structs opened. */
export function argumentsOf({ parameters }: Pick<Kernel, "parameters">): Argument[] {
  return parameters.flatMap(({ name, type, fields }) => fields ?? [{ name, type, kind: KINDS[type]! }]);
}

/** `#define UNARY(name, ...)` whose text has a `KERNEL(name, ...)`: the macro, and the parameters of what it makes. */
function familiesOf(text: string): Map<string, string> {
  const families = new Map<string, string>();
  for (const [, macro, first, body] of text.matchAll(/^#define (\w+)\((\w+)[^)]*\)((?:.*\\\n)*.*)$/gm)) {
    const made = new RegExp(`KERNEL\\(${first!}, ([^)]*)\\)`).exec(body!);
    if (made) families.set(macro!, made[1]!);
  }
  return families;
}

function kernelsOf(file: string, text: string, structs: ReadonlyMap<string, Argument[]>): Kernel[] {
  const families = familiesOf(text);
  const heads = ["KERNEL", ...families.keys()].join("|");
  return [...text.matchAll(new RegExp(`^(${heads})\\((\\w+), ([^)]*)\\)`, "gm"))].map(([, macro, name, rest]) => ({
    name: name!,
    file,
    family: macro === "KERNEL" ? undefined : macro!,
    parameters: parametersOf(name!, families.get(macro!) ?? rest!, structs),
  }));
}

/** Enumerators in capitals with their values; expressions of numbers and earlier enumerators. */
function addConstants(text: string, constants: Map<string, number>): void {
  for (const [, body] of text.matchAll(/\benum \{([^{}()]*)\}/g)) {
    let next = 0;
    for (const part of body!.split(",").map((item) => item.trim())) {
      if (part === "") continue;
      const [name, expression] = part.split("=").map((side) => side.trim());
      const value = expression === undefined ? next : evaluate(expression, constants);
      if (constants.has(name!) && constants.get(name!) !== value)
        throw new Error(`the enumerator ${name!} is two things`);
      constants.set(name!, value);
      next = value + 1;
    }
  }
}

function evaluate(expression: string, constants: ReadonlyMap<string, number>): number {
  const text = expression.replace(/[A-Za-z_]\w*/g, (name) => {
    const value = constants.get(name);
    if (value === undefined) throw new Error(`${name} in "${expression}" is no enumerator`);
    return String(value);
  });
  if (!/^[\d\s()+*/<>-]+$/.test(text)) throw new Error(`"${expression}" is no expression of integers`);
  const value: unknown = new Function(`return ${text}`)();
  if (!Number.isInteger(value)) throw new Error(`"${expression}" is no integer`);
  return value as number;
}

function sizesOf(text: string): Size[] {
  return [...text.matchAll(/^SIZE\((\w+), ([^)]*)\) \{\s*return ([^;]*);\s*\}/gm)].map(([, name, parameters, body]) => {
    const expression = body!.replace(/\s+/g, " ").replace(/(\d)L\b/g, "$1");
    // Division differs between the two languages; ceilDivide does not.
    if (!/^[\w\s(),+*&~-]+$/.test(expression))
      throw new Error(`SIZE(${name!}): "${expression}" means something else in TypeScript`);
    return {
      name: name!,
      parameters: parameters!.split(",").map((part) => part.trim().replace(/^long /, "")),
      expression,
    };
  });
}

/** @param files - the sources by name. */
export function readDeclarations(files: Readonly<Record<string, string>>): Declarations {
  const texts = Object.entries(files)
    .map(([name, text]) => [name, withoutComments(text)] as const)
    // Headers first: what sources take from them is known by then.
    .sort(([a], [b]) => Number(b.endsWith(".h")) - Number(a.endsWith(".h")));
  const structs = new Map(texts.flatMap(([, text]) => [...structsOf(text)]));
  const constants = new Map<string, number>();
  for (const [, text] of texts) addConstants(text, constants);
  const kernels = texts.flatMap(([name, text]) => (name.endsWith(".c") ? kernelsOf(name, text, structs) : []));
  return { kernels, sizes: texts.flatMap(([, text]) => sizesOf(text)), constants };
}
