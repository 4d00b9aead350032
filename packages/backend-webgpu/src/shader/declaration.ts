/*
 * What a shader declares, read off its WGSL: the fields of its `struct Params`, its storage buffers and its constants.
 * The build makes types of it, the backend checks every dispatch by it. No import of other packages: the build uses this too.
 *
 * A buffer's line may say more of it:
 *   //: if HAS_BIAS   it may be absent, and this constant tells the shader whether it is there
 *   //: optional      it may be absent; other constants keep the shader from touching it
 *   //: packed        it may be a packed weight
 */

/** Type of a single word. */
export type WordType = "u32" | "i32" | "f32";

/** A field of the uniform block. */
export interface ParamField {
  readonly name: string;
  readonly type: WordType;
  /** First word in the block, and words; more than one for an array of vec4s. */
  readonly word: number;
  readonly count: number;
}

/** A storage buffer. */
export interface BufferSlot {
  readonly name: string;
  readonly number: number;
  /** The shader writes to it. */
  readonly written: boolean;
  readonly optional: boolean;
  /** The constant that says whether the buffer is there. */
  readonly flag: string | undefined;
  readonly packed: boolean;
}

/** A constant that a dispatch may set: an `override`, or a `const` with a literal value that is replaced in the text. */
export interface ConstantField {
  readonly name: string;
  readonly type: WordType | "bool";
  readonly override: boolean;
}

export interface ShaderDeclaration {
  readonly params: readonly ParamField[];
  /** Words of the uniform block. */
  readonly words: number;
  /** By binding number. */
  readonly buffers: readonly BufferSlot[];
  /** Those that say whether a buffer is there are not among them. */
  readonly constants: readonly ConstantField[];
  /** Constants that say whether a buffer is there. */
  readonly flags: readonly ConstantField[];
}

const paramsStruct = /struct Params \{([^}]*)\}/;
const bufferLine =
  /@group\(0\) @binding\((\d+)\) var<storage, (read|read_write)> (\w+)\s*:[^;]+;((?: *\/\/: (?:if \w+|optional|packed))*)/g;
const constantLine =
  /\b(const|override) ([A-Z][A-Z0-9_]*)(?:\s*:\s*\w+)?\s*=\s*(true|false|-?[\d.]+(?:e-?\d+)?[uif]?);/g;

function paramFields(code: string, shader: string): ParamField[] {
  const body = (paramsStruct.exec(code)?.[1] ?? "").replace(/\/\/.*$/gm, "");
  let next = 0;
  return [...body.matchAll(/(\w+)\s*:\s*(array<vec4([uif]), (\d+)>|\w+)/g)].map(([, name, type, vector, length]) => {
    const count = length ? 4 * Number(length) : 1;
    const word = length ? Math.ceil(next / 4) * 4 : next;
    next = word + count;
    const scalar = vector ? `${vector}32` : type;
    if (scalar !== "u32" && scalar !== "i32" && scalar !== "f32")
      throw new Error(`${shader}: params.${name} must be u32, i32, f32 or an array of vec4 of them, got ${type}`);
    return { name: name!, type: scalar, word, count };
  });
}

function bufferSlots(code: string): BufferSlot[] {
  const slots = [...code.matchAll(bufferLine)].map(([, number, access, name, notes]) => {
    const flag = /\/\/: if (\w+)/.exec(notes!)?.[1];
    return {
      name: name!,
      number: Number(number),
      written: access === "read_write",
      optional: flag !== undefined || notes!.includes("//: optional"),
      flag,
      packed: notes!.includes("//: packed"),
    };
  });
  return slots.sort((a, b) => a.number - b.number);
}

function constantType(literal: string): ConstantField["type"] {
  if (literal === "true" || literal === "false") return "bool";
  if (literal.endsWith("u")) return "u32";
  return literal.endsWith("f") || literal.includes(".") ? "f32" : "i32";
}

/** What a shader's whole text declares. @throws Error for a parameter of another type, or a flag that is no constant. */
export function declarationOf(code: string, shader: string): ShaderDeclaration {
  const buffers = bufferSlots(code);
  const all = [...code.matchAll(constantLine)].map(([, kind, name, literal]) => ({
    name: name!,
    type: constantType(literal!),
    override: kind === "override",
  }));
  const names = new Set(buffers.map(({ flag }) => flag).filter((flag) => flag !== undefined));
  const flags = all.filter(({ name }) => names.has(name));
  for (const name of names)
    if (!flags.some((flag) => flag.name === name))
      throw new Error(`${shader}: //: if ${name}, but it has no such constant`);
  const params = paramFields(code, shader);
  const words = params.reduce((end, { word, count }) => Math.max(end, word + count), 0);
  return { params, words, buffers, constants: all.filter(({ name }) => !names.has(name)), flags };
}
