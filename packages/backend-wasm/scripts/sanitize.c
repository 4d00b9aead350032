// Runs recorded kernel calls (scripts/sanitize.ts) under AddressSanitizer and UndefinedBehaviorSanitizer: every operand is a block of its own, of exactly
// its size. Each call runs with what it held, then again with adversarial values: any id, any float; sizes stay, since the op layer has checked those.
// The generated unit before this one has the kernels, their table, names and the kinds of their words.
#include <stdio.h>
#include <stdlib.h>

static char *scratch;
void *scratchOf(int thread) { return scratch + (UW)thread * SCRATCH_BYTES; }
void barrier(int thread, int threads) { (void)thread, (void)threads; }

static unsigned long long state = 88172645463325252ull;
static unsigned draw(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (unsigned)(state >> 16);
}
static unsigned hostileFloat(unsigned own) {
  static const unsigned edges[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0xff7fffff, 0x80000000, 0, 1, 0x3f800000, 0x42b20000, 0xc2b20000};
  switch (draw() % 4) {
    case 0: return edges[draw() % (sizeof edges / sizeof *edges)];
    case 1: return draw();
    default: return own;
  }
}
static unsigned hostileInt(unsigned own) {
  static const unsigned edges[] = {0, 1, 2, 0xffffffff, 0x7fffffff, 0x80000000, 100000000, (unsigned)-100, 1000};
  return draw() % 3 == 0 ? edges[draw() % (sizeof edges / sizeof *edges)] : draw() % 3 == 0 ? draw() : own;
}

typedef struct { int address, bytes; unsigned char *held, *copy; char kind; } Operand;

/** Their lists of rows come from another kernel (orderByExpert), never from a caller. */
static int listsAreOurs(const char *name) {
  return !strcmp(name, "moveChoices") || !strcmp(name, "linearByExpert") || !strcmp(name, "outerByExpert");
}
static int findKernel(const char *name) {
  for (int i = 0; kernelNames[i]; i++)
    if (!strcmp(kernelNames[i], name)) return i;
  fprintf(stderr, "there is no kernel %s\n", name);
  exit(2);
}
static void readAll(void *to, size_t bytes, FILE *file) {
  if (bytes && fread(to, 1, bytes, file) != bytes) {
    fprintf(stderr, "the recording ends early\n");
    exit(2);
  }
}

/** One run: fresh blocks, so that a stray write of one is seen at once. */
static void runOnce(int kernel, const int *words, int count, Operand *operands, int howMany, int hostile, int threads) {
  W *args = malloc(sizeof(W) * (size_t)(count ? count : 1));
  const char *kinds = kernelKinds[kernel];
  for (int i = 0; i < howMany; i++) {
    operands[i].copy = malloc((size_t)operands[i].bytes);
    memcpy(operands[i].copy, operands[i].held, (UW)operands[i].bytes);
  }
  for (int i = 0; i < count; i++) {
    char kind = kinds[i < (int)strlen(kinds) ? i : (int)strlen(kinds) - 1];
    args[i] = words[i];
    if (kind == 'n') continue;
    args[i] = 0;
    for (int j = 0; words[i] && j < howMany; j++)
      if (operands[j].address == words[i]) {
        args[i] = (W)operands[j].copy;
        operands[j].kind = kind;
      }
    if (words[i] && !args[i]) {
      fprintf(stderr, "%s: word %d points nowhere\n", kernelNames[kernel], i);
      exit(2);
    }
  }
  int ours = listsAreOurs(kernelNames[kernel]);
  for (int i = 0; hostile && i < howMany; i++) {
    unsigned *p = (unsigned *)operands[i].copy;
    for (int j = 0; j < operands[i].bytes / 4; j++) p[j] = operands[i].kind == 'i' ? (ours ? p[j] : hostileInt(p[j])) : hostileFloat(p[j]);
  }
  for (int thread = 0; thread < threads; thread++) kernels[kernel](args, thread, threads);
  for (int i = 0; i < howMany; i++) free(operands[i].copy);
  free(args);
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: sanitize RECORDING REPEATS\n"), 2;
  FILE *file = fopen(argv[1], "rb");
  if (!file) return fprintf(stderr, "there is no file %s\n", argv[1]), 2;
  int repeats = atoi(argv[2]), threads;
  long calls = 0;
  readAll(&threads, sizeof threads, file);
  scratch = aligned_alloc(64, (size_t)SCRATCH_BYTES * (size_t)threads);
  int head[3];
  while (fread(head, 1, sizeof head, file) == sizeof head) {
    char name[128] = {0};
    readAll(name, (size_t)head[0], file);
    int kernel = findKernel(name), *words = malloc(4 * (size_t)(head[1] ? head[1] : 1));
    readAll(words, 4 * (size_t)head[1], file);
    Operand *operands = calloc((size_t)(head[2] ? head[2] : 1), sizeof(Operand));
    for (int i = 0; i < head[2]; i++) {
      int place[2];
      readAll(place, sizeof place, file);
      operands[i] = (Operand){place[0], place[1], malloc((size_t)place[1]), 0, 'f'};
      readAll(operands[i].held, (size_t)place[1], file);
    }
    for (int repeat = 0; repeat <= repeats; repeat++, calls += threads) runOnce(kernel, words, head[1], operands, head[2], repeat > 0, threads);
    for (int i = 0; i < head[2]; i++) free(operands[i].held);
    free(operands), free(words);
  }
  printf("%ld kernel runs, 0 findings\n", calls);
  return calls > 0 ? 0 : 2;
}
