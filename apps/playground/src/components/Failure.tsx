import { Show, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";

const kinds: Readonly<
  Record<string, keyof ReturnType<typeof shell>["errors"] & ("backend" | "lost" | "memory" | "format" | "network")>
> = {
  BackendError: "backend",
  DeviceLostError: "lost",
  OutOfMemoryError: "memory",
  RangeError: "memory",
  FormatError: "format",
  SourceError: "network",
  TypeError: "network",
};

/** What happened, in words, and the way on. */
export function describeError(error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  return shell().errors[kinds[name] ?? "other"](message);
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
