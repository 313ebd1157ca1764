internal import AviaryGraph

extension OperationRow {
  package static let constantGather: [OperationRow] = [
    .init(
      ConstantGather(.relativePosition(window: 2)).op,
      #"{"index":"relativePosition","window":2}"#, [9, 3], gives: [4, 4, 3]),
    .init(
      ConstantGather(.relativePosition(window: Size(2, 3))).op,
      #"{"index":"relativePosition","window":[2,3]}"#, [15, 2], gives: [6, 6, 2]),
    .init(
      ConstantGather(.overlappingPosition(window: 2, keyWindow: 4)).op,
      #"{"index":"overlappingPosition","keyWindow":4,"window":2}"#, [25, 2], gives: [4, 16, 2]),
    .init(
      ConstantGather(.list([2, -1, 0, 0, 2, -4], shape: [2, 3]), dimension: 1).op,
      #"{"dimension":1,"index":[2,-1,0,0,2,-4],"shape":[2,3]}"#, [2, 4, 3, 5],
      gives: [2, 2, 3, 3, 5]),
    .init(
      ConstantGather(.list([3, 1], shape: [2]), dimension: 3).op, #"{"dimension":3,"index":[3,1]}"#,
      [2, 3, 2, 5], gives: [2, 3, 2, 2]),
  ]
}

/// Entries along a dimension, by an index that is written out from the formulas' papers.
func naiveGather(_ x: NaiveArray, _ gather: ConstantGather) -> NaiveArray {
  let (entries, shape) = naiveIndex(gather.index)
  let dimension = gather.dimension, rank = shape.count
  let result = x.shape[..<dimension] + shape + x.shape[(dimension + 1)...]
  return x.gathering(Array(result)) { index in
    let place = zip(index[dimension..<dimension + rank], shape).reduce(0) { $0 * $1.1 + $1.0 }
    let entry = entries[place]
    index.replaceSubrange(
      dimension..<dimension + rank, with: [entry < 0 ? entry + x.shape[dimension] : entry])
  }
}

/// A gather's index, written out pixel by pixel.
private func naiveIndex(_ index: GatherIndex) -> (entries: [Int], shape: [Int]) {
  func pixels(_ window: Size) -> [(y: Int, x: Int)] {
    (0..<window.height).flatMap { y in (0..<window.width).map { (y, $0) } }
  }
  switch index {
  case .list(let entries, let shape): return (entries, shape)
  case .relativePosition(let window):
    let all = pixels(window)
    let entries = all.flatMap { a in
      all.map { b in
        (a.y - b.y + window.height - 1) * (2 * window.width - 1) + a.x - b.x + window.width - 1
      }
    }
    return (entries, [all.count, all.count])
  case .overlappingPosition(let window, let keys):
    let entries = pixels(window).flatMap { query in
      pixels(keys).map { key in
        (key.y - query.y + window.height - keys.height + 1) * (window.width + keys.width - 1)
          + key.x - query.x + window.width - keys.width + 1
      }
    }
    return (entries, [pixels(window).count, pixels(keys).count])
  }
}
