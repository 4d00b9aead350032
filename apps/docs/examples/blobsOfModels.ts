import { bundledCheckpoint, load } from "statespace";
import { pretrainedBlobs } from "@statespace/models";

const { model } = await load(bundledCheckpoint(), { backend: "cpu" });
for (const [name, { size }] of await pretrainedBlobs(model)) console.log(name, size); // what savePretrained writes, to offer in a page
