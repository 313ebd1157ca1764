internal import AviaryGraph

extension OperationRow {
  // Places within the image and a little beyond its edges, which lie at -1 and 1.
  package static let gridSample: [OperationRow] = [
    .init(
      .gridSample(GridSample()), "{}", [2, 3, 5, 6], [2, 4, 7, 2], gives: [2, 3, 4, 7],
      values: -1.3...1.3),
    .init(
      .gridSample(GridSample(paddingMode: .border, alignCorners: true)),
      #"{"alignCorners":true,"paddingMode":"border"}"#, [1, 2, 4, 3], [1, 5, 6, 2],
      gives: [1, 2, 5, 6], values: -1.3...1.3),
    .init(
      .gridSample(GridSample(paddingMode: .reflection)), #"{"paddingMode":"reflection"}"#,
      [1, 2, 4, 3], [1, 5, 6, 2], gives: [1, 2, 5, 6], values: -4...4),
    .init(
      .gridSample(GridSample(paddingMode: .reflection, alignCorners: true)),
      #"{"alignCorners":true,"paddingMode":"reflection"}"#, [1, 2, 4, 3], [1, 5, 6, 2],
      gives: [1, 2, 5, 6], values: -4...4),
    .init(
      .gridSample(GridSample(mode: .nearest)), #"{"mode":"nearest"}"#, [1, 2, 4, 3],
      [1, 5, 6, 2], gives: [1, 2, 5, 6], values: -1.3...1.3),
    .init(
      .gridSample(GridSample(paddingMode: .border, coordinates: .offsets)),
      #"{"coordinates":"offsets","paddingMode":"border"}"#, [2, 2, 4, 3], [2, 8, 6, 2],
      gives: [2, 2, 8, 6], values: -1.3...1.3),
  ]
}

/// Each place x, y of the grid, in pixels, takes the pixels around it by their distance, or the
/// nearest.
func naiveGridSample(_ x: NaiveArray, _ grid: NaiveArray, _ sampling: GridSample) -> NaiveArray {
  let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
  func pixel(_ image: Int, _ channel: Int, _ row: Int, _ column: Int) -> Double {
    guard (0..<height).contains(row), (0..<width).contains(column) else { return 0 }
    return x.values[((image * channels + channel) * height + row) * width + column]
  }
  func place(_ coordinate: Double, _ size: Int, _ pixel: Int, of pixels: Int) -> Double {
    let count = Double(size)
    var place =
      sampling.alignCorners
      ? (coordinate + 1) * (count - 1) / 2 : (coordinate + 1) * count / 2 - 0.5
    if sampling.coordinates == .offsets {
      place = (Double(pixel) + 0.5) / Double(pixels) * count - 0.5 + coordinate
    }
    let (low, high) = sampling.alignCorners ? (0, count - 1) : (-0.5, count - 0.5)
    switch sampling.paddingMode {
    case .zeros: return place
    case .border: break
    case .reflection:
      if low == high { return 0 }
      while place < low || place > high { place = place < low ? 2 * low - place : 2 * high - place }
    }
    return min(max(place, 0), count - 1)
  }
  var result: [Double] = []
  forEachIndex(of: [x.shape[0], channels, grid.shape[1], grid.shape[2]]) { index in
    let at = 2 * ((index[0] * grid.shape[1] + index[2]) * grid.shape[2] + index[3])
    let column = place(grid.values[at], width, index[3], of: grid.shape[2])
    let row = place(grid.values[at + 1], height, index[2], of: grid.shape[1])
    if sampling.mode == .nearest {
      result.append(
        pixel(
          index[0], index[1], Int(row.rounded(.toNearestOrEven)),
          Int(column.rounded(.toNearestOrEven))))
      return
    }
    let (top, left) = (Int(row.rounded(.down)), Int(column.rounded(.down)))
    var sum = 0.0
    for (r, rowWeight) in [(top, 1 - (row - Double(top))), (top + 1, row - Double(top))] {
      for (c, weight) in [(left, 1 - (column - Double(left))), (left + 1, column - Double(left))] {
        sum += rowWeight * weight * pixel(index[0], index[1], r, c)
      }
    }
    result.append(sum)
  }
  return NaiveArray([x.shape[0], channels, grid.shape[1], grid.shape[2]], result)
}
