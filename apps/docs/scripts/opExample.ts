import { Draw, dtypeOf, makeCase, opCases, type OpCase } from "@statespace/conformance/cases";
import { roomOf, type OpDeclaration } from "@statespace/core/backend";
import { ndarray, type NdArray } from "@statespace/core/math";

/** A program of a few lines that runs an op, and what its definition gives for it. */
export interface OpExample {
  readonly code: string;
  /** What the program prints, in float64, by the names it prints. */
  readonly results: Readonly<Record<string, NdArray>>;
}

type Arrays = Readonly<Record<string, NdArray>>;
type Attrs = Readonly<Record<string, unknown>>;

const sizeOf = (arrays: Arrays): number => Object.values(arrays).reduce((sum, { data }) => sum + data.length, 0);

/** How the face of an op is called where it takes its arguments one by one. */
const FACES: Readonly<Record<string, (attrs: Attrs) => string>> = {
  identity: () => "clone(x)",
  reshape: ({ shape }) => `reshape(x, ${show(shape)})`,
  transpose: ({ perm }) => `transpose(x, ${show(perm)})`,
  reverse: ({ axes }) => `reverse(x, ${show(axes)})`,
  tile: ({ reps }) => `tile(x, ${show(reps)})`,
  full: ({ shape, value, dtype }) => `full(${show(shape)}, ${show(value)}, ${show(dtype)})`,
  cast: ({ dtype }) => `cast(x, ${show(dtype)})`,
  where: () => "where(condition, t, e)",
  sum: ({ axes, keepDims }) => `sum(x, ${show(axes)}, ${show(keepDims)})`,
  max: ({ axes, keepDims }) => `max(x, ${show(axes)}, ${show(keepDims)})`,
  min: ({ axes, keepDims }) => `min(x, ${show(axes)}, ${show(keepDims)})`,
  slice: ({ begin, size }) => `slice(x, ${show(begin)}, ${show(size)})`,
  pad: ({ paddings, value }) => `pad(x, ${show(paddings)}, ${show(value)})`,
  concat: ({ axis }) => `concat([x0, x1], ${show(axis)})`,
  squaredNorm: () => "squaredNorm([x0, x1])",
  toHalves: () => "toHalves(x)",
  fromHalves: () => "fromHalves(x)",
  matMul: ({ transposeA, transposeB }) => `matMul(a, b, ${show(transposeA)}, ${show(transposeB)})`,
  argMax: ({ axis }) => `argMax(x, ${show(axis)})`,
  softmax: () => "softmax(x)",
  cumsum: ({ axis, exclusive, reverse }) =>
    `cumsum(x, ${show(axis)}, { exclusive: ${show(exclusive)}, reverse: ${show(reverse)} })`,
  gather: ({ axis }) => `gather(x, indices, ${show(axis)})`,
  oneHot: ({ depth }) => `oneHot(indices, ${show(depth)})`,
  segmentSum: ({ count }) => `segmentSum(x, ids, ${show(count)})`,
  topK: ({ k }) => `topK(x, ${show(k)})`,
  clip: ({ min, max }) => `clip(x, ${show(min)}, ${show(max)})`,
};

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return typeof value === "number" ? String(Object.is(value, -0) ? 0 : value) : JSON.stringify(value);
}

/** Three digits are enough to read, and the definition takes them as they are. */
const rounded = ({ shape, data }: NdArray): NdArray =>
  ndarray(
    shape,
    data.map((value) => Number(value.toPrecision(3))),
  );

/** Numbers that a page has room for. */
const FEW = 40;

/** The first case of an op that shows something in few numbers: drawn from the first seeds, or of those that its tests are made of. */
function smallest(spec: OpDeclaration): OpCase | undefined {
  const listed = opCases.filter(({ op, face }) => op.spec.name === spec.name && face === undefined);
  const enough = Object.keys(spec.inputs).length === 0 ? 0 : 6;
  function* candidates(): Generator<OpCase> {
    for (let seed = 0; seed < 120; seed++) yield makeCase(spec.name, seed);
    yield* listed;
  }
  let best: { c: OpCase; size: number } | undefined;
  for (const c of candidates()) {
    const made = c.make(new Draw(1));
    const arrays = Object.values(made);
    const size = sizeOf(Object.fromEntries(arrays.entries()));
    // Whole numbers are what they are: words of halves are large.
    const floats = Object.entries(made).filter(([name]) => dtypeOf(c, name) === "float32");
    const tame = floats.every(([, { data }]) =>
      data.every((x) => x === 0 || (Math.abs(x) > 1e-3 && Math.abs(x) < 1e3)),
    );
    if (!tame || size < enough || arrays.some(({ data }) => data.length === 0)) continue;
    if (spec.inputs["..."] !== undefined && arrays.length !== 2) continue;
    if (best === undefined || size < best.size) best = { c, size };
    if (best.size <= FEW) break;
  }
  return best !== undefined && best.size <= 4 * FEW ? best.c : undefined;
}

/** One that is computed element by element needs no more than six numbers. */
function shortened(spec: OpDeclaration, arrays: Arrays): Arrays {
  const [x] = Object.values(arrays);
  if (roomOf(spec) !== "unary" || x === undefined || x.data.length <= 6) return arrays;
  return { x: ndarray([2, 3], x.data.slice(0, 6)) };
}

/** The program of an op's page; `undefined` where no case is small enough, and one is written by hand. */
export function opExample(spec: OpDeclaration): OpExample | undefined {
  const c = smallest(spec);
  if (c === undefined) return undefined;
  const drawn = shortened(spec, c.make(new Draw(1)));
  const arrays = Object.fromEntries(
    Object.entries(drawn).map(([name, array]) => [name, dtypeOf(c, name) === "float32" ? rounded(array) : array]),
  );
  const attrs = { ...spec.attrs, ...c.attrs };
  const computed = spec.reference(arrays as never, attrs as never) as Record<string, NdArray>;
  const results = Object.fromEntries(Object.entries(computed).filter(([, array]) => array !== undefined));
  return { code: program(spec, c, arrays, attrs, Object.keys(results)), results };
}

/** `x0` for the first of any number of arguments. */
const nameOf = (input: string): string => (/^\d/.test(input) ? `x${input}` : input);

function program(spec: OpDeclaration, c: OpCase, arrays: Arrays, attrs: Attrs, results: readonly string[]): string {
  const makers = Object.entries(arrays).map(([input, array]) => {
    const dtype = dtypeOf(c, input);
    const values = `[${Array.from(array.data, (value) => String(value === 0 ? 0 : value)).join(", ")}]`;
    const type = dtype === "float32" ? "" : `, "${dtype}"`;
    return `const ${nameOf(input)} = tensor(${values}, [${array.shape.join(", ")}]${type});`;
  });
  const returned = results.filter((name) => !(name in arrays));
  const face = FACES[spec.name]?.(attrs) ?? simpleFace(spec, arrays);
  const own = Object.entries(c.attrs ?? {}).filter(([name, value]) => show(value) !== show(spec.attrs[name as never]));
  const settings = own.map(([name, value]) => `${name}: ${show(value)}`).join(", ");
  const call = `${spec.name}({ ${Object.keys(arrays).join(", ")} }${settings === "" ? "" : `, { ${settings} }`})`;
  const line =
    face !== undefined
      ? `const y = ${face};`
      : returned.length > 0
        ? `const { ${returned.join(", ")} } = ${call};`
        : `${call};`;
  const callee = /^(?:const .*? = )?(\w+)\(/.exec(line)![1]!;
  const prints = results.map((name) => `console.log("${name}", ${name}.shape, await ${name}.data());`);
  const core = ["cpuBackend", "setBackend", ...(makers.length > 0 ? ["tensor"] : [])];
  return [
    `import { ${[...core, ...(callee === "full" ? ["full"] : [])].sort().join(", ")} } from "statespace";`,
    ...(callee === "full" ? [] : [`import { ${callee} } from "@statespace/core/ops";`]),
    "",
    "await setBackend(cpuBackend());",
    ...makers,
    line,
    ...prints,
  ].join("\n");
}

/** Ops of one or two tensors are called as functions. */
function simpleFace(spec: OpDeclaration, arrays: Arrays): string | undefined {
  const room = roomOf(spec);
  return room === "unary" || room === "binary" ? `${spec.name}(${Object.keys(arrays).join(", ")})` : undefined;
}
