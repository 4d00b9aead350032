export * from "./errors.ts";
export * from "./math/index.ts";
