/** Where a visitor meets an idea, and the test that computes the numbers shown there once more by another way. */
export interface ToldIdea {
  /** Page and parameters, as the address has them. */
  readonly at: string;
  /** File of the test, from this folder's parent, and words of its title. */
  readonly test: readonly [file: string, title: string];
}

/** What an explanation of Mamba has to tell, in the order of a course; `concepts.test.ts` holds each line. */
export const told: Readonly<Record<string, ToldIdea>> = {
  "Transformer: what training costs": {
    at: "why?upto=2048",
    test: ["unit/powerLaw.test.ts", "have every kind at every length"],
  },
  "Transformer: what writing costs": {
    at: "why?written=7",
    test: ["e2e/theory.test.ts", "1 Why: four layers are measured"],
  },
  "RNN: what training and writing cost": {
    at: "why?upto=2048",
    test: ["unit/powerLaw.test.ts", "lies within three of its errors"],
  },
  "an attention map, drawn": {
    at: "why?written=7",
    test: ["unit/memories.test.ts", "each row of the map is the softmax"],
  },
  "a state of fixed size": {
    at: "why?written=7",
    test: ["unit/memories.test.ts", "a state has the same size after each word"],
  },
  "state and maze: exit, x, y, distance": { at: "state-space", test: ["e2e/theory.test.ts", "the maze can be walked"] },
  "A B C D": {
    at: "state-space?abcd=0,1,-4,-0.4,0,1,1,0,0",
    test: ["e2e/theory.test.ts", "an edited spring moves as the library says"],
  },
  "the signal-flow picture": {
    at: "state-space?input=step",
    test: ["unit/memories.test.ts", "what the picture of signals shows"],
  },
  "skip connection D": { at: "state-space?input=sine", test: ["unit/code.test.ts", "a spring, pushed"] },
  "forgetting or exploding": {
    at: "discretize?damping=0",
    test: ["unit/fate.test.ts", "swings for ever without damping"],
  },
  "zero-order hold": { at: "discretize?delta=0.3", test: ["unit/code.test.ts", "discretization, swinging"] },
  "continuous to discrete": {
    at: "discretize?delta=0.1",
    test: ["e2e/theory.test.ts", "errors, orders and stability are the library's"],
  },
  "the step as a learned number": {
    at: "discretize?hidden=0.3",
    test: ["unit/learnedStep.test.ts", "the step is found by its gradient"],
  },
  "recurrent view": { at: "two-views?k=30", test: ["e2e/theory.test.ts", "both outputs agree at every step"] },
  "convolutional view: CB, CAB, CA2B slide over the input": {
    at: "two-views?k=8",
    test: ["unit/code.test.ts", "two views, "],
  },
  "LSSL by name": { at: "two-views?measure=legt", test: ["e2e/theory.test.ts", "both outputs agree at every step"] },
  "LTI by name": {
    at: "two-views?k=45",
    test: ["e2e/practice.test.ts", "Mamba learns to copy selectively in the tab, S4 does not"],
  },
  "HiPPO's formula and its 4 x 4 table, which of the two it is": {
    at: "hippo?n=4&measure=legs",
    test: ["unit/claims.test.ts", "the unscaled one acts on inner products"],
  },
  "HiPPO against random": { at: "s4?init=random", test: ["unit/code.test.ts", "S4, ${init}"] },
  "S4 = SSM + HiPPO + discretization": { at: "s4?init=legs", test: ["unit/code.test.ts", "S4, ${init}"] },
  "selective copying": {
    at: "selection?len=48",
    test: ["e2e/practice.test.ts", "Mamba learns to copy selectively in the tab"],
  },
  "induction heads": { at: "induction?asked=2", test: ["unit/code.test.ts", "an induction head"] },
  "one-shot questions and answers": {
    at: "induction?qa=Ann%3Dred%3BBob%3Dblue",
    test: ["unit/induction.test.ts", "attention learns to answer from the text"],
  },
  "static against input-dependent B, C, delta": {
    at: "selection?see=B",
    test: ["e2e/practice.test.ts", "the mixture can be given selection part by part"],
  },
  "small delta ignores, large delta focuses": {
    at: "selection?knob=2,0.05,2,0.05,2",
    test: ["unit/jar.test.ts", "the shares are what the recurrence makes"],
  },
  "a trained channel that chooses its delta": {
    at: "selection?len=16",
    test: ["unit/reading.test.ts", "nine answers in ten are read most of all"],
  },
  "the reading matrix": {
    at: "selection?letters=3A9B20C30D",
    test: ["unit/reading.test.ts", "each row sums to the model's own score"],
  },
  "the scan as a for loop": {
    at: "scan?algorithm=sequential",
    test: ["unit/rounds.test.ts", "ends in the states of the recurrence"],
  },
  "the scan as a tree": {
    at: "scan?algorithm=tree&l=16",
    test: ["unit/rounds.test.ts", "the tree trades work for rounds"],
  },
  "SRAM and DRAM": { at: "bytes?l=1024", test: ["unit/bytes.test.ts", "counts every parcel"] },
  "kernel fusion": {
    at: "bytes?fused=on",
    test: ["unit/bytes.test.ts", "compute the library's scan and its gradients"],
  },
  recomputation: {
    at: "bytes?fused=on&training=on&recompute=on",
    test: ["unit/bytes.test.ts", "keeps for the way back what no kernel makes again"],
  },
  "predicted against measured time": {
    at: "bytes?l=2048",
    test: ["e2e/bytes.test.ts", "times are predicted from the measured bandwidth"],
  },
  "the Mamba block: projection, convolution, selective SSM, gate": {
    at: "block?zoom=block",
    test: ["unit/trace.test.ts", "plain loops give the model's own logits"],
  },
  "residual and norm, stacked": {
    at: "block?zoom=model",
    test: ["unit/trace.test.ts", "plain loops give the model's own logits"],
  },
  "one channel, one state": {
    at: "block?zoom=state",
    test: ["unit/trace.test.ts", "the numbers of one state are those of its channel"],
  },
  "one step with all its numbers": {
    at: "block?zoom=channel",
    test: ["e2e/block.test.ts", "each row is one step of the recurrence"],
  },
  "linear scaling": { at: "why?upto=2048", test: ["unit/powerLaw.test.ts", "is exact for exact points"] },
  "unlimited context, tested": {
    at: "induction",
    test: ["unit/induction.test.ts", "answers a long text in pieces as it does at once"],
  },
  "a memory of fixed size against a cache": {
    at: "mamba?tokens=60",
    test: ["unit/claims.test.ts", "is the first length whose cache exceeds the state"],
  },
  "token microscope: surprise, next tokens, delta, who reads": {
    at: "mamba?look=Once",
    test: ["e2e/microscope.test.ts", "the numbers are the library's"],
  },
  "the state can be saved, forked and moved": {
    at: "mamba?tokens=30",
    test: ["e2e/practice.test.ts", "can save, rewind and fork"],
  },
  "hybrids and what attention adds": {
    at: "hybrids?pairs=12",
    test: ["unit/beyond.test.ts", "a state errs when it holds more pairs"],
  },
  "bytes that a hybrid keeps": {
    at: "hybrids?attention=4",
    test: ["unit/beyond.test.ts", "the cache is in proportion to layers of attention"],
  },
  "Mamba-2: duality": {
    at: "ssd?chunk=3",
    test: ["unit/beyond.test.ts", "matrix, recurrence and chunks of %i give one output"],
  },
  "Mamba-3: a state that turns": {
    at: "mamba3?turn=0.5",
    test: ["unit/beyond.test.ts", "half a turn at each one tells parity"],
  },
  "Mamba-3: both ends of a step": {
    at: "mamba3?lambda=0.5",
    test: ["unit/beyond.test.ts", "counting one end of a step is of first order"],
  },
  "a model of one's own": {
    at: "your-model",
    test: ["unit/ownModel.test.ts", "is less and less surprised, writes, and is a folder that loads again"],
  },
  "float32 and its rounding, on the visitor's machine": {
    at: "machine?seed=3",
    test: ["unit/code.test.ts", "rounding"],
  },
};
