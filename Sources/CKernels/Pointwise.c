#include "CKernels.h"
#include "Functions.h"

#include <math.h>
#include <string.h>

long aviary_pointwise_scratch(const aviary_pointwise *program) {
  // Operands that do not lie as the result does are copied into a block each; the last, partial
  // vector of the work goes through a vector for each operand and one for the result.
  return (program->slot_count + program->operand_count) * program->block +
         (program->operand_count + 1) * lanes;
}

/// Applies a step to `count` numbers, a multiple of 16, one vector after another.
#define EACH(expression)                                          \
  for (long i = 0; i < count; i += lanes) {                       \
    const vec a = LOAD(from + i);                                 \
    STORE(to + i, (expression));                                  \
  }                                                               \
  break
#define EACH_PAIR(expression)                                     \
  for (long i = 0; i < count; i += lanes) {                       \
    const vec a = LOAD(from + i), b = LOAD(second + i);           \
    STORE(to + i, (expression));                                  \
  }                                                               \
  break
#define EACH_BY(function)                                         \
  for (long i = 0; i < count; i += lanes) {                       \
    const vec a = LOAD(from + i);                                 \
    vec y;                                                        \
    function(&a, &y);                                             \
    STORE(to + i, y);                                             \
  }                                                               \
  break
#define ONE_WHERE(which) ((vec)((which) & (mask)ALL(1)))

/// x to the power of y. Zeros, infinities and NaN have rules of their own, which the C library knows.
INLINE void power(const vec *x, const vec *y, vec *result) {
  vec a, b;
  absolute(x, &a);
  absolute(y, &b);
  const mask is_plain = (a > 0) & (a < INFINITE) & (b < INFINITE);
  const vec base = SELECT(is_plain, *x, ALL(1)), exponent = SELECT(is_plain, *y, ALL(1));
  power_of_finite(&base, &exponent, result);
  for (int i = 0; i < lanes; i++) {
    if (!is_plain[i]) (*result)[i] = powf((*x)[i], (*y)[i]);
  }
}

static CLONED void run_step(const aviary_pointwise_step *step, float *const *registers,
                            float *to, long count) {
  const float *from = registers[step->a], *second = registers[step->b];
  const float *third = registers[step->c];
  const float p = step->p, q = step->q;
  switch (step->function) {
    case AVIARY_AFFINE: EACH(a * p + q);
    case AVIARY_RECIPROCAL: EACH(p / a);
    case AVIARY_ADD: EACH_PAIR(a + b);
    case AVIARY_SUBTRACT: EACH_PAIR(a - b);
    case AVIARY_MULTIPLY: EACH_PAIR(a * b);
    case AVIARY_DIVIDE: EACH_PAIR(a / b);
    case AVIARY_MINIMUM: EACH_PAIR(SELECT((a < b) | (a != a), a, b));
    case AVIARY_MAXIMUM: EACH_PAIR(SELECT((a > b) | (a != a), a, b));
    case AVIARY_POWER:
      for (long i = 0; i < count; i += lanes) {
        const vec a = LOAD(from + i), b = LOAD(second + i);
        vec y;
        power(&a, &b, &y);
        STORE(to + i, y);
      }
      break;
    case AVIARY_EQUAL: EACH_PAIR(ONE_WHERE(a == b));
    case AVIARY_LESS: EACH_PAIR(ONE_WHERE(a < b));
    case AVIARY_LESS_OR_EQUAL: EACH_PAIR(ONE_WHERE(a <= b));
    case AVIARY_ABOVE: EACH(ONE_WHERE(a > p));
    case AVIARY_BELOW: EACH(ONE_WHERE(a < p));
    case AVIARY_CONSTANT:
      for (long i = 0; i < count; i += lanes) STORE(to + i, ALL(p));
      break;
    case AVIARY_SELECT:
      for (long i = 0; i < count; i += lanes) {
        const vec condition = LOAD(from + i), b = LOAD(second + i), c = LOAD(third + i);
        STORE(to + i, SELECT(condition != 0, b, c));
      }
      break;
    case AVIARY_SLOPE: EACH_PAIR(SELECT(a > 0, a, a * b));
    case AVIARY_LEAKY: EACH(SELECT(a > 0, a, a * p));
    case AVIARY_CLAMP: EACH(SELECT(a < p, ALL(p), SELECT(a > q, ALL(q), a)));
    case AVIARY_ABSOLUTE: EACH_BY(absolute);
    case AVIARY_SIGN: EACH(SELECT(a != a, a, ONE_WHERE(a > 0) - ONE_WHERE(a < 0)));
    case AVIARY_FLOOR: EACH(__builtin_elementwise_floor(a));
    case AVIARY_SQUARE_ROOT: EACH(__builtin_elementwise_sqrt(a));
    case AVIARY_EXPONENTIAL: EACH_BY(exponential);
    case AVIARY_EXPONENTIAL_LESS_ONE: EACH_BY(exponential_less_one);
    case AVIARY_LOGARITHM: EACH_BY(logarithm);
    case AVIARY_SIGMOID: EACH_BY(sigmoid);
    case AVIARY_SOFTPLUS: EACH_BY(softplus);
    case AVIARY_TANH: EACH_BY(hyperbolic_tangent);
    case AVIARY_ERROR_FUNCTION: EACH_BY(error_function);
  }
}

/// Copies the elements of an operand that belong to `count` elements of the result from `start` on.
static void gather(const aviary_pointwise *program, const long *strides, const float *from,
                   long start, long count, float *to) {
  const long *sizes = program->sizes, last = program->rank - 1;
  long index[aviary_most_dimensions];
  for (long i = last, rest = start; i >= 0; i--) {
    index[i] = rest % sizes[i];
    rest /= sizes[i];
    from += index[i] * strides[i];
  }
  while (count > 0) {
    const long left = sizes[last] - index[last], run = left < count ? left : count;
    const long step = strides[last];
    if (step == 0) {
      const float x = *from;
      for (long i = 0; i < run; i++) to[i] = x;
    } else if (step == 1) {
      memcpy(to, from, run * sizeof(float));
    } else {
      for (long i = 0; i < run; i++) to[i] = from[i * step];
    }
    count -= run;
    to += run;
    index[last] += run;
    from += run * step;
    // A line that repeats is copied from what is there, twice as much each time.
    if (run == sizes[last] && last > 0 && strides[last - 1] == 0 && index[last] == run) {
      const long lines = sizes[last - 1] - 1 - index[last - 1];
      long more = lines * run < count ? lines * run : count / run * run;
      const long total = more;
      for (long copied = run; more > 0;) {
        const long part = copied < more ? copied : more;
        memcpy(to, to - copied, part * sizeof(float));
        to += part;
        more -= part;
        copied += part;
      }
      count -= total;
      index[last - 1] += total / run;
    }
    for (long i = last; i > 0 && index[i] == sizes[i]; i--) {
      index[i] = 0;
      index[i - 1] += 1;
      from += strides[i - 1] - sizes[i] * strides[i];
    }
  }
}

/// Runs all steps on numbers that lie in registers.
static void run_steps(const aviary_pointwise *program, float **registers, float *output,
                      long count) {
  for (long i = 0; i < program->step_count; i++) {
    const aviary_pointwise_step *step = program->steps + i;
    float *to = i + 1 == program->step_count ? output : registers[step->target];
    run_step(step, registers, to, count);
  }
}

void aviary_pointwise_run(const aviary_pointwise *program, const float *const *operands,
                          float *output, float *scratch, long first, long end) {
  const long operand_count = program->operand_count, block = program->block;
  float *const copies = scratch + program->slot_count * block;
  float *const tails = copies + operand_count * block;
  float *registers[aviary_most_operands + aviary_most_slots];
  for (long i = 0; i < program->slot_count; i++) registers[operand_count + i] = scratch + i * block;
  for (long start = first; start < end;) {
    const long rest = end - start;
    // Whole vectors, then what is left.
    const long count = rest >= block ? block : rest >= lanes ? rest / lanes * lanes : rest;
    const int is_tail = count < lanes;
    for (long i = 0; i < operand_count; i++) {
      float *const copy = is_tail ? tails + i * lanes : copies + i * block;
      if (!program->dense[i]) {
        gather(program, program->strides + i * program->rank, operands[i], start, count, copy);
        registers[i] = copy;
      } else if (is_tail) {
        memcpy(copy, operands[i] + start, count * sizeof(float));
        registers[i] = copy;
      } else {
        // Read only.
        registers[i] = (float *)operands[i] + start;
      }
      if (is_tail) {
        for (long j = count; j < lanes; j++) copy[j] = 0;
      }
    }
    if (is_tail) {
      float *const result = tails + operand_count * lanes;
      run_steps(program, registers, result, lanes);
      memcpy(output + start, result, count * sizeof(float));
    } else {
      run_steps(program, registers, output + start, count);
    }
    start += count;
  }
}
