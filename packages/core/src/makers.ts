// `@statespace/core/backend`: for those who make backends, ops or models.
export * from "./backend/index.ts";
export * from "./options/index.ts";
export * from "./tensor/index.ts";
export * from "./ops/table.ts";
export * from "./optim/index.ts";
