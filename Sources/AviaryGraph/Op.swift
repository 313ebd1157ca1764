/// A primitive operation of a network: plain data. Pictures are NCHW.
///
/// What an operation does to shapes is in `Op+Shape.swift`, its parameters in
/// `Op+Parameters.swift`, its JSON in `Op+JSON.swift`.
public enum Op: Hashable, Sendable {
  /// Cross-correlation, as every framework means by convolution. Weight OIHW, bias O.
  case convolution(Convolution)
  /// The gradient of a convolution with respect to its input. Weight IOHW, bias O.
  case transposedConvolution(TransposedConvolution)
  /// y = x W^T + b over the last dimension. Weight (out, in), bias (out).
  case linear(features: Int, bias: Bool)
  /// The largest value of each window; padding never wins.
  case maxPool(Pool)
  /// The mean of each window, over its padding too or not.
  case averagePool(Pool, countsPadding: Bool)
  /// The mean of each channel, as a picture of one pixel.
  case globalAveragePool
  /// (x - mean) / sqrt(variance + epsilon) · weight + bias, per channel, by running statistics.
  case batchNormalization(BatchNormalization)
  /// A function of single values.
  case activation(Activation)
  /// x for x > 0, else weight · x, with a learned weight per channel or one for all.
  case prelu(perChannel: Bool)
  /// The sum of two inputs, of which one may repeat over space, channels or pictures.
  case add
  /// The first input less the second.
  case subtract
  /// The product, element by element.
  case multiply
  /// Multiplication by one constant, or one a channel.
  case scale([Double])
  /// Addition of one constant, or one a channel.
  case offset([Double])
  /// Inputs side by side in the channel dimension.
  case concatenate
  /// Channels `start` up to, not including, `start + count`.
  case slice(start: Int, count: Int)
  /// Channels to space: r² · C channels become C, r times as high and wide.
  case pixelShuffle(factor: Int, order: ChannelOrder)
  /// Space to channels: the inverse of `pixelShuffle`.
  case pixelUnshuffle(factor: Int, order: ChannelOrder)
  /// Interpolation to another size.
  case resize(Resize)
  /// Rows and columns added at the edges.
  case pad(Edges, PadMode)
  /// Rows and columns cut from the edges.
  case crop(Edges)
  /// Nothing in inference; in training, zeroes with probability `rate`.
  case dropout(rate: Double)
  /// A mean, sum or maximum over some dimensions.
  case reduce(Reduction)
  /// The product of matrices in the last two dimensions, over all others.
  case matmul
  /// exp(x) / Σ exp(x) along a dimension.
  case softmax(dimension: Int)
  /// Normalisation over the last dimensions, with learned weight and bias.
  case layerNormalization(dimensions: Int, epsilon: Double)
  /// The same elements in another shape; 0 keeps a dimension, one -1 takes what is left.
  case reshape([Int])
  /// The dimensions in another order.
  case permute([Int])
  /// Elements moved round along some dimensions, those that leave coming in on the other side.
  case roll(shifts: [Int], dimensions: [Int])
}

/// The attributes of a convolution.
public struct Convolution: Hashable, Sendable {
  /// The number of output channels.
  public var filters: Int
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// How far apart the elements of the kernel lie.
  public var dilation: Size
  /// Into how many parts, each convolved for itself, the channels are divided.
  public var groups: Int
  /// How the window reaches over the edges.
  public var border: Border
  /// Whether a learned number is added to each output channel.
  public var bias: Bool

  /// A convolution; without padding, stride, dilation and groups unless stated.
  public init(
    filters: Int, kernel: Size, stride: Size = 1, dilation: Size = 1, groups: Int = 1,
    border: Border = .valid, bias: Bool = true
  ) {
    self.filters = filters
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.groups = groups
    self.border = border
    self.bias = bias
  }
}

/// The attributes of a transposed convolution.
public struct TransposedConvolution: Hashable, Sendable {
  /// The number of output channels.
  public var filters: Int
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// Into how many parts, each computed for itself, the channels are divided.
  public var groups: Int
  /// What is cut from the full output of (n - 1) · stride + kernel pixels. Negative at the bottom
  /// and right: rows that no input reaches, which hold the bias (PyTorch's `output_padding`).
  public var crops: Edges
  /// Whether a learned number is added to each output channel.
  public var bias: Bool

  /// A transposed convolution; with the full output unless stated.
  public init(
    filters: Int, kernel: Size, stride: Size = 1, groups: Int = 1, crops: Edges = .none,
    bias: Bool = true
  ) {
    self.filters = filters
    self.kernel = kernel
    self.stride = stride
    self.groups = groups
    self.crops = crops
    self.bias = bias
  }
}

/// The window of a pooling operation.
public struct Pool: Hashable, Sendable {
  /// The size of the window.
  public var kernel: Size
  /// How far the window steps.
  public var stride: Size
  /// How the window reaches over the edges.
  public var border: Border

  /// A window that steps by its own size unless stated, without padding.
  public init(kernel: Size, stride: Size? = nil, border: Border = .valid) {
    self.kernel = kernel
    self.stride = stride ?? kernel
    self.border = border
  }
}

/// The attributes of batch normalisation.
public struct BatchNormalization: Hashable, Sendable {
  /// Added to the variance: 1e-5 in PyTorch, 1e-3 in Keras.
  public var epsilon: Double
  /// How far each training step moves the running statistics: PyTorch's meaning (Keras states
  /// one minus it).
  public var momentum: Double
  /// Whether there is a learned weight (Keras: `scale`, gamma).
  public var scale: Bool
  /// Whether there is a learned bias (Keras: `center`, beta).
  public var center: Bool

  /// PyTorch's defaults.
  public init(
    epsilon: Double = 1e-5, momentum: Double = 0.1, scale: Bool = true, center: Bool = true
  ) {
    (self.epsilon, self.momentum, self.scale, self.center) = (epsilon, momentum, scale, center)
  }
}

/// A function of single values.
public enum Activation: Hashable, Sendable {
  /// max(x, 0)
  case relu
  /// x for x > 0, else slope · x.
  case leakyRelu(slope: Double)
  /// x for x > 0, else alpha · (exp(x) - 1).
  case elu(alpha: Double)
  /// x · Φ(x) by the error function, or by its tanh approximation.
  case gelu(approximate: Bool)
  /// x · sigmoid(x)
  case silu
  /// 1 / (1 + exp(-x))
  case sigmoid
  case tanh
  /// min(max(x, minimum), maximum)
  case clamp(minimum: Double, maximum: Double)
}

/// Which channel goes to which pixel in a pixel shuffle by r.
public enum ChannelOrder: String, CaseIterable, Hashable, Sendable {
  /// Channel c · r² + i · r + j holds row i, column j of output channel c (PyTorch, ONNX's CRD).
  case pytorch
  /// Channel (i · r + j) · C + c (TensorFlow's depth_to_space, ONNX's DCR).
  case tensorflow
}

/// How pixels beyond the edges are made.
public enum PadMode: String, CaseIterable, Hashable, Sendable {
  case zero
  /// Mirrored about the edge pixel, which is not repeated.
  case reflect
  /// The edge pixel, repeated.
  case edge
}

/// A mean, sum or maximum.
public struct Reduction: Hashable, Sendable {
  /// What is made of the elements.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    case mean
    case sum
    case maximum
  }
  /// What is made of the elements.
  public var kind: Kind
  /// The dimensions that go.
  public var dimensions: [Int]
  /// Whether they stay, with size 1.
  public var keepsDimensions: Bool

  /// A reduction; dimensions stay with size 1 unless stated.
  public init(_ kind: Kind, dimensions: [Int], keepsDimensions: Bool = true) {
    (self.kind, self.dimensions, self.keepsDimensions) = (kind, dimensions, keepsDimensions)
  }
}

/// Interpolation to another size.
public struct Resize: Hashable, Sendable {
  /// The function that weighs neighbours.
  public enum Kernel: Hashable, Sendable {
    case nearest
    case linear
    /// Keys's cubic convolution: a is -0.5 for MATLAB, TensorFlow and PIL, -0.75 for PyTorch and
    /// OpenCV.
    case cubic(a: Double)
    /// sinc(x) · sinc(x / lobes)
    case lanczos(lobes: Int)
  }
  /// Where an output pixel lies among the input pixels.
  public enum Coordinates: String, CaseIterable, Hashable, Sendable {
    /// Pixels are squares whose centres lie at half numbers.
    case halfPixel = "half-pixel"
    /// First and last pixels lie on each other.
    case alignCorners = "align-corners"
    /// First pixels lie on each other, and the scale is exact.
    case asymmetric
  }
  /// What stands beyond the edges.
  public enum Edge: String, CaseIterable, Hashable, Sendable {
    /// The edge pixel (PyTorch, TensorFlow).
    case edge
    /// The picture mirrored, edge pixel included (MATLAB).
    case symmetric
  }
  /// The size of the output.
  public enum Target: Hashable, Sendable {
    /// The input's size times a ratio, rounded down, the same along both axes.
    case factor(Ratio)
    /// The size of the second input, whose values do not matter.
    case sizeOfSecondInput
  }

  /// The function that weighs neighbours.
  public var kernel: Kernel
  /// Where an output pixel lies among the input pixels.
  public var coordinates: Coordinates
  /// What stands beyond the edges.
  public var edge: Edge
  /// Whether the kernel is widened when the output is smaller (MATLAB's and PIL's default).
  public var antialias: Bool
  /// The size of the output.
  public var target: Target

  /// Interpolation; half-pixel coordinates, edge pixels repeated, no antialiasing unless stated.
  public init(
    _ kernel: Kernel, to target: Target, coordinates: Coordinates = .halfPixel, edge: Edge = .edge,
    antialias: Bool = false
  ) {
    self.kernel = kernel
    self.coordinates = coordinates
    self.edge = edge
    self.antialias = antialias
    self.target = target
  }
}
