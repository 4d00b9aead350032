import type { StoredType } from "../tensors/blockTypes.ts";

/** Types of tensors by their number in the file. */
export const TENSOR_TYPES: ReadonlyMap<number, StoredType> = new Map<number, StoredType>([
  [0, "F32"],
  [1, "F16"],
  [2, "Q4_0"],
  [3, "Q4_1"],
  [6, "Q5_0"],
  [7, "Q5_1"],
  [8, "Q8_0"],
  [12, "Q4_K"],
  [13, "Q5_K"],
  [14, "Q6_K"],
  [20, "IQ4_NL"],
  [24, "I8"],
  [25, "I16"],
  [26, "I32"],
  [27, "I64"],
  [28, "F64"],
  [30, "BF16"],
]);

/** Types that ggml has and that are not read, to name them in an error. */
export const OTHER_TENSOR_TYPES: ReadonlyMap<number, string> = new Map([
  [9, "Q8_1"],
  [10, "Q2_K"],
  [11, "Q3_K"],
  [15, "Q8_K"],
  [16, "IQ2_XXS"],
  [17, "IQ2_XS"],
  [18, "IQ3_XXS"],
  [19, "IQ1_S"],
  [21, "IQ3_S"],
  [22, "IQ2_S"],
  [23, "IQ4_XS"],
  [29, "IQ1_M"],
  [34, "TQ1_0"],
  [35, "TQ2_0"],
  [39, "MXFP4"],
]);

/** Types of metadata values, at their number in the file. */
export const VALUE_TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "array",
  "uint64",
  "int64",
  "float64",
] as const;

/** Name of a type of metadata values. */
export type GgufValueType = (typeof VALUE_TYPES)[number];

/** Bytes of values of a fixed size. */
export const VALUE_BYTES: Readonly<Record<Exclude<GgufValueType, "string" | "array">, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** Where the data begins and each tensor of it, in bytes, where the file does not say. */
export const DEFAULT_ALIGNMENT = 32;
