import AviaryGraph

/// One piece of work of a plan, made of one node of the graph or of several that are done at once.
struct Unit {
  /// The node's name; that of the first where several are done at once.
  var name: String
  /// What is done.
  var work: Work
  /// The values that it takes, by number.
  var inputs: [Int]
  /// The value that it gives.
  var output: Int
  /// What it gives beside: the gradient of a bias, what a pool remembers. Row-major.
  var extraOutputs: [Int] = []
  /// The names of the node's parameters.
  var parameters: [String]
  /// What is fused behind a convolution.
  var epilogue = Epilogue()
  /// The scales and shifts of an affine unit, or those folded into a convolution's weights.
  var affine: [AffineStage] = []
  /// The scales of a convolution of whole numbers; nil for one of others.
  var quantization: Quantization.Layer?
  /// How it is done: in which layouts, by which algorithm.
  var mode = Mode(.planar, .planar, cost: 0)
  /// Convolutions by planes that are done line by line along with it, the first one first. The
  /// unit's inputs are then those of the first.
  var before: [Unit] = []
  /// The factor of a pixel shuffle that a convolution by planes does along with its own work.
  var shuffle = 1
  /// Whether it belongs to the way back of a training.
  var isBackward = false
}

/// What a unit does.
enum Work: Hashable {
  /// A convolution; its weights are those of a transposed convolution of stride 1 where `flipped`.
  case convolution(Convolution, flipped: Bool)
  case transposedConvolution(TransposedConvolution)
  /// A scale and a shift per channel.
  case affine
  /// A copy into another layout, or no work at all where the layouts coincide.
  case relayout
  /// A step on the way back.
  case gradient(Gradient)
  /// Any other operation, as the graph has it.
  case other(Op)

  /// Whether weights are applied that scales and shifts can be folded into.
  var isConvolution: Bool {
    switch self {
    case .convolution, .transposedConvolution: true
    case .affine, .relayout, .gradient, .other: false
    }
  }

  /// Whether numbers are multiplied with weights, or for their gradients, by a convolution.
  var multipliesByWeights: Bool {
    switch self {
    case .convolution, .transposedConvolution, .gradient(.convolutionInput),
      .gradient(.convolutionWeights):
      true
    case .affine, .relayout, .gradient, .other: false
    }
  }

  /// The name for reports and errors.
  var name: String {
    switch self {
    case .convolution: "convolution"
    case .transposedConvolution: "transposedConvolution"
    case .affine: "affine"
    case .relayout: "relayout"
    case .gradient(let gradient): gradient.name
    case .other(let op): op.name
    }
  }
}

/// What is done to a convolution's result before it is written, in this order.
struct Epilogue: Hashable {
  /// A function of single values, cheap enough to be fused.
  var activation: Activation?
  /// The parameter that has the slopes of a PReLU; then nothing else is done.
  var slopes: String?
  /// A value that is added.
  var residual: Int?
  /// A function of the sum.
  var finalActivation: Activation?

  /// Whether nothing is done.
  var isEmpty: Bool { self == Epilogue() }
}

/// How a unit is done.
struct Mode: Hashable {
  /// The layout in which it takes its pictures.
  var input: Layout
  /// The layout in which it takes all inputs but the first, where that is another.
  var others: Layout?
  /// The layout in which it gives its result.
  var output: Layout
  var algorithm: Algorithm
  /// In which numbers it takes its inputs.
  var inputNumbers = Numbers.float32
  /// In which numbers it gives its result.
  var outputNumbers = Numbers.float32
  /// Whether a convolution's result is written first and what is fused behind it done by itself.
  var isSeparate = false
  /// Estimated nanoseconds on one core, good for comparisons only; or measured ones.
  var cost: Double

  init(
    _ input: Layout, others: Layout? = nil, _ output: Layout, _ algorithm: Algorithm = .direct,
    cost: Double
  ) {
    (self.input, self.others, self.output) = (input, others, output)
    (self.algorithm, self.cost) = (algorithm, cost)
  }

  /// How the unit takes the input of this position.
  func form(ofInput position: Int) -> Form {
    Form(layout: position == 0 ? input : others ?? input, numbers: inputNumbers)
  }

  /// How the unit gives its result.
  var outputForm: Form { Form(layout: output, numbers: outputNumbers) }
}

/// The way in which a convolution is calculated.
enum Algorithm: String, Hashable {
  /// Sums of products, as the definition says. The only one for most operations.
  case direct
  /// Winograd's minimal filtering: fewer multiplications, a little less accurate.
  case winograd
  /// For few channels: sums of products, in vectors of neighbouring pixels instead of channels. Lines
  /// of one convolution go straight into the next. Gives planes.
  case planes

  /// Whether it calculates as the definition says, but for the order of sums.
  var isExact: Bool {
    switch self {
    case .direct, .planes: true
    case .winograd: false
    }
  }
}
