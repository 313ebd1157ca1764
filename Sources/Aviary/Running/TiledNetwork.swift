internal import AviaryGraph
internal import AviaryImage
internal import AviaryTensor
internal import AviaryThreads

/// A network at work on a picture that passes by in bands of rows: rows go in, and those rows of the
/// result that they complete come out, limited to the range of colours. The result does not depend on how the picture is divided.
struct TiledNetwork: ~Copyable {
  /// The result's format.
  let outputFormat: PixelFormat
  let rows: AxisLayout
  let columns: AxisLayout
  let rowSpans: [AxisLayout.Span]
  let columnSpans: [AxisLayout.Span]
  /// The memory that the activations of one tile take.
  let arenaBytes: Int

  private let picture: Picture
  private var runner: TileRunner
  private let threads: Int
  /// The last tile's input, whose memory serves the next of its size.
  private var tile = Tensor.none
  /// How many of the picture's planes are one input of the network: all, or each for itself.
  private let planesPerRun: Int
  private var window: RowWindow
  private var nextSpan = 0

  /// - Parameters:
  ///   - format: of the bands that will come, in the network's colours.
  ///   - output: the position of the graph's output.
  ///   - resultBytes: of memory that the caller takes for each pixel of a band of the result.
  /// - Throws: `AviaryError.memory` where not even the smallest tile fits; `GraphError` and
  ///   `ComputeError` where the network cannot be planned.
  init(
    _ model: Model, output: Int, width: Int, height: Int, format: PixelFormat,
    resultBytes: Int, _ machinery: Machinery
  ) throws {
    guard model.graph.inputs.count == 1 else {
      throw AviaryError.inputs(model: model.name, found: model.graph.inputs.map(\.name))
    }
    let rule = model.graph.sizeRule(output: output)
    guard let scale = rule.scale, scale.denominator == 1 else {
      throw AviaryError.scale(
        model: model.name, expected: "a whole number",
        found: rule.scale.map { "\($0.numerator)/\($0.denominator)" } ?? "none")
    }
    let channels = try model.graph.channels(ofOutput: output)
    guard channels == model.graph.inputs[0].channels, format.channels % channels == 0 else {
      throw AviaryError.colour(
        model: model.name, channels: model.graph.inputs[0].channels,
        found: "\(channels) of output for \(format.channels) of picture")
    }
    guard model.picture.output == .picture || scale.numerator == 1 else {
      throw AviaryError.scale(
        model: model.name, expected: "1 for a \(model.picture.output.rawValue)",
        found: "\(scale.numerator)")
    }
    let rows = AxisLayout(size: height, ratio: scale.numerator, rule: rule)
    let columns = AxisLayout(size: width, ratio: scale.numerator, rule: rule)
    let resolved = try model.graph.resolvingBorders(height: rows.padded, width: columns.padded)
    let tiling = try model.graph.tiling(height: rows.padded, width: columns.padded)
    let runs = format.channels / channels
    let tile = try TileChoice(
      graph: resolved, output: output, rows: rows.padded, columns: columns.padded, runs: runs,
      resultBytes: resultBytes, machinery: machinery
    ).size(tiling)
    let window = try RowWindow(width: width, format: format)

    // Nothing throws from here on: a value that cannot be copied must not be left half made.
    self.rows = rows
    self.columns = columns
    self.window = window
    outputFormat = format
    picture = model.picture
    planesPerRun = channels
    rowSpans = rows.spans(tile: tile.height, overlap: tile.overlap, multiple: tile.multiple)
    columnSpans = columns.spans(tile: tile.width, overlap: tile.overlap, multiple: tile.multiple)
    arenaBytes = tile.bytes
    threads = machinery.threads
    runner = TileRunner(resolved, output: output, machinery)
    runner.tileCount = rowSpans.count * columnSpans.count * machinery.options.pictureCount
  }

  /// Takes the next rows of the picture.
  mutating func append(_ band: Image) throws { try window.append(band) }

  /// The next rows of the result, those of one row of tiles; nil where more of the picture is needed,
  /// and at the end.
  ///
  /// - Parameter progress: is told after each tile.
  mutating func next(progress: () -> Void) throws -> Image? {
    while nextSpan < rowSpans.count {
      let span = rowSpans[nextSpan]
      guard sourceRow(span.start + span.length - 1) < window.range.upperBound else { return nil }
      let result = try compute(span, progress: progress)
      nextSpan += 1
      if nextSpan < rowSpans.count {
        try window.discard(before: sourceRow(rowSpans[nextSpan].start))
      }
      if let result { return result }
    }
    return nil
  }

  /// Throws unless a tile's output is what sizes and scale promise. They are derived from the graph,
  /// and what is copied below is not checked again.
  private func check(_ output: Tensor, of tile: Tensor) throws(AviaryError) {
    let expected = [
      tile.shape[0], tile.shape[1], tile.shape[2] * rows.ratio - rows.shrinkage,
      tile.shape[3] * columns.ratio - columns.shrinkage,
    ]
    guard output.shape == expected else {
      throw .networkOutput(expected: expected, found: output.shape)
    }
  }

  /// The picture's row at a row of the padded picture: the edge is repeated beyond it.
  private func sourceRow(_ row: Int) -> Int { min(max(row - rows.before, 0), rows.size - 1) }

  /// One row of tiles; nil where all of it is cut off.
  private mutating func compute(_ span: AxisLayout.Span, progress: () -> Void) throws -> Image? {
    let kept = rows.kept(span.output)
    let firstRow = sourceRow(span.start), lastRow = sourceRow(span.start + span.length - 1)
    let source = try window.rows(firstRow..<lastRow + 1)
    guard !kept.isEmpty else { return nil }
    var result = try Image(
      width: columns.size * columns.ratio, height: kept.count, format: outputFormat)
    for column in columnSpans {
      try gather(source, firstRow: firstRow, span, column)
      let output = try runner.run(tile)
      try check(output, of: tile)
      scatter(output, from: span, column, kept, into: &result)
      progress()
    }
    return result
  }

  /// Makes the tile of the padded picture, in the network's values: [runs, channels, height, width].
  private mutating func gather(
    _ source: Image, firstRow: Int, _ rowSpan: AxisLayout.Span, _ columnSpan: AxisLayout.Span
  ) throws {
    let (height, width) = (rowSpan.length, columnSpan.length)
    let shape = [source.channels / planesPerRun, planesPerRun, height, width]
    if tile.shape != shape { tile = try Tensor(zeros: shape) }
    let (columns, start) = (columns, columnSpan.start)
    let scalings = (0..<planesPerRun).map { picture.scaling(channel: $0) }
    let sourceRows = (rowSpan.start..<rowSpan.start + height).map { sourceRow($0) - firstRow }
    unsafe tile.withMutableFloats { places in
      unsafe source.withFloats { pixels in
        guard let place = places.baseAddress, let pixel = pixels.baseAddress else { return }
        nonisolated(unsafe) let (target, values) = unsafe (place, pixel)
        let lines = source.channels * height
        ThreadPool(count: TiledNetwork.threads(threads, for: lines * width)).split(
          lines, cost: .max
        ) { part in
          for line in part {
            let (plane, row) = line.quotientAndRemainder(dividingBy: height)
            let (factor, offset) = scalings[plane % scalings.count]
            unsafe columns.gather(
              values + (plane * source.height + sourceRows[row]) * source.width, from: start,
              to: target + line * width, count: width, factor: factor, offset: offset)
          }
        }
      }
    }
  }

  /// Puts the part of a tile's output that is kept in its place, in values from 0 to 1. Values are
  /// limited here, before luma and chroma become RGB: networks overshoot, and an overshoot of luma
  /// would tint.
  private func scatter(
    _ output: Tensor, from rowSpan: AxisLayout.Span, _ columnSpan: AxisLayout.Span,
    _ keptRows: Range<Int>, into result: inout Image
  ) {
    let keptColumns = columns.kept(columnSpan.output)
    let height = output.shape[2], width = output.shape[3]
    let resultWidth = result.width, resultPlane = result.width * result.height
    let ratio = rows.ratio, inputWidth = tile.shape[3], inputHeight = tile.shape[2]
    // The output lacks the rim that convolutions without padding cost, or has one too many.
    let lead = rows.shrinkage / 2
    // Where in the tile's output the kept part begins.
    let top = keptRows.lowerBound + rows.skip - rowSpan.start * ratio
    let left = keptColumns.lowerBound + columns.skip - columnSpan.start * ratio
    let scalings = (0..<planesPerRun).map { picture.scaling(channel: $0) }
    let meaning = picture.output
    let lines = result.channels * keptRows.count, count = keptColumns.count
    let threads = TiledNetwork.threads(threads, for: lines * count)
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

extension Tensor {
  /// No elements.
  fileprivate static var none: Tensor {
    guard let tensor = try? Tensor(zeros: [0]) else {
      preconditionFailure("a shape without elements")
    }
    return tensor
  }
}

extension Graph {
  /// The channels of an output.
  fileprivate func channels(ofOutput output: Int) throws(GraphError) -> Int {
    let side = sizeRule(output: output)
    let pixels = max(side.exactMultiple, side.minimum)
    let shape = try shapes(
      height: inputs[0].size?.height ?? pixels, width: inputs[0].size?.width ?? pixels)[
        outputs[output].value]
    return shape.count == 4 ? shape[1] : 0
  }
}
