/** A line on stderr that rewrites itself in a terminal and stays silent elsewhere. */
export class ProgressLine {
  readonly #live: boolean = process.stderr.isTTY === true;
  #last = 0;

  /** Shows a text, at most ten times a second. */
  show(text: string): void {
    const now = performance.now();
    if (!this.#live || now - this.#last < 100) return;
    this.#last = now;
    process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  clear(): void {
    if (this.#live) process.stderr.write("\r\u001b[K");
  }
}

/** `12.3 MB`. */
export function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
