import AviaryThreads

/// How an operand that may repeat along dimensions is walked through in the order of the result.
struct Broadcast {
  /// The result's dimensions as they lie in memory, and how far this operand moves along each: by
  /// nothing where it repeats.
  private(set) var sizes: [Int]
  private(set) var strides: [Int]

  init(_ operand: IRGraph.Value, in shape: [Int]) {
    let own = Broadcast.dimensions(operand.shape, operand.memoryFormat)
    sizes = Broadcast.dimensions(shape, operand.memoryFormat)
    strides = Array(repeating: 0, count: sizes.count)
    var stride = 1
    // Sizes that differ are 1 in the operand: there it does not move.
    for i in own.indices.reversed() {
      if own[i] == sizes[i] { strides[i] = stride }
      stride *= own[i]
    }
  }

  /// A shape as it lies in memory, outermost first.
  private static func dimensions(_ shape: [Int], _ memoryFormat: MemoryFormat) -> [Int] {
    switch memoryFormat {
    case .nchw: shape
    case .nhwc: [shape[0], shape[2], shape[3], shape[1]]
    case .nChw16c: [shape[0], shape[1] / MemoryFormat.block, shape[2], shape[3], MemoryFormat.block]
    }
  }

  /// memory[2] = combine(memory[0], memory[1]), the three being walked through as `operands` say.
  static func combine(
    _ operands: [Broadcast], _ memory: KernelMemory, _ workers: ThreadPool,
    _ combine: (Float, Float) -> Float
  ) {
    let sizes = operands[2].sizes
    guard let inner = sizes.last else { return }
    let rows = sizes.dropLast().reduce(1, *)
    let (stepA, stepB) = (operands[0].strides.last ?? 0, operands[1].strides.last ?? 0)
    workers.split(rows, cost: inner) { range in
      for row in range {
        let a = unsafe memory[0] + operands[0].offset(ofRow: row)
        let b = unsafe memory[1] + operands[1].offset(ofRow: row)
        let result = unsafe memory[2] + row * inner
        for i in 0..<inner {
          unsafe result[i] = combine(a[i * stepA], b[i * stepB])
        }
      }
    }
  }

  /// Where the operand's part of a row of the result begins.
  func offset(ofRow row: Int) -> Int {
    var (rest, offset) = (row, 0)
    for i in sizes.indices.dropLast().reversed() {
      offset += rest % sizes[i] * strides[i]
      rest /= sizes[i]
    }
    return offset
  }
}
