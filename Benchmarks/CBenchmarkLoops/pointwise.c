#include "CBenchmarkLoops.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONED
#endif

/// exp(x) for x from -87 to 0.
static inline float exponential(float x) {
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float r = x - (shifted - 12582912.0f) * 0.693147181f;
  float p = r * 8.363295e-3f + 4.1666374e-2f;
  p = (p * r + 0.16666576f) * r + 0.5f;
  p = (p * r + 1) * r + 1;
  int bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (int)((unsigned)(bits + 127) << 23);
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

/// The error function by Abramowitz and Stegun's formula 7.1.26, right to 1.5e-7.
static inline float error_function(float x) {
  const float a = fabsf(x);
  const float t = 1 / (1 + 0.3275911f * a);
  float p = t * 1.061405429f - 1.453152027f;
  p = ((p * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f;
  const float square = a * a;
  const float y = 1 - p * t * exponential(square > 80 ? -80 : -square);
  return copysignf(y, x);
}

CLONED void benchmark_gelu(const float *const *inputs, float *output, long first, long end) {
  const float *x = inputs[0];
  for (long i = first; i < end; i++)
    output[i] = 0.5f * x[i] * (1 + error_function(x[i] * 0.707106781f));
}

CLONED void benchmark_chain(const float *const *inputs, float *output, long first, long end) {
  const float *x = inputs[0], *other = inputs[2];
  const long plane = 65536;
  for (long i = first; i < end;) {
    const float gate = inputs[1][i / plane];
    const long stop = (i / plane + 1) * plane < end ? (i / plane + 1) * plane : end;
    for (; i < stop; i++) {
      float y = x[i] * 0.7f + 0.1f;
      y = (y > 0 ? y : y * 0.2f) * gate + other[i];
      output[i] = y < -1 ? -1 : y > 1 ? 1 : y;
    }
  }
}
