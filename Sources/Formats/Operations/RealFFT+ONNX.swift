import AviaryGraph

/// A Fourier transform of rows and columns that ONNX writes as one of each, on the way from one to the
/// other.
struct ONNXSpectrum {
  enum Stage {
    /// An image, of whose rows the half is there that tells all.
    case rows
    /// Half a spectrum times numbers for each column, for each image.
    case weighted([[Double]])
    /// Half a spectrum whose columns are transformed back.
    case columns(weights: [[Double]]?)
    /// The whole image of this width, for each image, with an imaginary part.
    case image(widths: [Int])
  }

  var stage: Stage
  /// The image [N, C, H, W], or half a spectrum [N, C, H, W / 2 + 1, 2] of real and imaginary parts.
  var value: Int
  /// What it is multiplied by, for each image.
  var factors: [Double]
}

extension RealFFT: ONNXReadOperation {
  static let onnxOperators: [String: [ONNXWeight]] = ["DFT": []]

  /// A transform along one dimension.
  static func read(_ reader: inout ONNXReader) throws(InterchangeError) -> ONNXOperand {
    try reader.fourier()
  }
}

extension ONNXReader {
  /// The shapes of a part of a transform, one for each image.
  func shapes(of spectrum: ONNXSpectrum) -> [[Int]] {
    shapes[spectrum.value].enumerated().map { sample, shape in
      switch spectrum.stage {
      case .rows: shape.prefix(3) + [shape[3] / 2 + 1, 2]
      case .weighted, .columns: shape
      case .image(let widths): shape.prefix(3) + [widths[sample], 2]
      }
    }
  }

  fileprivate mutating func fourier() throws(InterchangeError) -> ONNXOperand {
    let isInverse = node.integer("inverse") ?? 0 != 0
    let isHalf = node.integer("onesided") ?? 0 != 0
    let spectrum: ONNXSpectrum?
    var start = (value: 0, factors: [Double](repeating: 1, count: samples.shapes.count))
    switch try given(0) {
    case .part(.spectrum(let part)): spectrum = part
    case .part(.scaled(let value, let factors)): (spectrum, start) = (nil, (value, factors))
    default: (spectrum, start.value) = (nil, try value(0))
    }
    let shapes = spectrum.map { self.shapes(of: $0) } ?? self.shapes[start.value]
    guard shapes[0].count == 5 else { throw unknownTransform() }
    // Version 20 of the operators made an input of the attribute.
    let stated = try integers(2, "axes")?.first ?? node.integer("axis")
    let dimension = try axis(stated ?? (version < 20 ? 1 : -2), rank: 5)
    let lengths = try lengths()
    let hasOwnLength = lengths.map { $0 == shapes.map { $0[dimension] } } ?? true
    guard let spectrum else {
      let parts = shapes[0][4]
      if dimension == 3, parts == 1, isHalf, !isInverse, hasOwnLength {
        let image = try reshaped(start.value, to: shapes.map { Array($0.prefix(4)) })
        return .part(.spectrum(ONNXSpectrum(stage: .rows, value: image, factors: start.factors)))
      }
      guard dimension == 2, parts == 2, !isHalf, isInverse, hasOwnLength else {
        throw unknownTransform()
      }
      return .part(
        .spectrum(
          ONNXSpectrum(
            stage: .columns(weights: nil), value: start.value, factors: start.factors)))
    }
    switch (spectrum.stage, dimension) {
    case (.rows, 2) where !isInverse && !isHalf && hasOwnLength:
      return .value(try transformed(spectrum))
    case (.weighted(let weights), 2) where isInverse && !isHalf && hasOwnLength:
      var next = spectrum
      next.stage = .columns(weights: weights)
      return .part(.spectrum(next))
    case (.columns(let weights), 3) where isInverse:
      let widths = lengths ?? shapes.map { isHalf ? 2 * ($0[3] - 1) : $0[3] }
      guard zip(widths, shapes).allSatisfy({ $0 > 0 && $0 / 2 + 1 == $1[3] }) else {
        throw unknownTransform()
      }
      if isHalf, weights == nil {
        let image = try transformedBack(spectrum, widths)
        return .value(try reshaped(image, to: self.shapes[image].map { $0 + [1] }))
      }
      // What is half there counts twice, but for the first column and the middle one.
      let expected = zip(widths, shapes).map { ONNXReader.columnWeights(width: $0, count: $1[3]) }
      guard !isHalf, weights == expected else { throw unknownTransform() }
      var next = spectrum
      next.stage = .image(widths: widths)
      return .part(.spectrum(next))
    default: throw unknownTransform()
    }
  }

  private func unknownTransform() -> InterchangeError {
    unsupported(
      "Fourier transforms of real images over rows and columns are read, and their inverses; this is "
        + "another")
  }

  /// The length that is asked for, for each image.
  private func lengths() throws(InterchangeError) -> [Int]? {
    guard node.input(1) != nil else { return nil }
    guard let numbers = try numbers(1), numbers.count == 1 else {
      throw unsupported("expected one length that follows from sizes")
    }
    return samples.shapes.indices.map { numbers.row($0).wholeNumbers?.first ?? 0 }
  }

  /// How often each column of half a spectrum is in the whole.
  private static func columnWeights(width: Int, count: Int) -> [Double] {
    (0..<count).map { $0 == 0 || 2 * $0 == width ? 1 : 2 }
  }

  /// Half a spectrum times numbers for its columns; nil where the node is another.
  mutating func weightedSpectrum() throws(InterchangeError) -> ONNXOperand? {
    guard node.kind == "Mul", case .value(let value) = try given(0), rank(value) == 5,
      shapes[value][0][4] == 2, let numbers = try numbers(1), numbers.shape.count == 2,
      numbers.shape[1] == 1
    else { return nil }
    var weights: [[Double]] = []
    for (sample, shape) in shapes[value].enumerated() {
      let row = numbers.row(sample)
      guard row.count == shape[3], row.allSatisfy({ $0 == 1 || $0 == 2 }), row[0] == 1 else {
        return nil
      }
      weights.append(row)
    }
    return .part(
      .spectrum(
        ONNXSpectrum(
          stage: .weighted(weights), value: value, factors: weights.map { _ in 1 })))
  }

  /// By what a transform divides, and a factor that is left over.
  private func norm(
    _ factors: [Double], pixels: [Int], isInverse: Bool
  ) throws(InterchangeError) -> (norm: FFTNorm, factor: Double) {
    let found = FFTNorm.allCases.first { norm in
      zip(factors, pixels).allSatisfy { factor, pixels in
        let wanted =
          norm.scale(pixels: pixels, isInverse: isInverse)
          / FFTNorm.backward.scale(pixels: pixels, isInverse: isInverse)
        return abs(factor / wanted - 1) < 1e-5
      }
    }
    if let found { return (found, 1) }
    guard factors.allSatisfy({ $0 == factors[0] }) else {
      throw unsupported(
        "a spectrum is multiplied by a number that depends on the size of the image")
    }
    return (.backward, factors[0])
  }

  /// The transform as [N, C, H, W / 2 + 1, 2].
  private mutating func transformed(_ spectrum: ONNXSpectrum) throws(InterchangeError) -> Int {
    let images = shapes[spectrum.value]
    let (norm, factor) = try norm(
      spectrum.factors, pixels: images.map { $0[2] * $0[3] }, isInverse: false)
    var result = try add(RealFFT(norm: norm).op, [spectrum.value])
    if factor != 1 { result = try add(.scale(Scale([factor])), [result]) }
    let parts = try reshaped(
      result,
      to: shapes[result].map { [$0[0], 2, $0[1] / 2, $0[2], $0[3]] })
    let pairs = try permuted(parts, [0, 2, 3, 4, 1])
    halves[pairs] = result
    return pairs
  }

  /// The image of half a spectrum.
  private mutating func transformedBack(
    _ spectrum: ONNXSpectrum, _ widths: [Int]
  ) throws(InterchangeError) -> Int {
    let shapes = shapes[spectrum.value]
    let pixels = zip(shapes, widths).map { $0[2] * $1 }
    let (norm, factor) = try norm(spectrum.factors, pixels: pixels, isInverse: true)
    let parts = try permuted(spectrum.value, [0, 4, 1, 2, 3])
    let half = try reshaped(
      parts, to: shapes.map { [$0[0], 2 * $0[1], $0[2], $0[3]] })
    var inputs = [half]
    if zip(shapes, widths).contains(where: { $1 != 2 * ($0[3] - 1) }) {
      // A value as wide as the image, so far back at most.
      let twin = self.shapes.indices.suffix(4_096).last { value in
        rank(value) == 4
          && samples.shapes.indices.allSatisfy {
            self.shapes[value][$0][2] == shapes[$0][2] && self.shapes[value][$0][3] == widths[$0]
          }
      }
      guard let twin else {
        throw unsupported("half a spectrum becomes an image of a width that no other value has")
      }
      inputs.append(twin)
    }
    var result = try add(InverseRealFFT(norm: norm).op, inputs)
    if factor != 1 { result = try add(.scale(Scale([factor])), [result]) }
    return result
  }

  /// The real or the imaginary part of a transform: an element of a last dimension of two; nil for
  /// anything else.
  mutating func spectrumPart(_ dimension: Int?, _ part: Int?) throws(InterchangeError) -> Int? {
    if case .part(.spectrum(let spectrum)) = try given(0), case .image(let widths) = spectrum.stage
    {
      guard dimension == 4, part == 0 else { throw unknownTransform() }
      return try transformedBack(spectrum, widths)
    }
    guard case .value(let value) = try given(0), let half = halves[value], dimension == 4,
      let part, (0...1).contains(part)
    else { return nil }
    let count = shapes[half][0][1] / 2
    return try add(.slice(ChannelSlice(start: part * count, count: count)), [half])
  }
}

extension ONNXWriter {
  /// `DFT` along the width, of which half is given, then along the height.
  mutating func realFFT(_ fft: RealFFT, _ node: Graph.Node, _ value: Int) {
    let input = name(node.inputs[0])
    var pairs = step("Unsqueeze", node, [input, integers(node, "last", [4])])
    if fft.norm != .backward {
      pairs = step("Div", node, [pairs, divisor(input, fft.norm == .ortho, node)])
    }
    let rows = step("DFT", node, [pairs], [("axis", .integer(3)), ("onesided", .integer(1))])
    let whole = step("DFT", node, [rows], [("axis", .integer(2))])
    let parts = [0, 1].map { part in
      step("Gather", node, [whole, scalar(node, "part", part)], [("axis", .integer(4))])
    }
    emit("Concat", node, parts, value, [("axis", .integer(1))])
  }

  /// The spectrum with its inner columns twice; beyond it zeros, which `DFT` adds by itself: the real
  /// part of its inverse is that of the whole spectrum. ONNX has no inverse of half a spectrum.
  mutating func inverseRealFFT(_ fft: InverseRealFFT, _ node: Graph.Node, _ value: Int) {
    let spectrum = name(node.inputs[0])
    let halves = steps(
      "Split", node, [spectrum], ["real", "imaginary"], [("axis", .integer(1))])
    let last = integers(node, "last", [4])
    let pairs = step(
      "Concat", node, halves.map { step("Unsqueeze", node, [$0, last]) }, [("axis", .integer(4))])
    let columns = size(of: spectrum, 3, node)
    let width: String
    if node.inputs.count > 1 {
      width = size(of: name(node.inputs[1]), 3, node)
    } else {
      let less = step("Sub", node, [columns, scalar(node, "one", 1)])
      width = step("Mul", node, [less, scalar(node, "two", 2)])
    }
    // 1 for the first column and the middle one, 2 for all others.
    let numbers = step(
      "Range", node, [scalar(node, "zero", 0), columns, scalar(node, "one", 1)])
    let twice = step("Mul", node, [numbers, scalar(node, "two", 2)])
    let isMiddle = step("Equal", node, [twice, width])
    let isFirst = step("Equal", node, [numbers, scalar(node, "zero", 0)])
    let isEdge = step("Or", node, [isMiddle, isFirst])
    let weights = step(
      "Where", node,
      [isEdge, floats(node, "once", [1], rank: 0), floats(node, "double", [2], rank: 0)])
    let column = step("Unsqueeze", node, [weights, integers(node, "behind", [1])])
    let weighted = step("Mul", node, [pairs, column])
    let inverse: (String, ONNXModelBuilder.Attribute) = ("inverse", .integer(1))
    let lines = step("DFT", node, [weighted], [("axis", .integer(2)), inverse])
    var image = step("DFT", node, [lines, width], [("axis", .integer(3)), inverse])
    // The inverse divides by the number of pixels.
    if fft.norm != .backward {
      image = step("Mul", node, [image, divisor(image, fft.norm == .ortho, node)])
    }
    emit("Gather", node, [image, scalar(node, "part", 0)], value, [("axis", .integer(4))])
  }

  /// One size of a value, as a number.
  private mutating func size(of value: String, _ dimension: Int, _ node: Graph.Node) -> String {
    let shape = step("Shape", node, [value])
    return step("Gather", node, [shape, scalar(node, "dimension", dimension)])
  }

  /// The number of pixels of an image, or its square root.
  private mutating func divisor(_ image: String, _ isRoot: Bool, _ node: Graph.Node) -> String {
    let sizes = step("Shape", node, [image], [("start", .integer(2)), ("end", .integer(4))])
    let numbers = step("Cast", node, [sizes], [("to", .integer(ONNXWriter.float32))])
    let count = step(
      "ReduceProd", node, [numbers], [("axes", .integers([0])), ("keepdims", .integer(0))])
    return isRoot ? step("Sqrt", node, [count]) : count
  }
}
