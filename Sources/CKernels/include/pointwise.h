#pragma once
// Programs of functions of single values, run block by block, so that what lies between the steps
// of a chain never leaves the first-level cache.

/// What a step computes of its operands a, b and c and its constants p and q. NaN goes through all
/// of them; `AVIARY_SELECT` looks at the sign and value of its condition only.
enum aviary_function {
  AVIARY_AFFINE,      // a * p + q
  AVIARY_RECIPROCAL,  // p / a
  AVIARY_ADD,
  AVIARY_SUBTRACT,
  AVIARY_MULTIPLY,
  AVIARY_DIVIDE,
  AVIARY_MINIMUM,
  AVIARY_MAXIMUM,
  AVIARY_POWER,
  AVIARY_EQUAL,          // a == b ? 1 : 0
  AVIARY_LESS,           // a < b ? 1 : 0
  AVIARY_LESS_OR_EQUAL,  // a <= b ? 1 : 0
  AVIARY_ABOVE,          // a > p ? 1 : 0
  AVIARY_BELOW,          // a < p ? 1 : 0
  AVIARY_CONSTANT,       // p
  AVIARY_SELECT,         // a != 0 ? b : c
  AVIARY_SLOPE,          // a > 0 ? a : a * b
  AVIARY_LEAKY,          // a > 0 ? a : a * p
  AVIARY_CLAMP,          // no less than p and no more than q
  AVIARY_ABSOLUTE,
  AVIARY_SIGN,
  AVIARY_FLOOR,
  AVIARY_SQUARE_ROOT,
  AVIARY_EXPONENTIAL,
  AVIARY_EXPONENTIAL_LESS_ONE,
  AVIARY_LOGARITHM,
  AVIARY_SIGMOID,   // 1 / (1 + exp(-a))
  AVIARY_SOFTPLUS,  // log(1 + exp(a))
  AVIARY_TANH,
  AVIARY_ERROR_FUNCTION,
};

/// One step of a program.
typedef struct {
  enum aviary_function function;
  /// Registers: the operands of the program come first, then the slots of scratch memory. The last
  /// step writes the result instead of a slot.
  int target, a, b, c;
  float p, q;
} aviary_pointwise_step;

/// The most dimensions that a result is walked through in.
enum { aviary_most_dimensions = 8 };
/// The most operands of a program.
enum { aviary_most_operands = 16 };
/// The most slots of a program.
enum { aviary_most_slots = 24 };

/// A program with the shapes that it is run on.
typedef struct {
  long step_count, operand_count, slot_count;
  const aviary_pointwise_step *steps;
  /// The result's dimensions as they lie in memory, outermost first.
  long rank;
  const long *sizes;
  /// Operand by operand, how far it moves along each of the dimensions: by nothing where it
  /// repeats.
  const long *strides;
  /// Operand by operand, whether its elements lie as those of the result do.
  const int *dense;
  /// How many elements are done at a time: a multiple of 16.
  long block;
} aviary_pointwise;

/// How many numbers of scratch memory a part of the work needs.
long aviary_pointwise_scratch(const aviary_pointwise *program);

/// Calculates elements `first` up to `end` of the result, of which there are no more than memory
/// for `output`. The result may lie over a dense operand.
void aviary_pointwise_run(const aviary_pointwise *program, const float *const *operands,
                          float *output, float *scratch, long first, long end);
