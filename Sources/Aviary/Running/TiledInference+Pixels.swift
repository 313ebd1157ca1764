internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage
internal import AviaryThreads
internal import AviaryTensor

/// Pixels into tiles, and out of them.
extension TiledInference {
  /// Makes the tile of the padded picture, in the network's values: [runs, channels, height, width].
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
    let ratio = rows.ratio, inputWidth = tile.shape[3], inputHeight = tile.shape[2]
    // The output lacks the rim that convolutions without padding cost, or has one too many.
    let lead = rows.shrinkage / 2
    // Where in the tile's output the kept part begins.
    let top = keptRows.lowerBound + rows.skip - rowSpan.start * ratio
    let left = keptColumns.lowerBound + columns.skip - columnSpan.start * ratio
    let scalings = (0..<planesPerRun).map { picture.scaling(channel: $0) }
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
