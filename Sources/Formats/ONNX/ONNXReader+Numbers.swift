import AviaryGraph
import Glibc

/// Arithmetic on numbers that are known: what exporters write to calculate shapes.
extension ONNXReader {
  /// What the node gives, one for each output, if it follows from numbers alone; else nil.
  func folded() throws(InterchangeError) -> [ONNXNumbers]? {
    switch node.kind {
    case "Constant": return constantNumbers().map { [$0] }
    case "Shape": return try shapeNumbers().map { [$0] }
    case "Size": return try sizeNumbers().map { [$0] }
    default: break
    }
    guard ONNXReader.foldable.contains(node.kind), try isKnown() else { return nil }
    var operands: [ONNXNumbers?] = []
    for input in node.inputs.indices {
      guard node.input(input) != nil else {
        operands.append(nil)
        continue
      }
      // Weights too large to be looked into are no numbers.
      guard let numbers = try numbers(input) else { return nil }
      operands.append(numbers)
    }
    do throws(NumberProblem) {
      return try calculated(operands)
    } catch {
      throw unsupported("the arithmetic on sizes fails: \(error.text)")
    }
  }

  /// Whether all inputs are numbers or constants.
  private func isKnown() throws(InterchangeError) -> Bool {
    for input in node.inputs.indices where node.input(input) != nil {
      switch try given(input) {
      case .numbers, .tensor: continue
      default: return false
      }
    }
    return node.inputs.contains { !$0.isEmpty }
  }

  private static let foldable: Set<String> = binary.union(unary.keys).union([
    "Dropout", "Cast", "CastLike", "ConstantOfShape", "Range", "Where", "Concat", "Split",
    "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Transpose", "Expand", "Tile", "Gather",
    "GatherND", "ScatterND", "Slice", "NonZero", "CumSum", "ReduceProd", "ReduceSum", "ReduceMax",
    "ReduceMin", "ReduceMean", "Sum",
  ])

  private static let binary: Set<String> = [
    "Add", "Sub", "Mul", "Div", "Mod", "Pow", "Max", "Min", "And", "Or", "Xor", "Equal", "Less",
    "LessOrEqual", "Greater", "GreaterOrEqual",
  ]

  private static let unary: [String: @Sendable (Double) -> Double] = [
    "Floor": { $0.rounded(.down) }, "Ceil": { $0.rounded(.up) },
    "Round": { $0.rounded(.toNearestOrEven) }, "Neg": { -$0 }, "Abs": { abs($0) },
    "Sign": { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }, "Sqrt": { $0.squareRoot() },
    "Reciprocal": { 1 / $0 }, "Not": { $0 == 0 ? 1 : 0 }, "Relu": { max($0, 0) },
  ]

  // MARK: - What is there

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

  /// The shapes of an input, one for each image.
  private func knownShapes() throws(InterchangeError) -> [[Int]]? {
    switch try given(0) {
    case .value(let value): return shapes[value]
    case .numbers(let numbers): return samples.shapes.indices.map { numbers.array($0).shape }
    case .tensor(let tensor): return samples.shapes.map { _ in tensor.shape }
    case .part(let part): return shapes(of: part)
    default: return nil
    }
  }

  /// The dimensions of a value, or some of them.
  private func shapeNumbers() throws(InterchangeError) -> ONNXNumbers? {
    guard let shapes = try knownShapes() else { return nil }
    let count = shapes[0].count
    func bounded(_ position: Int) -> Int {
      min(max(position < 0 ? position &+ count : position, 0), count)
    }
    let start = bounded(node.integer("start") ?? 0)
    let end = max(bounded(node.integer("end") ?? count), start)
    return ONNXNumbers(
      shapes.map { NumberArray($0[start..<end].map(Double.init)) }, .integer)
  }

  /// The number of a value's elements.
  private func sizeNumbers() throws(InterchangeError) -> ONNXNumbers? {
    try knownShapes().map { shapes in
      ONNXNumbers(
        shapes.map { NumberArray([Double($0.reduce(1, *))], shape: []) }, .integer)
    }
  }

  // MARK: - What follows

  /// The same calculation for each image.
  private func each(
    _ operands: [ONNXNumbers?], _ kind: ONNXNumbers.Kind,
    _ calculate: (_ sample: Int) throws(NumberProblem) -> NumberArray
  ) throws(NumberProblem) -> ONNXNumbers {
    let isConstant = operands.allSatisfy { $0.map { $0.arrays.count == 1 } ?? true }
    var arrays: [NumberArray] = []
    for sample in isConstant ? 0..<1 : samples.shapes.indices {
      arrays.append(try calculate(sample))
    }
    return ONNXNumbers(arrays, kind)
  }

  /// What the node makes of numbers; nil for what is no arithmetic on sizes.
  private func calculated(_ operands: [ONNXNumbers?]) throws(NumberProblem) -> [ONNXNumbers]? {
    guard let first = operands.first ?? nil else { return nil }
    let kind = first.kind
    if let function = ONNXReader.unary[node.kind] {
      let result = try each(operands, kind) { (i) throws(NumberProblem) in
        first.array(i).map { kind.rounded(function($0)) }
      }
      return [result]
    }
    if ONNXReader.binary.contains(node.kind) || node.kind == "Sum" {
      return [try combined(operands.compactMap { $0 })]
    }
    /// The whole numbers of an operand for an image, or of an attribute of older versions.
    func integers(
      _ input: Int, _ attribute: String, _ sample: Int
    ) throws(NumberProblem) -> [Int]? {
      if let integers = node.integers(attribute) { return integers }
      guard operands.indices.contains(input), let numbers = operands[input] else { return nil }
      return try numbers.array(sample).integers()
    }
    func required(_ input: Int) throws(NumberProblem) -> ONNXNumbers {
      guard operands.indices.contains(input), let numbers = operands[input] else {
        throw NumberProblem("input \(input + 1) is missing")
      }
      return numbers
    }
    switch node.kind {
    case "Dropout": return [first]
    case "Cast", "CastLike":
      let target =
        try node.kind == "Cast"
        ? ONNXNumbers.Kind(node.integer("to") ?? 1) : required(1).kind
      return [
        try each([first], target) { (i) throws(NumberProblem) in first.array(i).map(target.rounded)
        }
      ]
    case "ConstantOfShape":
      var (value, kind) = (0.0, ONNXNumbers.Kind.float32)
      if case .tensor(let tensor) = node.attributes["value"] {
        guard let numbers = (try? self.numbers(of: tensor, "value")) ?? nil,
          let number = numbers.constant?.first
        else { return nil }
        (value, kind) = (number, numbers.kind)
      }
      let result = try each(operands, kind) { (i) throws(NumberProblem) in
        try NumberArray(filled: value, shape: try first.array(i).integers())
      }
      return [result]
    case "Range":
      let (limit, step) = (try required(1), try required(2))
      let result = try each(operands, kind) { (i) throws(NumberProblem) in
        let ends = (first.array(i).uniform, limit.array(i).uniform, step.array(i).uniform)
        guard let start = ends.0, let end = ends.1, let by = ends.2 else {
          throw NumberProblem("a range needs three single numbers")
        }
        return try .range(from: start, to: end, by: by).map(kind.rounded)
      }
      return [result]
    case "Where":
      let (a, b) = (try required(1), try required(2))
      return [
        try each(operands, a.kind) { (i) throws(NumberProblem) in
          try first.array(i).selecting(a.array(i), b.array(i))
        }
      ]
    case "Concat":
      let all = operands.compactMap { $0 }
      let axis = node.integer("axis") ?? 0
      return [
        try each(operands, kind) { (i) throws(NumberProblem) in
          try .concatenated(all.map { $0.array(i) }, axis: axis)
        }
      ]
    case "Split":
      return try split(first, operands)
    case "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Expand", "Tile":
      return [
        try each(operands, kind) { (i) throws(NumberProblem) in
          try refitted(first.array(i)) { (input, attribute) throws(NumberProblem) in
            try integers(input, attribute, i)
          }
        }
      ]
    case "Transpose":
      return [
        try each(operands, kind) { (i) throws(NumberProblem) in
          let array = first.array(i)
          return try array.transposed(
            node.integers("perm") ?? Array(array.shape.indices.reversed()))
        }
      ]
    case "Gather", "GatherND":
      let indices = try required(1)
      guard node.integer("batch_dims") ?? 0 == 0 else { return nil }
      let axis = node.integer("axis") ?? 0
      let isND = node.kind == "GatherND"
      return [
        try each(operands, kind) { (i) throws(NumberProblem) in
          try isND
            ? first.array(i).gathered(at: indices.array(i))
            : first.array(i).gathered(indices.array(i), axis: axis)
        }
      ]
    case "ScatterND":
      let (indices, updates) = (try required(1), try required(2))
      guard node.text("reduction") ?? "none" == "none" else { return nil }
      return [
        try each(operands, kind) { (i) throws(NumberProblem) in
          try first.array(i).replacing(at: indices.array(i), with: updates.array(i))
        }
      ]
    case "Slice":
      return [
        try each(operands, kind) { (i) throws(NumberProblem) in
          try sliced(first.array(i)) { (input, attribute) throws(NumberProblem) in
            try integers(input, attribute, i)
          }
        }
      ]
    case "NonZero":
      return [
        try each(operands, .integer) { (i) throws(NumberProblem) in try first.array(i).nonZero() }
      ]
    case "CumSum":
      let axis = try required(1)
      guard node.integer("exclusive") ?? 0 == 0, node.integer("reverse") ?? 0 == 0 else {
        return nil
      }
      return [
        try each(operands, kind) { (i) throws(NumberProblem) in
          try first.array(i).runningSum(axis: try axis.array(i).integers().first ?? 0)
        }
      ]
    case "ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean":
      let keeps = node.integer("keepdims") ?? 1 != 0
      let isIdentity = node.integer("noop_with_empty_axes") ?? 0 != 0
      return [
        try each(operands, kind) { (i) throws(NumberProblem) in
          let axes = try integers(1, "axes", i) ?? []
          if axes.isEmpty, isIdentity { return first.array(i) }
          return try first.array(i).reduced(axes, keepsDimensions: keeps) { part in
            kind.rounded(ONNXReader.reduction(node.kind, part))
          }
        }
      ]
    default: return nil
    }
  }

  private static func reduction(_ name: String, _ part: ArraySlice<Double>) -> Double {
    switch name {
    case "ReduceProd": part.reduce(1, *)
    case "ReduceMax": part.max() ?? -.infinity
    case "ReduceMin": part.min() ?? .infinity
    case "ReduceMean": part.reduce(0, +) / Double(part.count)
    default: part.reduce(0, +)
    }
  }

  /// Arithmetic, comparisons and logic on two arrays, or on more from left to right.
  private func combined(_ operands: [ONNXNumbers]) throws(NumberProblem) -> ONNXNumbers {
    guard var result = operands.first else { throw NumberProblem("an input is missing") }
    let isInteger = result.isInteger
    let combine: (Double, Double) -> Double
    var kind = result.kind
    switch node.kind {
    case "Add", "Sum": combine = { $0 + $1 }
    case "Sub": combine = { $0 - $1 }
    case "Mul": combine = { $0 * $1 }
    case "Div": combine = { isInteger && $1 == 0 ? .nan : $0 / $1 }
    case "Mod":
      let isTruncated = node.integer("fmod") ?? 0 != 0
      combine = {
        isTruncated
          ? $0.truncatingRemainder(dividingBy: $1) : $0 - ($0 / $1).rounded(.down) * $1
      }
    case "Pow": combine = { pow($0, $1) }
    case "Max": combine = { max($0, $1) }
    case "Min": combine = { min($0, $1) }
    default:
      kind = .boolean
      switch node.kind {
      case "And": combine = { $0 != 0 && $1 != 0 ? 1 : 0 }
      case "Or": combine = { $0 != 0 || $1 != 0 ? 1 : 0 }
      case "Xor": combine = { ($0 != 0) != ($1 != 0) ? 1 : 0 }
      case "Equal": combine = { $0 == $1 ? 1 : 0 }
      case "Less": combine = { $0 < $1 ? 1 : 0 }
      case "LessOrEqual": combine = { $0 <= $1 ? 1 : 0 }
      case "Greater": combine = { $0 > $1 ? 1 : 0 }
      default: combine = { $0 >= $1 ? 1 : 0 }
      }
    }
    for other in operands.dropFirst() {
      let left = result
      result = try each([left, other], kind) { (i) throws(NumberProblem) in
        try left.array(i).combined(other.array(i)) { kind.rounded(combine($0, $1)) }
      }
    }
    return result
  }

  /// The parts of numbers along an axis.
  private func split(
    _ numbers: ONNXNumbers, _ operands: [ONNXNumbers?]
  ) throws(NumberProblem) -> [ONNXNumbers] {
    let count = node.outputs.count
    var parts: [[NumberArray]] = Array(repeating: [], count: count)
    for sample in samples.shapes.indices {
      let array = numbers.array(sample)
      let axis = try array.dimension(node.integer("axis") ?? 0)
      let size = array.shape[axis]
      var sizes: [Int]
      if let stated = node.integers("split") {
        sizes = stated
      } else if operands.count > 1, let stated = operands[1] {
        sizes = try stated.array(sample).integers()
      } else {
        let part = (size + count - 1) / max(count, 1)
        sizes = (0..<count).map { min(part, max(size - $0 * part, 0)) }
      }
      guard sizes.count == count, sizes.allSatisfy((0...size).contains),
        sizes.reduce(0, +) == size
      else {
        throw NumberProblem("parts of \(sizes) of \(size) elements")
      }
      var start = 0
      for (output, part) in sizes.enumerated() {
        let ranges = array.shape.enumerated().map { i, size in
          i == axis ? (first: start, count: part, step: 1) : (first: 0, count: size, step: 1)
        }
        parts[output].append(try array.sliced(ranges))
        start += part
      }
    }
    return parts.map { ONNXNumbers($0, numbers.kind) }
  }

  /// The same numbers in another shape, or repeated to one.
  private func refitted(
    _ array: NumberArray,
    _ integers: (_ input: Int, _ attribute: String) throws(NumberProblem) -> [Int]?
  ) throws(NumberProblem) -> NumberArray {
    var shape = array.shape
    switch node.kind {
    case "Unsqueeze":
      let axes = try integers(1, "axes") ?? []
      let rank = shape.count + axes.count
      var places = Set<Int>()
      for axis in axes { places.insert(try array.dimension(axis, ofRank: rank)) }
      var left = shape[...]
      return try array.reshaped((0..<rank).map { places.contains($0) ? 1 : left.popFirst() ?? 1 })
    case "Squeeze":
      var gone = Set<Int>()
      for axis in try integers(1, "axes") ?? [] { gone.insert(try array.dimension(axis)) }
      if gone.isEmpty { gone = Set(shape.indices.filter { shape[$0] == 1 }) }
      return try array.reshaped(shape.indices.filter { !gone.contains($0) }.map { shape[$0] })
    case "Flatten":
      let axis = node.integer("axis") ?? 1
      let split = axis < 0 ? axis + shape.count : axis
      guard shape.indices.contains(split) || split == shape.count else {
        throw NumberProblem("axis \(axis) of \(shape.count) dimensions")
      }
      return try array.reshaped([shape[..<split].reduce(1, *), shape[split...].reduce(1, *)])
    case "Expand":
      guard let target = try integers(1, "shape") else { throw NumberProblem("a shape is missing") }
      return try array.expanded(to: try NumberArray.broadcast(shape, target))
    case "Tile":
      guard let repeats = try integers(1, "repeats") else {
        throw NumberProblem("repeats are missing")
      }
      return try array.tiled(repeats)
    default:
      guard let target = try integers(1, "shape") else { throw NumberProblem("a shape is missing") }
      let keepsZero = node.integer("allowzero") ?? 0 != 0
      shape = target.enumerated().map { i, size in
        size == 0 && !keepsZero && i < array.shape.count ? array.shape[i] : size
      }
      if let free = shape.firstIndex(of: -1) {
        let known = shape.reduce(-1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        guard known > 0 else { throw NumberProblem("shape \(target)") }
        shape[free] = array.count / known
      }
      return try array.reshaped(shape)
    }
  }
}
