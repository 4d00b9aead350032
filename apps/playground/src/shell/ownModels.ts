import { createSignal, type Accessor } from "solid-js";
import { factsKey, OWN_MODELS, type KeptFacts, type OwnModel } from "../workers/modelChoice.ts";
import { owed } from "./owed.ts";
import { keptValue } from "./store.ts";

export type OwnModels = Readonly<Partial<Record<OwnModel, KeptFacts>>>;

/** What is known of the models that the visitor made, as this browser keeps them. */
export async function ownModels(): Promise<OwnModels> {
  const found: Partial<Record<OwnModel, KeptFacts>> = {};
  for (const which of OWN_MODELS) {
    const facts = await keptValue<KeptFacts>(factsKey(which));
    if (facts !== undefined) found[which] = facts;
  }
  return found;
}

/** The same for a page: none until they were looked up. */
export function useOwnModels(): Accessor<OwnModels> {
  const [models, setModels] = createSignal<OwnModels>({});
  void owed(ownModels()).then(setModels);
  return models;
}
