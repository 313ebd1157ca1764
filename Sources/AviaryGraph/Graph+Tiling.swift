/// Whether parts of an image can be computed for themselves.
public enum Tiling: Hashable, Sendable {
  /// Parts give exactly what the whole gives, if each is computed with so many more pixels on every
  /// side (cut off afterwards) and begins at a multiple of so many pixels.
  case exact(overlap: Int, multiple: Int)
  /// Every output pixel may depend on every input pixel, for this reason.
  case whole(reason: String)
}

extension Graph {
  /// How images of this size can be computed in tiles, `.same` padding being that of the whole.
  ///
  /// A stretch of pixels is followed through the network as the inside of a tile, with neither end
  /// at a border of the image: each operation spoils what its padding reaches. What is spoilt of
  /// the output is the overlap needed.
  ///
  /// - Throws: `GraphError.shape` where the network cannot run on the size.
  public func tiling(height: Int, width: Int) throws(GraphError) -> Tiling {
    if inputs.contains(where: { $0.size != nil }) {
      return .whole(reason: "the network takes images of one size only")
    }
    let resolved = try resolvingPadding(height: height, width: width)
    guard let multiple = period else {
      return .whole(reason: "the network's strides multiply to more than \(GraphLimits.period)")
    }
    var overlap = 0
    for axis in Axis.allCases {
      do throws(WholeImage) {
        overlap = max(overlap, try resolved.overlap(along: axis, multiple))
      } catch {
        return .whole(reason: error.reason)
      }
    }
    for output in outputs where ratios[output.value] == nil {
      return .whole(reason: "output '\(output.name)' is scaled differently along its axes")
    }
    return .exact(overlap: (overlap + multiple - 1) / multiple * multiple, multiple: multiple)
  }

  /// What parts must begin at a multiple of to give nearly what the whole gives, where nothing makes
  /// them give it exactly; nil for a network that takes images of one size, or whose output is in no
  /// proportion to them.
  package var approximateMultiple: Int? {
    guard inputs.allSatisfy({ $0.size == nil }),
      outputs.allSatisfy({ ratios[$0.value] != nil })
    else { return nil }
    return period
  }

  /// The input pixels along an axis that an inner tile's ends spoil.
  private func overlap(
    along axis: Axis, _ multiple: Int
  ) throws(WholeImage) -> Int {
    let side = inputs[0].nominalShape[2] / multiple * multiple
    guard let shapes = try? shapes(height: side, width: side) else {
      throw WholeImage(reason: "the network cannot run on tiles of \(side) pixels")
    }
    var places = PlaceWalk(self, axis)
    func size(_ value: Int) -> Int {
      guard case .along(let dimension, _) = places[value] else { return 1 }
      return shapes[value][dimension]
    }
    var valid = inputs.map { _ in 0..<side }
    var overlap = 0
    /// Asks for an overlap of so many pixels of a value.
    func demand(_ pixels: Int, _ ratio: Ratio) {
      let scaled = (pixels * ratio.denominator + ratio.numerator - 1) / ratio.numerator
      overlap = max(overlap, scaled)
    }
    for (i, node) in nodes.enumerated() {
      let field = places.add(node)
      // What is the same for every image is valid everywhere.
      guard places[inputs.count + i] != .constant else {
        valid.append(0..<1)
        continue
      }
      // Nor does it matter what pixels a value has of which the size alone counts, unless all others
      // are the same for every image.
      let moving = node.inputs.indices.filter { places[node.inputs[$0]] != .constant }
      let read = moving.filter { !node.op.operation.inputsOfSizeOnly.contains($0) }
      let taken = (read.isEmpty ? moving : read).map { valid[node.inputs[$0]] }
      let range = try field.valid(taken, node: node.name)
      guard case .along = places[inputs.count + i] else {
        throw WholeImage(reason: "\(node.name): not in proportion to the image")
      }
      let start = min(max(range.lowerBound, 0), size(inputs.count + i))
      valid.append(start..<max(min(range.upperBound, size(inputs.count + i)), start))
      // What a padding mirrors at a border of the image must be valid in the last tile too, which
      // may be one pixel besides its overlap.
      if case .window(let window) = field, let reach = window.mirrored,
        let source = node.inputs.first,
        case .along(_, let ratio) = places[source], let full = ratio.scaled(side),
        full <= GraphLimits.dimension
      {
        let spoilt = max(valid[source].lowerBound, size(source) - valid[source].upperBound)
        let besides = ratio.numerator / ratio.denominator
        demand(full - size(source) + spoilt + reach - besides, ratio)
      }
    }
    for output in outputs {
      let inside = valid[output.value]
      guard let ratio = places[output.value].ratio(axis), let full = ratio.scaled(side),
        full <= GraphLimits.dimension, !inside.isEmpty
      else {
        throw WholeImage(reason: "output '\(output.name)' sees more than \(side) pixels")
      }
      demand(max(inside.lowerBound, full - inside.upperBound), ratio)
    }
    return overlap
  }
}

/// Why a network cannot be computed in parts.
private struct WholeImage: Error { var reason: String }

extension ReceptiveField {
  /// The output pixels along an axis that depend on valid input pixels alone, when neither end of
  /// the input is a border of the image.
  ///
  /// - Parameter inputs: the valid pixels of the inputs, at least one of them.
  fileprivate func valid(
    _ inputs: [Range<Int>], node: String
  ) throws(WholeImage) -> Range<Int> {
    let first = inputs.map(\.lowerBound).max() ?? 0
    let common = first..<max(inputs.map(\.upperBound).min() ?? first, first)
    switch self {
    case .pointwise, .constant: return common
    case .window(let window): return window.valid(common)
    case .whole(let reason, _): throw WholeImage(reason: "\(node): \(reason)")
    case .expansion: throw WholeImage(reason: "\(node): an expansion that is not expanded")
    }
  }
}

extension Expansion {
  /// Whether what it depends on follows from the operations that it is made of.
  var isWithoutField: Bool {
    if case .expansion = receptiveField(.vertical) { true } else { false }
  }
}

extension Graph {
  /// The ratio of each value's height and width to those of the first input; nil for values whose
  /// size does not depend on the input's in that way (one pixel after a global pooling, a matrix),
  /// or along both axes alike.
  package var ratios: [Ratio?] {
    zip(ratios(along: .vertical), ratios(along: .horizontal)).map { $0 == $1 ? $0 : nil }
  }

  /// The ratio of each value's extent along an axis to the first input's, as `ratios`.
  func ratios(along axis: Axis) -> [Ratio?] {
    guard let (walk, values) = places(along: axis) else {
      return Array(repeating: nil, count: inputs.count + nodes.count)
    }
    return values.map { walk[$0].ratio(axis) }
  }

  /// Where all values, without those of expansions, hold the pixels of an axis, and the number that
  /// each value of this graph has among them.
  private func places(along axis: Axis) -> (PlaceWalk, values: [Int])? {
    guard let (graph, values) = try? expanded({ $0.isWithoutField }) else { return nil }
    var walk = PlaceWalk(graph, axis)
    for node in graph.nodes { _ = walk.add(node) }
    return (walk, values)
  }

  /// How far apart pixels of the input lie that all values see alike: the least number of which
  /// every stride in the network makes a whole number. Nil beyond `GraphLimits.period`.
  var period: Int? {
    var period = 1
    for axis in Axis.allCases {
      for denominator in places(along: axis)?.0.denominators ?? [] {
        let factor = denominator / greatestCommonDivisor(period, denominator)
        guard factor <= GraphLimits.period, period * factor <= GraphLimits.period else {
          return nil
        }
        period *= factor
      }
    }
    return period
  }
}
