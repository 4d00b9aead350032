import { loadWeights, savePretrained, type Model } from "@statespace/models";

/** The weights of the best evaluation so far, in a folder, so that a run that is resumed still has them. */
export class BestWeights {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  save(model: Model): Promise<void> {
    return savePretrained(model, this.#folder);
  }

  /** Puts them back into the model. @throws FormatError for a damaged file; what the file system throws. */
  restore(model: Model): Promise<void> {
    return loadWeights(model, this.#folder);
  }
}
