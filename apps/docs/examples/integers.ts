import { memorySource, openSafetensors, toInt32Array } from "@statespace/files";

const header = JSON.stringify({ ids: { dtype: "I32", shape: [2], data_offsets: [0, 8] } }).padEnd(64);
const bytes = new Uint8Array(8 + 64 + 8);
new DataView(bytes.buffer).setUint32(0, 64, true);
bytes.set(new TextEncoder().encode(header), 8);
bytes.set(new Uint8Array(Int32Array.of(7, 9).buffer), 72);
const file = (await openSafetensors(memorySource({ "ids.safetensors": bytes }), "ids.safetensors"))!;
console.log(toInt32Array(await file.read("ids"))); // 7 9
