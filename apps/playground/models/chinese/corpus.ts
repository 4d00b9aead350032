// Writes the text that the small Chinese model learns: stories of the grammar that the page "Your model" has, and Tang poems.
//   node --conditions=statespace-source models/chinese/corpus.ts FILE
import { writeFileSync } from "node:fs";
import { CHINESE } from "../../src/pages/model/texts/chinese.ts";
import { tellStories, type Draw } from "../../src/pages/model/texts/draw.ts";
import { POEMS } from "./poems.ts";

const CHARACTERS = 1_200_000;

const poem = (draw: Draw): string => draw.of(POEMS);

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("corpus.ts FILE: where does the text go?");
writeFileSync(file, tellStories([...CHINESE, poem], CHARACTERS, 1));
