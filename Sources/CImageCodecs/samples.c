#include <string.h>

#include "CImageCodecs.h"

// A product and a sum are rounded each for itself, as Swift does it, on every processor.
#pragma STDC FP_CONTRACT OFF

// Values are converted a block at a time where they lie together, which vector instructions do, and
// then spread or gathered.
enum { block = 512 };

// NaN fails the first comparison.
static inline float level(float value, float maximum) {
  value = value > 0 ? value : 0;
  value = value < 1 ? value : 1;
  return value * maximum + 0.5f;
}

void cimg_pack_8(const float *plane, size_t count, size_t step, uint8_t *samples) {
  uint8_t levels[block];
  for (size_t start = 0; start < count; start += block) {
    size_t length = count - start < block ? count - start : block;
    for (size_t i = 0; i < length; i++)
      levels[i] = (uint8_t)(int32_t)level(plane[start + i], 255);
    uint8_t *target = samples + start * step;
    for (size_t i = 0; i < length; i++) target[i * step] = levels[i];
  }
}

void cimg_pack_16(const float *plane, size_t count, size_t step, uint8_t *samples) {
  for (size_t i = 0; i < count; i++, samples += 2 * step) {
    int32_t value = (int32_t)level(plane[i], 65535);
    samples[0] = (uint8_t)(value >> 8);
    samples[1] = (uint8_t)value;
  }
}

void cimg_unpack_8(const uint8_t *samples, size_t count, ptrdiff_t step, float *plane) {
  uint8_t levels[block];
  for (size_t start = 0; start < count; start += block) {
    size_t length = count - start < block ? count - start : block;
    const uint8_t *source = samples + (ptrdiff_t)start * step;
    for (size_t i = 0; i < length; i++) levels[i] = source[(ptrdiff_t)i * step];
    for (size_t i = 0; i < length; i++) plane[start + i] = (float)levels[i] / 255.0f;
  }
}

void cimg_unpack_16(const uint8_t *samples, size_t count, ptrdiff_t step, float *plane) {
  for (size_t i = 0; i < count; i++) {
    uint16_t value;
    memcpy(&value, samples + (ptrdiff_t)i * step, sizeof value);
    plane[i] = (float)value / 65535.0f;
  }
}

void cimg_pack_32(const float *plane, size_t count, size_t step, uint8_t *samples) {
  for (size_t i = 0; i < count; i++, samples += 4 * step)
    memcpy(samples, plane + i, sizeof *plane);
}

void cimg_unpack_32(const uint8_t *samples, size_t count, ptrdiff_t step, float *plane) {
  for (size_t i = 0; i < count; i++)
    memcpy(plane + i, samples + (ptrdiff_t)i * step, sizeof *plane);
}
