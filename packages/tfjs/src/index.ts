export { registerTfBackend, tfNameOf } from "./registerTfBackend.ts";
export { TfBackend } from "./tfBackend.ts";
export { tfOp, tfOps, type ChangedOf, type TfOp, type WithTf } from "./tfOp.ts";
