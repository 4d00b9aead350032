import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { signal: "wave", delta: "0.4", rules: "zoh" }, at: "delta", answer: 1 },
    { view: { signal: "wave", delta: "0.4", rules: "zoh" }, at: "delta", answer: 0 },
    { view: { signal: "wave", delta: "0.25", damping: "0.3", rules: "zoh,bilinear,forward" }, at: "edge", answer: 2 },
    { view: { signal: "wave", delta: "0.02", rules: "zoh,bilinear,forward,backward" }, at: "delta", answer: 1 },
    { view: { signal: "steps", delta: "0.1", rules: "zoh" }, at: "delta", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "A text is a list of tokens, but a state space model is written for curves. <strong>Zero-order hold</strong> bridges the gap: each sample is held until the next one comes. The step Δ is how long.",
        ask: "What does the system get as its input between two samples?",
        options: ["nothing", "the last sample, unchanged", "a straight line to the next"],
        reveal: "The held input is a curve of steps. For such a curve the true motion can be worked out exactly.",
      },
      {
        say: "The continuous output is then looked at only once each step: discrete in, continuous inside, discrete out. What remains is one multiplication a step: 𝑥<sub>k</sub> = Ā 𝑥<sub>k−1</sub> + B̄ 𝑢<sub>k</sub>.",
        ask: "What do Ā and B̄ depend on?",
        options: ["on A, B and Δ", "on the input", "on how many samples there are"],
        reveal: "Ā = exp(ΔA). Change Δ, and the same system forgets more or less in one step.",
      },
      {
        say: "Euler’s rule is simpler, Ā = 1 + ΔA, and for small steps it does. At this Δ its eigenvalues lie outside of the unit circle.",
        ask: "What does its curve do?",
        options: ["it is a little late", "it fades too fast", "it explodes although the real system is calm"],
        reveal:
          "Inside of the unit circle a recurrence forgets, outside it explodes. ZOH always lands inside when A is stable.",
      },
      {
        say: "Now Δ is tiny, and all rules agree.",
        ask: "What is Ā for a tiny Δ?",
        options: ["nearly 0: all is forgotten", "nearly the identity: all is kept", "it explodes"],
        reveal:
          "exp(0) = 1. A small Δ barely looks at the sample and keeps the state; a large one forgets the state and takes the sample.",
      },
      {
        say: "In these layers Δ is no clock that somebody set. It is a <strong>learned</strong> number: every channel finds the time scale at which it wants to look.",
        ask: "What does Mamba change about it?",
        options: ["it leaves Δ out", "it makes it very small", "it lets each token choose its own Δ"],
        reveal: "Keep that for the page “Selection”: small Δ ignores a token, large Δ focuses on it.",
      },
    ],
    [
      {
        say: "文字是一串词元，状态空间模型却是为曲线写的。<strong>零阶保持</strong>架起桥梁：每个样本一直保持到下一个到来，步长 Δ 就是保持多久。",
        ask: "在两个样本之间，系统得到的输入是什么？",
        options: ["没有输入", "上一个样本，保持不变", "连向下一个样本的直线"],
        reveal: "保持之后的输入是一条台阶曲线；对这样的曲线，真实的运动可以精确算出。",
      },
      {
        say: "连续的输出每一步只看一次：离散进，中间连续，离散出。剩下的是每步一次乘法：𝑥<sub>k</sub> = Ā 𝑥<sub>k−1</sub> + B̄ 𝑢<sub>k</sub>。",
        ask: "Ā 与 B̄ 取决于什么？",
        options: ["取决于 A、B 和 Δ", "取决于输入", "取决于有多少个样本"],
        reveal: "Ā = exp(ΔA)。改变 Δ，同一个系统一步里忘掉的就多一些或少一些。",
      },
      {
        say: "欧拉规则更简单，Ā = 1 + ΔA，步长小时也够用。在这个 Δ 下，它的特征值落在单位圆之外。",
        ask: "它的曲线会怎样？",
        options: ["稍微滞后", "消失得太快", "真实系统很平静，它却爆炸"],
        reveal: "在单位圆内，递推会遗忘；在圆外，它会爆炸。只要 A 稳定，零阶保持总落在圆内。",
      },
      {
        say: "现在 Δ 很小，所有规则都一致。",
        ask: "Δ 很小时，Ā 是什么？",
        options: ["接近 0：全部忘掉", "接近单位矩阵：全部保留", "会爆炸"],
        reveal: "exp(0) = 1。小的 Δ 几乎不看样本，保留状态；大的 Δ 忘掉状态，接受样本。",
      },
      {
        say: "在这些层里，Δ 不是谁设定的时钟，而是一个<strong>可学习</strong>的数：每个通道自己找到想看的时间尺度。",
        ask: "Mamba 对它作了什么改变？",
        options: ["去掉 Δ", "把它变得很小", "让每个词元自己选择 Δ"],
        reveal: "请记到“选择”那一页：小的 Δ 忽略一个词元，大的 Δ 专注于它。",
      },
    ],
  ),
};
