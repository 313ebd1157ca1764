import AviaryCheckpoint
import AviaryContainers
import AviaryGraph

/// ncnn has one class for maximum and mean, of windows and of whole images.
extension MaxPool: NCNNReadOperation {
  static let ncnnLayers = ["Pooling"]

  static func ncnnWeights(_ layer: NCNNWeightLayer) throws(CheckpointError) -> [NCNNWeight] { [] }

  static func read(
    _ layer: NCNNLayer, with importer: inout NCNNImporter
  ) throws(InterchangeError) {
    try importer.pool(layer)
  }
}

extension NCNNImporter {
  mutating func pool(_ layer: NCNNLayer) throws(InterchangeError) {
    let value = try values(of: layer)[0]
    let isMaximum = try layer.integer(0, in: 0...1) == 0
    if layer.number(7) == 1 {
      // 0 or -233: the size that there is.
      let width = try layer.integer(8, in: 1...GraphLimits.window)
      let size = Size(
        try layer.integer(18, default: width, in: 1...GraphLimits.window), width)
      let pool = AdaptivePool(isMaximum ? .maximum : .mean, to: .size(size))
      try give(layer, .value(try add(.adaptivePool(pool), layer, [value])))
      return
    }
    if layer.number(4) == 1 {
      // A vector, as in ncnn.
      guard !isMaximum else {
        let op = Op.reduce(Reduction(.maximum, dimensions: [2, 3], keepsDimensions: false))
        try give(layer, .value(try add(op, layer, [value])))
        return
      }
      let pooled = try add(.globalAveragePool, layer, [value])
      try give(layer, .value(try add(.reshape(Reshape([0, -1])), layer, [pooled])))
      return
    }
    let window = 1...GraphLimits.window
    let kernel = try layer.size(width: 1, height: 11, default: 0, in: window)
    let left = try layer.integer(3, in: Self.edge)
    let top = try layer.integer(13, default: left, in: Self.edge)
    let stride = try layer.size(width: 2, height: 12, in: window)
    let edges = PaddingAmounts(
      top, left, try layer.integer(15, default: top, in: Self.edge),
      try layer.integer(14, default: left, in: Self.edge))
    let padding: Padding
    var roundsUp = false
    switch try layer.integer(5, in: 0...3) {
    case 1: padding = .explicit(edges)
    case 2: padding = .same
    case 0:
      // ncnn counts windows that begin behind the image, and divides by what lies there, too.
      guard
        Axis.allCases.allSatisfy({ edges.after($0) + stride[$0] <= kernel[$0] }),
        isMaximum || layer.number(6) != 1
      else { throw layer.unsupported("sizes rounded up (attribute 5 is 0) with such windows") }
      (padding, roundsUp) = (.explicit(edges), true)
    default: throw layer.unsupported("padding 'same' with the odd row at the top")
    }
    let pool = Pool(kernel: kernel, stride: stride, padding: padding, roundsUp: roundsUp)
    // Only edges that are stated are left out of the mean.
    let countsPadding = layer.number(6) == 1 || padding == .same
    try give(
      layer,
      .value(
        try add(
          isMaximum
            ? .maxPool(MaxPool(pool))
            : .averagePool(AveragePool(pool, countsPadding: countsPadding)), layer,
          [value])))
  }
}

extension MaxPool: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.pool(0, window, countsPadding: false, node, value)
  }
}

extension AveragePool: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    try writer.pool(1, window, countsPadding: countsPadding, node, value)
  }
}

extension GlobalAveragePool: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    // As an image of one pixel, where ncnn's own mean of whole images would be a vector.
    try AdaptivePool(.mean, to: .size(1)).write(node, value, to: &writer)
  }
}

extension AdaptivePool: NCNNWrittenOperation {
  func write(
    _ node: Graph.Node, _ value: Int, to writer: inout NCNNWriter
  ) throws(InterchangeError) {
    guard case .size(let size) = target else {
      throw writer.refusal(node, "ncnn pools to stated sizes")
    }
    try writer.emit(
      "Pooling", node, [writer.blob(node.inputs[0])], value,
      [
        (0, .integer(kind == .maximum ? 0 : 1)), (7, .integer(1)), (8, .integer(size.width)),
        (18, .integer(size.height)),
      ])
  }
}

extension NCNNWriter {
  fileprivate mutating func pool(
    _ type: Int, _ pool: Pool, countsPadding: Bool, _ node: Graph.Node, _ value: Int
  ) throws(InterchangeError) {
    let isMean = type == 1
    let followsSize = pool.padding.dependsOnSize(kernel: pool.kernel, stride: pool.stride)
    let edges = pool.padding.amounts(size: Size(1), kernel: pool.kernel, stride: pool.stride)
    let mode: Int
    if pool.roundsUp {
      // ncnn counts windows that begin behind the image, and divides by what lies there, too.
      guard !followsSize, !isMean || !countsPadding,
        Axis.allCases.allSatisfy({ edges.after($0) + pool.stride[$0] <= pool.kernel[$0] })
      else { throw refusal(node, "ncnn rounds sizes up by another rule for such windows") }
      mode = 0
    } else if followsSize {
      guard !isMean || countsPadding else {
        throw refusal(node, "ncnn counts the padding of the rule 'same' in the mean")
      }
      mode = 2
    } else {
      mode = 1
    }
    let stated = mode == 2 ? .none : edges
    try emit(
      "Pooling", node, [blob(node.inputs[0])], value,
      [
        (0, .integer(type)), (1, .integer(pool.kernel.width)), (11, .integer(pool.kernel.height)),
        (2, .integer(pool.stride.width)), (12, .integer(pool.stride.height)),
        (3, .integer(stated.left)), (13, .integer(stated.top)), (14, .integer(stated.right)),
        (15, .integer(stated.bottom)), (5, .integer(mode)),
        (6, .integer(countsPadding && mode != 2 ? 1 : 0)),
      ])
  }
}
