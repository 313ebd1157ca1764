#include "CKernels.h"
#include "Epilogue.h"
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

/// One group of channels of some tiles.
INLINE void output_group(enum aviary_winograd form, const float *from, long product, long tile,
                         long count, const finish *f, enum kind kind, enum kind final,
                         float *to, const float *other, long top, long left) {
  const aviary_image *image = f->image;
  const long side = given(form), size = points(form);
  const long first_row = top < 0 ? -top : 0;
  const long height = image->height - top < side ? image->height - top : side;
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
      finish_pixels(f, kind, final, y, first_column, width, to + place,
                    other ? other + place : 0, side > 4);
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
    const finish f = finish_of(epilogue, image, c);
#define GROUP(kind, final, other) \
  output_group(form, from + c, product, tile, count, &f, kind, final, to + group, other, top, left)
    FOR_EACH_KIND(kind, final, other, GROUP);
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
