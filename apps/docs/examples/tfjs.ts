import * as tf from "@tensorflow/tfjs-core";
import { wasmBackend } from "@statespace/backend-wasm";
import { registerTfBackend, TfBackend, tfNameOf, tfOps } from "@statespace/tfjs";

await tf.setBackend(registerTfBackend(wasmBackend({ threads: 1 })));
console.log(tf.getBackend(), tf.backend() instanceof TfBackend, tfNameOf("wasm")); // statespace-wasm
console.log(tf.add([1, 2], 1).dataSync(), Object.keys(tfOps).length, "ops of ours"); // tfjs's own op on our threads
