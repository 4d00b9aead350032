import {
  assembleImages,
  fashionMnistInfo,
  formatIdx,
  imageClasses,
  imageRows,
  loadFixture,
  loadIdxImages,
  mnistInfo,
} from "@statespace/datasets";
import { parseIdx } from "@statespace/datasets";

const images = await loadIdxImages(
  await loadFixture("mnist-500-images-idx3-ubyte.gz"),
  await loadFixture("mnist-500-labels-idx1-ubyte.gz"),
);
console.log(mnistInfo.name, images.length, "images of", imageClasses, "kinds;", fashionMnistInfo.licence);
const file = formatIdx([1, 2, 2], Uint8Array.of(0, 255, 128, 64)); // an image of 2 by 2
const [picture, label] = [parseIdx(file), parseIdx(formatIdx([1], Uint8Array.of(7)))];
console.log(assembleImages(picture, label, mnistInfo).inputs, imageRows(picture, label).inputs[0]); // pixels; rows as steps
