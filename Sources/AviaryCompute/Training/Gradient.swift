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

  /// The name for reports and errors.
  var name: String {
    switch self {
    case .convolutionInput: "convolution (gradient of input)"
    case .convolutionWeights: "convolution (gradient of weights)"
    case .channelSum: "sum of pixels"
    case .activation(let activation): "\(Op.activation(activation).name) (gradient)"
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
    case .relu, .sigmoid, .tanh: .output
    // The sign of the result is that of the input.
    case .leakyRelu(let slope): slope > 0 ? .output : .input
    case .elu(let alpha): alpha > 0 ? .output : .input
    case .gelu, .silu, .clamp: .input
    }
  }
}
