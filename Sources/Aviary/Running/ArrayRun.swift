internal import AviaryCompute
internal import AviaryGraph
public import AviaryTensor

/// How the dimensions of an array of images are ordered.
public enum ArrayLayout: String, CaseIterable, Sendable {
  /// Channels before rows and columns: [images, channels, rows, columns], or without the first.
  case nchw
  /// Channels last: [images, rows, columns, channels], or without the first.
  case hwc
}

extension Upscaler {
  /// Computes the network on an array, so that it can be held against its framework number by number.
  ///
  /// The values are those that the network itself takes and gives: nothing is enlarged beforehand,
  /// scaled to its range, or limited afterwards. As with images, edges are padded to the sizes that the
  /// network takes, what was padded is cut off again, and noise is subtracted where noise is what it
  /// gives. An array is computed whole.
  ///
  /// - Parameters:
  ///   - array: images of as many channels as the network takes, with rank 3 or 4.
  ///   - layout: of its dimensions; the result has the same.
  /// - Throws: `AviaryError.array` for an array of other dimensions or channels, `.memory`; `GraphError`
  ///   and `ComputeError` where the network cannot be computed at this size.
  public func run(_ array: Tensor, _ layout: ArrayLayout = .nchw) throws -> Tensor {
    let channels = model.graph.inputs[0].channels
    let place = array.shape.count - (layout == .nchw ? 3 : 1)
    guard (3...4).contains(array.shape.count), array.shape[place] == channels,
      array.shape.allSatisfy({ $0 > 0 })
    else {
      let wanted = layout == .nchw ? "[\(channels), rows, columns]" : "[rows, columns, \(channels)]"
      throw AviaryError.array(
        expected: "\(wanted), with or without a dimension for several images before it",
        found: "\(array.shape)")
    }
    let isAlone = array.shape.count == 3
    var images = array
    if isAlone { images = try images.reshaped(to: [1] + images.shape) }
    if layout == .hwc { images = try images.permuted([0, 3, 1, 2]) }
    var result = try computed(images)
    if layout == .hwc { result = try result.permuted([0, 2, 3, 1]) }
    return isAlone ? try result.reshaped(to: Array(result.shape.dropFirst())) : result
  }

  /// The network's output for [images, channels, rows, columns].
  private func computed(_ images: Tensor) throws -> Tensor {
    let scale = model.picture.enlargeFirst == .no ? ratio : Ratio(1)
    let value = model.graph.outputs[model.graph.scales.firstIndex(of: scale) ?? 0].value
    let layout = try TileLayout(
      model, scale: scale, width: images.shape[3], height: images.shape[2], planes: images.shape[1],
      results: try model.graph.channels(ofValue: value), resultBytes: 0, .exact, context)
    let input = try images.gathered(layout.rows, layout.columns)
    var options = context.planOptions
    options.runsAhead = 1
    let output = layout.graph.outputs[layout.output].name
    let lowered = try LoweredGraph(
      layout.graph, inputShapes: [input.shape], outputs: [output], options: options,
      engine: context.engine)
    guard lowered.arenaBytes <= context.allowance.most else {
      throw AviaryError.memory(
        needed: lowered.arenaBytes, allowed: context.allowance.most,
        reason: "an array is computed whole")
    }
    var plan = try Plan(lowered, weights: context.weights)
    guard let result = try plan.run([layout.graph.inputs[0].name: input])[output] else {
      preconditionFailure("a plan gives the output that it was made for")
    }
    let kept = try result.cut(layout.rows, layout.columns)
    let sign: Float
    switch model.picture.output {
    case .picture: return kept
    case .residual: sign = 1
    case .noise: sign = -1
    }
    return try Tensor(shape: kept.shape, zip(images.floats, kept.floats).map { $0 + sign * $1 })
  }
}

extension Graph {
  /// How many channels a value has, whatever the image's size.
  fileprivate func channels(ofValue value: Int) throws(GraphError) -> Int {
    let rule = sizeRule()
    let least = max(rule.minimum, rule.exactMultiple)
    let side = (least + rule.exactMultiple - 1) / rule.exactMultiple * rule.exactMultiple
    let size = rule.size ?? Size(side)
    let shape = try shapes(height: size.height, width: size.width)[value]
    return shape.count == 4 ? shape[1] : 0
  }
}

extension Tensor {
  /// Images padded as the layouts say: [images, channels, rows, columns].
  fileprivate func gathered(_ rows: AxisLayout, _ columns: AxisLayout) throws -> Tensor {
    if rows.padded == shape[2], columns.padded == shape[3] { return self }
    let values = floats
    var padded: [Float] = []
    padded.reserveCapacity(shape[0] * shape[1] * rows.padded * columns.padded)
    for plane in 0..<shape[0] * shape[1] {
      for row in 0..<rows.padded {
        guard let row = rows.source(row) else {
          padded += [Float](repeating: 0, count: columns.padded)
          continue
        }
        let line = (plane * shape[2] + row) * shape[3]
        for column in 0..<columns.padded {
          padded.append(columns.source(column).map { values[line + $0] } ?? 0)
        }
      }
    }
    return try Tensor(shape: [shape[0], shape[1], rows.padded, columns.padded], padded)
  }

  /// The part of an output that belongs to the images proper.
  fileprivate func cut(_ rows: AxisLayout, _ columns: AxisLayout) throws -> Tensor {
    let height = rows.outputSize, width = columns.outputSize
    if shape[2] == height, shape[3] == width { return self }
    let values = floats
    var kept: [Float] = []
    kept.reserveCapacity(shape[0] * shape[1] * height * width)
    for plane in 0..<shape[0] * shape[1] {
      for row in 0..<height {
        let start = (plane * shape[2] + row + rows.skip) * shape[3] + columns.skip
        kept += values[start..<start + width]
      }
    }
    return try Tensor(shape: [shape[0], shape[1], height, width], kept)
  }
}
