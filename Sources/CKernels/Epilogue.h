#pragma once
#include "CKernels.h"
#include "Vector.h"

// What is done to a convolution's sums before they are stored, and the storing.

/// What of an activation has to be done.
enum kind { nothing, relu, slope, slope_and_bounds };

INLINE enum kind kind_of(const aviary_activation *activation) {
  if (activation->minimum > -__builtin_inff() || activation->maximum < __builtin_inff())
    return slope_and_bounds;
  if (activation->slopes) return slope;
  return activation->slope == 1 ? nothing : activation->slope == 0 ? relu : slope;
}

/// Applies an activation. What is no number stays so.
INLINE void activate(enum kind kind, const aviary_activation *activation, const vec *slopes,
                     vec *x) {
  if (kind == nothing) return;
  if (kind == relu) {
    *x = SELECT(*x < 0, (vec){}, *x);
    return;
  }
  *x = SELECT(*x > 0, *x, *x * *slopes);
  if (kind == slope) return;
  const vec minimum = ALL(activation->minimum), maximum = ALL(activation->maximum);
  *x = SELECT(*x < minimum, minimum, *x);
  *x = SELECT(*x > maximum, maximum, *x);
}

/// How many pixels ahead memory that will be written is asked for.
enum { ahead_of_writing = 16 };

/// An epilogue for one group of channels.
typedef struct {
  const aviary_epilogue *epilogue;
  const aviary_image *image;
  vec bias, slopes, final_slopes;
  /// Channels of the group.
  long present;
  /// Whether the group is a whole one that lies side by side.
  int is_dense;
} finish;

INLINE finish finish_of(const aviary_epilogue *epilogue, const aviary_image *image, long c) {
  const float *own = epilogue->activation.slopes, *last = epilogue->final.slopes;
  const long present = image->channels - c < lanes ? image->channels - c : lanes;
  return (finish){
      .epilogue = epilogue,
      .image = image,
      .bias = epilogue->bias ? LOAD(epilogue->bias + c) : (vec){},
      .slopes = own ? LOAD(own + c) : ALL(epilogue->activation.slope),
      .final_slopes = last ? LOAD(last + c) : ALL(epilogue->final.slope),
      .present = present,
      .is_dense = present == lanes && image->channel == 1,
  };
}

/// Finishes the sums of some pixels of a row and stores them.
///
/// - Parameters:
///   - y: the sums of pixels `first` and on, before `end`.
///   - to, other: where pixel 0 lies of the image, and of what is added; the latter may be null.
///   - asks_ahead: whether memory is asked for pixel by pixel.
INLINE void finish_pixels(const finish *f, enum kind kind, enum kind final, vec *y, long first,
                          long end, float *to, const float *other, int asks_ahead) {
  const aviary_image *image = f->image;
  for (long j = first; j < end; j++) {
    const long pixel = j * image->pixel;
    y[j] += f->bias;
    activate(kind, &f->epilogue->activation, &f->slopes, &y[j]);
    if (f->is_dense) {
      if (other) {
        y[j] += LOAD(other + pixel);
        activate(final, &f->epilogue->final, &f->final_slopes, &y[j]);
      }
      if (asks_ahead) __builtin_prefetch(to + pixel + ahead_of_writing * image->pixel, 1);
      STORE(to + pixel, y[j]);
      continue;
    }
    float numbers[lanes];
    if (other) {
      for (long k = 0; k < lanes; k++)
        numbers[k] = k < f->present ? other[pixel + k * image->channel] : 0;
      y[j] += LOAD(numbers);
      activate(final, &f->epilogue->final, &f->final_slopes, &y[j]);
    }
    STORE(numbers, y[j]);
    for (long k = 0; k < f->present; k++) to[pixel + k * image->channel] = numbers[k];
  }
}

/// Calls `DO(kind, final, other)` with constants for the usual kinds, so that each has code of its
/// own.
#define FOR_EACH_KIND(kind, final, other, DO)                                                 \
  if (kind == nothing && !other) DO(nothing, nothing, 0);                                     \
  else if (kind == relu && !other) DO(relu, nothing, 0);                                      \
  else if (kind == slope && !other) DO(slope, nothing, 0);                                    \
  else if (kind == nothing && final == nothing) DO(nothing, nothing, other);                  \
  else if (kind == nothing && final == relu) DO(nothing, relu, other);                        \
  else DO(slope_and_bounds, slope_and_bounds, other)
