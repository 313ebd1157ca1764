import AviaryGraph

/// Parts of values, as Python's indexing takes them: some channels, or rows and columns off the
/// edges.
extension KerasImport {
  /// What indexing gives: `x[..., :3]`, `x[:, 1:-1, 1:-1, :]`.
  ///
  /// - Parameter indices: one for each axis, or fewer and an ellipsis, as Keras 2 or 3 writes them.
  mutating func sliced(
    _ x: KerasTensor, _ indices: [JSON], _ layer: KerasLayer
  ) throws(InterchangeError) -> KerasTensor {
    let refusal = layer.refusal("slices of channels, rows and columns by steps of 1 expected")
    var slices: [JSON] = []
    for index in indices {
      if index["class_name"]?.string == "__ellipsis__" {
        guard indices.count <= x.rank + 1 else { throw refusal }
        slices += Array(repeating: [:], count: x.rank - (indices.count - 1))
      } else {
        slices.append(index["config"] ?? index)
      }
    }
    guard slices.count <= x.rank, slices.allSatisfy({ $0.object != nil }) else { throw refusal }
    var x = try unflattened(x, layer.fullName)
    var amounts = PaddingAmounts.none
    for (axis, slice) in slices.enumerated() {
      guard (slice["step"]?.int ?? 1) == 1 else { throw refusal }
      let start = slice["start"]?.int ?? 0
      let stop = slice["stop"]?.int
      if start == 0, stop == nil { continue }
      switch (x.rank, x.axes[axis]) {
      case (_, 1):
        let count = x.shape[1]
        let range = place(start, count)..<max(place(stop ?? count, count), place(start, count))
        guard !range.isEmpty else { throw refusal }
        x = try add(
          .slice(ChannelSlice(start: range.lowerBound, count: range.count)), [x],
          name: "\(layer.fullName).channels", of: layer)
      case (4, let dimension) where dimension > 1:
        // How far from the far edge is known for any size only where it is counted from there.
        guard (0...GraphLimits.window).contains(start),
          (-GraphLimits.window...(-1)).contains(stop ?? -1)
        else { throw refusal }
        if dimension == 2 {
          (amounts.top, amounts.bottom) = (start, stop.map { -$0 } ?? 0)
        } else {
          (amounts.left, amounts.right) = (start, stop.map { -$0 } ?? 0)
        }
      default: throw refusal
      }
    }
    return amounts == .none
      ? x : try add(.crop(Crop(amounts)), [x], name: layer.fullName, of: layer)
  }

  /// A place among so many, which counts from behind where it is negative.
  private func place(_ number: Int, _ count: Int) -> Int {
    min(max(number < 0 ? max(number, -count) + count : number, 0), count)
  }
}
