#include "CBenchmarkLoops.h"

#include <math.h>

#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONED
#endif

enum {
  channels = 64,
  pixels = 65536,
  /// Planes of a group.
  group = 8,
  /// Pixels whose sums stay in the nearest cache.
  block = 512,
  /// Elements whose sums float32 may hold.
  part = 4096,
  /// Sums side by side, which become one register.
  lanes = 16,
  /// Elements of a row.
  row = 64,
};

static const float epsilon = 1e-5f;

CLONED void benchmark_channel_normalization(const float *const *inputs, float *restrict output,
                                            long first, long end) {
  const float *restrict x = inputs[0];
  float mean[block], factor[block];
  for (long start = first; start < end; start += block) {
    const long count = end - start < block ? end - start : block;
    for (long i = 0; i < count; i++) mean[i] = factor[i] = 0;
    for (long c = 0; c < channels; c++)
      for (long i = 0; i < count; i++) mean[i] += x[c * pixels + start + i];
    for (long i = 0; i < count; i++) mean[i] /= channels;
    for (long c = 0; c < channels; c++) {
      for (long i = 0; i < count; i++) {
        const float d = x[c * pixels + start + i] - mean[i];
        factor[i] += d * d;
      }
    }
    for (long i = 0; i < count; i++) factor[i] = 1 / sqrtf(factor[i] / channels + epsilon);
    for (long c = 0; c < channels; c++)
      for (long i = 0; i < count; i++)
        output[c * pixels + start + i] = (x[c * pixels + start + i] - mean[i]) * factor[i];
  }
}

CLONED void benchmark_group_normalization(const float *const *inputs, float *restrict output,
                                          long first, long end) {
  const long count = (long)group * pixels;
  for (long place = first; place < end; place += count) {
    const float *restrict x = inputs[0] + place;
    double mean = 0, variance = 0;
    for (long start = 0; start < count; start += part) {
      float sums[lanes] = {0};
      for (long i = start; i < start + part; i += lanes)
        for (long j = 0; j < lanes; j++) sums[j] += x[i + j];
      for (long j = 0; j < lanes; j++) mean += sums[j];
    }
    const float middle = (float)(mean / (double)count);
    for (long start = 0; start < count; start += part) {
      float sums[lanes] = {0};
      for (long i = start; i < start + part; i += lanes) {
        for (long j = 0; j < lanes; j++) {
          const float d = x[i + j] - middle;
          sums[j] += d * d;
        }
      }
      for (long j = 0; j < lanes; j++) variance += sums[j];
    }
    const float factor = (float)(1 / sqrt(variance / (double)count + epsilon));
    for (long i = 0; i < count; i++) output[place + i] = (x[i] - middle) * factor;
  }
}

CLONED void benchmark_softmax(const float *const *inputs, float *restrict output, long first,
                              long end) {
  for (long start = first; start < end; start += row) {
    const float *restrict x = inputs[0] + start;
    float *restrict y = output + start;
    float largest = x[0], sum = 0;
    for (long i = 1; i < row; i++) largest = x[i] > largest ? x[i] : largest;
    for (long i = 0; i < row; i++) sum += y[i] = expf(x[i] - largest);
    for (long i = 0; i < row; i++) y[i] /= sum;
  }
}
