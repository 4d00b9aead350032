declare module "*.tex" {
  /** MathML by name, rendered while building; a formula's line may be broken between its parts. */
  const formulas: Readonly<Record<string, readonly string[]>>;
  export default formulas;
}

declare module "virtual:bundled-checkpoint" {
  /** Folder of the shipped checkpoint, relative to the site. */
  export const path: string;
}

declare module "virtual:chinese-checkpoint" {
  /** Folder of the small Chinese model, relative to the site. */
  export const path: string;
}

declare module "virtual:golden-vectors" {
  /** Folder of the shipped reference values, relative to the site. */
  export const path: string;
  /** `GROUP/NAME.safetensors`. */
  export const files: readonly string[];
}
