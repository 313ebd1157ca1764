internal import AviaryGraph

/// What a network's own operations say of the values that it takes and gives: a Rescaling at its
/// input, a sigmoid or tanh at its end.
struct ValueRanges: Equatable {
  /// What black and white are in its input; nil where nothing says so.
  private(set) var input: ClosedRange<Double>?
  /// What they are in its output.
  private(set) var output: ClosedRange<Double>?

  init(_ graph: Graph) {
    let first = Affine(afterInputOf: graph)
    input = first.inputRange
    let (last, before) = Affine.beforeOutput(of: graph)
    switch before {
    case .activation(.sigmoid): output = last.image(of: 0...1)
    case .activation(.tanh): output = last.image(of: -1...1)
    // It undoes what was done to the input.
    case _ where !first.isIdentity && last.undoes(first): output = input
    // From -1 to 1 into customary values; or from 0 to 1.
    case _ where last.factor == last.offset && last.factor > 0: output = 0...(2 * last.factor)
    case _ where last.factor == 255 && last.offset == 0: output = 0...255
    default: break
    }
  }

  /// Writes the ranges into an image description.
  ///
  /// - Parameters:
  ///   - stated: the members that the user states.
  ///   - path: the file, for the message.
  /// - Returns: what was assumed, as a member of the image description; nil for nothing.
  /// - Throws: `AviaryError.range` where the network takes values that are not from 0 to 1, and nothing
  ///   says what it gives.
  func apply(
    to picture: inout ImageSpec, stated: JSON, path: String
  ) throws(AviaryError) -> String? {
    if stated["range"] != nil { return nil }
    if stated["outputRange"] != nil {
      guard let input else { return "picture.range" }
      picture.range = input
      return nil
    }
    switch (input, output) {
    case (let taken?, let given?):
      picture.range = taken
      if given != taken { picture.outputRange = given }
      return nil
    case (let taken?, nil):
      guard taken == 0...1 else {
        throw .range(path: path, says: "takes values \(Self.text(taken))", open: "gives")
      }
      return "picture.range"
    case (nil, let given?):
      // Who gives -1 to 1 was trained on images of such values, as a rule; a sigmoid's on 0 to 1.
      picture.range = given
      return "picture.range"
    case (nil, nil): return "picture.range"
    }
  }

  private static func text(_ range: ClosedRange<Double>) -> String {
    func number(_ value: Double) -> String {
      value == value.rounded() ? "\(Int(value))" : "\(value)"
    }
    return "from \(number(range.lowerBound)) to \(number(range.upperBound))"
  }
}

/// Multiplication and addition of constants, of several channels their mean.
private struct Affine {
  private(set) var factor = 1.0
  private(set) var offset = 0.0

  var isIdentity: Bool { factor == 1 && offset == 0 }

  /// What the first operations of a network do to its input.
  init(afterInputOf graph: Graph) {
    var value = 0
    while true {
      let users = graph.nodes.indices.filter { graph.nodes[$0].inputs.contains(value) }
      guard users.count == 1, append(graph.nodes[users[0]].op) else { return }
      value = graph.inputs.count + users[0]
    }
  }

  private init() {}

  /// What the last operations of a network do, and the operation before them.
  static func beforeOutput(of graph: Graph) -> (Affine, Op?) {
    var value = graph.outputs[0].value
    var ops: [Op] = []
    while value >= graph.inputs.count {
      let node = graph.nodes[value - graph.inputs.count]
      var alone = Affine()
      guard alone.append(node.op) else {
        return (ops.reversed().reduce(into: Affine()) { _ = $0.append($1) }, node.op)
      }
      ops.append(node.op)
      value = node.inputs[0]
    }
    return (ops.reversed().reduce(into: Affine()) { _ = $0.append($1) }, nil)
  }

  /// Adds an operation, if it is one of these.
  private mutating func append(_ op: Op) -> Bool {
    switch op {
    case .scale(let scale) where !scale.values.isEmpty:
      let mean = scale.values.reduce(0, +) / Double(scale.values.count)
      (factor, offset) = (factor * mean, offset * mean)
    case .offset(let add) where !add.values.isEmpty:
      offset += add.values.reduce(0, +) / Double(add.values.count)
    default: return false
    }
    return true
  }

  /// The customary range whose width becomes a few units; of a mean that is subtracted alone, the one
  /// that the mean lies in.
  var inputRange: ClosedRange<Double>? {
    if isIdentity { return nil }
    if factor == 1 { return offset.magnitude > 2 ? 0...255 : 0...1 }
    return [1.0, 255].first { (0.8...6).contains((factor * $0).magnitude) }.map { 0...$0 }
  }

  /// Whether this after the other leaves values as they were.
  func undoes(_ other: Affine) -> Bool {
    let scale = max(offset.magnitude, 1)
    return (other.factor * factor - 1).magnitude < 1e-3
      && (other.offset * factor + offset).magnitude < 1e-3 * scale
  }

  func image(of range: ClosedRange<Double>) -> ClosedRange<Double>? {
    let ends = [range.lowerBound, range.upperBound].map { $0 * factor + offset }
    // Rescaled by 1/127.5 and its like, which no binary fraction is exactly.
    let clean = ends.map { ($0 - $0.rounded()).magnitude < 1e-4 ? $0.rounded() : $0 }
    return clean[0] < clean[1] ? clean[0]...clean[1] : nil
  }
}
