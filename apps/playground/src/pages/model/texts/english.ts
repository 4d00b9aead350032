import type { Draw } from "./draw.ts";

const CHILDREN = ["Ann", "Ben", "Clara", "Dan", "Emma", "Finn"];
const COLORS = ["white", "black", "brown", "grey"];
const NAMES = ["Bean", "Lucky", "Dot", "Moss", "Pip"];
const PLACES = ["by the river", "on the hill", "under the tree", "in the garden", "on the bridge"];
const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const ANIMALS = [
  { name: "cat", food: "fish", does: "catch mice" },
  { name: "dog", food: "bones", does: "guard the house" },
  { name: "rabbit", food: "carrots", does: "jump very far" },
  { name: "horse", food: "hay", does: "run very fast" },
];
const SEASONS = [
  { name: "spring", is: ["the flowers open", "the grass is green"], do: ["fly a kite", "plant a tree"] },
  { name: "summer", is: ["the sun is hot", "the days are long"], do: ["swim", "eat a melon"] },
  { name: "autumn", is: ["the leaves are yellow", "the wind is cool"], do: ["pick apples", "look at the moon"] },
  { name: "winter", is: ["the snow falls", "the river is ice"], do: ["build a snowman", "drink hot tea"] },
];
const THINGS = ["book", "ball", "kite", "hat"];

function pet(draw: Draw): string {
  const [child, friend] = draw.two(CHILDREN);
  const { name, food, does } = draw.of(ANIMALS);
  const called = draw.of(NAMES);
  const ending = draw.of([
    `When it was dark, ${child} and ${called} went home.`,
    `"What is its name?" asked ${friend}. "${called}," said ${child}.`,
  ]);
  return `${child} has a ${draw.of(COLORS)} ${name}. Its name is ${called}. ${called} likes ${food} and can ${does}. One day ${child} and ${called} played ${draw.of(PLACES)}. ${ending}`;
}

function season(draw: Draw): string {
  const { name, is, do: things } = draw.of(SEASONS);
  const [one, other] = draw.two(CHILDREN);
  const thing = draw.of(things);
  return `In ${name} ${draw.of(is)}. ${one} and ${other} ${thing} ${draw.of(PLACES)}. "I like ${name}," says ${one}. "So do I," says ${other}, "in ${name} we can ${thing}."`;
}

function lost(draw: Draw): string {
  const child = draw.of(CHILDREN);
  const thing = `${draw.of(["red", "blue", "green"])} ${draw.of(THINGS)}`;
  const [first, second] = draw.two(PLACES);
  return `${child} lost a ${thing}. It was not ${first}. It was ${second}. ${child} found the ${thing} and laughed.`;
}

function counting(draw: Draw): string {
  const all = draw.between(2, 10);
  const gone = draw.between(1, all - 1);
  return `There are ${NUMBERS[all]} in the tree, ${NUMBERS[gone]} fly away, and ${NUMBERS[all - gone]} stay.`;
}

/** Stories that this project made up. */
export const ENGLISH: readonly ((draw: Draw) => string)[] = [pet, season, lost, counting];
