/** Where a text stands when its next token is to be chosen. */
export interface GuidePlace {
  /** All of its tokens, read and said. */
  readonly ids: readonly number[];
  /** Tokens said since it was asked to go on. */
  readonly made: number;
  /** The model's own scores of the next token [v], where the guide asked for them. */
  readonly logits: Float32Array | undefined;
}

/** Has a say in the choice of a text's next token, before all penalties and the temperature. One guide is for one text. */
export interface TokenGuide {
  /** Its `guide` wants to see the model's scores. */
  readonly needsLogits?: boolean;
  /** Is awaited before each `guide`, where something is to be got ready. */
  prepare?(): Promise<void>;
  /** Adds to the scores [v] of the next token; -Infinity forbids one. @throws nothing where no token is left: that is told by the sampler. */
  guide(bias: Float32Array, place: GuidePlace): void;
  /** Is told the token that was chosen, its own or another guide's; true where the text is complete with it. */
  accept?(id: number): boolean | void;
  /** The text is over. */
  dispose?(): void;
}
