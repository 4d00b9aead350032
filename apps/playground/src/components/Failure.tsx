import { Show, type JSX } from "solid-js";
import { shell } from "../shell/shellMessages.ts";

type Kind = "backend" | "lost" | "memory" | "format" | "network" | "chunk" | "fault";

const kinds: Readonly<Record<string, Kind>> = {
  BackendError: "backend",
  DeviceLostError: "lost",
  OutOfMemoryError: "memory",
  FormatError: "format",
  SourceError: "network",
  ChunkError: "chunk",
  // slips of the page's own code, and a worker that died of one
  TypeError: "fault",
  ReferenceError: "fault",
  WorkerError: "fault",
};

/** A RangeError may be anything out of a range; only this is a lack of memory. */
const NO_ROOM = /allocat|out of memory|array (buffer )?length|array buffer/i;

/** What happened, in words, and the way on. */
export function describeError(error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const kind = name === "RangeError" ? (NO_ROOM.test(message) ? "memory" : "fault") : (kinds[name] ?? "other");
  return shell().errors[kind](message);
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
