import { bundledCheckpoint, load } from "statespace";
import {
  familyNamed,
  familyTensors,
  matchWeights,
  openModelFiles,
  publishedTensors,
  publishedValues,
  publishedWeights,
} from "@statespace/models";

const { model } = await load(bundledCheckpoint(), { backend: "cpu" });
const files = await openModelFiles(bundledCheckpoint());
const family = familyNamed("mamba");
const tensors = familyTensors(model, family);
console.log(tensors[0]!.key, publishedTensors(model, family.weights).length); // a name of transformers'
console.log(matchWeights(model, family, files.tensors.entries).size, "tensors of the file found their weights");
const [value] = await tensors[0]!.parameter.read();
console.log(publishedValues(tensors[0]!, Float32Array.of(value!)).length); // values as a family's file has them
const weights = await publishedWeights(model);
console.log(weights.size ?? [...weights].length, "tensors by their published names");
