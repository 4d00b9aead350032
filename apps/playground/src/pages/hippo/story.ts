import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { signal: "noise", n: "32" }, at: "signal", answer: 1 },
    { view: { signal: "noise", n: "8" }, at: "signal", answer: 0 },
    { view: { signal: "waves", n: "32" }, at: "error-legs", answer: 2 },
    { view: { measure: "legs", n: "4" }, at: "corner-unscaled", answer: 1 },
    { view: { signal: "noise", n: "32", now: "600" }, at: "signal", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "The matrix A makes the next state from the last one, so A decides what is remembered. <strong>HiPPO</strong> asks for an A under which the state is a compressed copy of the whole history.",
        ask: "What are the 32 numbers of the state?",
        options: [
          "the last 32 samples",
          "coefficients of the polynomials that add up to the history",
          "random projections",
        ],
        reveal:
          "As a picture file keeps waves and not dots, HiPPO keeps how much of each Legendre polynomial there is.",
      },
      {
        say: "Now the state has only 8 numbers for the same 600 samples.",
        ask: "What gets lost?",
        options: ["fine detail, everywhere", "everything but the last 8 samples", "the beginning"],
        reveal:
          "Fewer polynomials, coarser curve. Where in the past it is coarse depends on the measure: LegS weighs all of the past alike.",
      },
      {
        say: "Compare the errors: LegS, and a <strong>random</strong> matrix of the same size, read out as well as can be.",
        ask: "Why does the random matrix do so badly?",
        options: [
          "it is not trained",
          "it has too few numbers",
          "powers of it fade or explode, so old samples leave no trace that could be told apart",
        ],
        reveal:
          "This is the gain that made S4 work: the same layer with HiPPO’s matrix in place of a random one learned long dependencies at once.",
      },
      {
        say: "The matrix has a formula. Scaled: −√(2n+1) √(2k+1) below the diagonal, −(n+1) on it, 0 above. The well-known table 1 / 1 2 / 1 3 3 / 1 3 5 4 is the <strong>unscaled</strong> form, with its sign turned.",
        ask: "Why is it 0 above the diagonal?",
        options: [
          "to save memory",
          "a polynomial’s coefficient is driven by those of lower degree only",
          "because random numbers would stand there",
        ],
        reveal:
          "Each coefficient fades by itself (the diagonal) and takes from the coarser ones. That triangle is what S4 turns almost diagonal.",
      },
      {
        say: "LegS keeps the whole past, ever coarser; LegT and Fourier keep a window. In a fixed recurrence, as S4 runs it with a fixed Δ, LegS’s matrix forgets exponentially: recent samples sharp, old ones faint.",
        ask: "What of this does Mamba start from?",
        options: ["all of A", "nothing", "only the diagonal: −1, −2, … −N"],
        reveal: "One real number a state: a set of fading memories, fast and slow. The rest is bought by selection.",
      },
    ],
    [
      {
        say: "矩阵 A 从上一个状态造出下一个，所以由 A 决定记住什么。<strong>HiPPO</strong> 要找这样的 A：状态是整段历史的压缩副本。",
        ask: "状态的 32 个数是什么？",
        options: ["最近的 32 个样本", "多项式的系数，它们加起来就是历史", "随机投影"],
        reveal: "就像图片文件存的是波而不是点，HiPPO 存的是每个勒让德多项式有多少。",
      },
      {
        say: "现在同样的 600 个样本，状态只有 8 个数。",
        ask: "丢了什么？",
        options: ["各处的细节", "除最近 8 个样本外的一切", "开头"],
        reveal: "多项式少了，曲线就粗了。过去的哪一段更粗，取决于测度：LegS 对整个过去一视同仁。",
      },
      {
        say: "比较误差：LegS，和一个同样大小的<strong>随机</strong>矩阵（读出方式已尽可能好）。",
        ask: "随机矩阵为什么这么差？",
        options: ["它没有训练", "它的数太少", "它的幂会消失或爆炸，旧样本没有留下可以分辨的痕迹"],
        reveal: "正是这一点让 S4 成功：同样的层，把随机矩阵换成 HiPPO 矩阵，马上学会了长程依赖。",
      },
      {
        say: "这个矩阵有公式。缩放形式：对角线以下 −√(2n+1) √(2k+1)，对角线上 −(n+1)，以上是 0。常见的表 1 / 1 2 / 1 3 3 / 1 3 5 4 是<strong>未缩放</strong>形式，并且变了号。",
        ask: "为什么对角线以上是 0？",
        options: ["为了省内存", "一个多项式的系数只受更低次系数的推动", "否则那里就是随机数"],
        reveal: "每个系数自己衰减（对角线），并从更粗的那些取得内容。S4 要把这个三角形变得几乎对角。",
      },
      {
        say: "LegS 保留整个过去，越来越粗；LegT 与 Fourier 保留一个窗口。S4 用固定的 Δ 运行时，LegS 的矩阵按指数遗忘：近的清晰，远的模糊。",
        ask: "Mamba 从其中的什么出发？",
        options: ["整个 A", "什么都不用", "只有对角线：−1、−2、…… −N"],
        reveal: "每个状态一个实数：一组有快有慢的衰减记忆。其余的靠选择来补。",
      },
    ],
  ),
};
