/** Places of the ids by expert, in order; ids that are none are left out. */
export function choicesByExpert(ids: Int32Array, experts: number): readonly (readonly number[])[] {
  const choices: number[][] = Array.from({ length: experts }, () => []);
  ids.forEach((id, at) => choices[id]?.push(at));
  return choices;
}
