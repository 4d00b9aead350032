export * from "./errors.ts";
export * from "./math/index.ts";
export * from "./hippo/index.ts";
export * from "./discretization/index.ts";
export * from "./tensor/index.ts";
export * from "./ops/index.ts";
export * from "./ssm/index.ts";
export * from "./optim/index.ts";
