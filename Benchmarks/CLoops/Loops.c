#include "CLoops.h"

#include <math.h>

// As the engine's kernels: for the processor at hand, without flags.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONED
#endif

enum {
  /// Pixels whose sums stay in the nearest cache.
  block = 512,
  /// Sums side by side, which become one register.
  lanes = 16,
};

CLONED void loop_normalize_channels(const float *restrict x, float *restrict y,
                                    const float *restrict weight, const float *restrict bias,
                                    long channels, long pixels, float epsilon, long from,
                                    long to) {
  float mean[block], factor[block];
  for (long start = from; start < to; start += block) {
    const long count = to - start < block ? to - start : block;
    for (long i = 0; i < count; i++) mean[i] = factor[i] = 0;
    for (long c = 0; c < channels; c++)
      for (long i = 0; i < count; i++) mean[i] += x[c * pixels + start + i];
    for (long i = 0; i < count; i++) mean[i] /= (float)channels;
    for (long c = 0; c < channels; c++) {
      for (long i = 0; i < count; i++) {
        const float d = x[c * pixels + start + i] - mean[i];
        factor[i] += d * d;
      }
    }
    for (long i = 0; i < count; i++) factor[i] = 1 / sqrtf(factor[i] / (float)channels + epsilon);
    for (long c = 0; c < channels; c++)
      for (long i = 0; i < count; i++)
        y[c * pixels + start + i] =
            (x[c * pixels + start + i] - mean[i]) * factor[i] * weight[c] + bias[c];
  }
}

CLONED void loop_normalize_groups(const float *restrict x, float *restrict y,
                                  const float *restrict weight, const float *restrict bias,
                                  long channels, long pixels, float epsilon, long from, long to) {
  const long count = channels * pixels;
  for (long group = from; group < to; group++) {
    const float *source = x + group * count;
    double mean = 0, variance = 0;
    // Parts whose sums float32 may hold.
    for (long start = 0; start < count; start += 4096) {
      const long end = start + 4096 < count ? start + 4096 : count;
      float sums[lanes] = {0};
      for (long i = start; i + lanes <= end; i += lanes)
        for (long j = 0; j < lanes; j++) sums[j] += source[i + j];
      for (long j = 0; j < lanes; j++) mean += sums[j];
    }
    mean /= (double)count;
    for (long start = 0; start < count; start += 4096) {
      const long end = start + 4096 < count ? start + 4096 : count;
      float sums[lanes] = {0};
      for (long i = start; i + lanes <= end; i += lanes) {
        for (long j = 0; j < lanes; j++) {
          const float d = source[i + j] - (float)mean;
          sums[j] += d * d;
        }
      }
      for (long j = 0; j < lanes; j++) variance += sums[j];
    }
    const float factor = (float)(1 / sqrt(variance / (double)count + epsilon));
    for (long c = 0; c < channels; c++) {
      const long place = group * count + c * pixels, channel = group * channels + c;
      for (long i = 0; i < pixels; i++)
        y[place + i] = (x[place + i] - (float)mean) * factor * weight[channel] + bias[channel];
    }
  }
}

CLONED void loop_softmax(const float *restrict x, float *restrict y, long width, long from,
                         long to) {
  for (long row = from; row < to; row++) {
    const float *source = x + row * width;
    float *target = y + row * width;
    float largest = source[0], sum = 0;
    for (long i = 1; i < width; i++) largest = source[i] > largest ? source[i] : largest;
    for (long i = 0; i < width; i++) sum += target[i] = expf(source[i] - largest);
    for (long i = 0; i < width; i++) target[i] /= sum;
  }
}
