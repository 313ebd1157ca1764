internal import AviaryCompute
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage
internal import AviaryTensor
internal import AviaryThreads

/// A network at work on an image that passes by in bands of rows, in the network's own colours:
/// rows go in, enlarged first where the network wants that, and those rows of the result that they
/// complete come out, limited to the range of colours. The result does not depend on how the image
/// is divided.
final class TiledInference {
  let rows: AxisLayout
  let columns: AxisLayout
  /// How the image is divided, row by row.
  let rowSpans: [AxisLayout.Span]
  /// How the image is divided, column by column.
  let columnSpans: [AxisLayout.Span]
  /// The result's columns.
  var outputWidth: Int { columns.outputSize }
  /// The result's rows.
  var outputHeight: Int { rows.outputSize }
  /// The memory that the activations of one tile take, and the bands around them.
  let arenaBytes: Int
  /// How the tiles were chosen.
  let tileSize: TileSize

  let picture: ImageSpec
  let threads: Int
  /// How many of the image's planes are one input of the network: all, or each for itself.
  let planesPerRun: Int
  /// The last tile's input, whose memory serves the next of its size.
  var tile = Tensor.none

  private let context: InferenceContext
  /// With its borders resolved for the whole image.
  private let graph: Graph
  private let output: String
  /// Of the result's bands.
  private let resultFormat: PixelFormat
  /// How many tiles of all images are to come, roughly.
  private let runCount: Int
  /// Of which the first plan is made.
  private var lowered: LoweredGraph?
  private var plan: (key: PlanPool.Key, held: PooledPlan)?
  private var enlargement: BandResampler?
  private var window: RowWindow
  private var nextSpan = 0
  /// The image's rows that a row of tiles is made of.
  private let sources: [Range<Int>]

  /// - Parameters:
  ///   - scale: of the result over the image.
  ///   - width: of the image, as `height`.
  ///   - format: of the bands that will come, in the network's colours.
  ///   - result: of the bands of the result, where that has other channels.
  ///   - resultBytes: of memory that the caller takes for each pixel of a band of the result.
  ///   - policy: for networks of which tiles do not give what the whole gives.
  /// - Throws: `AviaryError.memory` where not even the smallest tile fits, `.imageSize` for a
  ///   network of one size and an image of another; `GraphError` and `ComputeError` where the
  ///   network cannot be planned.
  init(
    _ model: Model, scale: Ratio, width: Int, height: Int, format: PixelFormat,
    result: PixelFormat? = nil, resultBytes: Int = 0, policy: TilePolicy = .exact,
    _ context: InferenceContext
  ) throws {
    var (width, height) = (width, height)
    let enlargesFirst = model.picture.enlargeFirst == .bicubic
    if enlargesFirst {
      let factor = try ScaleFactor(scale.numerator, over: scale.denominator)
      // In floating point, unlike MATLAB's uint8 images: networks were trained so, and VDSR loses
      // 0.05 to 0.2 dB otherwise.
      enlargement = try BandResampler(
        Resampling(), width: width, height: height, format: format, by: factor)
      enlargement?.threads = context.threads
      (width, height) = (try factor.length(of: width), try factor.length(of: height))
    }
    let choice = try TileLayout(
      model, scale: enlargesFirst ? Ratio(1) : scale, width: width, height: height,
      planes: format.channels, results: (result ?? format).channels, resultBytes: resultBytes,
      policy, context)
    (rows, columns, graph) = (choice.rows, choice.columns, choice.graph)
    rowSpans = rows.spans(
      tile: choice.tile.height, overlap: choice.tile.overlap, multiple: choice.tile.multiple)
    columnSpans = columns.spans(
      tile: choice.tile.width, overlap: choice.tile.overlap, multiple: choice.tile.multiple)
    sources = rowSpans.map(rows.sources)
    (arenaBytes, tileSize) = (choice.tile.bytes, choice.tile)
    runCount = rowSpans.count * columnSpans.count * context.options.imageCount
    output = graph.outputs[choice.output].name
    lowered = choice.lowered
    planesPerRun = graph.inputs[0].channels
    picture = model.picture
    window = try RowWindow(width: width, format: format)
    threads = context.threads
    (self.context, resultFormat) = (context, result ?? format)
  }

  deinit {
    if let plan { context.plans.give(plan.held, plan.key) }
  }

  /// Takes the next rows of the image.
  func append(_ band: Image) throws { try window.append(try enlargement?.push(band) ?? band) }

  /// The next rows of the result, those of one row of tiles; nil where more of the image is needed,
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
    var result = try Image(width: columns.outputSize, height: kept.count, format: resultFormat)
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
  /// size of tile that comes. Tiles are of one size wherever the network's strides allow it, so
  /// that one plan serves.
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

  /// Throws unless a tile's output is what sizes and scale promise. They are derived from the
  /// graph, and what is copied afterwards is not checked again.
  private func check(_ output: Tensor, of tile: Tensor) throws(AviaryError) {
    let expected = [
      tile.shape[0], resultFormat.channels / tile.shape[0], rows.output(tile.shape[2]),
      columns.output(tile.shape[3]),
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

/// Pixels into tiles, and out of them.
extension TiledInference {
  /// Makes the tile of the padded image, in the network's values: [runs, channels, height, width].
  func gather(
    _ source: Image, firstRow: Int, _ rowSpan: AxisLayout.Span, _ columnSpan: AxisLayout.Span
  ) throws {
    let (height, width) = (rowSpan.length, columnSpan.length)
    let shape = [source.channels / planesPerRun, planesPerRun, height, width]
    if tile.shape != shape { tile = try Tensor(zeros: shape) }
    let (columns, start) = (columns, columnSpan.start)
    let scalings = (0..<planesPerRun).map { picture.scaling(channel: $0) }
    let sourceRows = (rowSpan.start..<rowSpan.start + height).map { row in
      rows.source(row).map { $0 - firstRow }
    }
    unsafe tile.withMutableFloats { places in
      unsafe source.withFloats { pixels in
        guard let place = places.baseAddress, let pixel = pixels.baseAddress else { return }
        nonisolated(unsafe) let (target, values) = unsafe (place, pixel)
        let lines = source.channels * height
        ThreadPool(count: TiledInference.threads(threads, for: lines * width)).split(
          lines, cost: .max
        ) {
          part in
          for line in part {
            let (plane, row) = line.quotientAndRemainder(dividingBy: height)
            let (factor, offset) = scalings[plane % scalings.count]
            let place = unsafe target + line * width
            guard let row = sourceRows[row] else {
              for i in 0..<width { unsafe place[i] = offset }
              continue
            }
            unsafe columns.gather(
              values + (plane * source.height + row) * source.width, from: start, to: place,
              count: width, factor: factor, offset: offset)
          }
        }
      }
    }
  }

  /// Puts the part of a tile's output that is kept in its place, in values from 0 to 1. Values are
  /// limited here, before luma and chroma become RGB: networks overshoot, and an overshoot of luma
  /// would tint.
  func scatter(
    _ output: Tensor, from rowSpan: AxisLayout.Span, _ columnSpan: AxisLayout.Span,
    _ keptRows: Range<Int>, into result: inout Image
  ) {
    let keptColumns = columns.kept(columnSpan.output)
    let height = output.shape[2], width = output.shape[3]
    let resultWidth = result.width, resultPlane = result.width * result.height
    let inputWidth = tile.shape[3], inputHeight = tile.shape[2]
    // The output lacks the rim that convolutions without padding cost, or has one too many.
    let lead = rows.shrinkage / 2
    // Where in the tile's output the kept part begins.
    let top = keptRows.lowerBound + rows.skip - rows.place(rowSpan.start)
    let left = keptColumns.lowerBound + columns.skip - columns.place(columnSpan.start)
    // A result of other channels has neither mean nor deviation.
    let scalings = (0..<min(planesPerRun, output.shape[1])).map {
      picture.resultScaling(channel: $0)
    }
    let meaning = picture.output
    let lines = result.channels * keptRows.count, count = keptColumns.count
    let threads = TiledInference.threads(threads, for: lines * count)
    unsafe result.withMutableFloats { places in
      unsafe output.withFloats { outputs in
        unsafe tile.withFloats { besides in
          guard let place = places.baseAddress, let value = outputs.baseAddress,
            let beside = besides.baseAddress
          else { return }
          nonisolated(unsafe) let (target, values, inputs) = unsafe (place, value, beside)
          ThreadPool(count: threads).split(lines, cost: .max) { part in
            for line in part {
              let (plane, row) = line.quotientAndRemainder(dividingBy: keptRows.count)
              let (factor, offset) = scalings[plane % scalings.count]
              let from = unsafe values + (plane * height + top + row) * width + left
              let to =
                unsafe target + plane * resultPlane + row * resultWidth
                + keptColumns.lowerBound
              if meaning == .picture {
                for i in 0..<count {
                  unsafe to[i] = min(max((from[i] - offset) / factor, 0), 1)
                }
                continue
              }
              let sign: Float = meaning == .residual ? 1 : -1
              let beside =
                unsafe inputs
                + (plane * inputHeight + top + row + lead) * inputWidth + left + lead
              for i in 0..<count {
                let value = unsafe beside[i] + sign * from[i]
                unsafe to[i] = min(max((value - offset) / factor, 0), 1)
              }
            }
          }
        }
      }
    }
  }

  /// On how many threads so many values are copied: one where starting others would take longer.
  private static func threads(_ threads: Int, for count: Int) -> Int {
    count < 1 << 18 ? 1 : threads
  }
}
