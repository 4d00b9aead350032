import { createResource, Show, type Component, type JSX } from "solid-js";
import { Dynamic } from "solid-js/web";
import { isFetchFailure } from "../workers/fetchFailure.ts";
import { owed } from "./owed.ts";

/** Code of the app that could not be fetched. */
export class ChunkError extends Error {
  override readonly name = "ChunkError";
}

/** A component that is fetched when it is first shown. A fetch that failed is forgotten, so that showing it again tries again. */
export function chunk(load: () => Promise<Component>): Component {
  let kept: Promise<Component> | undefined;
  const fetched = (): Promise<Component> =>
    (kept ??= owed(load()).catch((error: unknown) => {
      kept = undefined;
      throw isFetchFailure(error) ? new ChunkError((error as Error).message, { cause: error }) : error;
    }));
  return (): JSX.Element => {
    const [component] = createResource(fetched);
    return <Show when={component()}>{(found) => <Dynamic component={found()} />}</Show>;
  };
}
