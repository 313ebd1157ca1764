/// What stands beyond the borders of a picture that is resampled.
public enum ResamplingBorder: String, CaseIterable, Codable, Hashable, Sendable {
  /// The picture mirrored, its edge repeated (`cba|abc|cba`): MATLAB's own.
  case symmetric
  /// The edge pixel for ever (`aaa|abc|ccc`), as some published test sets were made.
  case replicated

  /// Which of `count` pixels stands at `index`.
  func map(_ index: Int, count: Int) -> Int {
    switch self {
    case .replicated:
      return min(max(index, 0), count - 1)
    case .symmetric:
      if 0..<count ~= index { return index }
      let phase = index % (2 * count)
      let positive = phase < 0 ? phase + 2 * count : phase
      return positive < count ? positive : 2 * count - 1 - positive
    }
  }
}
