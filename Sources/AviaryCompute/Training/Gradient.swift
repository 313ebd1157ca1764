import AviaryGraph

/// A step on the way back: what makes of the gradient of an operation's result those of what it
/// took.
///
/// Operations whose gradient is another operation of the graph have no case: the gradient by the
/// input of a transposed convolution is a convolution, that of a pixel shuffle its inverse.
enum Gradient: Hashable {
  /// By the input of a convolution. Takes the result's gradient.
  case convolutionInput(Convolution)
  /// By the weights of a convolution and, beside, by its bias, if it has one. Takes the
  /// convolution's input and the result's gradient.
  case convolutionWeights(Convolution)
  /// By a number that is added to each channel: the sum over pictures and pixels.
  case channelSum
  /// By what an activation took. Takes the result's gradient and what `Activation.gradientSource`
  /// says.
  case activation(Activation)
  /// By what a maximum pool took. Takes the result's gradient and the pool's input; and the result,
  /// where windows lie side by side.
  case maxPool(Pool)
  /// By what a mean pool took. Takes the result's gradient.
  case averagePool(Pool, countsPadding: Bool)
  /// By what batch normalisation took and, beside, by its weight and bias, as far as it has them.
  /// Takes the result's gradient, what it took, and the batch's mean and variance.
  case batchNormalization(BatchNormalization)
  /// By what layer normalisation took and, beside, by its weight and bias. Takes the result's
  /// gradient and what it took.
  case layerNormalization(dimensions: Int, epsilon: Double)
  /// By what a PReLU took and, beside, by its slopes. Takes the result's gradient and what it took.
  case prelu(perChannel: Bool)
  /// By an operand that repeats: the sum over its repetitions. Takes the gradient and, if it is that
  /// of a product, the other operand.
  case repetition
  /// By what a sum or a mean over these dimensions was taken of. Takes the result's gradient.
  case spread(dimensions: [Int], factor: Double)
  /// By what a maximum over these dimensions was taken of. Takes the result's gradient, what it was
  /// taken of, and the result.
  case maximum(dimensions: [Int])
  /// By what some of the channels were taken of, from this one on. Takes their gradient.
  case slice(start: Int)
  /// By what was padded. Takes the result's gradient.
  case pad(Edges, PadMode)
  /// By what was interpolated. Takes the result's gradient.
  case resize(Resize)
  /// By a matrix product's first operand. Takes the result's gradient and the second operand.
  case matmulFirst
  /// By a matrix product's second operand. Takes the first operand and the result's gradient.
  case matmulSecond
  /// By what a linear layer took. Takes the result's gradient.
  case linearInput
  /// By the matrix of a linear layer and, beside, by its bias, if it has one. Takes what it took and
  /// the result's gradient.
  case linearWeights
  /// By what a softmax took. Takes the result's gradient and the result.
  case softmax(dimension: Int)

  /// The name for reports and errors.
  var name: String {
    switch self {
    case .convolutionInput: "convolution (gradient of input)"
    case .convolutionWeights: "convolution (gradient of weights)"
    case .channelSum: "sum of pixels"
    case .activation(let activation): "\(Op.activation(activation).name) (gradient)"
    case .maxPool: "maxPool (gradient)"
    case .averagePool: "averagePool (gradient)"
    case .batchNormalization: "batchNormalization (gradient)"
    case .layerNormalization: "layerNormalization (gradient)"
    case .prelu: "prelu (gradient)"
    case .repetition: "sum of repetitions"
    case .spread: "reduce (gradient)"
    case .maximum: "reduce (gradient of maximum)"
    case .slice: "slice (gradient)"
    case .pad: "pad (gradient)"
    case .resize: "resize (gradient)"
    case .matmulFirst: "matmul (gradient of first)"
    case .matmulSecond: "matmul (gradient of second)"
    case .linearInput: "linear (gradient of input)"
    case .linearWeights: "linear (gradient of weights)"
    case .softmax: "softmax (gradient)"
    }
  }
}

extension Activation {
  /// Of what an activation's gradient is calculated, beside its result's.
  enum GradientSource {
    case input, output
  }

  /// The result, where it tells enough: then what the activation took need not be kept, and the
  /// activation may be fused into the convolution before it.
  var gradientSource: GradientSource {
    switch self {
    case .relu, .sigmoid, .tanh, .clamp: .output
    // The sign of the result is that of the input.
    case .leakyRelu(let slope): slope > 0 ? .output : .input
    case .elu(let alpha): alpha > 0 ? .output : .input
    case .gelu, .silu: .input
    }
  }
}
