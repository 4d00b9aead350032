#include "outer.h"

void layOutOuter(Outer *o, float *memory, long p, long n, long updates, long queries) {
  long pad = padded(n);
  o->p = p, o->n = n, o->pad = pad, o->updates = updates, o->queries = queries;
  struct { float **at; long size; } parts[] = {
      {&o->values, updates * p},  {&o->dValues, updates * p},  {&o->keys, updates * pad},  {&o->dKeys, updates * pad},
      {&o->queriesAt, queries * pad}, {&o->dQueries, queries * pad}, {&o->y, queries * p},     {&o->dY, queries * p},
  };
  o->state = memory, memory += p * pad;
  o->adjoint = memory, memory += p * pad;
  o->states = memory, memory += (OUTER_SPAN + 1) * p * pad;
  for (int i = 0; i < 8; i++) *parts[i].at = memory, memory += OUTER_SPAN * parts[i].size;
}

/** What another sequence left may have been anything, NaN too: its bits are masked. A decay of 0 alone keeps the NaN of its own sequence. */
INLINE I4 keptAt(int fresh) { return splatInt(fresh ? 0 : -1); }
INLINE F4 loadKept(const float *p, I4 kept) { return (F4)((I4)load4(p) & kept); }

/** One step of one row with a single update and a single query. */
INLINE F4 rowForward(const float *before, float *after, long pad, float alpha, int fresh, float value, const float *key, const float *query) {
  F4 a = splat(alpha), v = splat(value), sum = splat(0);
  I4 kept = keptAt(fresh);
  for (long e = 0; e < pad; e += 4) {
    F4 h = madd(a, loadKept(before + e, kept), v * load4(key + e));
    store4(after + e, h);
    sum = madd(h, load4(query + e), sum);
  }
  return sum;
}

void outerForward(Outer *o, long steps, int keep) {
  long size = o->p * o->pad;
  if (keep) memcpy(o->states, o->state, (UW)size * sizeof(float));
  for (long t = 0; t < steps; t++) {
    const float *before = keep ? o->states + t * size : o->state;
    float *after = keep ? o->states + (t + 1) * size : o->state;
    const float *values = o->values + t * o->updates * o->p, *keys = o->keys + t * o->updates * o->pad, *queries = o->queriesAt + t * o->queries * o->pad;
    float *y = o->y + t * o->queries * o->p;
    for (long c = 0; c < o->p; c++) {
      const float *from = before + c * o->pad;
      float *to = after + c * o->pad;
      F4 sum = rowForward(from, to, o->pad, o->alpha[t], o->fresh[t], values[c], keys, queries);
      if (o->updates > 1 || o->queries > 1) {
        for (long i = 1; i < o->updates; i++)
          for (long e = 0; e < o->pad; e += 4) store4(to + e, madd(splat(values[i * o->p + c]), load4(keys + i * o->pad + e), load4(to + e)));
        for (long j = 0; j < o->queries; j++) {
          sum = splat(0);
          for (long e = 0; e < o->pad; e += 4) sum = madd(load4(to + e), load4(queries + j * o->pad + e), sum);
          y[j * o->p + c] = sum4(sum);
        }
      } else y[c] = sum4(sum);
    }
  }
  if (keep) memcpy(o->state, o->states + steps * size, (UW)size * sizeof(float));
}

/** One row of one step back, single update and query; returns the lanes of dL/d value, adds those of dL/d alpha. */
INLINE F4 outerRowBack(Outer *o, float *G, const float *h, const float *before, float alpha, int fresh, float value, float dy, const float *key, const float *query, float *dKey, float *dQuery, F4 *dAlpha) {
  F4 a = splat(alpha), v = splat(value), d = splat(dy), dValue = splat(0), sum = *dAlpha;
  I4 kept = keptAt(fresh);
  for (long e = 0; e < o->pad; e += 4) {
    F4 g = madd(d, load4(query + e), load4(G + e));
    store4(dQuery + e, madd(d, load4(h + e), load4(dQuery + e)));
    store4(dKey + e, madd(v, g, load4(dKey + e)));
    dValue = madd(g, load4(key + e), dValue);
    sum = madd(g, loadKept(before + e, kept), sum);
    store4(G + e, (F4)((I4)(a * g) & kept));
  }
  *dAlpha = sum;
  return dValue;
}

/** The same with any number of updates and queries. */
static F4 rowBackMany(Outer *o, long t, long c, float *G, const float *h, const float *before, F4 dAlpha) {
  const float *values = o->values + t * o->updates * o->p, *keys = o->keys + t * o->updates * o->pad, *queries = o->queriesAt + t * o->queries * o->pad;
  const float *dY = o->dY + t * o->queries * o->p;
  float *dValues = o->dValues + t * o->updates * o->p, *dKeys = o->dKeys + t * o->updates * o->pad, *dQueries = o->dQueries + t * o->queries * o->pad;
  for (long j = 0; j < o->queries; j++) {
    F4 d = splat(dY[j * o->p + c]);
    for (long e = 0; e < o->pad; e += 4) {
      float *dQuery = dQueries + j * o->pad + e;
      store4(G + e, madd(d, load4(queries + j * o->pad + e), load4(G + e)));
      store4(dQuery, madd(d, load4(h + e), load4(dQuery)));
    }
  }
  for (long i = 0; i < o->updates; i++) {
    F4 v = splat(values[i * o->p + c]), dValue = splat(0);
    for (long e = 0; e < o->pad; e += 4) {
      float *dKey = dKeys + i * o->pad + e;
      F4 g = load4(G + e);
      store4(dKey, madd(v, g, load4(dKey)));
      dValue = madd(g, load4(keys + i * o->pad + e), dValue);
    }
    dValues[i * o->p + c] = sum4(dValue);
  }
  F4 a = splat(o->alpha[t]);
  I4 kept = keptAt(o->fresh[t]);
  for (long e = 0; e < o->pad; e += 4) {
    F4 g = load4(G + e);
    dAlpha = madd(g, loadKept(before + e, kept), dAlpha);
    store4(G + e, (F4)((I4)(a * g) & kept));
  }
  return dAlpha;
}

void outerBackward(Outer *o, long steps) {
  long size = o->p * o->pad, single = o->updates == 1 && o->queries == 1;
  for (long t = steps - 1; t >= 0; t--) {
    long key = t * o->updates * o->pad, query = t * o->queries * o->pad;
    memset(o->dKeys + key, 0, (UW)(o->updates * o->pad) * sizeof(float));
    memset(o->dQueries + query, 0, (UW)(o->queries * o->pad) * sizeof(float));
    F4 dAlpha = splat(0);
    for (long c = 0; c < o->p; c++) {
      float *G = o->adjoint + c * o->pad;
      const float *h = o->states + (t + 1) * size + c * o->pad, *before = o->states + t * size + c * o->pad;
      if (single) o->dValues[t * o->p + c] = sum4(outerRowBack(o, G, h, before, o->alpha[t], o->fresh[t], o->values[t * o->p + c], o->dY[t * o->p + c], o->keys + key, o->queriesAt + query, o->dKeys + key, o->dQueries + query, &dAlpha));
      else dAlpha = rowBackMany(o, t, c, G, h, before, dAlpha);
    }
    o->dAlpha[t] = sum4(dAlpha);
  }
}
