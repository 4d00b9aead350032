import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseSafetensors, tensorF32 } from "@statespace/files";
import { savePretrained, type LanguageModel } from "@statespace/models";

/** The weights of the best evaluation so far, in a folder, so that a run that is resumed still has them. */
export class BestWeights {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  save(model: LanguageModel): Promise<void> {
    return savePretrained(model, this.#folder);
  }

  /** Puts them back into the model. @throws FormatError for a damaged file; what the file system throws. */
  async restore(model: LanguageModel): Promise<void> {
    const file = parseSafetensors(
      new Uint8Array(await readFile(join(this.#folder, "model.safetensors"))),
      "best/model.safetensors",
    );
    for (const parameter of model.parameters) parameter.assign(tensorF32(file, parameter.name));
  }
}
