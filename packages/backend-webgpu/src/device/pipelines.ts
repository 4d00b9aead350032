import { BackendError } from "@statespace/core";
import { bakeParams } from "./bakeParams.ts";
import { dropAbsent } from "./dropAbsent.ts";
import { unroll } from "./unroll.ts";

/** A shader as its file gives it. */
export interface ShaderSource {
  readonly name: string;
  readonly code: string;
}

/** Values for `override` declarations (pipeline constants) and for `const` declarations that size arrays (replaced in the text). */
export type Constants = Readonly<Record<string, number | boolean>>;

export interface Pipeline {
  readonly label: string;
  readonly shader: string;
  readonly source: ShaderSource;
  readonly constants: Constants;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** Storage bindings, in order, and their numbers; binding 0 is the uniform block of parameters, unless they are baked in. */
  readonly bindings: readonly GPUBufferBindingType[];
  readonly numbers: readonly number[];
  readonly baked: boolean;
}

const bindingPattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage,\s*read_write|storage(?:,\s*read)?)>/g;

/** What each binding of a shader is, read off its declarations. */
export function bindingTypes(code: string): GPUBufferBindingType[] {
  const types: GPUBufferBindingType[] = [];
  for (const [, index, access] of code.matchAll(bindingPattern)) {
    types[Number(index)] =
      access === "uniform" ? "uniform" : access!.endsWith("read_write") ? "storage" : "read-only-storage";
  }
  // A number that a shader leaves out still has its place in the layout.
  return Array.from(types, (type) => type ?? "read-only-storage");
}

interface Specialised {
  readonly code: string;
  readonly overrides: Record<string, number>;
}

/** Replaces `const NAME[: T] = default;` for the given names; the rest are pipeline constants. */
export function specialise(source: ShaderSource, constants: Constants): Specialised {
  let code = source.code;
  const overrides: Record<string, number> = {};
  for (const [name, value] of Object.entries(constants)) {
    const declaration = new RegExp(`(const ${name}\\b[^=;]*=)[^;]*;`);
    if (declaration.test(code)) {
      const literal =
        typeof value === "boolean"
          ? String(value)
          : /const \w+\s*:\s*f32/.test(code.match(declaration)![0])
            ? `f32(${value})`
            : `${value}u`;
      code = code.replace(declaration, `$1 ${literal};`);
    } else if (new RegExp(`override ${name}\\b`).test(code)) overrides[name] = Number(value);
    else throw new BackendError(`webgpu: shader ${source.name} has no constant ${name}`);
  }
  return { code: unroll(code), overrides };
}

/** One pipeline per shader and set of constants, made once. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #pipelines: Map<string, Pipeline> = new Map();
  readonly #layouts: Map<string, { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout }> = new Map();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get size(): number {
    return this.#pipelines.size;
  }

  get(source: ShaderSource, constants: Constants = {}): Pipeline {
    const label = nameOf(source, constants);
    return this.#cached(label, () => this.#make(label, source, constants, specialise(source, constants), "offset"));
  }

  /** A pipeline for replays: without the bindings in `absent`, its parameters in the bind group, or in the shader itself where `bake` is set and it can be. */
  replay(
    source: ShaderSource,
    constants: Constants,
    params: readonly number[],
    absent: readonly number[],
    bake: boolean,
  ): Pipeline {
    const label = `${bake ? `baked ${params.join()}` : "fixed"} ${nameOf(source, constants)}${absent.length > 0 ? ` without ${absent.join()}` : ""}`;
    return this.#cached(label, () => {
      const { code, overrides } = specialise(source, constants);
      const present = dropAbsent(code, absent);
      const baked = bake ? bakeParams(present, params) : undefined;
      return this.#make(
        label,
        source,
        constants,
        { code: baked ?? present, overrides },
        baked === undefined ? "group" : "code",
        absent,
      );
    });
  }

  #cached(label: string, make: () => Pipeline): Pipeline {
    let found = this.#pipelines.get(label);
    if (!found) this.#pipelines.set(label, (found = make()));
    return found;
  }

  #make(
    label: string,
    source: ShaderSource,
    constants: Constants,
    { code, overrides }: Specialised,
    place: ParamsPlace,
    absent: readonly number[] = [],
  ): Pipeline {
    const types = bindingTypes(code);
    const numbers = types.map((_, number) => number).filter((number) => number > 0 && !absent.includes(number));
    const { layout, pipelineLayout } = this.#layoutOf(types, numbers, place);
    const module = this.#device.createShaderModule({ label, code });
    const pipeline = this.#device.createComputePipeline({
      label,
      layout: pipelineLayout,
      compute: { module, entryPoint: "main", constants: overrides },
    });
    return {
      label,
      shader: source.name,
      source,
      constants,
      pipeline,
      layout,
      bindings: numbers.map((number) => types[number]!),
      numbers,
      baked: place === "code",
    };
  }

  #layoutOf(
    types: readonly GPUBufferBindingType[],
    numbers: readonly number[],
    place: ParamsPlace,
  ): { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout } {
    const used = place === "code" ? numbers : [0, ...numbers];
    const key = `${place} ${used.map((number) => `${number} ${types[number]}`).join()}`;
    let found = this.#layouts.get(key);
    if (!found) {
      const entries = used.map((number) => ({
        binding: number,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: types[number]!, hasDynamicOffset: number === 0 && place === "offset" },
      }));
      const layout = this.#device.createBindGroupLayout({ entries });
      found = { layout, pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
      this.#layouts.set(key, found);
    }
    return found;
  }
}

/** Where a dispatch finds its parameters: in a block at an offset given with it, in one that its bind group names, or in its code. */
type ParamsPlace = "offset" | "group" | "code";

function nameOf(source: ShaderSource, constants: Constants): string {
  let name = source.name;
  for (const constant in constants) name += `,${constant}=${constants[constant]}`;
  return name;
}
