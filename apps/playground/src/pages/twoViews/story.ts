import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { k: "12" }, at: "y-recurrence", answer: 1 },
    { view: { k: "3" }, at: "filter-numbers", answer: 2 },
    { view: { k: "30" }, at: "y-convolution", answer: 0 },
    { view: { k: "30" }, at: "measure", answer: 1 },
    { view: { k: "30" }, at: "filter-numbers", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "The <strong>recurrent view</strong>: the state after step k is made of the state before it and the input at k. It looks like an RNN, but without a nonlinear function in between.",
        ask: "What must be kept to compute the next output?",
        options: ["all inputs so far", "the state alone", "the filter"],
        reveal: "A state of N numbers, however long the past is. That is why writing is cheap.",
      },
      {
        say: "Write the recurrence out and put each state into the next: y<sub>k</sub> = CB̄ 𝑢<sub>k</sub> + CĀB̄ 𝑢<sub>k−1</sub> + CĀ²B̄ 𝑢<sub>k−2</sub> + … The table has these weights as numbers, laid over the inputs.",
        ask: "Which weight has an input that is two steps old?",
        options: ["CB̄", "CĀB̄", "CĀ²B̄"],
        reveal:
          "One Ā for each step that it has stayed in the state. The weights depend on the age alone: they are a <strong>filter</strong>.",
      },
      {
        say: "The <strong>convolutional view</strong>: lay the reversed filter over the inputs, multiply, sum; then slide on. Like an image filter, in one dimension and looking back only.",
        ask: "Which outputs can be computed at the same time?",
        options: ["all of them", "two neighbours", "none: each needs the last"],
        reveal: "No output needs another one. So a whole text can be trained at once, and an FFT does it in l log l.",
      },
      {
        say: "The two views give the same numbers. Press “Measure”: the winner of one plot loses the other.",
        ask: "Which view would you take for what?",
        options: [
          "recurrence to train, convolution to write",
          "convolution to train, recurrence to write",
          "convolution for both",
        ],
        reveal:
          "A layer that does so is a <strong>linear state space layer (LSSL)</strong>: continuous, recurrent and convolutional, each where it is best.",
      },
      {
        say: "One thing made the filter possible: A, B, C and Δ are the same at every step. Such a system is called <strong>linear time-invariant (LTI)</strong>. It treats every token alike, whatever it says.",
        ask: "What if B and C depended on the token?",
        options: [
          "nothing would change",
          "the filter would get longer",
          "the weight of an input would no longer depend on its age alone, so no filter is left",
        ],
        reveal: "Static is fast, but blind to content. Mamba gives LTI up, and needs another way to be fast: the scan.",
      },
    ],
    [
      {
        say: "<strong>递推视角</strong>：第 k 步后的状态，由前一个状态和第 k 个输入得到。它看起来像 RNN，只是中间没有非线性函数。",
        ask: "要计算下一个输出，必须保留什么？",
        options: ["到目前为止的所有输入", "只要状态", "滤波器"],
        reveal: "N 个数的状态，无论过去多长。所以写作便宜。",
      },
      {
        say: "把递推写开，逐次代入：y<sub>k</sub> = CB̄ 𝑢<sub>k</sub> + CĀB̄ 𝑢<sub>k−1</sub> + CĀ²B̄ 𝑢<sub>k−2</sub> + …… 表里就是这些权重的数值，盖在输入上。",
        ask: "两步之前的输入，权重是哪一个？",
        options: ["CB̄", "CĀB̄", "CĀ²B̄"],
        reveal: "它在状态里每待一步，就乘一个 Ā。权重只取决于“年龄”：这就是一个<strong>滤波器</strong>。",
      },
      {
        say: "<strong>卷积视角</strong>：把反转的滤波器盖在输入上，相乘、求和；再往前滑。就像图像的卷积核，只是一维的，而且只向后看。",
        ask: "哪些输出可以同时计算？",
        options: ["全部", "相邻的两个", "一个也不行：每个都要前一个"],
        reveal: "没有哪个输出需要别的输出。于是整段文字可以一次训练，快速傅里叶变换只要 l log l。",
      },
      {
        say: "两种视角给出相同的数。点“测量”：一幅图里的赢家，在另一幅里是输家。",
        ask: "你会在什么时候用哪一种？",
        options: ["训练用递推，写作用卷积", "训练用卷积，写作用递推", "都用卷积"],
        reveal: "这样做的层就叫<strong>线性状态空间层（LSSL）</strong>：连续、递推、卷积三种表示，各用在最合适的地方。",
      },
      {
        say: "滤波器之所以存在，是因为 A、B、C 和 Δ 在每一步都相同。这样的系统叫<strong>线性时不变（LTI）</strong>。它对每个词元一视同仁，不管内容是什么。",
        ask: "如果 B 和 C 取决于词元，会怎样？",
        options: ["没有变化", "滤波器变长", "输入的权重不再只取决于年龄，也就没有滤波器了"],
        reveal: "静态的表示很快，却看不见内容。Mamba 放弃时不变性，于是需要另一种变快的办法：扫描。",
      },
    ],
  ),
};
