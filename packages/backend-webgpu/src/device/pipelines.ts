import { BackendError } from "@statespace/core";
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
  /** Storage bindings, in order; binding 0 is the uniform block of parameters. */
  readonly bindings: readonly GPUBufferBindingType[];
}

const bindingPattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage,\s*read_write|storage(?:,\s*read)?)>/g;

/** What each binding of a shader is, read off its declarations. */
export function bindingTypes(code: string): GPUBufferBindingType[] {
  const types: GPUBufferBindingType[] = [];
  for (const [, index, access] of code.matchAll(bindingPattern)) {
    types[Number(index)] = access === "uniform" ? "uniform" : access!.endsWith("read_write") ? "storage" : "read-only-storage";
  }
  // A number that a shader leaves out still has its place in the layout.
  return Array.from(types, (type) => type ?? "read-only-storage");
}

/** Replaces `const NAME[: T] = default;` for the given names; the rest are pipeline constants. */
export function specialise(source: ShaderSource, constants: Constants): { code: string; overrides: Record<string, number> } {
  let code = source.code;
  const overrides: Record<string, number> = {};
  for (const [name, value] of Object.entries(constants)) {
    const declaration = new RegExp(`(const ${name}\\b[^=;]*=)[^;]*;`);
    if (declaration.test(code)) {
      const literal = typeof value === "boolean" ? String(value) : /const \w+\s*:\s*f32/.test(code.match(declaration)![0]) ? `f32(${value})` : `${value}u`;
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

  /**
   * @param fixed for replays: the parameters' place is part of the bind group, not an offset given with every dispatch.
   */
  get(source: ShaderSource, constants: Constants = {}, fixed = false): Pipeline {
    let key = fixed ? `fixed ${source.name}` : source.name;
    for (const name in constants) key += `,${name}=${constants[name]}`;
    let found = this.#pipelines.get(key);
    if (!found) this.#pipelines.set(key, (found = this.#make(source, constants, key, fixed)));
    return found;
  }

  /** The twin of a pipeline for replays. */
  fixed(pipeline: Pipeline): Pipeline {
    return this.get(pipeline.source, pipeline.constants, true);
  }

  #make(source: ShaderSource, constants: Constants, label: string, fixed: boolean): Pipeline {
    const { code, overrides } = specialise(source, constants);
    const types = bindingTypes(code);
    const { layout, pipelineLayout } = this.#layoutOf(types, fixed);
    const module = this.#device.createShaderModule({ label, code });
    const pipeline = this.#device.createComputePipeline({ label, layout: pipelineLayout, compute: { module, entryPoint: "main", constants: overrides } });
    return { label, shader: source.name, source, constants, pipeline, layout, bindings: types.slice(1) };
  }

  #layoutOf(types: readonly GPUBufferBindingType[], fixed: boolean): { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout } {
    const key = `${fixed} ${types.join()}`;
    let found = this.#layouts.get(key);
    if (!found) {
      const entries = types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type, hasDynamicOffset: binding === 0 && !fixed } }));
      const layout = this.#device.createBindGroupLayout({ entries });
      found = { layout, pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
      this.#layouts.set(key, found);
    }
    return found;
  }
}
