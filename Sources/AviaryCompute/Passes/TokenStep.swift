import AviaryGraph

/// Several operations on tokens, pixels whose channels lie side by side, that one kernel does at
/// once: what lies between them never leaves the cache.
enum TokenStep: Hashable {
  case chain(TokenChain)
  case attention(TokenAttention)
}

/// A product of a matrix with each token, which may be normalised before.
struct TokenProduct: Hashable {
  var inputs: Int
  var outputs: Int
  var hasBias: Bool
  /// Over all numbers of a token.
  var normalization: LayerNormalization?

  /// How many parameters it has: those of the normalisation, then the matrix and its bias.
  var parameterCount: Int {
    let ofNormalization = normalization.map { ($0.scale ? 1 : 0) + ($0.center ? 1 : 0) } ?? 0
    return ofNormalization + (hasBias ? 2 : 1)
  }

  /// Multiplications for a token.
  fileprivate var work: Int { inputs * outputs }
}

/// One product or two, with GELU behind the first.
struct TokenChain: Hashable {
  var first: TokenProduct
  var hasGELU = false
  var second: TokenProduct?
  /// Whether the last of the fused op's inputs is added to the result.
  var adds = false
  /// Whether weights and what they are multiplied with are bfloat16.
  var isNarrow = false

  /// Whether there is one product and nothing else.
  var isPlain: Bool {
    first.normalization == nil && !hasGELU && second == nil && !adds
  }
}

/// Attention in windows, with the products before and after it. Takes tokens of what is multiplied,
/// or of queries, keys and values; the table of biases, if that is an input; what is added.
struct TokenAttention: Hashable {
  var attention: WindowAttention
  /// The channels of a head: of queries and keys, and of values.
  var size: Int
  var valueSize: Int
  /// The first channel of each of the images that queries, keys and values are of.
  var starts: [Int]
  /// What gives queries, keys and values.
  var product: TokenProduct?
  var last: TokenProduct?
  var adds = false
  /// Whether weights and what they are multiplied with are bfloat16.
  var isNarrow = false
}

extension TokenStep {
  /// What is done, for reports.
  var name: String {
    var parts: [String] = []
    func add(_ product: TokenProduct) {
      if product.normalization != nil { parts.append("layer norm") }
      parts.append("linear")
    }
    switch self {
    case .chain(let chain):
      add(chain.first)
      if chain.hasGELU { parts.append("GELU") }
      if let second = chain.second { add(second) }
      if chain.adds { parts.append("add") }
    case .attention(let attention):
      if let product = attention.product { add(product) }
      parts.append("windowed attention")
      if let last = attention.last { add(last) }
      if attention.adds { parts.append("add") }
    }
    return parts.joined(separator: " + ") + (isNarrow ? " (bfloat16)" : "")
  }

  private var isNarrow: Bool {
    switch self {
    case .chain(let chain): chain.isNarrow
    case .attention(let attention): attention.isNarrow
    }
  }

  /// The same with products in bfloat16, as far as it has any.
  var narrowed: TokenStep {
    switch self {
    case .chain(var chain):
      chain.isNarrow = true
      return .chain(chain)
    case .attention(var attention):
      attention.isNarrow = attention.product != nil || attention.last != nil
      return .attention(attention)
    }
  }

  /// Nanoseconds on one core, by estimate.
  ///
  /// - Parameter output: the result's shape.
  func cost(_ input: [Int], _ output: [Int]) -> Double {
    let tokens = output.dropLast().reduce(1, *)
    let work: Int
    switch self {
    case .chain(let chain): work = chain.first.work + (chain.second?.work ?? 0)
    case .attention(let step):
      let pairs = step.attention.keys.reach.area * step.attention.heads
      work =
        (step.product?.work ?? 0) + (step.last?.work ?? 0) + pairs * (step.size + step.valueSize)
    }
    let moves = Double(output.reduce(1, *) + input.reduce(1, *))
    return Double(tokens) * Double(work) / TokenStep.productsPerNanosecond
      + moves * KernelCandidate.nanosecondsPerMove
  }

  /// Measured on the core that other estimates are from, at nine tenths of its peak.
  private static let productsPerNanosecond = 115.0
}

extension IRGraph {
  /// The inputs over which a step on tokens may write its result, if nobody else needs them: a block
  /// of tokens is read as a whole before it is written.
  func overwritable(_ fusedOp: FusedOp, _ step: TokenStep) -> [Int] {
    let shape = values[fusedOp.output].shape
    var candidates = fusedOp.inputs
    if case .attention(let attention) = step, attention.attention.keyMargin != 0 {
      // Keys and values are read by neighbouring windows too.
      let read = fusedOp.inputs.dropLast(attention.adds ? 1 : 0)
      candidates = attention.adds ? fusedOp.inputs.suffix(1).filter { !read.contains($0) } : []
    }
    return candidates.filter { values[$0].shape == shape }
  }
}
