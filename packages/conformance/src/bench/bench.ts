/** One subject of a measurement: a backend of ours, or a rival, prepared to run one benchmark. */
export interface Subject {
  /** `wasm`, `plain JS`, `@jax-js/jax`. */
  readonly label: string;
  /** One run, complete when the promise resolves. */
  run(): Promise<void>;
  /** Compares its result with the reference. @throws Error when it is wrong: what is wrong is not timed. */
  validate(): Promise<void>;
  dispose(): void;
}

/** What one run amounts to. */
export interface Work {
  readonly flops?: number;
  readonly bytes?: number;
  readonly exps?: number;
  readonly tokens?: number;
}

/** A benchmark by the name of the model whose shape it has. */
export interface Bench {
  readonly name: string;
  readonly work: Work;
  /** Subjects that this machine has; `backends` are names of registered backends. */
  prepare(backends: readonly string[]): Promise<Subject[]>;
}
