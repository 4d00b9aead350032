import type { Snippet } from "../../code/snippet.ts";
import { CHUNK, kernelsOf, type Settings, type TensorName } from "./compute/ledger.ts";

/** Axes of each tensor, as both languages multiply them. */
function sizeOf(tensor: TensorName): string {
  switch (tensor) {
    case "A":
    case "dA":
      return "d * n";
    case "B":
    case "C":
    case "dB":
    case "dC":
      return "l * n";
    case "ABar":
    case "Bu":
    case "x":
    case "g":
      return "l * d * n";
    case "corners":
      return "chunks * d * n";
    default:
      return "l * d";
  }
}

/** Bytes that each kernel of a pass fetches and stores, and their sum. */
export function ledgerCode(settings: Settings): Snippet {
  const kernels = kernelsOf(settings);
  const tensors = [...new Set(kernels.flatMap(({ reads, writes }) => [...reads, ...writes]))];
  const line = ({ reads, writes }: (typeof kernels)[number]): string => `${reads.join(" ")} ${writes.join(" ")}`;
  const { l, d, n } = settings;
  const chunks = Math.ceil(l / CHUNK);
  return {
    name: "bytes-of-a-scan",
    mjs: `// bytes that each kernel moves between the large memory and the fast one: l tokens, d channels, n states, float32
const [l, d, n, chunks] = [${l}, ${d}, ${n}, ${chunks}];
const sizes = {
  ${tensors.map((tensor) => `${tensor}: ${sizeOf(tensor)}`).join(", ")},
};
const kernels = [ // what each fetches and stores
${kernels.map((kernel) => `  ["${kernel.name}${kernel.again ? ", again" : ""}", "${line(kernel)}"],`).join("\n")}
];
const moved = kernels.map(([, tensors]) => tensors.split(" ").reduce((sum, tensor) => sum + 4 * sizes[tensor], 0));
kernels.forEach(([name], i) => console.log(name, moved[i] / 1e6, "MB"));
console.log(JSON.stringify([...moved, moved.reduce((sum, bytes) => sum + bytes, 0)]));
`,
    numpy: `# bytes that each kernel moves between the large memory and the fast one: l tokens, d channels, n states, float32
import json
import numpy as np

l, d, n, chunks = ${l}, ${d}, ${n}, ${chunks}
sizes = dict(
    ${tensors.map((tensor) => `${tensor}=${sizeOf(tensor)}`).join(", ")},
)
kernels = [  # what each fetches and stores
${kernels.map((kernel) => `    ("${kernel.name}${kernel.again ? ", again" : ""}", "${line(kernel)}"),`).join("\n")}
]
moved = np.array([4 * sum(sizes[tensor] for tensor in tensors.split()) for _, tensors in kernels])
for (name, _), count in zip(kernels, moved):
    print(name, count / 1e6, "MB")
print(json.dumps([*moved.tolist(), int(moved.sum())]))
`,
  };
}
