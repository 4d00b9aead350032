/** The kinds of layer that are compared, as the models package names them. */
export const KINDS = ["attention", "gru", "s4d", "mamba"] as const;
export type Kind = (typeof KINDS)[number];
