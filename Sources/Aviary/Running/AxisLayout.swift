internal import AviaryGraph

/// How one axis of a picture is laid before a network: padded where the network wants more pixels
/// or a multiple, divided into tiles, and cut back.
struct AxisLayout: Hashable, Sendable {
  /// The picture's pixels.
  let size: Int
  /// Pixels repeated from the edge at the start.
  let before: Int
  /// Pixels with those repeated at both ends.
  let padded: Int
  /// Output pixels over input pixels.
  let ratio: Int
  /// Output pixels to be cut at the start.
  let skip: Int
  /// How many pixels the output is smaller than `ratio` times the input; below 0 where it is larger.
  let shrinkage: Int

  /// The layout that gives `size * ratio` output pixels.
  ///
  /// Convolutions without padding cost the output its rim; pixels repeated from the edge give it
  /// back, so that every picture comes out whole. A rim too many, as transposed convolutions without
  /// crops make it, is cut off.
  init(size: Int, ratio: Int, rule: SizeRule) {
    self.size = size
    self.ratio = ratio
    shrinkage = rule.shrinkage
    let lead = rule.shrinkage / 2
    before = max((lead + ratio - 1) / ratio, 0)
    skip = before * ratio - lead
    let needed = (skip + size * ratio + rule.shrinkage + ratio - 1) / ratio
    let least = max(needed, size, rule.minimum)
    padded = (least + rule.exactMultiple - 1) / rule.exactMultiple * rule.exactMultiple
  }

  /// The output's pixels, padding included.
  var paddedOutput: Int { padded * ratio - shrinkage }

  /// A stretch of padded input pixels computed at once.
  struct Span: Hashable, Sendable {
    var start: Int
    var length: Int
    /// The output pixels, padding included, that are taken from it.
    var output: Range<Int>
  }

  /// The stretches that together give the whole, each `tile` pixels long where the axis is longer.
  ///
  /// - Parameters:
  ///   - tile: a multiple of `multiple`, above twice the overlap.
  ///   - overlap: how many pixels of a stretch's inner ends are spoilt.
  ///   - multiple: what inner stretches begin at a multiple of.
  func spans(tile: Int, overlap: Int, multiple: Int) -> [Span] {
    precondition(tile >= 2 * overlap + multiple || tile >= padded, "tiles that get on")
    var spans: [Span] = []
    var done = 0
    while done < paddedOutput {
      var start = done == 0 ? 0 : max((done / ratio - overlap) / multiple * multiple, 0)
      var length = min(tile, padded - start)
      if start + length == padded {
        // The last stretch is as long as the others where the phase allows, so that one plan serves.
        if padded > tile, (padded - tile) % multiple == 0 { start = padded - tile }
        length = padded - start
        spans.append(Span(start: start, length: length, output: done..<paddedOutput))
      } else {
        spans.append(
          Span(start: start, length: length, output: done..<(start + length - overlap) * ratio))
      }
      done = spans[spans.count - 1].output.upperBound
    }
    return spans
  }

  /// The output pixels of the picture proper among those of the padded one.
  func kept(_ output: Range<Int>) -> Range<Int> {
    let shifted = output.lowerBound - skip..<output.upperBound - skip
    return shifted.clamped(to: 0..<size * ratio)
  }

  /// Pixels of the padded picture from one line of the picture: value · factor + offset. Beyond the
  /// ends the last pixel is repeated.
  ///
  /// - Parameters:
  ///   - line: `size` values.
  ///   - first: the first pixel of the padded picture.
  func gather(
    _ line: UnsafePointer<Float>, from first: Int, to target: UnsafeMutablePointer<Float>,
    count: Int, factor: Float, offset: Float
  ) {
    // Where the picture proper begins and ends in the target.
    let start = min(max(before - first, 0), count)
    let end = min(max(before + size - first, start), count)
    if start > 0 {
      let value = unsafe line[0] * factor + offset
      for i in 0..<start { unsafe target[i] = value }
    }
    if end > start {
      let inside = unsafe line + (first + start - before)
      let place = unsafe target + start
      for i in 0..<end - start { unsafe place[i] = inside[i] * factor + offset }
    }
    if end < count {
      let value = unsafe line[size - 1] * factor + offset
      for i in end..<count { unsafe target[i] = value }
    }
  }
}
