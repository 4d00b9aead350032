import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: {}, at: "maze", answer: 1 },
    { view: { input: "impulse" }, at: "input", answer: 2 },
    { view: { input: "sine", abcd: "0,1,-4,-0.4,0,1,1,0,0.5" }, at: "flow", answer: 3 },
    { view: { input: "impulse", abcd: "0,1,-4,0.3,0,1,1,0,0" }, at: "input", answer: 0 },
  ],
  words: defineMessages(
    [
      {
        say: "In a maze, everything that matters for what comes next is where you stand. These numbers, here x, y and the steps left to the exit, are the <strong>state vector</strong>; all values that it can have are the <strong>state space</strong>.",
        ask: "Two walkers came to one cell by different ways. How do their possible futures differ?",
        options: ["they depend on the way", "not at all", "one is nearer to the exit"],
        reveal: "That is what makes it a state: with it, the past can be forgotten.",
      },
      {
        say: "A <strong>state space model</strong> says how the state changes with an input, and what we see of it. For a mass on a spring two numbers are enough: position and speed.",
        ask: "Would the position alone do as a state?",
        options: [
          "yes, the rest follows",
          "yes, if the push is known",
          "no: from one position it may go on either way",
        ],
        reveal:
          "With the speed beside it, the next moment is decided. A state needs as many numbers as the past can still matter in ways.",
      },
      {
        say: "The <strong>state equation</strong>: A turns the state into its own change, B adds the input. The <strong>output equation</strong>: C reads the state, D lets the input pass. The picture shows the numbers at the marked moment.",
        ask: "Which of the four is a <strong>skip connection</strong>, which the state never sees?",
        options: ["A", "B", "C", "D"],
        reveal:
          "D goes from input to output directly. The heart of the model is A, B and C; D is often left out when one speaks of it.",
      },
      {
        say: "Now friction pushes instead of braking: one number of A changed its sign, and the real parts of the eigenvalues became positive.",
        ask: "What happens to a push?",
        options: ["it grows for ever", "it fades", "it swings on for ever"],
        reveal:
          "The real part says how fast a memory fades (negative) or explodes (positive), the imaginary part how fast it swings. Mamba keeps the real parts negative by writing A = −exp(…).",
      },
    ],
    [
      {
        say: "在迷宫里，决定接下来会怎样的，只有你站在哪里。这些数（这里是 x、y 和到出口的步数）就是<strong>状态向量</strong>；它可能取的所有值就是<strong>状态空间</strong>。",
        ask: "两个人沿不同的路来到同一格。他们可能的未来有什么不同？",
        options: ["取决于来路", "没有不同", "其中一个离出口更近"],
        reveal: "这正是“状态”的意思：有了它，过去就可以忘掉。",
      },
      {
        say: "<strong>状态空间模型</strong>说的是：状态如何随输入改变，我们又能看到它的什么。对弹簧上的小球，两个数就够了：位置和速度。",
        ask: "只用位置作状态行不行？",
        options: ["行，其余的可以推出", "行，只要知道推力", "不行：同一个位置，可能往任一方向走"],
        reveal: "加上速度，下一刻就确定了。过去还能以多少种方式起作用，状态就需要多少个数。",
      },
      {
        say: "<strong>状态方程</strong>：A 把状态变成它自身的变化，B 加入输入。<strong>输出方程</strong>：C 读出状态，D 让输入直接通过。图中是标记时刻的数值。",
        ask: "四个里哪一个是状态根本看不到的<strong>跳跃连接</strong>？",
        options: ["A", "B", "C", "D"],
        reveal: "D 从输入直接到输出。模型的核心是 A、B、C；谈论它时常常把 D 略去。",
      },
      {
        say: "现在摩擦不再减速，反而加速：A 的一个数变了号，特征值的实部成了正数。",
        ask: "推一下会怎样？",
        options: ["越来越大", "渐渐消失", "永远摆动"],
        reveal:
          "实部说明记忆消失（负）或爆炸（正）得多快，虚部说明摆动得多快。Mamba 写成 A = −exp(…)，让实部总是负的。",
      },
    ],
  ),
};
