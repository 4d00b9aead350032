import type { ShaderTable } from "../shaders.gen.ts";
import type { Read } from "./marks.ts";
import type { Variant } from "./resolve.ts";

/** Path of a shader below src/ops, without its extension. */
export type ShaderName = keyof ShaderTable;

type VariantOf<S extends ShaderName> = ShaderTable[S] extends { readonly variant: infer V }
  ? { readonly variant: V }
  : { readonly variant?: undefined };

/** A shader's operands, all by the names that its WGSL gives them. */
export type ShaderRequest<S extends ShaderName> = VariantOf<S> & {
  /** Every field of its uniform block. */
  readonly params: ShaderTable[S]["params"];
  /** Its storage buffers; optional ones may be left out. */
  readonly buffers: ShaderTable[S]["buffers"];
  /** What its constants are, where they are not what the WGSL says. */
  readonly constants?: ShaderTable[S]["constants"];
};

/** Workgroups along x, y and z. */
export type Grid = readonly [number, number, number];

/** How a kernel asks for a dispatch. */
export type DispatchRequest<S extends ShaderName> = ShaderRequest<S> & { readonly grid: Grid };

/** Values of constants. */
export type ConstantValues = Readonly<Record<string, number | boolean | undefined>>;

/** A request as the backend reads it. */
export interface AnyRequest {
  readonly variant?: Variant | undefined;
  readonly params: Readonly<Record<string, number | readonly number[]>>;
  readonly buffers: Readonly<Record<string, Read | undefined>>;
  readonly constants?: ConstantValues | undefined;
  readonly grid: Grid;
}
