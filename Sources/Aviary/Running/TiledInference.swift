internal import AviaryCompute
internal import AviaryGraph
internal import AviaryImage
internal import AviaryTensor

/// A network at work on a picture that passes by in bands of rows, in the network's own colours:
/// rows go in, enlarged first where the network wants that, and those rows of the result that they
/// complete come out, limited to the range of colours. The result does not depend on how the picture
/// is divided.
final class TiledInference {
  let rows: AxisLayout
  let columns: AxisLayout
  /// How the picture is divided, row by row.
  let rowSpans: [AxisLayout.Span]
  /// How the picture is divided, column by column.
  let columnSpans: [AxisLayout.Span]
  /// The memory that the activations of one tile take, and the bands around them.
  let arenaBytes: Int

  let picture: ImageSpec
  let threads: Int
  /// How many of the picture's planes are one input of the network: all, or each for itself.
  let planesPerRun: Int
  /// The last tile's input, whose memory serves the next of its size.
  var tile = Tensor.none

  private let context: InferenceContext
  /// With its borders resolved for the whole picture.
  private let graph: Graph
  private let output: String
  private let format: PixelFormat
  /// How many tiles of all pictures are to come, roughly.
  private let runCount: Int
  /// Of which the first plan is made.
  private var lowered: LoweredGraph?
  private var plan: (key: PlanPool.Key, held: PooledPlan)?
  private var enlargement: BandResampler?
  private var window: RowWindow
  private var nextSpan = 0
  /// The picture's rows that a row of tiles is made of.
  private let sources: [Range<Int>]

  /// - Parameters:
  ///   - scale: of the result over the picture.
  ///   - width: of the picture, as `height`.
  ///   - format: of the bands that will come, in the network's colours.
  ///   - resultBytes: of memory that the caller takes for each pixel of a band of the result.
  /// - Throws: `AviaryError.memory` where not even the smallest tile fits, `.pictureSize` for a
  ///   network of one size and a picture of another; `GraphError` and `ComputeError` where the
  ///   network cannot be planned.
  init(
    _ model: Model, scale: Int, width: Int, height: Int, format: PixelFormat,
    resultBytes: Int = 0, _ context: InferenceContext
  ) throws {
    var (width, height) = (width, height)
    let enlargesFirst = model.picture.enlargeFirst == .bicubic
    if enlargesFirst {
      let factor = try ScaleFactor(scale)
      // In floating point, unlike MATLAB's uint8 pictures: networks were trained so, and VDSR loses
      // 0.05 to 0.2 dB otherwise.
      enlargement = try BandResampler(
        Resampling(), width: width, height: height, format: format, by: factor)
      enlargement?.threads = context.threads
      (width, height) = (try factor.length(of: width), try factor.length(of: height))
    }
    let choice = try TileLayout(
      model, scale: enlargesFirst ? 1 : scale, width: width, height: height,
      planes: format.channels, resultBytes: resultBytes, context)
    (rows, columns, graph) = (choice.rows, choice.columns, choice.graph)
    rowSpans = rows.spans(
      tile: choice.tile.height, overlap: choice.tile.overlap, multiple: choice.tile.multiple)
    columnSpans = columns.spans(
      tile: choice.tile.width, overlap: choice.tile.overlap, multiple: choice.tile.multiple)
    sources = rowSpans.map(rows.sources)
    arenaBytes = choice.tile.bytes
    runCount = rowSpans.count * columnSpans.count * context.options.pictureCount
    output = graph.outputs[choice.output].name
    lowered = choice.lowered
    planesPerRun = graph.inputs[0].channels
    picture = model.picture
    window = try RowWindow(width: width, format: format)
    threads = context.threads
    (self.context, self.format) = (context, format)
  }

  deinit {
    if let plan { context.plans.give(plan.held, plan.key) }
  }

  /// Takes the next rows of the picture.
  func append(_ band: Image) throws { try window.append(try enlargement?.push(band) ?? band) }

  /// The next rows of the result, those of one row of tiles; nil where more of the picture is needed,
  /// and at the end.
  ///
  /// - Parameter progress: is told after each tile.
  func next(progress: () -> Void) throws -> Image? {
    while nextSpan < rowSpans.count {
      guard sources[nextSpan].upperBound <= window.range.upperBound else { return nil }
      let result = try compute(nextSpan, progress: progress)
      nextSpan += 1
      if let first = sources[nextSpan...].map(\.lowerBound).min() {
        try window.discard(before: first)
      }
      if let result { return result }
    }
    return nil
  }

  /// One row of tiles; nil where all of it is cut off.
  private func compute(_ position: Int, progress: () -> Void) throws -> Image? {
    let span = rowSpans[position]
    let kept = rows.kept(span.output)
    guard !kept.isEmpty else { return nil }
    let source = try window.rows(sources[position])
    var result = try Image(width: columns.size * columns.ratio, height: kept.count, format: format)
    for column in columnSpans {
      try gather(source, firstRow: sources[position].lowerBound, span, column)
      let output = try run(tile)
      try check(output, of: tile)
      scatter(output, from: span, column, kept, into: &result)
      progress()
    }
    return result
  }

  /// The output for a tile of float32 values [runs, channels, height, width], with a plan for the
  /// size of tile that comes. Tiles are of one size wherever the network's strides allow it, so that
  /// one plan serves.
  private func run(_ tile: Tensor) throws -> Tensor {
    if plan?.key.shape != tile.shape {
      // The old plan's memory is given back before the new one takes its own.
      if let plan { context.plans.give(plan.held, plan.key) }
      plan = nil
      let key = PlanPool.Key(graph: graph, output: output, shape: tile.shape)
      let held =
        try context.plans.take(key)
        ?? PooledPlan(Plan(lowered(for: tile.shape), weights: context.weights))
      plan = (key, held)
      lowered = nil
    }
    guard let results = try plan?.held.plan.run([graph.inputs[0].name: tile]),
      let result = results[output]
    else { preconditionFailure("a plan gives the output that it was made for") }
    return result
  }

  /// The network lowered for tiles of a shape: what the planner kept, where it is for that.
  private func lowered(for shape: [Int]) throws -> LoweredGraph {
    if let lowered, lowered.inputShapes == [shape] { return lowered }
    var options = context.planOptions
    options.runsAhead = runCount
    return try LoweredGraph(
      graph, inputShapes: [shape], outputs: [output], options: options, engine: context.engine)
  }

  /// Throws unless a tile's output is what sizes and scale promise. They are derived from the graph,
  /// and what is copied afterwards is not checked again.
  private func check(_ output: Tensor, of tile: Tensor) throws(AviaryError) {
    let expected = [
      tile.shape[0], tile.shape[1], tile.shape[2] * rows.ratio - rows.shrinkage,
      tile.shape[3] * columns.ratio - columns.shrinkage,
    ]
    guard output.shape == expected else {
      throw .networkOutput(expected: expected, found: output.shape)
    }
  }
}

extension Tensor {
  /// No elements.
  fileprivate static var none: Tensor {
    guard let tensor = try? Tensor(zeros: [0]) else {
      preconditionFailure("a shape without elements")
    }
    return tensor
  }
}
