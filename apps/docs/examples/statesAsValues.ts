import { bundledCheckpoint, load } from "statespace";
import { ModelState } from "@statespace/models";

const lm = await load(bundledCheckpoint(), { backend: "cpu" });
const session = await lm.session().read("My fellow citizens");
const copy = session.state.clone();
const bytes = await session.state.toBytes();
const again = ModelState.fromBytes(bytes, { backend: lm.model.backend });
console.log(bytes.length, again.position === copy.position, copy.layers.length, "layers");
