import type { TensorInfo } from "@statespace/core/backend";
import type { Binding } from "./binding.ts";

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
