import type { TensorInfo } from "@statespace/core";
import type { Binding } from "../device/launch.ts";
import type { ShaderTable } from "../shaders.gen.ts";
import type { Variant } from "./resolve.ts";

/* Words that the generated types of shaders are made of. */

/** A whole number from 0 to 2^32 - 1; a negative one wraps around, as in WGSL. */
export type u32 = number;
/** A whole number from -2^31 to 2^31 - 1. */
export type i32 = number;
/** A number, rounded to f32. */
export type f32 = number;
/** What a shader reads: a tensor, or a range of a buffer. */
export type Read = TensorInfo | Binding;
/** What a shader writes. */
export type Written = TensorInfo | Binding;
/** Has no fields. */
export type None = { readonly [name: string]: never };

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
