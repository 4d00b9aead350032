import { encodeOnnx } from "@statespace/files";

const vector = (name: string) => ({ name, type: "float32", shape: ["n"] }) as const;
const nodes = [{ op: "Exp", inputs: ["x"], outputs: ["y"] }];
const bytes = encodeOnnx({ name: "exp", inputs: [vector("x")], outputs: [vector("y")], nodes }, { opset: 20 });
console.log(bytes.length, "bytes that onnxruntime runs");
