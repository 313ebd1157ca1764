#pragma once
#include "CKernels.h"
#include "Vector.h"

// Winograd's minimal filtering along one axis, for each of the forms.
//
// F(4, 3), for the plain form: six points of interpolation, 0, a, -a, b, -b and infinity. With
// M(x) = x (x² - a²) (x² - b²) the rows of the input's transform are the coefficients of
// M(x) / (x - p), and of M(x) for infinity; those of the weights' are the powers of p over M'(p);
// the columns of the output's are the powers of p.
//
// F(4, 2), for the taps that two neighbouring results of a strided form share: 0, 1, -1, c and
// infinity. The third tap meets pixels of its own: nothing to be saved, four products as they are.
//
// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016.

// Points that float32 holds exactly, chosen for small errors.
#define A 0.6875f
#define B 1.5f
#define C 0.5f

/// The most of what follows, of all forms.
enum { most_taken = 9, most_given = 8, most_points = 9 };

INLINE int is_doubling(enum aviary_winograd form) {
  return form == AVIARY_DOUBLING || form == AVIARY_DOUBLING_ODD;
}
/// Pixels of the input that a tile takes along an axis.
INLINE long taken(enum aviary_winograd form) {
  return form == AVIARY_PLAIN ? 6 : form == AVIARY_HALVING ? 9 : 5;
}
/// From one tile's pixels to the next one's.
INLINE long taken_step(enum aviary_winograd form) { return form == AVIARY_HALVING ? 8 : 4; }
/// Pixels of the result that a tile gives along an axis.
INLINE long given(enum aviary_winograd form) { return is_doubling(form) ? 8 : 4; }
/// What lies between, along an axis.
INLINE long points(enum aviary_winograd form) { return form == AVIARY_PLAIN ? 6 : 9; }

/// Five pixels: what they contribute at the points of F(4, 2).
INLINE void transform_five(const vec *d0, const vec *d1, const vec *d2, const vec *d3,
                           const vec *d4, vec *to) {
  const vec outer = *d3 - *d1;
  to[0] = C * (*d0 - *d2) + outer;
  to[1] = (*d3 - C * *d1) + (1 - C) * *d2;
  to[2] = (*d3 + C * *d1) - (1 + C) * *d2;
  to[3] = outer;
  to[4] = (*d4 - *d2) - C * outer;
}

/// The pixels of a tile along an axis: what they contribute.
INLINE void transform_input(enum aviary_winograd form, const vec *d, vec *to) {
  if (form == AVIARY_HALVING) {
    transform_five(&d[0], &d[2], &d[4], &d[6], &d[8], to);
    for (long i = 0; i < 4; i++) to[5 + i] = d[2 * i + 1];
    return;
  }
  if (is_doubling(form)) {
    transform_five(&d[0], &d[1], &d[2], &d[3], &d[4], to);
    const long first = form == AVIARY_DOUBLING;
    for (long i = 0; i < 4; i++) to[5 + i] = d[first + i];
    return;
  }
  const vec even_a = d[4] - B * B * d[2], odd_a = d[3] - B * B * d[1];
  const vec even_b = d[4] - A * A * d[2], odd_b = d[3] - A * A * d[1];
  to[0] = A * A * B * B * d[0] + (d[4] - (A * A + B * B) * d[2]);
  to[1] = even_a + A * odd_a;
  to[2] = even_a - A * odd_a;
  to[3] = even_b + B * odd_b;
  to[4] = even_b - B * odd_b;
  to[5] = A * A * B * B * d[1] + (d[5] - (A * A + B * B) * d[3]);
}

/// Products along an axis: the results.
INLINE void transform_output(enum aviary_winograd form, const vec *m, vec *to) {
  if (form == AVIARY_PLAIN) {
    const vec even_a = m[1] + m[2], odd_a = m[1] - m[2];
    const vec even_b = m[3] + m[4], odd_b = m[3] - m[4];
    to[0] = m[0] + even_a + even_b;
    to[1] = A * odd_a + B * odd_b;
    to[2] = A * A * even_a + B * B * even_b;
    to[3] = A * A * A * odd_a + (B * B * B * odd_b + m[5]);
    return;
  }
  const vec even = m[1] + m[2], odd = m[1] - m[2];
  const vec y[4] = {m[0] + even + m[3], odd + C * m[3], even + C * C * m[3],
                    odd + (C * C * C * m[3] + m[4])};
  for (long i = 0; i < 4; i++) {
    if (form == AVIARY_HALVING) {
      to[i] = y[i] + m[5 + i];
    } else {
      // Places with two taps are the even ones.
      const long two = form == AVIARY_DOUBLING_ODD;
      to[2 * i + two] = y[i];
      to[2 * i + 1 - two] = m[5 + i];
    }
  }
}

/// Three weights along an axis: what they contribute.
INLINE void transform_weights(enum aviary_winograd form, const wide *g, long step, wide *to) {
  const wide first = g[0], second = g[step], third = g[2 * step];
  if (form == AVIARY_PLAIN) {
    const double a = A, b = B;
    const double at_zero = 1 / (a * a * b * b);
    const double at_a = 1 / (2 * a * a * (a * a - b * b));
    const double at_b = 1 / (2 * b * b * (b * b - a * a));
    to[0] = first * at_zero;
    to[1] = (first + a * second + a * a * third) * at_a;
    to[2] = (first - a * second + a * a * third) * at_a;
    to[3] = (first + b * second + b * b * third) * at_b;
    to[4] = (first - b * second + b * b * third) * at_b;
    to[5] = third;
    return;
  }
  const double c = C;
  const wide before = form == AVIARY_HALVING ? first : third;
  const wide behind = form == AVIARY_HALVING ? third : first;
  to[0] = before / c;
  to[1] = (before + behind) / (2 * (1 - c));
  to[2] = (before - behind) / (-2 * (1 + c));
  to[3] = (before + c * behind) / (c * (c * c - 1));
  to[4] = behind;
  for (long i = 0; i < 4; i++) to[5 + i] = second;
}
