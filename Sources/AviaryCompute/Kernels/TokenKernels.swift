import AviaryGraph
import AviaryThreads
import CKernels

/// A chain of products, run over the tokens of a value.
struct TokenChainKernel {
  private let chain: TokenChain
  private let way: aviary_token_way
  private let tokens: Int

  /// - Parameters:
  ///   - output: the result's shape.
  ///   - registerWidth: as the engine has it.
  init(_ chain: TokenChain, _ output: [Int], registerWidth: Int) {
    self.chain = chain
    way = chain.isNarrow ? AVIARY_TOKENS_NARROW : aviary_token_way(UInt32(registerWidth))
    tokens = output.dropLast().reduce(1, *)
  }

  /// The numbers of scratch memory that each thread wants.
  var scratchCount: Int {
    var chain = unsafe forC { _ in nil }
    return unsafe aviary_token_chain_scratch(&chain, way).roundedUp(to: MemoryFormat.block)
  }

  /// - Parameter memory: the tokens, the result, scratch memory, weights and biases of the products,
  ///   what is added.
  func run(_ memory: KernelMemory, _ workers: ThreadPool) {
    var chain = unsafe forC { unsafe UnsafePointer(memory[$0]) }
    let added = self.chain.adds ? unsafe UnsafePointer<Float>(memory[memory.count - 1]) : nil
    let block = aviary_token_block(way), count = scratchCount
    let cost = (self.chain.first.outputs + (self.chain.second?.outputs ?? 0)) * block
    unsafe withUnsafePointer(to: &chain) { chain in
      workers.splitNumbered((tokens + block - 1) / block, cost: cost) { blocks, worker in
        unsafe aviary_token_chain_run(
          chain, way, memory[0], added, memory[1], memory[2] + worker * count,
          blocks.lowerBound * block, min(blocks.upperBound * block, tokens))
      }
    }
  }

  private func forC(_ place: (Int) -> UnsafePointer<Float>?) -> aviary_token_chain {
    unsafe aviary_token_chain(
      normalizes: chain.first.normalization == nil ? 0 : 1,
      epsilon: Float(chain.first.normalization?.epsilon ?? 0),
      first: chain.first.forC(3, place),
      function: chain.hasGELU ? AVIARY_TOKENS_GELU : AVIARY_TOKENS_AS_THEY_ARE,
      second: chain.second.map { unsafe $0.forC(5, place) } ?? aviary_token_product())
  }
}

extension TokenProduct {
  /// The product with its weights at an operand and its bias at the next.
  fileprivate func forC(
    _ operand: Int, _ place: (Int) -> UnsafePointer<Float>?
  ) -> aviary_token_product {
    unsafe aviary_token_product(
      inputs: inputs, outputs: outputs, weights: place(operand), bias: place(operand + 1))
  }
}

/// Attention in windows, run over all windows of all images.
struct TokenAttentionKernel {
  private let step: TokenAttention
  private let way: aviary_token_way
  /// N, height, width, channels.
  private let output: [Int]
  /// How many values have queries, keys and values, or what they are a product of.
  private let images: Int
  /// How many numbers lie from token to token of each.
  private let pixels: [Int]

  /// - Parameters:
  ///   - inputs: the shapes of the step's inputs.
  ///   - output: the result's shape.
  ///   - registerWidth: as the engine has it.
  init(_ step: TokenAttention, _ inputs: [[Int]], output: [Int], registerWidth: Int) {
    (self.step, self.output) = (step, output)
    way = step.isNarrow ? AVIARY_TOKENS_NARROW : aviary_token_way(UInt32(registerWidth))
    images =
      inputs.count - (step.adds ? 1 : 0) - (step.attention.positionBias == .input ? 1 : 0)
    pixels = inputs.prefix(images).map { $0[3] }
  }

  /// How many queries are worked on at once.
  var block: Int { aviary_token_block(way) }

  /// What queries are multiplied with: powers of 2 are taken of the scores.
  var queryScale: Double {
    (step.attention.scale ?? 1 / Double(step.size).squareRoot()) * PositionBias.inPowersOfTwo
  }

  /// The numbers of scratch memory that each thread wants.
  var scratchCount: Int {
    unsafe withProducts({ _ in nil }) { how in
      unsafe aviary_window_attention_scratch(how, way).roundedUp(to: MemoryFormat.block)
    }
  }

  private var windows: Int {
    output[0] * output[1] * output[2] / step.attention.window.area
  }

  /// - Parameter memory: the result, scratch memory, the inputs, the biases of positions, weights and
  ///   biases of the products, what is added.
  func run(_ memory: KernelMemory, _ workers: ThreadPool) {
    let count = scratchCount
    let added =
      unsafe aviary_tokens(
        start: step.adds ? UnsafePointer(memory[memory.count - 1]) : nil, pixel: output[3])
    // Queries, keys and values of one image lie behind one another.
    let parts = unsafe (0..<3).map { part in
      let image = images == 3 ? part : 0
      let isJoined = images == 1 && step.product == nil
      let offset = step.starts[image] + (isJoined ? part * step.size * step.attention.heads : 0)
      return unsafe aviary_tokens(
        start: UnsafePointer(memory[2 + image] + offset), pixel: pixels[image])
    }
    unsafe withProducts({ unsafe UnsafePointer(memory[$0]) }) { how in
      workers.splitNumbered(windows, cost: step.attention.window.area * output[3] * 16) {
        range, worker in
        unsafe aviary_window_attention_run(
          how, way, parts[0], parts[1], parts[2], added, memory[0], memory[1] + worker * count,
          range.lowerBound, range.upperBound)
      }
    }
  }

  /// Calls `body` with the work in C's terms.
  ///
  /// - Parameter place: where an operand lies.
  private func withProducts<R>(
    _ place: (Int) -> UnsafePointer<Float>?,
    _ body: (UnsafePointer<aviary_window_attention>) -> R
  ) -> R {
    let attention = step.attention
    var operand = 2 + images
    let bias = attention.positionBias == .none ? nil : unsafe place(operand)
    operand += attention.positionBias == .none ? 0 : 1
    var products = unsafe [aviary_token_product]()
    if let product = step.product {
      let whole = unsafe product.forC(operand, place)
      operand += 2
      let outputs = product.outputs / attention.heads
      let depth = step.isNarrow ? (product.inputs + 1) / 2 : product.inputs
      unsafe products = (0..<attention.heads).map { head in
        unsafe aviary_token_product(
          inputs: product.inputs, outputs: outputs,
          weights: whole.weights.map { unsafe $0 + head * outputs * depth },
          bias: whole.bias.map { unsafe $0 + head * outputs })
      }
    }
    let last = unsafe step.last.map { unsafe $0.forC(operand, place) } ?? aviary_token_product()
    return unsafe products.withUnsafeBufferPointer { products in
      var how = unsafe aviary_window_attention(
        height: output[1], width: output[2], window_height: attention.window.height,
        window_width: attention.window.width, is_spread: attention.arrangement == .grid ? 1 : 0,
        shift_height: attention.shift.height, shift_width: attention.shift.width,
        margin_height: attention.keyMargin.height, margin_width: attention.keyMargin.width,
        heads: attention.heads, size: step.size, value_size: step.valueSize, bias: bias,
        mask: Float(attention.maskValue * PositionBias.inPowersOfTwo),
        projects: step.product == nil ? 0 : 1,
        normalizes: step.product?.normalization == nil ? 0 : 1,
        epsilon: Float(step.product?.normalization?.epsilon ?? 0),
        heads_products: products.baseAddress, scale: Float(queryScale), last: last)
      return unsafe body(&how)
    }
  }
}
