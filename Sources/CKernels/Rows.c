#include "CKernels.h"
#include "Vector.h"

CLONED void aviary_add_row(const float *restrict row, float weight, float *restrict sum,
                           long count) {
  for (long i = 0; i < count; i++) sum[i] += row[i] * weight;
}

/// Single numbers of as many taps each: as the number is known, pixels are done side by side.
INLINE void gather_numbers(const float *restrict row, const long *restrict positions,
                           const float *restrict weights, const long taps, long pixels,
                           float *restrict to) {
  for (long x = 0; x < pixels; x++) {
    float sum = 0;
    for (long tap = 0; tap < taps; tap++)
      sum += row[positions[x * taps + tap]] * weights[x * taps + tap];
    to[x] = sum;
  }
}

CLONED void aviary_gather_row(const float *restrict row, const long *restrict starts,
                              const long *restrict positions, const float *restrict weights,
                              long most, long pixels, long depth, float *restrict to) {
  if (depth == 1) {
    switch (most) {
      case 1: return gather_numbers(row, positions, weights, 1, pixels, to);
      case 2: return gather_numbers(row, positions, weights, 2, pixels, to);
      case 4: return gather_numbers(row, positions, weights, 4, pixels, to);
      case 6: return gather_numbers(row, positions, weights, 6, pixels, to);
    }
    for (long x = 0; x < pixels; x++) {
      float sum = 0;
      for (long tap = starts[x]; tap < starts[x + 1]; tap++)
        sum += row[positions[tap]] * weights[tap];
      to[x] = sum;
    }
    return;
  }
  for (long x = 0; x < pixels; x++, to += depth) {
    for (long i = 0; i < depth; i++) to[i] = 0;
    for (long tap = starts[x]; tap < starts[x + 1]; tap++) {
      const float *from = row + positions[tap] * depth;
      const float weight = weights[tap];
      for (long i = 0; i < depth; i++) to[i] += from[i] * weight;
    }
  }
}

CLONED void aviary_spread_row(const float *restrict from, long count, long depth, long step,
                              float *restrict to) {
  if (depth == 1) {
    for (long x = 0; x < count; x++) to[x * step] = from[x];
    return;
  }
  for (long x = 0; x < count; x++, from += depth, to += step * depth) {
    long i = 0;
    for (; i + lanes <= depth; i += lanes) STORE(to + i, LOAD(from + i));
    for (; i < depth; i++) to[i] = from[i];
  }
}
