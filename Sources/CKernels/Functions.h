#pragma once
#include "Vector.h"

// Elementary functions of sixteen numbers, right to about two units of the last place. Polynomials
// are least-maximum fits of our own. NaN goes through all of them; infinities and denormal numbers
// give what the C library gives.

typedef unsigned bits __attribute__((vector_size(64)));

/// 1.5 * 2^23: added and subtracted again it rounds to an integer, which its last bits then hold.
#define ROUNDING 12582912.0f
#define INFINITE __builtin_inff()

/// Lane by lane 2^n, for n from -126 to 127.
INLINE void power_of_two(const mask *n, vec *result) {
  *result = (vec)((bits)(*n + 127) << 23);
}

/// x = n log 2 + r, and exp(r) - 1 = r + r² Q(r), for |x| up to 200.
INLINE void reduce(const vec *x, mask *n, vec *less_one) {
  const vec shifted = *x * 1.44269504f + ROUNDING;
  const vec whole = shifted - ROUNDING;
  *n = (mask)((bits)shifted - (bits)ALL(ROUNDING));
  const vec r = (*x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  vec q = r * 1.3941323e-3f + 8.363295e-3f;
  q = q * r + 4.1666374e-2f;
  q = q * r + 0.16666576f;
  q = q * r + 0.5f;
  *less_one = r + (r * r) * q;
}

INLINE void exponential(const vec *from, vec *result) {
  vec x = SELECT(*from > 89, ALL(89), *from);
  x = SELECT(x < -104, ALL(-104), x);
  mask n;
  vec less_one;
  reduce(&x, &n, &less_one);
  // In two steps, so that neither the largest nor denormal results are lost.
  const mask half = n >> 1, rest = n - half;
  vec first, second;
  power_of_two(&half, &first);
  power_of_two(&rest, &second);
  *result = (1 + less_one) * first * second;
}

/// exp(x) - 1, for x up to 25.
INLINE void exponential_less_one_below(const vec *from, vec *result) {
  const vec x = SELECT(*from < -25, ALL(-25), *from);
  mask n;
  vec less_one, scale;
  reduce(&x, &n, &less_one);
  power_of_two(&n, &scale);
  *result = less_one * scale + (scale - 1);
}

INLINE void exponential_less_one(const vec *from, vec *result) {
  vec large, small;
  const vec x = SELECT(*from > 25, ALL(25), *from);
  exponential_less_one_below(&x, &small);
  exponential(from, &large);
  *result = SELECT(*from > 25, large, small);
}

INLINE void logarithm(const vec *from, vec *result) {
  const vec given = *from;
  // Denormal numbers are made normal first.
  const mask is_small = given < 1.17549435e-38f;
  const vec x = SELECT(is_small, given * 8388608, given);
  // m from √½ to √2.
  const mask n = ((mask)x - 0x3f3504f3) >> 23;
  const vec f = (vec)((bits)x - ((bits)n << 23)) - 1;
  const vec exponent =
      __builtin_convertvector(n, vec) + SELECT(is_small, ALL(-23), ALL(0));
  vec p = f * 6.915625e-2f - 0.11788813f;
  p = p * f + 0.11872295f;
  p = p * f - 0.123844914f;
  p = p * f + 0.14218782f;
  p = p * f - 0.16669245f;
  p = p * f + 0.20002219f;
  p = p * f - 0.24999987f;
  p = p * f + 0.3333331f;
  const vec square = f * f;
  vec y = p * f * square - 0.5f * square;
  y = (f + (exponent * -2.12194440e-4f + y)) + exponent * 0.693359375f;
  y = SELECT(given == INFINITE, ALL(INFINITE), y);
  y = SELECT(given == 0, ALL(-INFINITE), y);
  y = SELECT(given < 0, ALL(__builtin_nanf("")), y);
  *result = SELECT(given != given, given, y);
}

INLINE void absolute(const vec *from, vec *result) {
  *result = (vec)((bits)*from & 0x7fffffffu);
}

/// The magnitude with the sign of another.
INLINE void with_sign(const vec *magnitude, const vec *sign, vec *result) {
  *result = (vec)(((bits)*magnitude & 0x7fffffffu) | ((bits)*sign & 0x80000000u));
}

/// 1 / (1 + exp(-x)), as exp(x) / (1 + exp(x)) below 0, where the other loses what is small.
INLINE void sigmoid(const vec *from, vec *result) {
  vec magnitude, power;
  absolute(from, &magnitude);
  magnitude = -magnitude;
  exponential(&magnitude, &power);
  *result = SELECT(*from < 0, power, ALL(1)) / (1 + power);
}

/// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)).
INLINE void softplus(const vec *from, vec *result) {
  vec magnitude, power, y;
  absolute(from, &magnitude);
  magnitude = -magnitude;
  exponential(&magnitude, &power);
  const vec sum = 1 + power;
  logarithm(&sum, &y);
  // What rounding took from the sum.
  y += (power - (sum - 1)) / sum;
  *result = SELECT(*from > 0, *from, ALL(0)) + y;
}

/// With t = exp(-2|x|) - 1: -t / (t + 2).
INLINE void hyperbolic_tangent(const vec *from, vec *result) {
  vec magnitude, t;
  absolute(from, &magnitude);
  magnitude = SELECT(magnitude > 10, ALL(10), magnitude) * -2;
  exponential_less_one_below(&magnitude, &t);
  const vec y = t / (t + 2);
  with_sign(&y, from, result);
}

/// x P(x²) / Q(x²), which beyond 3.92 is 1 for float32.
INLINE void error_function(const vec *from, vec *result) {
  const vec below = SELECT(*from > 3.92f, ALL(3.92f), *from);
  const vec x = SELECT(below < -3.92f, ALL(-3.92f), below);
  const vec s = x * x;
  vec p = s * 2.0500859e-6f + 2.84884e-4f;
  p = p * s + 3.7656561e-3f;
  p = p * s + 5.2748848e-2f;
  p = p * s + 0.19040732f;
  p = p * s + 1.1283791f;
  vec q = s * 3.8091766e-5f + 1.1625458e-3f;
  q = q * s + 1.4969296e-2f;
  q = q * s + 0.11410947f;
  q = q * s + 0.50207686f;
  q = q * s + 1;
  *result = x * p / q;
}

// MARK: - Powers

typedef double wide __attribute__((vector_size(128)));
typedef unsigned long long wide_bits __attribute__((vector_size(128)));

#define WIDE_ALL(x) ((wide){} + (x))
#define WIDE_SELECT(which, a, b)                           \
  ((wide)(((wide_bits)(which) & (wide_bits)(a)) |          \
          (~(wide_bits)(which) & (wide_bits)(b))))

/// 1.5 * 2^52, which does for double precision what ROUNDING does.
#define WIDE_ROUNDING 6755399441055744.0

/// The logarithm of positive numbers in double precision, as a power multiplies its error: with
/// t = (m - 1) / (m + 1), log m = 2 (t + t^3 / 3 + t^5 / 5 + ...).
INLINE void wide_logarithm(const vec *from, wide *result) {
  const mask is_small = *from < 1.17549435e-38f;
  const vec x = SELECT(is_small, *from * 8388608, *from);
  const mask n = ((mask)x - 0x3f3504f3) >> 23;
  const vec mantissa = (vec)((bits)x - ((bits)n << 23));
  const vec exponent = __builtin_convertvector(n, vec) + SELECT(is_small, ALL(-23), ALL(0));
  const wide m = __builtin_convertvector(mantissa, wide);
  const wide t = (m - 1) / (m + 1), s = t * t;
  wide p = s * (1.0 / 13) + 1.0 / 11;
  p = p * s + 1.0 / 9;
  p = p * s + 1.0 / 7;
  p = p * s + 1.0 / 5;
  p = p * s + 1.0 / 3;
  p = p * s + 1;
  *result = 2 * t * p + __builtin_convertvector(exponent, wide) * 0.69314718055994530942;
}

/// exp(x) for |x| up to 700, by its series.
INLINE void wide_exponential(const wide *from, wide *result) {
  const wide shifted = *from * 1.44269504088896340736 + WIDE_ROUNDING;
  const wide whole = shifted - WIDE_ROUNDING;
  const wide r = *from - whole * 0.69314718055994530942;
  wide p = r * (1.0 / 362880) + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  const wide_bits scale = ((wide_bits)shifted << 52) + (1023ull << 52);
  *result = p * (wide)scale;
}

/// x to the power of y, where x is neither 0 nor infinite and neither is NaN or infinite.
INLINE void power_of_finite(const vec *x, const vec *y, vec *result) {
  vec magnitude;
  absolute(x, &magnitude);
  wide logarithm, power;
  wide_logarithm(&magnitude, &logarithm);
  wide z = logarithm * __builtin_convertvector(*y, wide);
  // Beyond these float32 has no numbers.
  z = WIDE_SELECT(z > 100, WIDE_ALL(100), z);
  z = WIDE_SELECT(z < -120, WIDE_ALL(-120), z);
  wide_exponential(&z, &power);
  const vec value = __builtin_convertvector(power, vec);
  const vec half = *y * 0.5f;
  const mask is_whole = __builtin_elementwise_floor(*y) == *y;
  const mask is_odd = is_whole & (__builtin_elementwise_floor(half) != half);
  const vec of_negative = SELECT(is_whole, SELECT(is_odd, -value, value), ALL(__builtin_nanf("")));
  *result = SELECT(*x < 0, of_negative, value);
}
