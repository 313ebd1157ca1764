#include "CKernels.h"
#include "Vector.h"

// Winograd's minimal filtering F(4x4, 3x3): 36 products for 16 results of 9 taps each. The points
// of interpolation are 0, a, -a, b, -b and infinity; with M(x) = x (x² - a²) (x² - b²) the rows of
// the input's transform are the coefficients of M(x) / (x - p), and of M(x) for infinity.
//
// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016.

#define A 0.6875f
#define B 1.5f

/// Six numbers along a line of the input: what they contribute at the six points.
INLINE void transform_input(const vec *d, vec *to) {
  const vec even_a = d[4] - B * B * d[2], odd_a = d[3] - B * B * d[1];
  const vec even_b = d[4] - A * A * d[2], odd_b = d[3] - A * A * d[1];
  to[0] = A * A * B * B * d[0] + (d[4] - (A * A + B * B) * d[2]);
  to[1] = even_a + A * odd_a;
  to[2] = even_a - A * odd_a;
  to[3] = even_b + B * odd_b;
  to[4] = even_b - B * odd_b;
  to[5] = A * A * B * B * d[1] + (d[5] - (A * A + B * B) * d[3]);
}

/// Six numbers along a line of products: the four results.
INLINE void transform_output(const vec *m, vec *to) {
  const vec even_a = m[1] + m[2], odd_a = m[1] - m[2];
  const vec even_b = m[3] + m[4], odd_b = m[3] - m[4];
  to[0] = m[0] + even_a + even_b;
  to[1] = A * odd_a + B * odd_b;
  to[2] = A * A * even_a + B * B * even_b;
  to[3] = A * A * A * odd_a + (B * B * B * odd_b + m[5]);
}

// MARK: - Input

/// As many tiles at once as keep the columns between the two passes in the first-level cache.
enum { run = 8 };
/// How many pixels ahead memory that will be read is asked for.
enum { ahead_of_reading = 32 };

/// One group of channels of up to `run` tiles.
///
/// Neighbouring tiles share two of their columns, which are transformed once.
INLINE void input_group(const aviary_picture *picture, const float *from, long present, long top,
                        long left, long count, float *to, long product, long tile) {
  static const float zeros[lanes];
  const float *rows[6];
  long steps[6];
  for (long i = 0; i < 6; i++) {
    const long y = top + i;
    const int is_inside = y >= 0 && y < picture->height;
    rows[i] = is_inside ? from + y * picture->row : zeros;
    steps[i] = is_inside ? picture->pixel : 0;
  }
  vec columns[4 * run + 2][6];
  for (long j = 0; j < 4 * count + 2; j++) {
    const long x = left + j;
    if (x < 0 || x >= picture->width) {
      for (long i = 0; i < 6; i++) columns[j][i] = (vec){};
      continue;
    }
    vec d[6];
    for (long i = 0; i < 6; i++) {
      // Rows are short for the processor's own foresight.
      __builtin_prefetch(rows[i] + (x + ahead_of_reading) * steps[i]);
      if (present == lanes) d[i] = LOAD(rows[i] + x * steps[i]);
      else load_some(rows[i] + x * steps[i], present, &d[i]);
    }
    transform_input(d, columns[j]);
  }
  for (long t = 0; t < count; t++) {
    for (long i = 0; i < 6; i++) {
      vec d[6], v[6];
      for (long j = 0; j < 6; j++) d[j] = columns[4 * t + j][i];
      transform_input(d, v);
      for (long j = 0; j < 6; j++) STORE(to + (6 * i + j) * product + t * tile, v[j]);
    }
  }
}

CLONED void aviary_winograd_input(const aviary_picture *picture, const float *from, long top,
                                  long left, long count, float *to, long product, long tile) {
  for (long first = 0; first < count; first += run) {
    const long some = count - first < run ? count - first : run;
    for (long c = 0; c < picture->channels; c += lanes) {
      const float *group = from + c / lanes * picture->group;
      const long x = left + 4 * first, present = picture->channels - c;
      float *place = to + first * tile + c;
      if (present >= lanes) input_group(picture, group, lanes, top, x, some, place, product, tile);
      else input_group(picture, group, present, top, x, some, place, product, tile);
    }
  }
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
INLINE void output_group(const float *from, long product, long tile, long count,
                         const aviary_epilogue *epilogue, enum kind kind, enum kind final,
                         const aviary_picture *picture, long c, float *to, const float *other,
                         long top, long left) {
  const long present = picture->channels - c < lanes ? picture->channels - c : lanes;
  const vec bias = epilogue->bias ? LOAD(epilogue->bias + c) : (vec){};
  const float *own = epilogue->activation.slopes, *last = epilogue->final.slopes;
  const vec slopes = own ? LOAD(own + c) : ALL(epilogue->activation.slope);
  const vec final_slopes = last ? LOAD(last + c) : ALL(epilogue->final.slope);
  const long height = picture->height - top < 4 ? picture->height - top : 4;
  const int is_dense = present == lanes && picture->channel == 1;
  for (long t = 0; t < count; t++) {
    vec half[4][6];
    for (long j = 0; j < 6; j++) {
      vec m[6], y[4];
      for (long i = 0; i < 6; i++) m[i] = LOAD(from + (6 * i + j) * product + t * tile);
      transform_output(m, y);
      for (long i = 0; i < 4; i++) half[i][j] = y[i];
    }
    const long x = left + 4 * t;
    // What is written lies in no cache yet, more often than not.
    for (long i = 0; i < height; i++) {
      const long place = (top + i) * picture->row + (x + ahead_of_writing) * picture->pixel;
      for (long j = 0; j < 4; j++) __builtin_prefetch(to + place + j * picture->pixel, 1);
    }
    const long width = picture->width - x < 4 ? picture->width - x : 4;
    for (long i = 0; i < height; i++) {
      vec y[4];
      transform_output(half[i], y);
      const long place = (top + i) * picture->row + x * picture->pixel;
      for (long j = 0; j < 4; j++) {
        if (j >= width) break;
        const long pixel = place + j * picture->pixel;
        y[j] += bias;
        activate(kind, &epilogue->activation, &slopes, &y[j]);
        if (is_dense) {
          if (other) {
            y[j] += LOAD(other + pixel);
            activate(final, &epilogue->final, &final_slopes, &y[j]);
          }
          STORE(to + pixel, y[j]);
          continue;
        }
        float numbers[lanes];
        if (other) {
          for (long k = 0; k < lanes; k++)
            numbers[k] = k < present ? other[pixel + k * picture->channel] : 0;
          y[j] += LOAD(numbers);
          activate(final, &epilogue->final, &final_slopes, &y[j]);
        }
        STORE(numbers, y[j]);
        for (long k = 0; k < present; k++) to[pixel + k * picture->channel] = numbers[k];
      }
    }
  }
}

/// All groups of channels of some tiles.
INLINE void output_groups(const float *from, long product, long tile, long count,
                          const aviary_epilogue *epilogue, enum kind kind, enum kind final,
                          const aviary_picture *picture, float *to, long top, long left) {
  for (long c = 0; c < picture->channels; c += lanes) {
    const long group = c / lanes * picture->group;
    const float *other = epilogue->other ? epilogue->other + group : 0;
    // The usual ones each with code of their own.
#define GROUP(kind, final, other)                                                             \
  output_group(from + c, product, tile, count, epilogue, kind, final, picture, c, to + group, \
               other, top, left)
    if (kind == nothing && !other) GROUP(nothing, nothing, 0);
    else if (kind == relu && !other) GROUP(relu, nothing, 0);
    else if (kind == slope && !other) GROUP(slope, nothing, 0);
    else if (kind == nothing && final == nothing) GROUP(nothing, nothing, other);
    else if (kind == nothing && final == relu) GROUP(nothing, relu, other);
    else GROUP(slope_and_bounds, slope_and_bounds, other);
#undef GROUP
  }
}

CLONED void aviary_winograd_output(const float *from, long product, long tile, long count,
                                   const aviary_epilogue *epilogue, const aviary_picture *picture,
                                   float *to, long top, long left) {
  const enum kind kind = kind_of(&epilogue->activation), final = kind_of(&epilogue->final);
  // Memory is written in its order: all channels of a few pixels, or all pixels of a few channels.
  const long some = picture->group == lanes ? 1 : count;
  for (long t = 0; t < count; t += some)
    output_groups(from + t * tile, product, tile, some, epilogue, kind, final, picture, to, top,
                  left + 4 * t);
}

// MARK: - Weights

/// Sixteen numbers of double precision.
typedef double wide __attribute__((vector_size(128)));

/// Three weights along a line: what they contribute at the six points. Row p of the transform is
/// (1, p, p²) / M'(p).
INLINE void transform_weights(const wide *g, long step, wide *to) {
  const double a = A, b = B;
  const double at_zero = 1 / (a * a * b * b);
  const double at_a = 1 / (2 * a * a * (a * a - b * b)), at_b = 1 / (2 * b * b * (b * b - a * a));
  const wide first = g[0], second = g[step], third = g[2 * step];
  to[0] = first * at_zero;
  to[1] = (first + a * second + a * a * third) * at_a;
  to[2] = (first - a * second + a * a * third) * at_a;
  to[3] = (first + b * second + b * b * third) * at_b;
  to[4] = (first - b * second + b * b * third) * at_b;
  to[5] = third;
}

CLONED void aviary_winograd_weights(const float *from, long filters, long channels, float *to,
                                    long rows, long columns) {
  for (long k = 0; k < filters; k += lanes) {
    const long present = filters - k < lanes ? filters - k : lanes;
    for (long c = 0; c < channels; c++) {
      double numbers[9][lanes] = {{0}};
      for (long f = 0; f < present; f++) {
        const float *kernel = from + ((k + f) * channels + c) * 9;
        for (long tap = 0; tap < 9; tap++) numbers[tap][f] = kernel[tap];
      }
      wide g[9], half[3][6];
      for (long tap = 0; tap < 9; tap++) __builtin_memcpy(&g[tap], numbers[tap], sizeof(wide));
      for (long column = 0; column < 3; column++) transform_weights(g + column, 3, half[column]);
      for (long i = 0; i < 6; i++) {
        const wide line[3] = {half[0][i], half[1][i], half[2][i]};
        wide u[6];
        transform_weights(line, 1, u);
        for (long j = 0; j < 6; j++) {
          float *place = to + ((6 * i + j) * rows + c) * columns + k;
          for (long f = 0; f < present; f++) place[f] = (float)u[j][f];
        }
      }
    }
  }
}
