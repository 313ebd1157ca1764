/// Where a value holds the pixels of an image along an axis.
enum PixelPlace: Hashable {
  /// Along a dimension, with so many entries for each pixel of the graph's first input: windows are
  /// entries, too.
  case along(dimension: Int, Ratio)
  /// The value is the same for every image.
  case constant
  /// Not in proportion: one pixel, a matrix, or entries that many pixels count for.
  case unrelated

  /// The ratio of the value's extent to the input's, if it lies as an image.
  func ratio(_ axis: Axis) -> Ratio? {
    if case .along(axis.dimension, let ratio) = self { ratio } else { nil }
  }
}

/// Follows the pixels of an image along an axis through a graph, node by node.
struct PlaceWalk {
  private let graph: Graph
  private let axis: Axis
  private var places: [PixelPlace]
  /// The ratios of which every tile must begin at a whole number.
  private var ratios: Set<Ratio> = []
  /// The shapes of all values on the nominal size; made when first needed.
  private lazy var shapes = (try? Graph.shapes(of: graph.nodes, graph.inputs.map(\.nominalShape)))

  /// - Parameter graph: one in which every expansion states its receptive field.
  init(_ graph: Graph, _ axis: Axis) {
    (self.graph, self.axis) = (graph, axis)
    places = graph.inputs.map { _ in .along(dimension: axis.dimension, Ratio(1)) }
  }

  /// The place of a value that was added, or of an input.
  subscript(value: Int) -> PixelPlace { places[value] }

  /// What the pixels of a tile's beginning must be divisible by.
  var denominators: Set<Int> { Set(ratios.map(\.denominator)) }

  /// Adds the next node.
  ///
  /// - Returns: what its entries depend on: the operation's receptive field, or less where the axis
  ///   runs along a dimension whose entries the operation keeps apart.
  mutating func add(_ node: Graph.Node) -> ReceptiveField {
    let (place, field) = place(of: node)
    places.append(place)
    if case .along(_, let ratio) = place { ratios.insert(ratio) }
    if case .window(let window) = field, window.alignment > 1, let source = node.inputs.first,
      case .along(_, let ratio) = places[source],
      let step = ratio.multiplied(by: Ratio(1, window.alignment))
    {
      ratios.insert(step)
    }
    return field
  }

  private mutating func place(of node: Graph.Node) -> (PixelPlace, ReceptiveField) {
    let operands = node.inputs.map { places[$0] }
    let field = node.op.operation.receptiveField(axis)
    if operands.allSatisfy({ $0 == .constant }) { return (.constant, .constant) }
    if case .window(let window) = field {
      let ofSizeOnly = node.op.operation.inputsOfSizeOnly
      let read = operands.enumerated().filter { !ofSizeOnly.contains($0.offset) }.map(\.element)
      let input = PixelPlace.Source(window.input ?? axis.dimension, read)
      guard let ratio = input?.ratio.multiplied(by: window.ratio) else {
        return (.unrelated, .whole(reason: "its input is no image", size: .unrelated))
      }
      return (.along(dimension: window.output ?? axis.dimension, ratio), field)
    }
    if case .whole(_, .dimension(let dimension, let position)) = field,
      case .along(dimension, let ratio) = operands[position]
    {
      return (.along(dimension: axis.dimension, ratio), field)
    }
    let isInPlace = operands.allSatisfy { place in
      if case .along(let dimension, _) = place { dimension == axis.dimension } else { true }
    }
    // What is the same for every image may have more dimensions, which move the others.
    let isPlain = isInPlace && !operands.contains(.constant)
    var isPointwise: Bool { if case .pointwise = field { true } else { false } }
    if !(isPlain && isPointwise), let place = keptApart(node, operands) {
      return (place, .pointwise)
    }
    let ratios = operands.map { $0.ratio(axis) }
    let ratio: Ratio? =
      switch field {
      case .pointwise: ratios.lazy.compactMap { $0 }.first
      case .whole(_, .input(let position, let ratio)): ratios[position]?.multiplied(by: ratio)
      case .whole(_, .dimension), .whole(_, .unrelated), .window, .constant, .expansion: nil
      }
    guard isInPlace else {
      // What it says of images holds for images alone.
      return (.unrelated, .whole(reason: "\(node.op.name) mixes pixels", size: .unrelated))
    }
    return (ratio.map { .along(dimension: axis.dimension, $0) } ?? .unrelated, field)
  }

  /// The place of a value whose entries depend each on one entry of every input, along a dimension
  /// that all inputs lead to.
  private mutating func keptApart(_ node: Graph.Node, _ operands: [PixelPlace]) -> PixelPlace? {
    guard let shapes else { return nil }
    let inputs = node.inputs.map { shapes[$0] }
    var result: PixelPlace?
    for (position, operand) in operands.enumerated() {
      switch operand {
      case .constant: continue
      case .unrelated: return nil
      case .along(let dimension, let ratio):
        guard
          let output = node.op.operation.outputDimension(
            of: dimension, input: position, inputs)
        else { return nil }
        let place = PixelPlace.along(dimension: output, ratio)
        guard result == nil || result == place else { return nil }
        result = place
      }
    }
    return result
  }
}

extension PixelPlace {
  /// The first input of a window, which all other inputs that depend on the image must be like.
  fileprivate struct Source {
    var ratio: Ratio

    init?(_ dimension: Int, _ operands: [PixelPlace]) {
      guard case .along(dimension, let ratio)? = operands.first,
        operands.allSatisfy({ $0 == operands.first || $0 == .constant })
      else { return nil }
      self.ratio = ratio
    }
  }
}
