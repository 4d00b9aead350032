declare module "*.tex" {
  /** MathML by name, rendered while building. */
  const formulas: Readonly<Record<string, string>>;
  export default formulas;
}

declare module "virtual:bundled-checkpoint" {
  /** Folder of the shipped checkpoint, relative to the site. */
  export const path: string;
}
