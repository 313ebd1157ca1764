import AviaryGraph
import Testing

@Suite struct ElementwiseTests {
  static let activations: [Activation] = [
    .relu, .leakyRelu(slope: 0.1), .leakyRelu(slope: -0.5), .elu(alpha: 1), .elu(alpha: 0.3),
    .gelu(approximate: false), .gelu(approximate: true), .silu, .sigmoid, .tanh,
    .clamp(minimum: -0.25, maximum: 0.5), .clamp(minimum: 0.1, maximum: 6), .celu(alpha: 0.5),
    .selu, .mish, .hardSigmoid, .hardSwish, .softplus(beta: 2, threshold: 1), .softsign, .abs,
    .erf,
  ]

  @Test(arguments: activations + [.exp, .floor, .sign])
  func activation(_ activation: Activation) throws {
    for channels in [1, 3, 16, 17, 32] {
      try expectEqualInEveryLayout(.activation(activation), [2, channels, 7, 9])
    }
  }

  @Test(arguments: [true, false])
  func prelu(_ perChannel: Bool) throws {
    for channels in [1, 3, 8, 16, 17, 32, 56] {
      try expectEqualInEveryLayout(.prelu(PReLU(perChannel: perChannel)), [2, channels, 7, 9])
    }
  }

  @Test func batchNormalization() throws {
    for scale in [true, false] {
      for center in [true, false] {
        let normalization = BatchNormalization(epsilon: 1e-3, scale: scale, center: center)
        for channels in [1, 3, 16, 17, 32] {
          try expectEqualInEveryLayout(.batchNormalization(normalization), [2, channels, 5, 7])
        }
      }
    }
  }

  @Test func constants() throws {
    for channels in [1, 3, 16, 17, 32] {
      let several = (0..<channels).map { Double($0) / 7 - 1 }
      for values in [[0.3], several] {
        try expectEqualInEveryLayout(.scale(Scale(values)), [2, channels, 5, 7])
        try expectEqualInEveryLayout(.offset(Offset(values)), [2, channels, 5, 7])
      }
    }
  }

  /// One operand repeats over images, channels, rows, columns, or each over what the other does
  /// not.
  @Test(arguments: [Binary.add, .subtract, .multiply, .minimum, .maximum, .less])
  func reduceToShape(_ binary: Binary) throws {
    let op = Op.binary(binary)
    for channels in [1, 3, 16, 17, 32] {
      let whole = [2, channels, 5, 7]
      for other in [
        whole, [2, channels, 1, 1], [1, channels, 5, 7], [2, 1, 5, 7], [1, 1, 1, 1],
        [2, channels, 5, 1], [2, channels, 1, 7], [1, channels, 1, 1], [1, 1, 5, 7],
      ] {
        try expectEqual(op, whole, others: [other])
        try expectEqual(op, other, others: [whole])
      }
      try expectEqual(op, [2, channels, 1, 1], others: [[1, 1, 5, 7]])
      try expectEqual(op, [1, channels, 5, 1], others: [[2, 1, 1, 7]])
    }
  }

  /// Operands of fewer dimensions are aligned at the last.
  @Test(arguments: [1, 16, 17])
  func ranks(_ channels: Int) throws {
    let graph = try Graph(channels: channels) { x in
      func mean(_ dimensions: [Int]) -> Value {
        x.applying(.reduce(Reduction(.mean, dimensions: dimensions, keepsDimensions: false)))
      }
      // [channels, height, width], [height, width], [width], [height, 1].
      let image = mean([0]), plane = mean([0, 1]), row = mean([0, 1, 2])
      let column = mean([0, 1, 3]).applying(.reshape(Reshape([-1, 1])))
      return [
        x + image, image - x, x * plane, row.activation(.exp) / x.activation(.exp),
        x.applying(.binary(.maximum), column), plane.applying(.where, x, row),
        column.applying(.binary(.minimum), row),
      ]
    }
    try expectEqual(graph, [[2, channels, 5, 7]])
  }

  /// What PyTorch refuses to align is refused here, too.
  @Test func ranksThatDoNotFit() {
    #expect(throws: ShapeProblem.mismatch([2, 3, 4, 5], [4])) {
      try Op.binary(.divide).outputShape([[2, 3, 4, 5], [4]])
    }
    #expect(throws: ShapeProblem.mismatch([2, 3], [2, 4])) {
      try Op.where.outputShape([[1], [2, 3], [2, 4]])
    }
  }

  /// Operands that come from convolutions, and so in their memory formats.
  @Test(arguments: [1, 3, 16, 17, 32])
  func repetitionBehindConvolutions(_ channels: Int) throws {
    let graph = try Graph(channels: 3) { x in
      let a = x.convolution("a", channels, kernel: 3)
      let b = x.convolution("b", channels, kernel: 3)
      let mean = b.applying(.globalAveragePool).convolution("c", channels, kernel: 1)
        .activation(.sigmoid)
      let map = b.convolution("d", 1, kernel: 3).activation(.sigmoid)
      return [
        a + b, a - b, a * b, a * mean, mean * b, a - map, map - b, map + mean, a * map * mean,
        a.applying(.binary(.minimum), mean), mean.applying(.where, a, map),
      ]
    }
    try expectEqual(graph, [[2, 3, 8, 6]])
  }
}
