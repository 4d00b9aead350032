/** What a check can find wrong: what a device offers and kernels choose by, or what they cannot do without. */
export type Part = "matrix" | "matrixScans" | "f16" | "subgroups" | "exp";
