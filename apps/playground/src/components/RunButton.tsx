import { Show, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";
import { Button } from "./controls.tsx";

/** Starts what takes a while; while it runs, the same place stops it. */
export function RunButton(props: {
  /** What runs, undefined while nothing does. */
  run: AbortController | undefined;
  onRun: () => void;
  disabled?: boolean;
  testid: string;
  cancelTestid?: string;
  children: JSX.Element;
}): JSX.Element {
  return (
    <Show
      when={props.run}
      fallback={
        <Button primary disabled={props.disabled} onClick={() => props.onRun()} testid={props.testid}>
          {props.children}
        </Button>
      }
    >
      {(run) => (
        <Button onClick={() => run().abort()} testid={props.cancelTestid}>
          {shell().cancel}
        </Button>
      )}
    </Show>
  );
}
