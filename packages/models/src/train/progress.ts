import type { TrainingEvent } from "./events.ts";

/** Where a progress line is written: `process.stderr`, or anything alike. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Milliseconds between updates: often enough to watch in a terminal, rare enough to read in a log. */
const INTERVAL = { terminal: 100, log: 10_000 };

/**
 * Shows a run: in a terminal one line that rewrites itself, elsewhere a line every ten seconds; evaluations, checkpoints and the end
 * always get a line of their own. Returns what to call with each event.
 */
export function progressReporter(output: ProgressOutput): (event: TrainingEvent) => void {
  const live = output.isTTY === true;
  let last = -Infinity;
  return (event) => {
    const text = progressText(event);
    if (event.kind !== "step") {
      output.write(live ? `\r\u001b[K${text}\n` : `${text}\n`);
      return;
    }
    const now = performance.now();
    if (now - last < (live ? INTERVAL.terminal : INTERVAL.log)) return;
    last = now;
    output.write(live ? `\r\u001b[K${text.slice(0, (output.columns ?? 80) - 1)}` : `${text}\n`);
  };
}

/** An event in words. */
export function progressText(event: TrainingEvent): string {
  const { kind, step } = event;
  switch (kind) {
    case "step":
      return `step ${step}  loss ${event.loss.toFixed(4)}  norm ${event.gradNorm.toPrecision(3)}  rate ${event.learningRate.toPrecision(3)}  ${Math.round(event.tokensPerSecond)} tokens/s  ${duration(event.secondsLeft)} left`;
    case "evaluation":
      return `step ${step}  evaluation: loss ${event.loss.toFixed(4)}${event.accuracy === undefined ? "" : `  accuracy ${(100 * event.accuracy).toFixed(2)} %`}${event.isBest ? "  (best so far)" : ""}`;
    case "checkpoint":
      return `step ${step}  checkpoint ${event.name}`;
    case "checkpointFailed":
      return `step ${step}  no checkpoint: ${event.reason}; those before it are as they were`;
    case "resumed":
      return `resumed from ${event.name}${event.changed === undefined ? "" : `, though ${event.changed.join("; ")}`}`;
    case "end":
      return `step ${step}  end (${{ steps: "all steps done", time: "time is up", earlyStop: "no further improvement" }[event.reason]}) after ${duration(event.seconds)}`;
  }
}

/** `47s`, `3m12s`, `2h05m`. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
}
