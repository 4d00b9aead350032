export * from "./errors.ts";
export { Rng } from "./math/random.ts";
export * from "./options/index.ts";
export * from "./backend/index.ts";
export * from "./tensor/index.ts";
export * from "./ops/index.ts";
export * from "./ops/table.ts";
export * from "./optim/index.ts";
