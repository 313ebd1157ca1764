#include "CKernels.h"
#include "Vector.h"
#include "WinogradTransforms.h"

// MARK: - Input

/// As many tiles at once as keep the columns between the two passes in the first-level cache.
enum { run = 8, most_columns = 8 * run + 1 };
/// How many pixels ahead memory that will be read is asked for.
enum { ahead_of_reading = 32 };

/// One group of channels of up to `run` tiles.
///
/// Neighbouring tiles share columns, which are transformed once.
INLINE void input_group(enum aviary_winograd form, const aviary_image *image,
                        const float *from, long present, long top, long left, long count,
                        float *to, long product, long tile) {
  static const float zeros[lanes];
  const long span = taken(form), step = taken_step(form), size = points(form);
  const float *rows[most_taken];
  long steps[most_taken];
  for (long i = 0; i < span; i++) {
    const long y = top + i;
    const int is_inside = y >= 0 && y < image->height;
    rows[i] = is_inside ? from + y * image->row : zeros;
    steps[i] = is_inside ? image->pixel : 0;
  }
  // Dense for each form: it is to stay in the first-level cache.
  vec columns[most_columns * most_points];
  for (long j = 0; j < step * (count - 1) + span; j++) {
    vec *column = columns + j * size;
    const long x = left + j;
    if (x < 0 || x >= image->width) {
      for (long i = 0; i < size; i++) column[i] = (vec){};
      continue;
    }
    vec d[most_taken];
    for (long i = 0; i < span; i++) {
      // Rows are short for the processor's own foresight.
      __builtin_prefetch(rows[i] + (x + ahead_of_reading) * steps[i]);
      if (present == lanes) d[i] = LOAD(rows[i] + x * steps[i]);
      else load_some(rows[i] + x * steps[i], present, &d[i]);
    }
    transform_input(form, d, column);
  }
  for (long t = 0; t < count; t++) {
    for (long i = 0; i < size; i++) {
      vec d[most_taken], v[most_points];
      for (long j = 0; j < span; j++) d[j] = columns[(step * t + j) * size + i];
      transform_input(form, d, v);
      for (long j = 0; j < size; j++) STORE(to + (size * i + j) * product + t * tile, v[j]);
    }
  }
}

/// All groups of channels of a row of tiles.
INLINE void input_groups(enum aviary_winograd form, const aviary_image *image,
                         const float *from, long top, long left, long count, float *to,
                         long product, long tile) {
  for (long first = 0; first < count; first += run) {
    const long some = count - first < run ? count - first : run;
    const long x = left + taken_step(form) * first;
    for (long c = 0; c < image->channels; c += lanes) {
      const float *group = from + c / lanes * image->group;
      const long present = image->channels - c;
      float *place = to + first * tile + c;
      if (present >= lanes)
        input_group(form, image, group, lanes, top, x, some, place, product, tile);
      else input_group(form, image, group, present, top, x, some, place, product, tile);
    }
  }
}

CLONED void aviary_winograd_input(enum aviary_winograd form, const aviary_image *image,
                                  const float *from, long top, long left, long count, float *to,
                                  long product, long tile) {
#define INPUT(form) input_groups(form, image, from, top, left, count, to, product, tile)
  switch (form) {
  case AVIARY_PLAIN: INPUT(AVIARY_PLAIN); break;
  case AVIARY_HALVING: INPUT(AVIARY_HALVING); break;
  case AVIARY_DOUBLING: INPUT(AVIARY_DOUBLING); break;
  case AVIARY_DOUBLING_ODD: INPUT(AVIARY_DOUBLING_ODD); break;
  }
#undef INPUT
}

// MARK: - Output

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

/// One group of channels of some tiles.
INLINE void output_group(enum aviary_winograd form, const float *from, long product, long tile,
                         long count, const aviary_epilogue *epilogue, enum kind kind,
                         enum kind final, const aviary_image *image, long c, float *to,
                         const float *other, long top, long left) {
  const long side = given(form), size = points(form);
  const long present = image->channels - c < lanes ? image->channels - c : lanes;
  const vec bias = epilogue->bias ? LOAD(epilogue->bias + c) : (vec){};
  const float *own = epilogue->activation.slopes, *last = epilogue->final.slopes;
  const vec slopes = own ? LOAD(own + c) : ALL(epilogue->activation.slope);
  const vec final_slopes = last ? LOAD(last + c) : ALL(epilogue->final.slope);
  const long first_row = top < 0 ? -top : 0;
  const long height = image->height - top < side ? image->height - top : side;
  const int is_dense = present == lanes && image->channel == 1;
  for (long t = 0; t < count; t++) {
    vec half[most_given][most_points];
    for (long j = 0; j < size; j++) {
      vec m[most_points], y[most_given];
      for (long i = 0; i < size; i++) m[i] = LOAD(from + (size * i + j) * product + t * tile);
      transform_output(form, m, y);
      for (long i = 0; i < side; i++) half[i][j] = y[i];
    }
    const long x = left + side * t;
    const long first_column = x < 0 ? -x : 0;
    const long width = image->width - x < side ? image->width - x : side;
    // What is written lies in no cache yet, more often than not. More than a few lines at once
    // would wait for each other: large tiles ask pixel by pixel.
    for (long i = first_row; i < height && side <= 4; i++) {
      const long place = (top + i) * image->row + (x + ahead_of_writing) * image->pixel;
      for (long j = 0; j < side; j++) __builtin_prefetch(to + place + j * image->pixel, 1);
    }
    for (long i = first_row; i < height; i++) {
      vec y[most_given];
      transform_output(form, half[i], y);
      const long place = (top + i) * image->row + x * image->pixel;
      for (long j = 0; j < side; j++) {
        if (j < first_column) continue;
        if (j >= width) break;
        const long pixel = place + j * image->pixel;
        y[j] += bias;
        activate(kind, &epilogue->activation, &slopes, &y[j]);
        if (is_dense) {
          if (other) {
            y[j] += LOAD(other + pixel);
            activate(final, &epilogue->final, &final_slopes, &y[j]);
          }
          if (side > 4) __builtin_prefetch(to + pixel + ahead_of_writing * image->pixel, 1);
          STORE(to + pixel, y[j]);
          continue;
        }
        float numbers[lanes];
        if (other) {
          for (long k = 0; k < lanes; k++)
            numbers[k] = k < present ? other[pixel + k * image->channel] : 0;
          y[j] += LOAD(numbers);
          activate(final, &epilogue->final, &final_slopes, &y[j]);
        }
        STORE(numbers, y[j]);
        for (long k = 0; k < present; k++) to[pixel + k * image->channel] = numbers[k];
      }
    }
  }
}

/// All groups of channels of some tiles.
INLINE void output_groups(enum aviary_winograd form, const float *from, long product, long tile,
                          long count, const aviary_epilogue *epilogue,
                          const aviary_image *image, float *to, long top, long left) {
  const enum kind kind = kind_of(&epilogue->activation), final = kind_of(&epilogue->final);
  for (long c = 0; c < image->channels; c += lanes) {
    const long group = c / lanes * image->group;
    const float *other = epilogue->other ? epilogue->other + group : 0;
    // The usual ones each with code of their own.
#define GROUP(kind, final, other)                                                             \
  output_group(form, from + c, product, tile, count, epilogue, kind, final, image, c,       \
               to + group, other, top, left)
    if (kind == nothing && !other) GROUP(nothing, nothing, 0);
    else if (kind == relu && !other) GROUP(relu, nothing, 0);
    else if (kind == slope && !other) GROUP(slope, nothing, 0);
    else if (kind == nothing && final == nothing) GROUP(nothing, nothing, other);
    else if (kind == nothing && final == relu) GROUP(nothing, relu, other);
    else GROUP(slope_and_bounds, slope_and_bounds, other);
#undef GROUP
  }
}

CLONED void aviary_winograd_output(enum aviary_winograd form, const float *from, long product,
                                   long tile, long count, const aviary_epilogue *epilogue,
                                   const aviary_image *image, float *to, long top, long left) {
  // Memory is written in its order: all channels of a few pixels, or all pixels of a few channels.
  const long some = image->group == lanes ? 1 : count;
#define OUTPUT(form) \
  output_groups(form, from, product, tile, some, epilogue, image, to, top, left)
  for (long t = 0; t < count; t += some, from += some * tile, left += some * given(form)) {
    switch (form) {
    case AVIARY_PLAIN: OUTPUT(AVIARY_PLAIN); break;
    case AVIARY_HALVING: OUTPUT(AVIARY_HALVING); break;
    case AVIARY_DOUBLING: OUTPUT(AVIARY_DOUBLING); break;
    case AVIARY_DOUBLING_ODD: OUTPUT(AVIARY_DOUBLING_ODD); break;
    }
  }
#undef OUTPUT
}

// MARK: - Weights

CLONED void aviary_winograd_weights(enum aviary_winograd form, const float *from, long filters,
                                    long channels, float *to, long rows, long columns) {
  const long size = points(form);
  for (long k = 0; k < filters; k += lanes) {
    const long present = filters - k < lanes ? filters - k : lanes;
    for (long c = 0; c < channels; c++) {
      double numbers[9][lanes] = {{0}};
      for (long f = 0; f < present; f++) {
        const float *kernel = from + ((k + f) * channels + c) * 9;
        for (long tap = 0; tap < 9; tap++) numbers[tap][f] = kernel[tap];
      }
      wide g[9], half[3][most_points];
      for (long tap = 0; tap < 9; tap++) __builtin_memcpy(&g[tap], numbers[tap], sizeof(wide));
      for (long column = 0; column < 3; column++)
        transform_weights(form, g + column, 3, half[column]);
      for (long i = 0; i < size; i++) {
        const wide line[3] = {half[0][i], half[1][i], half[2][i]};
        wide u[most_points];
        transform_weights(form, line, 1, u);
        for (long j = 0; j < size; j++) {
          float *place = to + ((size * i + j) * rows + c) * columns + k;
          for (long f = 0; f < present; f++) place[f] = (float)u[j][f];
        }
      }
    }
  }
}
