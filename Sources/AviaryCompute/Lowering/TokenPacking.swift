import AviaryGraph
import CKernels

/// The weights of a product in the order in which tokens are multiplied with them: the scale and
/// offset of the normalisation before it are part of them.
struct TokenPacking: Hashable {
  var product: TokenProduct
  /// The heads of which each has its own product of some of the outputs, queries, keys and values one
  /// after another; nil for one product of all.
  var heads: Int?
  /// What the outputs of queries are multiplied with.
  var queryScale = 1.0
  /// Whether weights are bfloat16.
  var isNarrow = false

  /// The outputs of each product.
  private var parts: [[Int]] {
    guard let heads else { return [Array(0..<product.outputs)] }
    let channels = product.outputs / 3, size = channels / heads
    return (0..<heads).map { head in
      (0..<3).flatMap { part in (0..<size).map { part * channels + head * size + $0 } }
    }
  }

  /// The factor of an output.
  private func factor(_ output: Int) -> Double {
    heads != nil && output < product.outputs / 3 ? queryScale : 1
  }

  /// - Parameter names: of the product's parameters.
  func weights(_ names: [String]) throws(ComputeError) -> PackedConstant {
    // In bfloat16 two inputs at a time.
    let step = isNarrow ? 2 : 1
    let shape = [product.outputs, (product.inputs + step - 1) / step]
    return PackedConstant(
      key: PackedConstant.Key(parameters: names, packing: .tokenWeights(self)),
      descriptor: try MemoryDescriptor(shape, .nchw), shape: shape
    ) { weights throws(ComputeError) in
      let own = try Parameters(self, names, weights)
      func weight(_ output: Int, _ input: Int) -> Float {
        guard input < product.inputs else { return 0 }
        let weight = Double(own.matrix[output * product.inputs + input])
        return Float(weight * own.scale(input) * factor(output))
      }
      var result: [Float] = []
      result.reserveCapacity(shape[0] * shape[1])
      for part in parts {
        let blocks = aviary_token_rows(part.count)
        for block in 0..<blocks {
          let outputs = part[part.count * block / blocks..<part.count * (block + 1) / blocks]
          for input in stride(from: 0, to: product.inputs, by: step) {
            for output in outputs {
              result.append(
                isNarrow
                  ? Float(pair: weight(output, input), weight(output, input + 1))
                  : weight(output, input))
            }
          }
        }
      }
      return result
    }
  }

  /// - Parameter names: of the product's parameters.
  func bias(_ names: [String]) throws(ComputeError) -> PackedConstant {
    PackedConstant(
      key: PackedConstant.Key(parameters: names, packing: .tokenBias(self)),
      descriptor: try MemoryDescriptor([product.outputs], .nchw), shape: [product.outputs]
    ) { weights throws(ComputeError) in
      let own = try Parameters(self, names, weights)
      return parts.joined().map { output in
        var sum = own.bias.map { Double($0[output]) } ?? 0
        if let offset = own.offset {
          for input in 0..<product.inputs {
            sum += Double(own.matrix[output * product.inputs + input]) * Double(offset[input])
          }
        }
        return Float(sum * factor(output))
      }
    }
  }

  /// The parameters' values.
  private struct Parameters {
    var matrix: [Float]
    var bias: [Float]?
    var offset: [Float]?
    private var scale: [Float]?

    init(
      _ packing: TokenPacking, _ names: [String], _ weights: PackedWeights
    ) throws(ComputeError) {
      var names = names[...]
      func next(_ isThere: Bool) throws(ComputeError) -> [Float]? {
        guard isThere, let name = names.popFirst() else { return nil }
        return try weights.values(name)
      }
      scale = try next(packing.product.normalization?.scale == true)
      offset = try next(packing.product.normalization?.center == true)
      matrix = try next(true) ?? []
      bias = try next(packing.product.hasBias)
    }

    func scale(_ input: Int) -> Double { scale.map { Double($0[input]) } ?? 1 }
  }
}

extension Float {
  /// Two numbers in bfloat16, rounded to the nearest, in the place of one.
  fileprivate init(pair low: Float, _ high: Float) {
    func rounded(_ number: Float) -> UInt32 {
      let bits = number.bitPattern
      // What is no number stays so.
      return number.isNaN ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16
    }
    self.init(bitPattern: rounded(low) | rounded(high) << 16)
  }
}

/// What is added to the scores for the places of query and key, in the order in which the kernel takes
/// it.
struct PositionBias {
  /// Of each head, of each block of queries, of each key a number for each query of the block: the
  /// row of the table, -1 for what fills the last block.
  private let rows: [Int32]
  private let heads: Int

  /// - Parameter block: how many queries are worked on at once.
  init(_ attention: WindowAttention, block: Int) {
    heads = attention.heads
    let (queries, keys) = (attention.window.area, attention.keys.reach.area)
    let blocks = (queries + block - 1) / block
    var rows = [Int32](repeating: -1, count: blocks * keys * block)
    for query in 0..<queries {
      for key in 0..<keys {
        let row = attention.positionIndex[query * keys + key]
        rows[(query / block * keys + key) * block + query % block] =
          Int32(row < 0 ? row + attention.positions : row)
      }
    }
    self.rows = rows
  }

  /// How many numbers there are.
  var count: Int { heads * rows.count }

  /// The same of a window and heads, without the table of rows being made.
  static func count(_ attention: WindowAttention, block: Int) -> Int {
    attention.heads * attention.window.area.roundedUp(to: block) * attention.keys.reach.area
  }

  /// A number of the kernel's order, for a table of rows with a column for each head.
  func value(_ position: Int, _ table: (Int) -> Float) -> Float {
    let (head, place) = position.quotientAndRemainder(dividingBy: rows.count)
    let row = Int(rows[place])
    return row < 0 ? 0 : Float(Double(table(row * heads + head)) * PositionBias.inPowersOfTwo)
  }

  /// The logarithm of e to base 2: the kernel takes powers of 2.
  static let inPowersOfTwo = 1.4426950408889634

  /// - Parameter name: of the table.
  static func constant(
    _ attention: WindowAttention, block: Int, _ name: String
  ) throws(ComputeError) -> PackedConstant {
    let shape = [count(attention, block: block)]
    return PackedConstant(
      key: PackedConstant.Key(
        parameters: [name], packing: .positionBias(attention, block: block)),
      descriptor: try MemoryDescriptor(shape, .nchw), shape: shape
    ) { weights throws(ComputeError) in
      let table = try weights.values(name)
      let bias = PositionBias(attention, block: block)
      return (0..<bias.count).map { bias.value($0) { table[$0] } }
    }
  }
}
