internal import AviaryCompute
internal import AviaryGraph

/// How a picture is laid before a network, and divided.
struct TileLayout {
  let rows: AxisLayout
  let columns: AxisLayout
  /// With its borders resolved for the whole picture.
  let graph: Graph
  /// The position of the output that is wanted.
  let output: Int
  let tile: TileSize
  /// The network lowered for a tile; nil where it has to be lowered for the plan.
  let lowered: LoweredGraph?

  /// - Parameters:
  ///   - scale: that the network makes by itself.
  ///   - width: of the picture as the network takes it, as `height`.
  ///   - planes: of the picture.
  ///   - resultBytes: of memory that the caller takes for each pixel of a band of the result.
  /// - Throws: `AviaryError`, `GraphError`, `ComputeError`.
  init(
    _ model: Model, scale: Int, width: Int, height: Int, planes: Int, resultBytes: Int,
    _ context: InferenceContext
  ) throws {
    let graph = model.graph
    guard graph.inputs.count == 1 else {
      throw AviaryError.inputs(model: model.name, found: graph.inputs.map(\.name))
    }
    let output = graph.scales.firstIndex(of: Ratio(scale)) ?? 0
    let rule = graph.sizeRule(output: output)
    guard let found = rule.scale, found.denominator == 1 else {
      throw AviaryError.scale(
        model: model.name, expected: "a whole number",
        found: rule.scale.map { "\($0.numerator)/\($0.denominator)" } ?? "none")
    }
    guard model.picture.output == .picture || found.numerator == 1 else {
      throw AviaryError.scale(
        model: model.name, expected: "1 for a \(model.picture.output.rawValue)",
        found: "\(found.numerator)")
    }
    let usual = [height, width].map {
      AxisLayout(size: $0, ratio: found.numerator, rule: rule, padding: model.picture.padding)
    }
    if let size = rule.size, [size.height, size.width] != usual.map(\.padded) {
      let rim = usual[0].padded - height
      throw AviaryError.pictureSize(
        model.name, expected: "\(size.width - rim)x\(size.height - rim)",
        found: "\(width)x\(height)")
    }
    var attempts = [usual]
    let exact = [height, width].map {
      AxisLayout.exact(
        size: $0, ratio: found.numerator, rule: rule, padding: model.picture.padding)
    }
    // Where one side has such a layout both are worth a try.
    if rule.size == nil, exact.contains(where: { $0 != nil }) {
      attempts.insert([exact[0] ?? usual[0], exact[1] ?? usual[1]], at: 0)
    }
    var failure: (any Error)?
    for (position, layout) in attempts.enumerated() {
      do {
        let isLast = position == attempts.count - 1
        guard
          let made = try TileLayout(
            model, output, rows: layout[0], columns: layout[1], planes: planes,
            resultBytes: resultBytes, isWhole: !isLast, context)
        else { continue }
        self = made
        return
      } catch {
        failure = error
      }
    }
    throw failure
      ?? AviaryError.scale(model: model.name, expected: "\(found.numerator)", found: "another")
  }

  /// One attempt; nil where the network makes something else of the size than the layout promises.
  ///
  /// - Parameter isWhole: whether nothing promises that parts give what the whole gives.
  private init?(
    _ model: Model, _ output: Int, rows: AxisLayout, columns: AxisLayout, planes: Int,
    resultBytes: Int, isWhole: Bool, _ context: InferenceContext
  ) throws {
    let graph = model.graph
    let value = graph.outputs[output].value
    let shape = try graph.shapes(height: rows.padded, width: columns.padded)[value]
    guard shape.count == 4 else { return nil }
    let channels = shape[1]
    guard channels == graph.inputs[0].channels, planes % channels == 0 else {
      throw AviaryError.colour(
        model: model.name, channels: graph.inputs[0].channels,
        found: "\(channels) of output for \(planes) of picture")
    }
    guard Array(shape[2...]) == [rows.paddedOutput, columns.paddedOutput] else {
      if isWhole { return nil }
      throw AviaryError.networkOutput(
        expected: [1, channels, rows.paddedOutput, columns.paddedOutput], found: shape)
    }
    self.graph = try graph.resolvingPadding(height: rows.padded, width: columns.padded)
    (self.output, self.rows, self.columns) = (output, rows, columns)
    let tiling =
      isWhole
      ? .whole(reason: "tiles would make another size")
      : try graph.tiling(height: rows.padded, width: columns.padded)
    let plan = try TilePlanner(
      graph: self.graph, output: output, ratio: Double(rows.ratio), rows: rows.padded,
      columns: columns.padded, runs: planes / channels, resultBytes: resultBytes,
      context: context
    ).plan(tiling)
    (tile, lowered) = (plan.size, plan.lowered)
  }
}
