import { cpuBackend, Model, Rng, setBackend, tensor } from "statespace";
import { DenseMlp, makeMlp, MoeMlp, ParameterBuilder, Router } from "@statespace/models";

await setBackend(cpuBackend());
const mlp = { hidden: 16, experts: 4, expertsPerToken: 2 };
const model = new Model({
  dModel: 8,
  encoder: { kind: "embedding", vocabSize: 16 },
  layers: ["mamba"],
  head: { kind: "language" },
  mlp,
});
const own = model.blocks[0]!.mlp!;
if (!(own instanceof MoeMlp)) throw new Error("no experts");
console.log(own.router instanceof Router, own instanceof DenseMlp);
console.log(model.forward(tensor([1, 2], [1, 2], "int32")).output.shape);
const alone = makeMlp(own.config, new ParameterBuilder(new Rng(0)).within("mlp")); // the same, outside of a model
console.log(alone instanceof MoeMlp);
