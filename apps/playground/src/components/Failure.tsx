import { Show, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";
import { errorKind } from "./errorKind.ts";

/** What happened, in words, and the way on. */
export function describeError(error: unknown): string {
  const told = error instanceof Error ? error : new Error(String(error));
  return shell().errors[errorKind(told)](told.message);
}

export function Failure(props: { error: unknown; again?: () => void }): JSX.Element {
  return (
    <div class="failure" role="alert">
      <strong>{shell().errors.title}</strong> <span>{describeError(props.error)}</span>
      <Show when={props.again}>
        <button type="button" onClick={() => props.again?.()}>
          {shell().errors.again}
        </button>
      </Show>
    </div>
  );
}
