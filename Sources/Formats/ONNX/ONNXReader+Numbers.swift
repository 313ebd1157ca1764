import AviaryGraph

/// Arithmetic on numbers that are known: what exporters write to calculate shapes.
extension ONNXReader {
  /// What the node gives, if it follows from numbers alone; else nil.
  func folded() throws(InterchangeError) -> ONNXNumbers? {
    switch node.kind {
    case "Constant": return constantNumbers()
    case "Shape": return try shapeNumbers()
    case "ConstantOfShape":
      guard let shape = try numbers(0)?.integers else { return nil }
      var value = 0.0
      var isInteger = false
      if case .tensor(let tensor) = node.attributes["value"] {
        guard let numbers = try numbers(of: tensor, "value") else { return nil }
        (value, isInteger) = (numbers.rows[0].first ?? 0, numbers.isInteger)
      }
      guard let count = count(shape) else { return nil }
      return ONNXNumbers(
        [Double](repeating: value, count: count), shape: shape, isInteger: isInteger)
    default: break
    }
    guard ONNXReader.foldable.contains(node.kind) else { return nil }
    var operands: [ONNXNumbers] = []
    for input in node.inputs.indices {
      guard node.input(input) != nil else { continue }
      // Small constants only: no weights are read for this.
      guard let numbers = try numbers(input) else { return nil }
      operands.append(numbers)
    }
    guard let first = operands.first else { return nil }
    switch node.kind {
    case "Add": return pairwise(operands, +)
    case "Sub": return pairwise(operands, -)
    case "Mul": return pairwise(operands, *)
    case "Div":
      let isInteger = first.isInteger
      return pairwise(operands) { isInteger ? ($0 / $1).rounded(.towardZero) : $0 / $1 }
    case "Max": return pairwise(operands, max)
    case "Min": return pairwise(operands, min)
    case "Mod": return pairwise(operands) { $1 == 0 ? 0 : $0 - ($0 / $1).rounded(.down) * $1 }
    case "Floor": return first.map { $0.map { $0.rounded(.down) } }.reshaped(first.shape)
    case "Ceil": return first.map { $0.map { $0.rounded(.up) } }.reshaped(first.shape)
    case "Round": return first.map { $0.map { $0.rounded(.toNearestOrEven) } }.reshaped(first.shape)
    case "Neg": return first.map { $0.map { -$0 } }.reshaped(first.shape)
    case "Sqrt": return first.map { $0.map { $0.squareRoot() } }.reshaped(first.shape)
    case "Identity", "Dropout": return first
    case "Cast":
      let isInteger = ![1, 10, 11, 16].contains(node.integer("to") ?? 1)
      return first.map(isInteger: isInteger) { row in
        isInteger ? row.map { $0.rounded(.towardZero) } : row
      }.reshaped(first.shape)
    case "Concat":
      guard operands.allSatisfy({ $0.shape.count <= 1 }) else { return nil }
      let rows = samples.shapes.indices.map { sample in operands.flatMap { $0.row(sample) } }
      return ONNXNumbers(rows: rows, shape: [rows[0].count], isInteger: first.isInteger)
    case "Unsqueeze", "Squeeze", "Reshape", "Flatten": return try refitted(first, operands)
    case "Transpose":
      guard first.shape.count == 2, node.integers("perm") ?? [1, 0] == [1, 0] else { return nil }
      let (rows, columns) = (first.shape[0], first.shape[1])
      return first.map { row in
        (0..<rows * columns).map { row[$0 % rows * columns + $0 / rows] }
      }.reshaped([columns, rows])
    case "Gather": return gathered(first, operands)
    case "Slice": return try sliced(first)
    default: return nil
    }
  }

  private static let foldable: Set<String> = [
    "Add", "Sub", "Mul", "Div", "Max", "Min", "Mod", "Floor", "Ceil", "Round", "Neg", "Sqrt",
    "Identity", "Dropout", "Cast", "Concat", "Unsqueeze", "Squeeze", "Reshape", "Flatten",
    "Transpose", "Gather", "Slice",
  ]

  private func constantNumbers() -> ONNXNumbers? {
    for (name, attribute) in node.attributes {
      switch (name, attribute) {
      case ("value_int", .integer(let value)):
        return ONNXNumbers([Double(value)], shape: [], isInteger: true)
      case ("value_float", .float(let value)):
        return ONNXNumbers([value], shape: [], isInteger: false)
      case ("value_ints", .integers(let values)):
        return ONNXNumbers(values.map(Double.init), isInteger: true)
      case ("value_floats", .floats(let values)): return ONNXNumbers(values, isInteger: false)
      default: continue
      }
    }
    return nil
  }

  /// The dimensions of a value, or some of them.
  private func shapeNumbers() throws(InterchangeError) -> ONNXNumbers? {
    let rows: [[Int]]
    switch try given(0) {
    case .value(let value): rows = shapes[value]
    case .numbers(let numbers): rows = [numbers.shape]
    case .tensor(let tensor): rows = [tensor.shape]
    default: return nil
    }
    let count = rows[0].count
    func bounded(_ position: Int) -> Int {
      min(max(position < 0 ? position &+ count : position, 0), count)
    }
    let start = bounded(node.integer("start") ?? 0)
    let end = max(bounded(node.integer("end") ?? count), start)
    return ONNXNumbers(
      rows: rows.map { $0[start..<end].map(Double.init) }, shape: [end - start], isInteger: true)
  }

  /// The product of a shape, unless it is none or too many.
  private func count(_ shape: [Int]) -> Int? {
    var product = 1
    for size in shape {
      guard (0...ONNXNumbers.limit).contains(size) else { return nil }
      product *= size
      guard product <= ONNXNumbers.limit else { return nil }
    }
    return product
  }

  /// Element by element, one number standing for as many as there are on the other side.
  private func pairwise(
    _ operands: [ONNXNumbers], _ combine: (Double, Double) -> Double
  ) -> ONNXNumbers? {
    guard operands.count == 2 else { return nil }
    let (a, b) = (operands[0], operands[1])
    guard a.shape == b.shape || a.count == 1 || b.count == 1 else { return nil }
    let rows = samples.shapes.indices.map { sample in
      let (x, y) = (a.row(sample), b.row(sample))
      // Of none and one there is none.
      return (0..<(x.count == 1 ? y.count : x.count)).map {
        combine(x[x.count == 1 ? 0 : $0], y[y.count == 1 ? 0 : $0])
      }
    }
    let shape = a.count == 1 && b.shape.count >= a.shape.count ? b.shape : a.shape
    guard shape.reduce(1, *) == rows[0].count else { return nil }
    return ONNXNumbers(rows: rows, shape: shape, isInteger: a.isInteger && b.isInteger)
  }

  /// The same numbers under another shape.
  private func refitted(
    _ numbers: ONNXNumbers, _ operands: [ONNXNumbers]
  ) throws(InterchangeError) -> ONNXNumbers? {
    let shape: [Int]
    switch node.kind {
    case "Reshape":
      guard let target = operands.count == 2 ? operands[1].integers : node.integers("shape"),
        target.count <= 8
      else { return nil }
      let known = target.filter { $0 > 0 }.reduce(1) { $0.multipliedReportingOverflow(by: $1).0 }
      guard target.allSatisfy({ $0 == -1 || $0 > 0 }), known > 0 else { return nil }
      shape = target.map { $0 == -1 ? numbers.count / known : $0 }
    case "Unsqueeze":
      guard let axes = node.integers("axes") ?? (operands.count == 2 ? operands[1].integers : nil),
        numbers.shape.count + axes.count <= 8
      else { return nil }
      let rank = numbers.shape.count + axes.count
      let places = Set(axes.map { $0 < 0 ? $0 &+ rank : $0 })
      var left = numbers.shape[...]
      shape = (0..<rank).map { places.contains($0) ? 1 : left.popFirst() ?? 1 }
    default: shape = numbers.count == 1 && node.kind == "Squeeze" ? [] : [numbers.count]
    }
    guard count(shape) == numbers.count else { return nil }
    return numbers.map { $0 }.reshaped(shape)
  }

  private func gathered(_ numbers: ONNXNumbers, _ operands: [ONNXNumbers]) -> ONNXNumbers? {
    guard operands.count == 2, numbers.shape.count == 1, node.integer("axis") ?? 0 == 0,
      let indices = operands[1].integers
    else { return nil }
    let places = indices.map { $0 < 0 ? $0 &+ numbers.count : $0 }
    guard places.allSatisfy((0..<numbers.count).contains) else { return nil }
    return numbers.map { row in places.map { row[$0] } }.reshaped(operands[1].shape)
  }

  private func sliced(_ numbers: ONNXNumbers) throws(InterchangeError) -> ONNXNumbers? {
    guard let range = try sliceRanges().first, try sliceRanges().count == 1,
      range.axis == 0 || range.axis == -numbers.shape.count, let size = numbers.shape.first
    else { return nil }
    let width = size == 0 ? 0 : numbers.count / size
    func bounded(_ position: Int, _ range: ClosedRange<Int>) -> Int {
      min(max(position < 0 ? position &+ size : position, range.lowerBound), range.upperBound)
    }
    guard range.step == 1 || range.step == -1 else { return nil }
    let rows: [Int]
    if range.step == 1 {
      let start = bounded(range.start, 0...size)
      rows = Array(start..<max(bounded(range.end, 0...size), start))
    } else {
      guard size > 0 else { return nil }
      let start = bounded(range.start, 0...(size - 1))
      // An end far below 0 is before the first.
      let end = range.end < -size ? -1 : bounded(range.end, -1...(size - 1))
      rows = Array((end + 1..<max(start, end) + 1).reversed())
    }
    return numbers.map { row in rows.flatMap { row[$0 * width..<($0 + 1) * width] } }
      .reshaped([rows.count] + numbers.shape.dropFirst())
  }

  /// The ranges of a slice, as attributes or as inputs.
  func sliceRanges() throws(InterchangeError) -> [(axis: Int, start: Int, end: Int, step: Int)] {
    guard let starts = try numbers(1)?.integers ?? node.integers("starts"),
      let ends = try numbers(2)?.integers ?? node.integers("ends")
    else { throw unsupported("expected constant starts and ends, found others") }
    let axes = try integers(3, "axes") ?? Array(starts.indices)
    let steps = try integers(4, "steps") ?? starts.map { _ in 1 }
    guard starts.count == ends.count, starts.count == axes.count, starts.count == steps.count else {
      throw unsupported("expected as many starts as ends, axes and steps")
    }
    return starts.indices.map { (axes[$0], starts[$0], ends[$0], steps[$0]) }
  }
}

extension ONNXNumbers {
  /// The same numbers under a shape of their count.
  func reshaped(_ shape: [Int]) -> ONNXNumbers {
    var result = self
    result.shape = shape
    return result
  }
}

/// Numbers that are known while a network is read: constants, and sizes that follow from the
/// image's.
///
/// A size that depends on the image is kept as what it is for a few images: whoever uses it
/// compares it with other sizes of the same images. That needs no algebra, and understands every
/// chain of operations that exporters write for it.
struct ONNXNumbers {
  /// The dimensions; empty for one number.
  var shape: [Int]
  /// The numbers for each image; only one row where they are the same for all.
  var rows: [[Double]]
  /// Whether division drops what is left over.
  var isInteger: Bool

  /// How many numbers may be looked into: a table of sizes is far below, weights are far above.
  static let limit = 1 << 12

  /// The same numbers for every image.
  init(_ values: [Double], shape: [Int]? = nil, isInteger: Bool) {
    (self.shape, rows, self.isInteger) = (shape ?? [values.count], [values], isInteger)
  }

  /// Numbers for each image.
  init(rows: [[Double]], shape: [Int], isInteger: Bool) {
    let isConstant = rows.dropFirst().allSatisfy { $0 == rows[0] }
    (self.shape, self.isInteger) = (shape, isInteger)
    self.rows = isConstant ? Array(rows.prefix(1)) : rows
  }

  /// The number of numbers.
  var count: Int { rows[0].count }

  /// The numbers for an image.
  func row(_ sample: Int) -> [Double] { rows[rows.count == 1 ? 0 : sample] }

  /// The numbers, if they are the same for every image.
  var constant: [Double]? { rows.count == 1 ? rows[0] : nil }

  /// The numbers as integers, if they are the same for every image.
  var integers: [Int]? { constant.flatMap { $0.wholeNumbers } }

  /// Other numbers made of these, for each image alike.
  func map(
    shape: [Int]? = nil, isInteger: Bool? = nil, _ change: ([Double]) -> [Double]
  ) -> ONNXNumbers {
    let rows = rows.map(change)
    return ONNXNumbers(
      rows: rows, shape: shape ?? (self.shape.isEmpty ? [] : [rows[0].count]),
      isInteger: isInteger ?? self.isInteger)
  }
}

extension [Double] {
  /// The numbers as integers; nil where one is no whole number of 53 bits.
  var wholeNumbers: [Int]? {
    var result: [Int] = []
    for value in self {
      // What is beyond stands for "to the end" in slices.
      let bounded = Swift.min(Swift.max(value, -0x1p53), 0x1p53)
      guard let whole = Int(exactly: bounded) else { return nil }
      result.append(whole)
    }
    return result
  }
}

/// The images on which a network is followed while it is read.
struct ONNXSamples {
  /// For each image the shape of each input.
  let shapes: [[[Int]]]
  /// Whether the first image has the size that the file states, and the others have not: a
  /// constant that is one of its dimensions then stands for that dimension.
  let letsSizeGo: Bool

  /// Images of several sizes, the stated one first, odd ones among them.
  static func all(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(inputs, free: [Size(960, 1_440), Size(480, 1_920), Size(491, 613)])
  }

  /// As `all`, but images whose sizes have nothing to do with each other's, for networks that take
  /// several.
  static func unrelated(_ inputs: [ONNXInput]) -> ONNXSamples {
    let sizes = [Size(960, 1_440), Size(480, 1_920), Size(491, 613)]
    return ONNXSamples(
      shapes: sizes.indices.map { sample in
        inputs.enumerated().map { position, input in
          let size = sizes[(sample + position) % sizes.count]
          return [sample + 1, input.channels, size.height, size.width]
        }
      }, letsSizeGo: false)
  }

  /// Images of several sizes that every common stride divides.
  static func even(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(inputs, free: [Size(960, 1_440), Size(480, 1_920)])
  }

  /// Images of the stated size.
  static func stated(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(
      shapes: [1, 2].map { count in
        inputs.map { [count, $0.channels, $0.size?.height ?? 480, $0.size?.width ?? 480] }
      }, letsSizeGo: true)
  }

  private init(shapes: [[[Int]]], letsSizeGo: Bool) {
    (self.shapes, self.letsSizeGo) = (shapes, letsSizeGo)
  }

  private init(_ inputs: [ONNXInput], free sizes: [Size]) {
    let isStated = inputs.contains { $0.size != nil }
    let base = sizes[0]
    var shapes = sizes.enumerated().map { sample, size in
      inputs.map { input in
        [sample + (isStated ? 2 : 1), input.channels]
          + scaled(size, input.size, inputs[0].size)
      }
    }
    if isStated {
      shapes.insert(
        inputs.map {
          [1, $0.channels, $0.size?.height ?? base.height, $0.size?.width ?? base.width]
        }, at: 0)
    }
    self.init(shapes: shapes, letsSizeGo: isStated)

    /// Further inputs keep their proportion to the first.
    func scaled(_ size: Size, _ own: Size?, _ first: Size?) -> [Int] {
      guard let own, let first else { return [size.height, size.width] }
      return [
        max(size.height * own.height / first.height, 1),
        max(size.width * own.width / first.width, 1),
      ]
    }
  }
}
