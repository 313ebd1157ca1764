extension StringProtocol {
  /// The candidate that takes the fewest letters changed, added or left out to become this string;
  /// nil if none is near (a third of the letters, and at least 2).
  public func nearest(in candidates: some Sequence<String>) -> String? {
    // Whoever writes so much has not mistyped a name, and comparing would take long.
    guard utf8.count <= 256 else { return nil }
    var best: (distance: Int, candidate: String)?
    for candidate in candidates {
      let distance = editDistance(to: candidate)
      if distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    guard let best, best.distance <= Swift.max(2, count / 3) else { return nil }
    return best.candidate
  }

  /// Levenshtein's distance, case ignored.
  private func editDistance(to other: String) -> Int {
    let a = Array(lowercased()), b = Array(other.lowercased())
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, otherLetter) in b.enumerated() {
        let cost = letter == otherLetter ? diagonal : 1 + Swift.min(diagonal, row[j], row[j + 1])
        (diagonal, row[j + 1]) = (row[j + 1], cost)
      }
    }
    return row[b.count]
  }
}
